//! What is left of a rule where all but the call is known.

use super::prepared::Prepared;
use crate::policy::effect::Effect;
use crate::policy::exception::Exception;
use crate::policy::question::Setting;
use crate::scope::{
    Condition, Constraint, Domain, Fact, Facts, Node, Place, ResourceOpenness, Stance, Truth,
    absent, any, any_of, eq, not,
};
use crate::value::{Object, Value};

/// A condition where all but the call is known.
enum Left {
    Holds,
    Fails,
    /// It hangs on the call.
    Open(Condition),
}

impl<'p> Prepared<'p> {
    /// What is left of it in a setting; `None` where it says nothing of any call there.
    ///
    /// What is left speaks of the same calls in the same setting. What compares with the call stays as it is written, and
    /// so does what is compared with a list or an object, and what a guard compares with and is not known.
    pub(crate) fn left_in(&self, setting: &Setting<'_>) -> Option<Prepared<'p>> {
        let own = match self.rule.effect {
            Effect::Permit => Stance::Cover,
            Effect::Ask | Effect::Forbid => Stance::Guard,
        };
        let conditions = left_of(&self.conditions, own, setting)?;
        let mut exceptions = Vec::with_capacity(self.exceptions.len());
        for exception in &self.exceptions {
            match left_of(exception, Exception::stance(self.rule.effect), setting) {
                // Every call is one.
                Some(left) if left.is_empty() => return None,
                Some(left) => exceptions.push(left),
                None => {}
            }
        }
        Some(Prepared { rule: self.rule, conditions, exceptions })
    }

    /// What it says, in the words of a rule.
    pub(crate) fn to_object(&self) -> Object {
        let mut out = Object::new();
        put_conditions(&mut out, &self.conditions);
        if self.rule.effect == Effect::Permit {
            self.put_openness(&mut out);
        }
        let unless = self.exceptions.iter().map(|own| {
            let mut out = Object::new();
            put_conditions(&mut out, own);
            Value::Object(out)
        });
        let unless: Vec<Value> = unless.collect();
        if !unless.is_empty() {
            let _ = out.insert("unless", Value::List(unless));
        }
        out
    }

    /// What a permit lets be there that its conditions do not name.
    fn put_openness(&self, out: &mut Object) {
        let openness = &self.rule.openness;
        let of = |wanted: fn(&Fact) -> bool| self.conditions.iter().any(|own| wanted(&own.fact));
        if openness.other_args {
            let is_named = of(|fact| matches!(fact, Fact::Arg(_)));
            put(out, &["what", if is_named { "other_args" } else { "args" }], Value::from("any"));
        }
        match openness.resource {
            ResourceOpenness::Any => put(out, &["what", "resource"], Value::from("any")),
            ResourceOpenness::Named if !of(|fact| *fact == Fact::ResourceType) => {
                put(out, &["what", "resource", "type"], Value::from("any"));
            }
            ResourceOpenness::Named | ResourceOpenness::None => {}
        }
    }
}

/// What values a fact of the setting has: the one that is known.
pub(crate) fn known_domain(fact: &Fact, setting: &Setting<'_>) -> Option<Domain> {
    if fact.is_of_the_call() || *fact == Fact::Tool {
        return None;
    }
    Some(match setting.fact(fact) {
        Some(value) => Domain::exactly(value.clone()),
        None => Domain::nothing(),
    })
}

/// `None` where one of them fails.
fn left_of(
    conditions: &[Condition],
    stance: Stance,
    setting: &Setting<'_>,
) -> Option<Vec<Condition>> {
    let mut all = Vec::with_capacity(conditions.len());
    for own in conditions {
        match left(own, stance, setting) {
            Left::Holds => {}
            Left::Fails => return None,
            Left::Open(left) => all.push(left),
        }
    }
    Some(all)
}

fn left(own: &Condition, stance: Stance, setting: &Setting<'_>) -> Left {
    let Condition { fact, constraint } = own;
    let is_known = !fact.is_of_the_call()
        && *fact != Fact::Tool
        && !constraint.compares_with(&Fact::is_of_the_call);
    if !is_known {
        return Left::Open(Condition::new(fact.clone(), known(constraint, stance, setting)));
    }
    let truth = own.holds(stance, setting, setting.meter);
    let is_so = match stance {
        Stance::Cover => truth == Truth::True,
        Stance::Guard => truth.may_hold(),
    };
    if is_so { Left::Holds } else { Left::Fails }
}

/// The constraint with each comparison with something known replaced by what is met by the same values.
fn known(constraint: &Constraint, stance: Stance, setting: &Setting<'_>) -> Constraint {
    let by = |leaf: &Node, place: Place| {
        if leaf.facts().any(Fact::is_of_the_call) {
            return None;
        }
        match leaf {
            Node::Compared(own) => {
                let spelled = own.spelled_out(|fact| setting.fact(fact), setting.meter);
                spelled.or_else(|| unknown(place, stance))
            }
            Node::SameAs(fact) => match setting.fact(fact).filter(|own| !own.is_nothing()) {
                None => unknown(place, stance),
                // Next to a list, what stands there is asked otherwise.
                Some(Value::List(_) | Value::Object(_)) => None,
                // An empty text is not known to be another, which a guard acts on and an exception of a permit is.
                Some(_) if stance == Stance::Guard => None,
                Some(Value::Text(own)) if place.negated => {
                    Some(any_of([eq(Value::Text(own.clone())), absent()]))
                }
                Some(own) => Some(eq(own.clone())),
            },
            _ => None,
        }
    };
    constraint.replace_comparisons(Place::default(), &by).into_owned()
}

/// What a permit takes where nothing is known: nothing. What a guard takes is no constraint of its own, since of an
/// empty list nothing is asked: it stays as it is.
fn unknown(place: Place, stance: Stance) -> Option<Constraint> {
    let all = any_of([any(), absent()]);
    match stance {
        Stance::Cover => Some(if place.negated { all } else { not(all) }),
        Stance::Guard => None,
    }
}

fn put_conditions(out: &mut Object, conditions: &[Condition]) {
    for Condition { fact, constraint } in conditions {
        let value = constraint.to_value();
        match fact {
            Fact::Tool => put(out, &["what", "tool"], value),
            Fact::Labels => put(out, &["what", "labels"], value),
            Fact::Arg(path) => put(out, &["what", "args", &path.join(".")], value),
            Fact::ResourceType => put(out, &["what", "resource", "type"], value),
            Fact::ResourceId => put(out, &["what", "resource", "id"], value),
            Fact::ResourceAttr(name) => put(out, &["what", "resource", "attrs", name], value),
            Fact::WhoAttr(name) => put(out, &["who", "attrs", name], value),
            other => {
                let name = other.to_string();
                let (root, rest) = name.split_once('.').unwrap_or((&name, ""));
                put(out, &[root, rest], value);
            }
        }
    }
}

/// Puts a value at a path of keys.
fn put(out: &mut Object, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        let _ = out.insert((*first).to_owned(), value);
        return;
    }
    if let Some(Value::Object(inner)) = out.get_mut(first) {
        return put(inner, rest, value);
    }
    let mut inner = Object::new();
    put(&mut inner, rest, value);
    // Looked for above, and not there.
    let _ = out.insert((*first).to_owned(), Value::Object(inner));
}
