//! Calls that a scope covers, and one that it does not: what constraints mean is easier seen than read.

use super::line::ViewLine;
use crate::meter::Meter;
use crate::scope::{
    Capability, Condition, Cover, Difference, Fact, Openness, ResourceOpenness, cover_difference,
    eq,
};
use crate::value::{Object, Value};

/// What looking for one call may take: a fraction of a millisecond, and always the same, so that a view is
/// the same whenever it is rendered.
const STEPS: u64 = 50_000;

/// Two calls inside, and one outside.
pub(super) fn examples(capability: &Capability, label: &str) -> Vec<ViewLine> {
    let own = capability.cover();
    let line = |word: &str, found: Difference<Value>, none: &str| {
        let label = format!("{label} {word}");
        match found {
            Difference::Witness(call) => ViewLine::stated(&label, &call),
            Difference::Empty => ViewLine::said(&label, none),
            Difference::Undecided => ViewLine::said(&label, "none was found"),
        }
    };
    let (first, exactly) = found(own, &[]);
    let second = match &exactly {
        Some((conditions, openness)) => {
            let second = found(own, &[Cover { conditions, openness }]).0;
            vec![line("covers", second, "no other call")]
        }
        None => Vec::new(),
    };
    let anything = Openness { other_args: true, resource: own.openness.resource };
    let outside = found(Cover { conditions: &[], openness: &anything }, &[own]).0;
    let mut lines = vec![line("covers", first, "no call")];
    lines.extend(second);
    lines.push(line("does not cover", outside, "every call of the tool is covered"));
    lines
}

/// The conditions that only one call meets.
type Exactly = (Vec<Condition>, Openness);

/// A call in one cover and in none of others, as data and as what covers it alone.
fn found(own: Cover<'_>, others: &[Cover<'_>]) -> (Difference<Value>, Option<Exactly>) {
    let witness = match cover_difference(own, others, &Meter::of(STEPS)) {
        Difference::Witness(witness) => witness,
        Difference::Empty => return (Difference::Empty, None),
        Difference::Undecided => return (Difference::Undecided, None),
    };
    let mut conditions = Vec::new();
    for (name, value) in witness.args.iter() {
        Condition::add(&mut conditions, Fact::arg(name), eq(value.clone()));
    }
    let mut call = Object::new();
    // Each key is written once.
    let _ = call.insert("args", Value::Object(witness.args));
    let mut resource = ResourceOpenness::None;
    if let Some(parts) = witness.resource {
        resource = ResourceOpenness::Named;
        let mut shown = Object::new();
        for (fact, value) in parts {
            let name = match &fact {
                Fact::ResourceType => "type".to_owned(),
                Fact::ResourceId => "id".to_owned(),
                other => other.to_string(),
            };
            let _ = shown.insert(name, value.clone());
            Condition::add(&mut conditions, fact, eq(value));
        }
        let _ = call.insert("resource", Value::Object(shown));
    }
    let exactly = (conditions, Openness { other_args: false, resource });
    (Difference::Witness(Value::Object(call)), Some(exactly))
}
