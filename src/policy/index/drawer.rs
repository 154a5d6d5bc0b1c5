//! A drawer: rules filed by what they demand of one fact.

use super::keys::{Doubt, Keys};
use super::{Probe, Side};
use crate::meter::{Meter, Work};
use crate::scope::{Absence, Fact};
use crate::value::Value;

/// Rules filed by what they demand of one fact.
#[derive(Debug)]
pub(super) struct Drawer {
    pub(super) fact: Fact,
    /// Whether it is demanded of a member of the list that the fact is.
    pub(super) members: bool,
    pub(super) keys: Keys,
    pub(super) all: Box<[u32]>,
}

/// How many elements are looked up without noting which rules were found.
const FEW: usize = 8;

impl Drawer {
    /// Visits the rules that may apply to a question which has this.
    #[inline]
    pub(super) fn visit(
        &self,
        side: Side,
        probe: Probe<'_>,
        meter: &Meter,
        visit: &mut impl FnMut(u32),
    ) {
        match probe {
            Probe::Value(value) => self.visit_value(side, value, meter, visit),
            Probe::Text(text) => {
                let known = self.keys.find_text(text, meter, &mut |rules| each(rules, visit));
                self.settle(known, side, visit);
            }
            // Not the first alone, for a permit that covers them all: of a set that something else
            // narrows, the first may be none of them.
            Probe::OneOf(set) => match set.as_slice() {
                [only] => self.visit_value(side, only, meter, visit),
                values => self.visit_once(values, visit, &mut |value, found| {
                    self.visit_value(side, value, meter, &mut |at| found.push(at));
                }),
            },
            // Every key is of something that is there.
            Probe::Missing(Absence::Argument) => {}
            // A permit needs true; unknown is enough for a guard.
            Probe::Missing(Absence::Attribute) if side == Side::Permits => {}
            Probe::Missing(Absence::Attribute) | Probe::Open => each(&self.all, visit),
        }
    }

    /// A guard acts where it can't be told.
    #[inline]
    fn settle(&self, known: Result<(), Doubt>, side: Side, visit: &mut impl FnMut(u32)) {
        if known.is_err() && side == Side::Guards {
            each(&self.all, visit);
        }
    }

    #[inline]
    fn visit_value(&self, side: Side, value: &Value, meter: &Meter, visit: &mut impl FnMut(u32)) {
        let known = match value {
            _ if matches!(self.keys, Keys::There) => return each(&self.all, visit),
            Value::List(elements) => match elements.as_slice() {
                // As most groups are: what is found for it is found once.
                [only] if !matches!(only, Value::List(_)) => {
                    if !meter.charge(1, Work::Visiting) {
                        return;
                    }
                    self.keys.find(only, meter, &mut |rules| each(rules, visit))
                }
                elements => return self.visit_list(side, elements, meter, visit),
            },
            _ if self.members => Err(Doubt),
            one => self.keys.find(one, meter, &mut |rules| each(rules, visit)),
        };
        self.settle(known, side, visit);
    }

    /// Visits rules that may apply to a list, which is asked element by element.
    #[inline(never)]
    fn visit_list(
        &self,
        side: Side,
        elements: &[Value],
        meter: &Meter,
        visit: &mut impl FnMut(u32),
    ) {
        let elements = match side {
            // A permit asks the same of every element, so of the first.
            Side::Permits if !self.members => elements.get(..1).unwrap_or_default(),
            _ => elements,
        };
        if !meter.charge(1 + elements.len() / 8, Work::Visiting) {
            return;
        }
        let is_list = |element: &Value| matches!(element, Value::List(_));
        // What stands in a list in the list may be any of what is demanded. And to ask one rule of many
        // elements takes no longer than to look for them.
        let is_alone = self.all.len() == 1 && elements.len() > FEW;
        if is_alone || elements.iter().any(is_list) {
            return each(&self.all, visit);
        }
        let mut known = Ok(());
        if elements.len() <= FEW {
            for element in elements {
                let own = self.keys.find(element, meter, &mut |rules| each(rules, visit));
                known = known.and(own);
            }
        } else {
            self.visit_once(elements, visit, &mut |element, found| {
                // Guards are all visited where one element can't be told; a permit may be found by another.
                if known.is_ok() || side == Side::Permits {
                    let add = &mut |rules: &[u32]| found.extend_from_slice(rules);
                    if let Err(doubt) = self.keys.find(element, meter, add) {
                        known = Err(doubt);
                    }
                }
            });
        }
        self.settle(known, side, visit);
    }

    /// Visits what is found for many values, each rule once: a list may have one value again and again, and
    /// a rule stand under many.
    #[inline(never)]
    fn visit_once(
        &self,
        values: &[Value],
        visit: &mut impl FnMut(u32),
        find: &mut dyn FnMut(&Value, &mut Vec<u32>),
    ) {
        let mut found = Vec::new();
        for value in values {
            find(value, &mut found);
            if found.len() > 2 * self.all.len() {
                found.sort_unstable();
                found.dedup();
            }
        }
        found.sort_unstable();
        found.dedup();
        each(&found, visit);
    }
}

#[inline]
fn each(rules: &[u32], visit: &mut impl FnMut(u32)) {
    rules.iter().copied().for_each(visit);
}

#[cfg(test)]
mod tests {
    use super::FEW;
    use crate::policy::{Policy, Rule};
    use crate::prelude::*;
    use crate::scope::has_any;

    /// P5: also where another element is of a kind that the rules don't compare with, or none of theirs.
    #[test]
    fn a_permit_is_found_by_any_member_of_a_list_however_long() {
        let rule = |id: &str| Rule::permit(id).tool("t").arg("x", has_any(["ab"]));
        let policy = Policy::builder().rule(rule("a")).rule(rule("b")).build().unwrap();
        let broker = Broker::new(policy).unwrap();
        let who = broker.assert_identity("w").unwrap();
        let task = broker.open(&who, Purpose::new("p")).unwrap();
        let scope = Scope::tool("t").arg("x", has_any(["ab"]));
        let grant = task.request(scope, &Context::new()).unwrap();
        for first in [serde_json::json!("abb"), serde_json::json!(1)] {
            for more in [0, FEW, 4 * FEW] {
                let mut list = vec![first.clone(), "ab".into()];
                list.resize(list.len() + more, "a".into());
                let call = Call::new("t", serde_json::json!({ "x": list })).unwrap();
                let answer = broker.gate().check(grant.token(), &who, &call, &Context::new());
                assert!(answer.is_ok(), "{first} and {more} more");
            }
        }
    }
}
