//! Lists that stand bare in a rule's text, where `eq`, `one_of` or `has_any` may have been meant. What
//! is read of them is `eq`, so that only the text tells them from lists that were meant so.

use crate::document::Written;
use crate::scope::Fact;
use crate::value::SpannedNode;

/// Where a table of constraints by name stands, and the fact that a name in it is.
type Place = (&'static [&'static str], fn(&str) -> Fact);

/// The parts of the question that a rule compares with a bare list. Those that are sets are not among
/// them: there a bare list is refused.
pub(super) fn bare_lists(rule: &Written) -> Vec<Fact> {
    let places: [Place; 4] = [
        (&["what", "args"], Fact::arg),
        (&["what", "resource", "attrs"], |name| Fact::ResourceAttr(name.into())),
        (&["who", "attrs"], |name| Fact::WhoAttr(name.into())),
        (&["when"], |name| Fact::Context(name.into())),
    ];
    let tables = places.into_iter().filter_map(|(path, fact)| {
        let table = path.iter().try_fold(rule, |table, key| member(table, key))?;
        Some((table, fact))
    });
    tables
        .flat_map(|(table, fact)| {
            let bare = members(table).iter().filter(|(_, _, own)| has_bare_list(own));
            bare.map(move |(_, name, _)| fact(name))
        })
        .collect()
}

fn members(table: &Written) -> &[(std::ops::Range<usize>, Box<str>, Written)] {
    match &table.node {
        SpannedNode::Object(members) => members,
        _ => &[],
    }
}

fn member<'w>(table: &'w Written, key: &str) -> Option<&'w Written> {
    members(table).iter().find(|(_, own, _)| &**own == key).map(|(_, _, own)| own)
}

fn has_bare_list(constraint: &Written) -> bool {
    match &constraint.node {
        SpannedNode::List(_) => true,
        SpannedNode::Object(kinds) => {
            kinds.iter().any(|(_, word, own)| match (&**word, &own.node) {
                ("not" | "each" | "some" | "json", _) => has_bare_list(own),
                ("all" | "any" | "items", SpannedNode::List(parts)) => {
                    parts.iter().any(has_bare_list)
                }
                ("rest", _) => has_bare_list(own),
                ("fields", SpannedNode::Object(fields)) => {
                    fields.iter().any(|(_, _, own)| has_bare_list(own))
                }
                _ => false,
            })
        }
        _ => false,
    }
}
