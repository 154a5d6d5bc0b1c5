//! A rule's `who` table, and whatever else says what an identity must be.

use crate::document::{Misfit, Table, Written};
use crate::policy::rule::Rule;
use crate::policy::sets::no_bare_list;
use crate::scope::{Constraint, Fact, read_constraint};

/// What a rule asks of an identity.
pub(super) const KEYS: &[&str] = &["id", "kind", "groups", "attrs", "acts_for"];

pub(super) fn who(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    let mut rule = rule;
    for (fact, constraint) in identity(written, KEYS)? {
        rule = rule.condition(fact, constraint);
    }
    Ok(rule)
}

/// Words of other systems, and what they are called here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["role", "roles", "member_of"],
        "`groups = { has_any = [ … ] }`, or `attrs = { role = … }` where it is an attribute",
    ),
    (&["team", "department", "email", "tenant", "org", "name", "claims"], "`attrs = { team = … }`"),
    (&["type"], "`kind`"),
    (
        &["not", "unless"],
        "`not` inside of what it excludes, as in `groups = { not = { has_any = [ … ] } }`",
    ),
    (&["human", "humans", "person", "people"], "`kind = \"human\"`"),
    (&["service", "services", "machine"], "`kind = \"workload\"`"),
    (&["user", "agent", "sub", "subject", "spiffe_id"], "`id`"),
    (&["on_behalf_of", "act", "delegator", "acting_for"], "`acts_for = { has_any = [ … ] }`"),
];

/// Words of other systems for how many people a line of reviewers takes.
const OF_COUNTS: &[&str] = &["min", "required", "quorum", "at_least", "number", "threshold"];

/// What a table says of an identity: a rule's `who`, and the reviewers of an approval.
pub(super) fn identity(
    written: &Written,
    known: &[&'static str],
) -> Result<Vec<(Fact, Constraint)>, Misfit> {
    let example = "a table such as `{ id = { one_of = [ … ] } }`, or nothing where it is anyone";
    let counts = known.contains(&"count");
    let otherwise = |key: &str| {
        if counts && OF_COUNTS.contains(&key) {
            return Some("how many people it takes is `count`".to_owned());
        }
        let name = key.strip_prefix("attrs.")?;
        Some(format!("an attribute is `attrs = {{ {} = … }}`", name.escape_debug()))
    };
    let table = Table::read_explained(written, known, FOREIGN, &otherwise, example)?.said()?;
    let mut conditions = Vec::new();
    for (key, fact) in [
        ("id", Fact::WhoId),
        ("kind", Fact::WhoKind),
        ("groups", Fact::WhoGroups),
        ("acts_for", Fact::WhoActsFor),
    ] {
        let read = if matches!(key, "groups" | "acts_for") { set } else { read_constraint };
        if let Some(constraint) = table.read_at(key, read)? {
            conditions.push((fact, constraint));
        }
    }
    if let Some(attrs) = table.read_at("attrs", attributes)? {
        conditions.extend(attrs.into_iter().map(|(name, own)| (Fact::WhoAttr(name), own)));
    }
    Ok(conditions)
}

/// `attrs = { NAME = constraint, … }`.
pub(super) fn attributes(written: &Written) -> Result<Vec<(Box<str>, Constraint)>, Misfit> {
    Table::open(written, "a table of attributes by name")?
        .said()?
        .each(|name, own| Ok((name.into(), read_constraint(own)?)))
}

/// What a set must be.
pub(super) fn set(written: &Written) -> Result<Constraint, Misfit> {
    no_bare_list(written)?;
    read_constraint(written)
}
