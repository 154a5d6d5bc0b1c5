//! Where in the text an error of the builder stands.

use crate::document::Written;
use crate::policy::PolicyError;
use crate::value::SpannedNode;

/// The byte at which the part stands that the error speaks of, or else what holds it.
pub(super) fn place_of_error(document: &Written, error: &PolicyError) -> usize {
    let key = match (error.rule(), error.tool()) {
        (Some(_), _) => "rule",
        (None, Some(_)) => "tool",
        (None, None) => return deepest(document, error.at()).span.start,
    };
    let entry = match entry(document, key).map(|written| (&written.node, error.item())) {
        Some((SpannedNode::List(list), Some(item))) => list.get(item),
        _ => None,
    };
    entry.map_or(document.span.start, |entry| deepest(entry, error.at()).span.start)
}

/// Follows a path of keys such as `what.args.limit` or `approval.review[0]` as far as it leads.
fn deepest<'w>(from: &'w Written, path: &str) -> &'w Written {
    let next = match &from.node {
        SpannedNode::Object(entries) => entries.iter().find_map(|(_, key, own)| {
            let rest = path.strip_prefix(&**key)?;
            let ends = rest.is_empty() || rest.starts_with(['.', '[']);
            ends.then(|| (own, rest.strip_prefix('.').unwrap_or(rest)))
        }),
        SpannedNode::List(list) => path.strip_prefix('[').and_then(|path| {
            let (index, rest) = path.split_once(']')?;
            let own = list.get(index.parse::<usize>().ok()?)?;
            Some((own, rest.strip_prefix('.').unwrap_or(rest)))
        }),
        _ => None,
    };
    match next {
        Some((own, rest)) if !rest.is_empty() => deepest(own, rest),
        Some((own, _)) => own,
        None => from,
    }
}

fn entry<'w>(written: &'w Written, key: &str) -> Option<&'w Written> {
    match &written.node {
        SpannedNode::Object(entries) => {
            entries.iter().find(|(_, own, _)| &**own == key).map(|(_, _, own)| own)
        }
        _ => None,
    }
}

/// The place of the rule with this id among the rules of a document.
pub(super) fn by_id(document: &Written, id: &str) -> Option<usize> {
    let SpannedNode::List(rules) = &entry(document, "rule")?.node else { return None };
    rules.iter().position(|rule| {
        matches!(entry(rule, "id").map(|own| &own.node), Some(SpannedNode::Text(own)) if **own == *id)
    })
}
