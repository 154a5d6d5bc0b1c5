//! What is seen of two constraints without a search: that one goes beyond the other, or that they have nothing in
//! common.
//!
//! Most rules next to a request speak of something else of the same kind: of other folders, other names, other amounts.
//! Where that is plain, nothing is searched. What is answered here is what a search would find.

use std::time::Duration;

use super::constraint::{Constraint, Node};
use super::evaluate::Stance;
use super::fact::Absence;
use super::path::is_under;
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::{Number, Value};

/// How many values are tried that are easy to name, however many parts lie within each other.
const MOST_NAMED: usize = 4;

impl Constraint {
    /// Whether a value that is easy to name shows that `wider` is not true of all that `self` is true of.
    pub(super) fn is_plainly_beyond(&self, wider: &Constraint, meter: &Meter) -> bool {
        let is_true = |own: &Constraint, value: &Value| {
            own.holds_of(Some(value), Absence::Argument, Stance::Cover, false, meter) == Truth::True
        };
        !self.compares()
            && !wider.compares()
            && self.named(meter).iter().any(|own| is_true(self, own) && !is_true(wider, own))
    }

    /// Whether a guard that says `other` is known not to act on any value of which `self` is true, be it a list.
    pub(super) fn is_plainly_apart(&self, other: &Constraint, meter: &Meter) -> bool {
        self.is_by_element()
            && other.is_by_element()
            && meter.charge(self.parts() + other.parts(), Work::Containing)
            && self.elements_are_apart(other, meter)
    }

    /// The same of one element: what all are asked, and a guard minds in any of them. Each pair of parts takes a step:
    /// of two constraints with many, there are as many pairs as one has parts, times those of the other.
    fn elements_are_apart(&self, other: &Constraint, meter: &Meter) -> bool {
        if !meter.charge(1, Work::Containing) {
            return false;
        }
        match (&self.0, &other.0) {
            (Node::All(parts), _) => parts.iter().any(|own| own.elements_are_apart(other, meter)),
            (Node::AnyOf(parts), _) => parts.iter().all(|own| own.elements_are_apart(other, meter)),
            (_, Node::All(parts)) => parts.iter().any(|own| self.elements_are_apart(own, meter)),
            (_, Node::AnyOf(parts)) => parts.iter().all(|own| self.elements_are_apart(own, meter)),
            (Node::Range(own), Node::Range(other)) => {
                own.range().intersect(other.range()).is_empty()
            }
            (Node::Instants(own), Node::Instants(other)) => own.intersect(**other).is_empty(),
            (Node::Suffix(own), Node::Suffix(other)) => {
                meter.charge_bytes(own.len().min(other.len()), Work::Containing)
                    && !own.ends_with(&**other)
                    && !other.ends_with(&**own)
            }
            // Of a path from elsewhere it is unknown where it leads.
            (Node::Under(own), Node::Under(other)) => {
                meter.charge_bytes(own.len().min(other.len()), Work::Containing)
                    && own.starts_with('/') == other.starts_with('/')
                    && !is_under(own, other)
                    && !is_under(other, own)
            }
            (own, other) => begin_apart(own, other, meter),
        }
    }

    /// Some values of which it may be true.
    fn named(&self, meter: &Meter) -> Vec<Value> {
        let mut named = Vec::new();
        self.add_named(&mut named, meter);
        named
    }

    fn add_named(&self, named: &mut Vec<Value>, meter: &Meter) {
        if named.len() >= MOST_NAMED {
            return;
        }
        let text = |text: &str| {
            meter.charge_bytes(text.len(), Work::Containing).then(|| Value::from(text))
        };
        let one = match &self.0 {
            Node::All(parts) => {
                named.extend(text(&joined(parts)));
                parts.iter().for_each(|part| part.add_named(named, meter));
                None
            }
            Node::AnyOf(parts) => {
                parts.iter().for_each(|part| part.add_named(named, meter));
                None
            }
            Node::Prefix(own) | Node::Suffix(own) | Node::Contains(own) | Node::Under(own) => {
                text(own)
            }
            // What stands for any text stands for this.
            Node::Glob(own) => text(&own.as_str().replace(['*', '?'], "a")),
            Node::Range(own) => {
                let range = own.range();
                let bound = range.lower.or(range.upper);
                let number = bound.map_or(Some(Number::ZERO), |bound| {
                    let step = Number::from(if range.lower.is_some() { 1 } else { -1 });
                    match bound.inclusive {
                        true => Some(bound.number),
                        false => bound.number.checked_add(step),
                    }
                });
                number.map(Value::Number)
            }
            Node::Instants(own) => {
                let last = || own.before.and_then(|end| end.checked_sub(Duration::from_millis(1)));
                own.after.or_else(last).and_then(|instant| text(&instant.to_string()))
            }
            Node::Cidr(networks) => networks.first().and_then(|own| text(&own.first().to_string())),
            _ => None,
        };
        named.extend(one);
    }
}

/// A text that begins, goes on and ends as parts of an `all` say.
fn joined(parts: &[Constraint]) -> String {
    let (mut start, mut end) = ("", "");
    let mut between = String::new();
    for part in parts {
        match &part.0 {
            Node::Prefix(own) => start = own,
            Node::Under(own) => {
                start = own;
                between.insert(0, '/');
            }
            Node::Contains(own) => between.push_str(own),
            Node::Suffix(own) => end = own,
            _ => {}
        }
    }
    format!("{start}{between}{end}")
}

