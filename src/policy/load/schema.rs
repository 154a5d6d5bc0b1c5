//! The JSON Schema of a policy file, for editors.
//!
//! Which keys there are is taken from the tables that the loader itself reads by, so that neither knows a key that the
//! other does not. What may stand behind each is said here, and a test holds that it is said of each.

use super::{LOG, POLICY, TEST, rule, terms, tool, what, who};
use crate::approval::pin::Part;
use crate::form::Form;
use crate::policy::Policy;
use crate::policy::effect::Effect;
use crate::policy::moment::Moment;
use crate::scope::{ValueType, constraint_words};
use crate::spelling::ArgType;
use crate::value::{Object, Value, object_of};

impl Policy {
    /// A JSON Schema (draft 2020-12) of the policy file, as it is in TOML and in JSON, for editors: which keys there are
    /// where, and what kind of value each takes.
    ///
    /// What loads is valid under it. What is valid may still not load: whether a rule can be meant is the loader's to say.
    ///
    /// ```
    /// use hallpass::Policy;
    ///
    /// let schema = Policy::schema().to_json();
    /// assert!(schema.contains(r#""$schema":"https://json-schema.org/draft/2020-12/schema""#));
    /// ```
    pub fn schema() -> Value {
        let defs = TABLES.map(|own| (own.name, own.schema()));
        let constraint = any_of([
            types(&["string", "number", "boolean"]),
            object_of([("type", text("array")), ("minItems", Value::from(1_u64))]),
            def("kinds"),
        ]);
        let others = [
            ("constraint", constraint),
            ("set", any_of([constant("any"), def("kinds")])),
            ("kinds", closed(constraint_words().map(|word| (word, of_constraint(word))), &[])),
            ("constraints", of_each(def("constraint"))),
            ("reference", reference()),
            ("exception", exception()),
            ("line", line()),
        ];
        let mut out = match closed(POLICY.iter().map(|key| (*key, of_policy(key))), &["version"]) {
            Value::Object(out) => out,
            _ => Object::new(),
        };
        let defs = object_of(defs.into_iter().chain(others));
        for (key, value) in [
            ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
            ("title", text("hallpass policy")),
            ("$defs", defs),
        ] {
            // The keys are those of no table of a policy.
            let _ = out.insert(key, value);
        }
        Value::Object(out)
    }
}

/// A table of the policy file whose keys the loader knows.
struct Keys {
    name: &'static str,
    keys: &'static [&'static str],
    required: &'static [&'static str],
    of: fn(&str) -> Option<Value>,
}

impl Keys {
    fn schema(&self) -> Value {
        closed(self.keys.iter().map(|key| (*key, (self.of)(key))), self.required)
    }
}

const TABLES: [Keys; 11] = [
    Keys { name: "log", keys: LOG, required: &["plain"], of: of_log },
    Keys { name: "argument", keys: tool::ARGUMENT, required: &[], of: of_argument },
    Keys { name: "tool", keys: tool::KEYS, required: &["name"], of: of_tool },
    Keys { name: "rule", keys: rule::KEYS, required: &["id", "effect"], of: of_rule },
    Keys { name: "who", keys: who::KEYS, required: &[], of: of_who },
    Keys { name: "what", keys: what::KEYS, required: &[], of: of_what },
    Keys { name: "grant", keys: terms::GRANT, required: &[], of: of_grant },
    Keys { name: "approval", keys: terms::APPROVAL, required: &[], of: of_approval },
    Keys {
        name: "break_glass",
        keys: terms::BREAK_GLASS,
        required: &["review"],
        of: of_break_glass,
    },
    Keys { name: "reviewers", keys: terms::REVIEWERS, required: &[], of: of_reviewers },
    Keys { name: "test", keys: TEST, required: &["who", "tool", "expect"], of: of_test },
];

fn of_policy(key: &str) -> Option<Value> {
    Some(match key {
        "version" => object_of([("const", Value::from(1_u64))]),
        "identity" => closed([("fold", Some(constant("ascii")))], &["fold"]),
        "order" => of_each(list_of(types(&["string"]))),
        "log" => def(key),
        "tool" | "rule" | "test" => list_of(def(key)),
        _ => return None,
    })
}

fn of_log(key: &str) -> Option<Value> {
    (key == "plain").then(|| list_of(types(&["string"])))
}

