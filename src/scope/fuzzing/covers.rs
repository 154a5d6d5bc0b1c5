//! What is said of whole capabilities, against asking calls one by one.

use super::super::algebra::{Algebra, Difference, cover_difference};
use super::super::capability::Capability;
use super::super::cover::{Condition, Cover, Openness, ResourceOpenness};
use super::super::fact::Fact;
use super::source::{READ, Source};
use crate::meter::Meter;
use crate::scope::algebra::CallWitness;
use crate::tool::ToolName;
use crate::value::Value;

/// Up to four capabilities of one tool, and some values, made from the bytes: no call contradicts what
/// is said of what one covers and the others don't.
pub fn covers(bytes: &[u8]) {
    let mut source = Source(bytes);
    let Some(own) = source.capability() else { return };
    let others: Vec<Capability> =
        source.several(Source::capability).into_iter().flatten().collect();
    let calls = source.calls();

    let outside = |others: &[Capability]| {
        let lost =
            |call: &&CallWitness| own.matches(call) && !others.iter().any(|o| o.matches(call));
        calls.iter().find(lost)
    };
    let check = |difference: Difference<CallWitness>, others: &[Capability]| match difference {
        Difference::Empty => assert_eq!(outside(others), None, "{own:?} within {others:?}"),
        Difference::Witness(shown) => {
            assert!(own.matches(&shown), "{shown:?} in {own:?}");
            assert!(!others.iter().any(|o| o.matches(&shown)), "{shown:?} in one of {others:?}");
        }
        Difference::Undecided => {}
    };
    let all: Vec<Cover<'_>> = others.iter().map(Capability::cover).collect();
    check(cover_difference(own.cover(), &all, &Meter::ample()), &others);
    for other in &others {
        let one = std::slice::from_ref(other);
        check(own.difference(other, &Meter::ample()), one);
        if own.is_within(other, &Meter::ample()) {
            assert_eq!(outside(one), None, "{own:?} contained in {other:?}");
        }
        // A search that is not stopped agrees with what is seen condition by condition.
        if own.is_plainly_within(other, &Meter::ample()) {
            let shown = own.difference(other, &Meter::ample());
            assert!(
                !matches!(shown, Difference::Witness(_)),
                "{own:?} within {other:?}: {shown:?}"
            );
        }
        if !own.overlaps(other, &Meter::ample()) {
            let both = calls.iter().find(|call| own.matches(call) && other.matches(call));
            assert_eq!(both, None, "{own:?} apart from {other:?}");
        }
    }
}

/// Some of each sort, and what kinds read.
const VALUES: [&str; 9] =
    ["null", "true", "0", "1.5", "\"\"", "\"ab\"", "[]", "[1,2]", "{\"p\":1}"];

impl Source<'_> {
    /// One that can be meant, by policies at least.
    fn capability(&mut self) -> Option<Capability> {
        let mut conditions = Vec::new();
        for name in ["a", "b"] {
            if !self.byte().is_multiple_of(4) {
                Condition::add(&mut conditions, Fact::arg(name), self.constraint(2));
            }
        }
        let resource = match self.byte() % 6 {
            0..=3 => ResourceOpenness::None,
            4 => ResourceOpenness::Any,
            _ => {
                for fact in [Fact::ResourceType, Fact::ResourceId] {
                    Condition::add(&mut conditions, fact, self.constraint(1));
                }
                if self.byte().is_multiple_of(2) {
                    let fact = Fact::ResourceAttr("p".into());
                    Condition::add(&mut conditions, fact, self.constraint(1));
                }
                ResourceOpenness::Named
            }
        };
        let openness = Openness { other_args: self.byte().is_multiple_of(3), resource };
        let meant = conditions.iter().all(|own: &Condition| own.constraint.check().is_ok());
        let tool = ToolName::new("t").ok()?;
        meant.then(|| Capability { tool, conditions: conditions.into_boxed_slice(), openness })
    }

    /// Calls whose arguments are drawn from a few values, with an argument more and with a resource.
    fn calls(&mut self) -> Vec<CallWitness> {
        let mut values: Vec<Option<Value>> =
            VALUES.map(|text| Some(Value::from_json(text).expect("JSON"))).into();
        values.extend([None, Some(Value::from(self.one(&READ)))]);
        values.extend((0..3).map(|_| Some(self.value(2))));
        let resource = || {
            let text = |text: &str| Value::from(text);
            let named = [(Fact::ResourceType, text("a")), (Fact::ResourceId, text("ab"))];
            let attr = (Fact::ResourceAttr("p".into()), Value::from(1));
            [None, Some(named.clone().into()), Some(named.into_iter().chain([attr]).collect())]
        };
        let mut calls = Vec::new();
        // Each pair of values once; each variety meets each value.
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                let [none, named, attributed] = resource();
                let (more, resource) = match (i + j) % 4 {
                    0 => (Some(Value::from("x")), none),
                    1 => (None, named),
                    2 => (None, attributed),
                    _ => (None, none),
                };
                let mut call = CallWitness { resource, ..CallWitness::default() };
                for (name, value) in [("a", a), ("b", b), ("z", &more)] {
                    if let Some(value) = value {
                        call.args.insert(name, value.clone()).expect("each name once");
                    }
                }
                calls.push(call);
            }
        }
        calls
    }
}
