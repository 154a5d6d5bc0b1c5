//! What somebody can do, with what is left over.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Answered, Compared, Comparison, Level, Universe, agreed, must};
use crate::policy::regions::model::{any_policy, any_policy_or_defaults, has_catalogue};
use crate::policy::rule::{Rule, Tools};
use crate::policy::{Access, Policy};
use crate::value::{Object, Value};

/// Of every call of the universe: it is permitted, or asked about, exactly where what is left over says so, and where
/// nothing is said to be left, none is. Each call that is shown is confirmed.
pub(super) fn compare(own: &Answered<'_>, at: usize) -> Comparison {
    let Universe { questions, why, now, .. } = own.universe;
    let (who, _, context) = &questions[at % questions.len()];
    let found = own.policy.search(why, context, *now).what_can(who).unwrap();
    let told = || format!("{context:?}: {found}\n{}", own.told());
    let mut compared = Compared { undecided: found.undecided().len(), ..Compared::default() };
    let tools =
        [("t", own_names(own, "t")), ("u", own_names(own, "u")), ("v", own_names(own, "v"))];
    for (tool, named) in tools {
        let calls = questions.iter().zip(&own.levels).filter(|((other, call, its), _)| {
            other.groups().eq(who.groups()) && call.tool() == tool && its == context
        });
        let calls: Vec<_> = calls.map(|((_, call, _), level)| (call, *level)).collect();
        must(calls.len() == 16, || format!("{} calls", calls.len()))?;
        let its = || found.iter().filter(|access| access.tool() == named);
        for access in its() {
            if let Some(call) = access.permitted() {
                let came = own.universe.level(&own.policy, who, call, context);
                must(came == Level::Permitted, || format!("{access}: {}", told()))?;
                compared.witnesses += 1;
            }
            if let Some(call) = access.asked() {
                let came = own.universe.level(&own.policy, who, call, context);
                must(matches!(came, Level::Asked(_)), || format!("{access}: {}", told()))?;
                compared.witnesses += 1;
            }
        }
        if !found.is_all() {
            continue;
        }
        let left = left_over(its(), tool, has_catalogue(&own.policy));
        for (call, expected) in calls {
            // What is compared with a list, or not known, stays as it is written.
            let came = own.universe.level(&left, who, call, context);
            must(came.rank() == expected.rank(), || format!("{call:?}: {}", told()))?;
            let is_shown = match expected {
                Level::Permitted => its().any(|own| own.permitted().is_some()),
                Level::Asked(_) => its().any(|own| own.asked().is_some()),
                Level::Denied => true,
            };
            must(is_shown, || format!("{call:?}: {}", told()))?;
        }
        compared.shown += usize::from(its().next().is_none());
    }
    Ok(compared)
}

/// What is left over, as a policy of its own.
fn left_over<'a>(
    accesses: impl Iterator<Item = &'a Access>,
    tool: &str,
    has_defaults: bool,
) -> Policy {
    let mut rules = BTreeMap::new();
    for access in accesses {
        let value = access.to_value();
        let field = |name: &str| value.as_object().unwrap().get(name).unwrap().clone();
        let Value::List(guards) = field("except") else { panic!("a list") };
        for rule in guards.into_iter().chain([field("gives")]) {
            let Value::Object(mut rule) = rule else { panic!("an object") };
            let mut what = match rule.get("what") {
                Some(Value::Object(what)) => what.clone(),
                _ => Object::new(),
            };
            let _ = what.insert("tool", Value::from(tool));
            // An exception of another tool never holds, and the loader refuses a rule with one.
            let others = |own: &Value| {
                own.to_json().contains(r#""tool":{"eq":"#)
                    && !own.to_json().contains(&format!(r#""tool":{{"eq":"{tool}"}}"#))
            };
            // Nor does one that names a text of the argument that is a number of this tool.
            let is_typed = has_defaults && tool == "t";
            let a_text = |own: &Value| is_typed && own.to_json().contains(r#""a":{"eq":"x"}"#);
            if let Some(Value::List(unless)) = rule.get_mut("unless") {
                unless.retain(|own| !others(own) && !a_text(own));
            }
            if rule.get("unless").is_some_and(|own| own.to_json() == "[]") {
                let rest = rule.iter().filter(|(key, _)| *key != "unless");
                let rest = rest.map(|(key, own)| (key.to_owned(), own.clone()));
                rule = Object::from_pairs(rest).unwrap();
            }
            match rule.get_mut("what") {
                Some(own) => *own = Value::Object(what),
                None => rule.insert("what", Value::Object(what)).unwrap(),
            }
            if rule.get("effect") == Some(&Value::from("ask")) {
                let terms = r#"{"review":[{"groups":{"has_any":["finance"]}}]}"#;
                rule.insert("approval", Value::from_json(terms).unwrap()).unwrap();
            }
            rules.insert(rule.get("id").unwrap().to_json(), Value::Object(rule).to_json());
        }
    }
    let rules: Vec<String> = rules.into_values().collect();
    let typed = r#"{"name":"t","args":{"a":{"type":"number","default":1},"b":{"type":"integer","default":7}}}"#;
    let tools = if has_defaults {
        format!(r#""tool":[{typed},{{"name":"u"}},{{"name":"v"}}],"#)
    } else {
        String::new()
    };
    let text = format!(r#"{{"version":1,{tools}"rule":[{}]}}"#, rules.join(","));
    Policy::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The tool as an access names it: one that no rule names is not named.
fn own_names(own: &Answered<'_>, tool: &'static str) -> Option<&'static str> {
    let names = |rule: &Rule| match &rule.tools {
        Tools::Named(names) => names.iter().any(|own| &**own == tool),
        _ => false,
    };
    (has_catalogue(&own.policy) || own.policy.rules().any(names)).then_some(tool)
}

proptest! {
    #[test]
    fn is_what_asking_about_every_call_finds(
        own in any_policy_or_defaults(true), at in 0..1_000_000_usize,
    ) {
        let universe = Universe::new();
        agreed(compare(&Answered::of(own, &universe), at))?;
    }
}

/// Nearly all is told where nothing is compared.
#[test]
fn little_is_left_undecided() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let Universe { questions, why, now, .. } = Universe::new();
    let mut undecided = 0;
    for at in 0..400 {
        let compares = at % 2 == 0;
        let own = any_policy(compares).new_tree(&mut runner).unwrap().current();
        let (who, _, context) = &questions[at * 37 % questions.len()];
        undecided += usize::from(!own.search(&why, context, now).what_can(who).unwrap().is_all());
    }
    assert!(undecided <= 40, "{undecided} of 400");
}