fn of_argument(key: &str) -> Option<Value> {
    Some(match key {
        "type" => type_of_argument(),
        "log" => constant("plain"),
        "default" => object_of([]),
        "description" => types(&["string"]),
        _ => return None,
    })
}

fn type_of_argument() -> Value {
    let words = ArgType::WORDS.iter().map(|(word, _)| text(word)).collect();
    let texts = object_of([("const", Value::List(vec![text("text")]))]);
    any_of([object_of([("enum", Value::List(words))]), texts])
}

fn of_tool(key: &str) -> Option<Value> {
    Some(match key {
        "name" | "description" => types(&["string"]),
        "labels" => list_of(types(&["string"])),
        "args" => of_each(any_of([type_of_argument(), def("argument")])),
        "credential" => any_of([types(&["string"]), list_of(types(&["string"]))]),
        "origins" => of_each(any_of([types(&["string"]), list_of(types(&["string"]))])),
        "leak" => constant("halt"),
        "digest" => object_of([("type", text("string")), ("pattern", text("^hp-tool-1:"))]),
        _ => return None,
    })
}

fn of_rule(key: &str) -> Option<Value> {
    Some(match key {
        "id" | "owner" => types(&["string"]),
        "effect" => one_of([Effect::Permit, Effect::Ask, Effect::Forbid].map(Effect::as_str)),
        "on" => list_of(one_of(Moment::ALL.map(Moment::as_str))),
        "who" | "what" | "grant" | "approval" | "break_glass" => def(key),
        "why" => closed(rule::WHY.iter().map(|key| (*key, Some(def("constraint")))), &[]),
        "when" => of_each(def("constraint")),
        "unless" => any_of([def("exception"), list_of(def("exception"))]),
        "presentation" => one_of([Form::Bearer, Form::CallBound].map(Form::as_str)),
        "valid" => closed(rule::VALID.iter().map(|key| (*key, Some(instant()))), &[]),
        "review_by" => instant(),
        _ => return None,
    })
}

fn of_who(key: &str) -> Option<Value> {
    Some(match key {
        "id" | "kind" => def("constraint"),
        "groups" | "acts_for" => def("set"),
        "attrs" => def("constraints"),
        _ => return None,
    })
}

fn of_what(key: &str) -> Option<Value> {
    Some(match key {
        "tool" => def("constraint"),
        "labels" => def("set"),
        "args" => any_of([constant("any"), def("constraints")]),
        "other_args" => constant("any"),
        "resource" => {
            let of = |key: &&'static str| {
                (*key, Some(def(if *key == "attrs" { "constraints" } else { "constraint" })))
            };
            any_of([constant("any"), closed(what::RESOURCE.iter().map(of), &[])])
        }
        _ => return None,
    })
}

fn of_grant(key: &str) -> Option<Value> {
    Some(match key {
        "ttl" | "max_life" | "idle" | "tail" | "rate" => types(&["string"]),
        "uses" => types(&["integer", "string"]),
        "depth" => types(&["integer"]),
        "budget" => of_each(types(&["number", "string"])),
        "per" => one_of(["task", "identity"]),
        "refund" => types(&["boolean"]),
        _ => return None,
    })
}

fn of_approval(key: &str) -> Option<Value> {
    Some(match key {
        "review" => any_of([def("line"), list_of(def("line"))]),
        "confirm" => object_of([("const", Value::Bool(true))]),
        "per" => one_of(["call", "task"]),
        "expires" | "good_for" | "cool_down" => types(&["string"]),
        "material" | "offer" | "vary" => list_of(types(&["string"])),
        "same" => {
            let parts = Part::WORDS.iter().map(|(word, _)| text(word)).collect();
            let part = object_of([("enum", Value::List(parts))]);
            let pin = [("arg", Some(types(&["string"]))), ("part", Some(part))];
            list_of(closed(pin, &["arg", "part"]))
        }
        "cut" => constant("refuse"),
        _ => return None,
    })
}

fn of_break_glass(key: &str) -> Option<Value> {
    Some(match key {
        "review" => any_of([def("line"), list_of(def("line"))]),
        "due" => types(&["string"]),
        "alert" => one_of(["required", "best_effort"]),
        "while_open" => constant("refuse"),
        _ => return None,
    })
}

