//! Policy text: refused with a place, or loaded with the digest of what it says.

use hallpass::clock::Timestamp;
use hallpass::policy::{Policy, PolicyError};
use serde_json::Value as Json;
use toml::de::DeTable;

pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.trim_start().starts_with('{') { json(text) } else { toml(text) }
}

fn toml(text: &str) {
    let policy = match Policy::from_toml(text) {
        Ok(policy) => policy,
        Err(error) => return refused(&error),
    };
    loaded(&policy);
    let Ok(tree) = toml::from_str(text) else {
        // A whole number of more than 64 bits is exact here, and out of range in a tree of others.
        DeTable::parse(text).expect("what is read here is TOML to others");
        return;
    };
    turned_around(with_dates_as_text(tree), &policy);
}

/// JSON has no dates: where TOML has one, it has the text of it.
fn with_dates_as_text(tree: Json) -> Json {
    match tree {
        Json::Array(list) => list.into_iter().map(with_dates_as_text).collect(),
        Json::Object(mut map) => match map.remove("$__toml_private_datetime") {
            Some(date) => date,
            None => map.into_iter().map(|(key, own)| (key, with_dates_as_text(own))).collect(),
        },
        other => other,
    }
}

fn json(text: &str) {
    let policy = match Policy::from_json(text) {
        Ok(policy) => policy,
        Err(error) => return refused(&error),
    };
    loaded(&policy);
    let tree: Json = serde_json::from_str(text).expect("what is read here is JSON to others");
    turned_around(tree, &policy);
}

fn loaded(policy: &Policy) {
    assert_eq!(policy.rules().len(), policy.len());
    let now = Timestamp::parse_rfc3339("2026-06-01T12:00:00Z").expect("an instant");
    for warning in policy.lint(now) {
        assert!(!warning.to_string().is_empty());
    }
}

/// The order of rules and tools means nothing.
fn turned_around(mut tree: Json, policy: &Policy) {
    // Numbers that a float has rounded are other numbers.
    if has_float(&tree) {
        return;
    }
    for key in ["rule", "tool"] {
        if let Some(list) = tree.get_mut(key).and_then(Json::as_array_mut) {
            list.reverse();
        }
    }
    match Policy::from_json(&tree.to_string()) {
        Ok(other) => assert_eq!(other.digest(), policy.digest()),
        Err(error) => panic!("loads in one order only: {error}"),
    }
}

fn has_float(tree: &Json) -> bool {
    match tree {
        Json::Number(number) => number.is_f64(),
        Json::Array(list) => list.iter().any(has_float),
        Json::Object(map) => map.values().any(has_float),
        _ => false,
    }
}

fn refused(error: &PolicyError) {
    let said = error.to_string();
    assert!(said.starts_with("line "), "no place: {said:?}");
    assert!(!said.contains(|c: char| c.is_control()), "not for people: {said:?}");
}
