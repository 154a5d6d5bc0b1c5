//! Policies with exceptions (`unless`) and defaults: what `Policy::decide` says of every question of a small universe is
//! what taking one rule after the other says, by the book and in three values.

mod book;
mod made;
mod noted;

use hallpass::clock::Timestamp;
use hallpass::policy::{Effect, Policy};
use hallpass::prelude::*;
use serde_json::{Value as Json, json};

use book::{Asked, Says};
use made::Source;
pub use noted::{is_noted, noted};

/// What stands as the argument `a`; `None` is left out.
const VALUES: [Option<&str>; 10] = [
    None,
    Some("0"),
    Some("2"),
    Some("9"),
    Some("\"x\""),
    Some("\"xy\""),
    Some("null"),
    Some("[0,\"x\"]"),
    Some("[2,9]"),
    Some("[]"),
];

/// The same of the attribute `w` of the context, which is text, a number or not stated.
const CONTEXTS: [Option<&str>; 4] = [None, Some("0"), Some("9"), Some("\"x\"")];

pub fn unless(bytes: &[u8]) {
    is_compared(bytes);
}

/// Whether a policy was made of the bytes that loads, and was asked.
pub fn is_compared(bytes: &[u8]) -> bool {
    let mut source = Source::of(bytes);
    let mut rules = source.rules();
    let default = source.default();
    let text: Vec<Json> = rules.iter().map(made::Rule::to_json).collect();
    let mut text = json!({ "version": 1, "rule": text });
    if let Some(own) = default {
        // Of a type that leaves open what other arguments there are.
        let typed = json!({ "name": "t", "args": { "b": { "type": "path", "default": own } } });
        text["tool"] = json!([typed, { "name": "u" }]);
        rules.iter_mut().for_each(|rule| rule.take_default("b", own));
    }
    let text = text.to_string();
    // Some kinds can't stand next to each other, and what can never be is refused.
    let Ok(policy) = Policy::from_json(&text) else { return false };
    let broker = Broker::new(policy.clone()).expect("no credentials");
    let (why, now) = (Purpose::new("p"), Timestamp::from_unix_millis(0).expect("an instant"));
    let mut drawn: Vec<Option<Json>> = VALUES.map(|own| own.map(read)).into();
    drawn.extend((0..2).map(|_| Some(source.value(1))));
    for groups in [&[][..], &["g"], &["g", "h"]] {
        let who = Assertion::agent("a").groups(groups.iter().copied());
        let who = broker.assert_identity(who).expect("groups have names");
        for (a, b, w, tool) in every(&drawn) {
            let mut args = serde_json::Map::new();
            args.extend(a.clone().map(|a| ("a".to_owned(), a)));
            // Where there is a type, what is given is of it.
            let b = b.clone().map(|b| if default.is_some() { json!("/b") } else { b });
            args.extend(b.map(|b| ("b".to_owned(), b)));
            let call = Call::new(tool, Json::Object(args.clone())).expect("few arguments");
            if let Some(own) = default.filter(|_| tool == "t") {
                args.entry("b").or_insert_with(|| json!(own));
            }
            let context = w.iter().fold(Context::new(), |all, w| all.with("w", value(w)));
            let decision = policy.decide(&who, &why, &call, &context, now).expect("a question");
            let rules_told = decision.rules().map(ToOwned::to_owned).collect();
            let told = (decision.effect().map(name), rules_told);
            let groups: Vec<Json> = groups.iter().map(|group| json!(group)).collect();
            let asked = Asked {
                tool,
                args: &args,
                groups: Json::Array(groups),
                w: w.as_ref(),
                noted: None,
            };
            let Says(effect, by) = book::decide(&rules, &asked);
            assert_eq!(
                told,
                (effect, by),
                "{tool} {args:?} {w:?} {groups:?}\n{text}",
                groups = asked.groups
            );
        }
    }
    true
}

type Drawn<'d> = (&'d Option<Json>, Option<Json>, Option<Json>, &'static str);

/// Each value of `a` with each attribute; the rest takes turns.
fn every(drawn: &[Option<Json>]) -> impl Iterator<Item = Drawn<'_>> {
    drawn.iter().enumerate().flat_map(|(i, a)| {
        CONTEXTS.iter().enumerate().flat_map(move |(j, w)| {
            ["t", "u"].into_iter().map(move |tool| {
                let b = ((i + j) % 2 == 1).then(|| json!(7));
                (a, b, w.map(read), tool)
            })
        })
    })
}

fn read(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

fn value(own: &Json) -> hallpass::value::Value {
    hallpass::value::Value::from_json(&own.to_string()).expect("JSON")
}

const fn name(effect: Effect) -> &'static str {
    effect.as_str()
}