fn of_reviewers(key: &str) -> Option<Value> {
    match key {
        "count" => Some(object_of([("type", text("integer")), ("minimum", Value::from(1_u64))])),
        other => of_who(other),
    }
}

fn of_test(key: &str) -> Option<Value> {
    Some(match key {
        "name" | "tool" => types(&["string"]),
        "who" | "purpose" => types(&["string", "object"]),
        "args" | "resource" | "context" | "notes" => types(&["object"]),
        "seen" | "rules" => list_of(types(&["string"])),
        "at" => instant(),
        "expect" => one_of(["permit", "ask", "deny"]),
        _ => return None,
    })
}

fn of_constraint(word: &str) -> Option<Value> {
    let or_reference = |own: Value| any_of([own, def("reference")]);
    let texts = || any_of([types(&["string"]), list_of(types(&["string"]))]);
    Some(match word {
        "eq" => Value::Bool(true),
        "one_of" | "subset_of" | "has_any" | "has_all" => or_reference(types(&["array"])),
        "present" => types(&["boolean"]),
        "type" => one_of(ValueType::ALL.map(ValueType::as_str)),
        "same_as" | "glob" | "regex" => types(&["string"]),
        // Next to an order, a level of it.
        "min" | "max" | "above" | "below" => or_reference(types(&["number", "string"])),
        "order" => texts(),
        "prefix" | "suffix" | "contains" | "under" => or_reference(types(&["string"])),
        "after" | "before" => or_reference(instant()),
        "cidr" => texts(),
        "url" | "weekly" => types(&["object"]),
        "json" | "each" | "some" | "not" | "rest" => def("constraint"),
        "len" | "count" => {
            let whole = || Some(types(&["integer"]));
            any_of([types(&["integer"]), closed([("min", whole()), ("max", whole())], &[])])
        }
        "fields" => def("constraints"),
        "items" | "all" | "any" => list_of(def("constraint")),
        "other_fields" => constant("any"),
        _ => return None,
    })
}

/// Another part of the question in the place of a value.
fn reference() -> Value {
    let named = || closed([("ref", Some(types(&["string"])))], &["ref"]);
    let pieces = list_of(any_of([types(&["string"]), named()]));
    any_of([named(), closed([("join", Some(pieces))], &["join"])])
}

/// Where a rule does not speak.
fn exception() -> Value {
    closed(rule::EXCEPTION.iter().map(|key| (*key, of_rule(key))), &[])
}

/// A line of reviewers, or several.
fn line() -> Value {
    let several = |key: &'static str| closed([(key, Some(list_of(def("line"))))], &[key]);
    any_of([def("reviewers"), several("any"), several("all")])
}

/// An instant, which TOML writes bare or in quotes.
fn instant() -> Value {
    types(&["string"])
}

/// A table with these keys and no others.
fn closed(
    keys: impl IntoIterator<Item = (&'static str, Option<Value>)>,
    required: &[&'static str],
) -> Value {
    let keys = keys.into_iter().map(|(key, own)| (key, own.unwrap_or(Value::Bool(true))));
    let mut all = vec![
        ("type", text("object")),
        ("properties", object_of(keys)),
        ("additionalProperties", Value::Bool(false)),
    ];
    if !required.is_empty() {
        all.push(("required", Value::List(required.iter().map(|key| text(key)).collect())));
    }
    object_of(all)
}

/// A table of names, each with such a value.
fn of_each(own: Value) -> Value {
    object_of([("type", text("object")), ("additionalProperties", own)])
}

fn list_of(own: Value) -> Value {
    object_of([("type", text("array")), ("items", own)])
}

fn any_of<const N: usize>(all: [Value; N]) -> Value {
    object_of([("anyOf", Value::List(all.into()))])
}

fn one_of<const N: usize>(words: [&'static str; N]) -> Value {
    object_of([("enum", Value::List(words.into_iter().map(text).collect()))])
}

fn constant(word: &'static str) -> Value {
    object_of([("const", text(word))])
}

fn types(names: &[&'static str]) -> Value {
    let named = match names {
        [only] => text(only),
        several => Value::List(several.iter().map(|name| text(name)).collect()),
    };
    object_of([("type", named)])
}

fn def(name: &str) -> Value {
    object_of([("$ref", Value::from(format!("#/$defs/{name}")))])
}

fn text(own: &str) -> Value {
    Value::from(own)
}

#[cfg(test)]
mod tests;
