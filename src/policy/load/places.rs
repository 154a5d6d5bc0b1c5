//! Where in a policy's text a permit says which arguments it gives.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{document_of_toml, entries};
use crate::document::{Table, Written, text};
use crate::policy::{Effect, PolicyError};
use crate::value::SpannedNode;

/// Where a permit says which arguments it gives.
#[derive(Debug)]
pub(crate) enum ArgsPlace {
    /// `args = "any"`: where that stands.
    Any(Range<usize>),
    /// Where each argument's constraint stands. Left out are those that have a table header of their own.
    Named(BTreeMap<String, Range<usize>>),
}

/// The places of all permits that say it, by their ids.
///
/// # Errors
/// Of text that is not TOML.
pub(crate) fn args_places(policy: &str) -> Result<BTreeMap<String, ArgsPlace>, PolicyError> {
    let document = document_of_toml(policy)?;
    let mut places = BTreeMap::new();
    let table = Table::open(&document, "a policy").ok();
    let rules = table.as_ref().and_then(|table| entries("rule", table.get("rule")?).ok());
    for rule in rules.into_iter().flatten() {
        places.extend(place_of(rule, policy));
    }
    Ok(places)
}

fn place_of(rule: &Written, policy: &str) -> Option<(String, ArgsPlace)> {
    let rule = Table::open(rule, "a rule").ok()?;
    if text(rule.get("effect")?).ok()? != Effect::Permit.as_str() {
        return None;
    }
    let id = text(rule.get("id")?).ok()?.to_owned();
    let args = Table::open(rule.get("what")?, "a table").ok()?.get("args")?;
    if let SpannedNode::Text(word) = &args.node {
        return (**word == *"any").then(|| (id, ArgsPlace::Any(args.span.clone())));
    }
    let named = Table::open(args, "a table").ok()?;
    let inline = |own: &Written| {
        // The span of a table with a header is that of the header.
        let is_table = matches!(own.node, SpannedNode::Object(_));
        !is_table || policy.get(own.span.clone()).is_some_and(|text| text.starts_with('{'))
    };
    let places = named.entries().filter(|(_, _, own)| inline(own));
    let places = places.map(|(_, name, own)| (name.to_owned(), own.span.clone()));
    Some((id, ArgsPlace::Named(places.collect())))
}
