//! Contexts and scopes as they are read back from the crate.

use hallpass::scope::Scope;

use crate::small::Covering;
use crate::universe::*;

pub(crate) fn context_of(said: &ContextSaid) -> hallpass::Context {
    context(said)
}

/// A scope as the crate tells it, call by call.
pub(crate) fn read_scope(scope: &Scope) -> Vec<Covering> {
    let told: serde_json::Value = serde_json::from_str(&scope.to_value().to_json()).unwrap();
    let read = |own: &serde_json::Value| {
        let args = match &own["args"] {
            serde_json::Value::Object(args) => {
                args.iter().map(|(name, c)| (name.clone(), read_constraint(c))).collect()
            }
            _ => Vec::new(),
        };
        Covering::of(&CapabilitySaid {
            tool: own["tool"].as_str().unwrap().into(),
            other_args: own["args"] == "any" || own["other_args"] == "any",
            args,
            resource: None,
            any_resource: false,
        })
    };
    told.as_array().unwrap().iter().map(read).collect()
}

fn read_constraint(c: &serde_json::Value) -> C {
    use serde_json::Value as Json;
    let value = |v: &Json| match v {
        Json::String(text) => V::Text(text.clone()),
        Json::Number(n) => V::Halves((n.as_f64().unwrap() * 2.0) as i64),
        Json::Null => V::Null,
        _ => panic!("not in this universe: {v}"),
    };
    if *c == "any" {
        return C::Any;
    }
    let parts = c.as_object().unwrap_or_else(|| panic!("not in this universe: {c}"));
    let all = parts.iter().map(|(word, said)| match (word.as_str(), said) {
        ("any", Json::Bool(true)) => C::Any,
        ("present", Json::Bool(there)) => C::Present(*there),
        ("eq", said) => C::Eq(value(said)),
        ("one_of", Json::Array(set)) => C::OneOf(set.iter().map(value).collect()),
        ("max", Json::Number(most)) => C::Max((most.as_f64().unwrap() * 2.0) as i64),
        ("all", Json::Array(parts)) => C::All(parts.iter().map(read_constraint).collect()),
        // What an exception leaves.
        ("not", said) => C::Not(Box::new(read_constraint(said))),
        _ => panic!("not in this universe: {c}"),
    });
    C::All(all.collect())
}