/// Whether texts that one is true of begin otherwise than all that the other is true of, and are read by it: of what
/// it does not read it is unknown.
fn begin_apart(own: &Node, other: &Node, meter: &Meter) -> bool {
    let (Some(own), Some(other)) = (own.beginning(), other.beginning()) else { return false };
    meter.charge_bytes(own.text.len().min(other.text.len()), Work::Containing)
        && own.reader.reads_no_more_than(other.reader)
        && !own.text.starts_with(&*other.text)
        && !other.text.starts_with(&*own.text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scope::algebra::{Difference, all_but};
    use crate::scope::model::values;
    use crate::scope::{
        above, after, all_of, any_of, before, below, cidr, contains, glob, max, min, prefix, regex,
        suffix, under,
    };

    fn leaves() -> impl Strategy<Value = Constraint> {
        prop_oneof![
            "[a/.]{1,3}".prop_map(|own| prefix(&own)),
            "[ab]{1,2}".prop_map(|own| suffix(&own)),
            "[ab]{1,2}".prop_map(|own| contains(&own)),
            prop::sample::select(vec![
                "a*", "b*", "a/*", "/a/**", "/b/*", "ab", "**/a", "./a*", "?a"
            ])
            .prop_map(glob),
            prop::sample::select(vec!["a.*", "b.*", "ab?", "(a|b)c"]).prop_map(regex),
            prop::sample::select(vec!["/", "/a", "/ab", "/b", "/a/b", "a", "b", "a/b", "."])
                .prop_map(under),
            (0..4_i64, 0..4_u8).prop_map(|(n, kind)| match kind {
                0 => min(n),
                1 => max(n),
                2 => above(n),
                _ => below(n),
            }),
            (1..4_i64, any::<bool>()).prop_map(|(day, is_after)| {
                let day = format!("2026-01-0{day}T00:00:00Z");
                let day = crate::clock::Timestamp::parse_rfc3339(&day).unwrap();
                if is_after { after(day) } else { before(day) }
            }),
            prop::sample::select(vec!["10.0.0.0/8", "10.1.0.0/16", "::/0"])
                .prop_map(|own| cidr([own])),
        ]
    }

    fn constraints() -> impl Strategy<Value = Constraint> {
        prop_oneof![
            4 => leaves(),
            1 => prop::collection::vec(leaves(), 1..3).prop_map(all_of),
            1 => prop::collection::vec(leaves(), 1..3).prop_map(any_of),
        ]
    }

    fn subjects() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            4 => "[ab/.]{0,5}",
            1 => Just("/a/".to_owned() + &"b".repeat(5000)),
            1 => "[ab/]{0,2}\u{7}?",
            1 => (1..4_u8).prop_map(|day| format!("2026-01-0{day}T00:00:00Z")),
            1 => Just("10.1.0.0".to_owned()),
        ];
        let one = prop_oneof![4 => text.prop_map(Value::from), 1 => values(), 1 => (0..4_i64).prop_map(Value::from)];
        prop_oneof![3 => one.clone(), 1 => prop::collection::vec(one, 0..3).prop_map(Value::List)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

        /// P5: on what is plainly apart from a guard it is known not to act, whatever the value is.
        #[test]
        fn what_is_plainly_apart_shares_no_value(
            one in constraints(), other in constraints(), value in subjects(),
        ) {
            let meter = Meter::ample();
            if one.is_plainly_apart(&other, &meter) {
                let of = |own: &Constraint, stance| own.holds_of(Some(&value), Absence::Argument, stance, false, &meter);
                let both = of(&one, Stance::Cover) == Truth::True && of(&other, Stance::Guard).may_hold();
                prop_assert!(!both, "{one} and {other}");
            }
        }

        /// P3: what plainly goes beyond another is found to by a search, too.
        #[test]
        fn what_is_plainly_beyond_another_is_not_within_it(one in constraints(), other in constraints()) {
            let meter = Meter::ample();
            if one.is_plainly_beyond(&other, &meter) {
                let searched = all_but(&[&one], &other, Absence::Argument, &meter);
                prop_assert_ne!(searched, Difference::Empty, "{} and {}", one, other);
            }
        }
    }

    #[test]
    fn what_lies_next_to_another_is_apart_and_what_may_be_both_is_not() {
        for (one, other, apart) in [
            (under("/w"), under("/v1"), true),
            (under("/v10"), under("/v1"), true),
            (under("/v1/a"), under("/v1"), false),
            (under("/v1"), under("/v1/a"), false),
            (under("w"), under("/v1"), false),
            (under("/"), under("/v1"), false),
            (under("w"), under("."), false),
            (prefix("/w/"), prefix("/v1/"), true),
            (prefix("/w"), prefix("/w/a"), false),
            (prefix("w"), prefix("/v/"), false),
            (under("/w"), prefix("/v"), true),
            (prefix("/w/"), under("/v"), false),
            (glob("/w/*"), glob("/v/*"), true),
            (prefix("/w/"), glob("/v/*"), false),
            (glob("/w/*"), prefix("/v/"), true),
            (glob("w*"), regex("v.*"), true),
            (suffix(".rs"), suffix(".toml"), true),
            (suffix(".rs"), suffix("s"), false),
            (min(5), max(4), true),
            (min(5), max(5), false),
            (min(5), below(5), true),
            (all_of([contains("x"), prefix("a")]), prefix("b"), true),
            (any_of([prefix("a"), prefix("b")]), prefix("b"), false),
            (any_of([prefix("a"), prefix("b")]), any_of([prefix("c"), prefix("d")]), true),
            (prefix("a"), all_of([contains("x"), prefix("b")]), true),
            (prefix("a"), any_of([contains("x"), prefix("b")]), false),
        ] {
            assert_eq!(one.is_plainly_apart(&other, &Meter::ample()), apart, "{one} and {other}");
        }
    }
}
