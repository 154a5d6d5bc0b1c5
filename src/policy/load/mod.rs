//! Policies from text.
//!
//! Text becomes a tree with places, the tree becomes the same drafts that the Rust builder makes, and
//! the builder checks what they mean. Whatever is wrong is reported with the line and column where it
//! stands.

mod bare;
mod pieces;
mod place;
mod places;
mod rule;
mod schema;
mod strict;
mod terms;
mod test;
mod tool;
mod what;
mod who;

use place::{by_id, place_of_error};

use super::{Policy, PolicyBuilder, PolicyError};
use crate::document::{Misfit, Table, Written, choice, list, parse_toml, text, value};
use crate::scope::{Order, read_levels};
use crate::value::{
    JsonErrorKind, JsonLimits, MAX_DEPTH, SpannedNode, Value, line_and_column, parse_spanned,
};
pub(crate) use places::{ArgsPlace, args_places};
pub(crate) use test::KEYS as TEST;

/// The most bytes of policy text. A hundred thousand rules of a real policy's length fit, and a file
/// that was never meant to be a policy is refused before it is read.
pub const MAX_POLICY_TEXT: usize = 64 << 20;

/// What JSON policy text may ask of the reader: in no more bytes than TOML, a value for every eight.
const LIMITS: JsonLimits =
    JsonLimits { depth: MAX_DEPTH, nodes: MAX_POLICY_TEXT / 8, text: MAX_POLICY_TEXT };

/// The keys of a policy.
const POLICY: &[&str] = &["version", "identity", "order", "log", "tool", "rule", "test"];

/// Words of other systems, and keys of a rule that stand outside of it.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &[
            "permit",
            "allow",
            "forbid",
            "deny",
            "ask",
            "policy",
            "policies",
            "statement",
            "acl",
            "rules",
        ],
        "`[[rule]]` with `id` and `effect` for each; `version` stands at the top, in no table",
    ),
    (
        &["who", "what", "why", "when", "unless", "grant", "approval"],
        "it as `[rule.NAME]` below the rule's `[[rule]]`, or in one line with it",
    ),
    (
        &[
            "vars",
            "variables",
            "locals",
            "let",
            "include",
            "includes",
            "import",
            "imports",
            "extends",
        ],
        "nothing of that: a policy is one text, in which all stands that is in force",
    ),
    (
        &["default", "default_effect", "defaults"],
        "nothing: what no rule permits is denied, and a tool's argument has its `default` in the catalogue",
    ),
    (&["tools", "catalogue", "catalog"], "`[[tool]]` with `name` for each"),
    (&["tests"], "`[[test]]` for each"),
    (
        &["roles", "role", "groups", "users", "members", "subjects", "principals"],
        "nothing of that: the host attests who is in which group, and rules say `who = { groups = … }`",
    ),
];

/// The keys of what records keep in plain.
const LOG: &[&str] = &["plain"];

/// The version of the policy language that this crate reads.
const VERSION: u64 = 1;

impl Policy {
    /// Reads a policy from TOML text.
    ///
    /// ```
    /// use hallpass::policy::Policy;
    ///
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///
    ///     [[rule]]
    ///     id     = "pay-bills"
    ///     effect = "permit"
    ///     what   = { tool = "bank.pay", args = { amount = { max = 100 } } }
    ///     grant  = { ttl = "5m", uses = 1 }
    /// "#)?;
    /// assert_eq!(policy.len(), 1);
    ///
    /// let error = Policy::from_toml("version = 1\n[[rule]]\nid = \"a\"\nefect = \"permit\"").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "line 4, column 1: rule `a`: `efect` is not a key here: did you mean `effect`?",
    /// );
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`], with line and column: text that is not TOML or more than [`MAX_POLICY_TEXT`]
    /// bytes, a key that is unknown or given twice, a value of the wrong kind, a rule that cannot be
    /// meant.
    pub fn from_toml(text: &str) -> Result<Policy, PolicyError> {
        match pieces::policy_of_pieces(text) {
            Some(policy) => Ok(policy),
            None => policy_of(&document_of_toml(text)?, text),
        }
    }

    /// Reads a policy from JSON text of the same shape.
    ///
    /// ```
    /// use hallpass::policy::Policy;
    ///
    /// let rule = r#"{"id": "pay", "effect": "permit", "what": {"tool": "bank.pay", "args": "any"}}"#;
    /// let json = Policy::from_json(&format!(r#"{{"version": 1, "rule": [{rule}]}}"#))?;
    /// let toml = Policy::from_toml(r#"
    ///     version = 1
    ///     rule = [{ id = "pay", effect = "permit", what = { tool = "bank.pay", args = "any" } }]
    /// "#)?;
    /// assert_eq!(json.digest(), toml.digest());
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Policy::from_toml`].
    pub fn from_json(text: &str) -> Result<Policy, PolicyError> {
        policy_of(&document_of_json(text)?, text)
    }
}

/// A policy, what it was built of, and what stands with it as tests.
pub(crate) struct PolicyDraft {
    pub(crate) builder: PolicyBuilder,
    pub(crate) policy: Policy,
    /// Each with its line and column.
    pub(crate) tests: Vec<(Value, (usize, usize))>,
}

impl Policy {
    pub(crate) fn draft_from_toml(text: &str) -> Result<PolicyDraft, PolicyError> {
        draft_of(&document_of_toml(text)?, text)
    }

    pub(crate) fn draft_from_json(text: &str) -> Result<PolicyDraft, PolicyError> {
        draft_of(&document_of_json(text)?, text)
    }
}

fn draft_of(document: &Written, text: &str) -> Result<PolicyDraft, PolicyError> {
    let builder = draft(document).map_err(|(error, at)| error.at_byte(at, text))?;
    let policy = builder.clone().build().map_err(|error| placed(document, text, error))?;
    let of_policy =
        |misfit: Misfit| PolicyError::new(&misfit.path, misfit.problem).at_byte(misfit.at, text);
    let table = Table::open(document, "a policy").map_err(of_policy)?;
    let mut tests = Vec::new();
    for (at, own) in table
        .get("test")
        .map(list)
        .transpose()
        .map_err(of_policy)?
        .into_iter()
        .flatten()
        .enumerate()
    {
        let value = value(own).map_err(|misfit| of_policy(misfit.of_element(at).inside("test")))?;
        tests.push((value, line_and_column(text, own.span.start)));
    }
    Ok(PolicyDraft { builder, policy, tests })
}

fn document_of_toml(text: &str) -> Result<Written, PolicyError> {
    if text.len() > MAX_POLICY_TEXT {
        let problem = format!("expected at most {MAX_POLICY_TEXT} bytes of text");
        return Err(PolicyError::new("", problem).at_position(1, 1));
    }
    parse_toml(text).map_err(|misfit| PolicyError::new("", misfit.problem).at_byte(misfit.at, text))
}

fn document_of_json(text: &str) -> Result<Written, PolicyError> {
    parse_spanned(text, &LIMITS).map_err(|error| {
        let problem = match error.kind() {
            JsonErrorKind::Expected(_) => format!("not JSON: {}", error.kind()),
            other => other.to_string(),
        };
        PolicyError::new("", problem).at_position(error.line(), error.column())
    })
}

impl PolicyError {
    fn at_byte(self, at: usize, text: &str) -> PolicyError {
        let (line, column) = line_and_column(text, at);
        self.at_position(line, column)
    }
}

fn policy_of(document: &Written, text: &str) -> Result<Policy, PolicyError> {
    let builder = draft(document).map_err(|(error, at)| error.at_byte(at, text))?;
    builder.build().map_err(|error| placed(document, text, error))
}

/// The error with where it stands in the text.
fn placed(document: &Written, text: &str, error: PolicyError) -> PolicyError {
    let at = place_of_error(document, &error);
    error.at_byte(at, text)
}

/// An error and the byte where it stands.
type Placed = (PolicyError, usize);

fn draft(document: &Written) -> Result<PolicyBuilder, Placed> {
    let of_policy = |misfit: Misfit| (PolicyError::new(&misfit.path, misfit.problem), misfit.at);
    let example = "a policy, a table with `version` and `rule`";
    let table = Table::read_translated(document, POLICY, FOREIGN, example).map_err(of_policy)?;
    if let Some(at) = version_elsewhere(&table) {
        let problem = "`version` stands in this table: write it at the top of the file, before the first `[[…]]`";
        return Err(of_policy(Misfit::new(at, problem)));
    }
    table.require("version", "write `version = 1`", version).map_err(of_policy)?;
    let mut builder = PolicyBuilder::default();
    if table.read_at("identity", identity).map_err(of_policy)?.is_some() {
        builder = builder.fold_names();
    }
    for (name, levels) in table.read_at("order", orders).map_err(of_policy)?.into_iter().flatten() {
        builder = builder.order(name, levels);
    }
    if let Some(parts) = table.read_at("log", logged).map_err(of_policy)? {
        builder = builder.log_plain(parts);
    }
    // An empty catalogue would admit no tool, and no catalogue admits all: it must not be left open
    // which of them `tool = []` means.
    if let Some(tools) = table.read_at("tool", |own| entries("tool", own)).map_err(of_policy)? {
        list(table.get("tool").unwrap_or(document))
            .map_err(|misfit| of_policy(misfit.inside("tool")))?;
        for written in tools {
            builder = builder.tool(tool::tool(written).map_err(|misfit| {
                (error_of(written, "name", misfit.clone(), PolicyError::of_tool), misfit.at)
            })?);
        }
    }
    if let Some(tests) = table.read_at("test", |own| entries("test", own)).map_err(of_policy)? {
        for written in tests {
            test::check(written).map_err(|misfit| of_policy(misfit.inside("test")))?;
        }
    }
    if let Some(rules) = table.read_at("rule", |own| entries("rule", own)).map_err(of_policy)? {
        for written in rules {
            builder = builder.rule(rule::read(written).map_err(|misfit| {
                (error_of(written, "id", misfit.clone(), PolicyError::of_rule), misfit.at)
            })?);
        }
    }
    Ok(builder)
}

/// Where the version stands that is missing: at the end of a file it is the last table's.
fn version_elsewhere(policy: &Table<'_>) -> Option<usize> {
    if policy.get("version").is_some() {
        return None;
    }
    let lists =
        ["rule", "tool", "test"].into_iter().filter_map(|key| match &policy.get(key)?.node {
            SpannedNode::List(tables) => Some(tables),
            _ => None,
        });
    lists.flatten().find_map(|own| match &own.node {
        SpannedNode::Object(entries) => {
            entries.iter().find(|(_, key, _)| &**key == "version").map(|(span, ..)| span.start)
        }
        _ => None,
    })
}

fn version(written: &Written) -> Result<(), Misfit> {
    let problem = match &written.node {
        SpannedNode::Number(number) if number.to_u64() == Some(VERSION) => return Ok(()),
        SpannedNode::Number(number) => {
            format!("version {number} is unknown: this crate reads version 1")
        }
        _ => "expected the number 1".to_owned(),
    };
    Err(Misfit::new(written.span.start, problem))
}

/// `[identity]`: how names are spelled.
fn identity(written: &Written) -> Result<(), Misfit> {
    let table = Table::read_some(written, &["fold"], "a table such as `{ fold = \"ascii\" }`")?;
    table.require("fold", "write `fold = \"ascii\"`", |own| choice(own, &[("ascii", ())]))
}

/// `[order]`: levels by the name of their order, from the lowest to the highest.
fn orders(written: &Written) -> Result<Vec<(&str, Vec<&str>)>, Misfit> {
    let example = "a table such as `{ level = [\"public\", \"internal\", \"secret\"] }`";
    Table::open(written, example)?.said()?.each(|name, own| {
        let levels = read_levels(own)?;
        let order = Order::new(levels.iter().copied());
        order.map_err(|problem| Misfit::new(own.span.start, problem))?;
        Ok((name, levels))
    })
}

/// `[log]`: what records keep in plain.
fn logged(written: &Written) -> Result<Vec<&str>, Misfit> {
    let table = Table::read_some(written, LOG, "a table such as `{ plain = [\"when.env\"] }`")?;
    table.require("plain", "name the parts that the log keeps in plain", |own| {
        let parts = list(own)?.iter().enumerate();
        parts.map(|(at, own)| text(own).map_err(|e| e.of_element(at))).collect()
    })
}

/// The tables of `[[key]]`.
fn entries<'w>(key: &str, written: &'w Written) -> Result<&'w [Written], Misfit> {
    match &written.node {
        SpannedNode::List(list) => Ok(list),
        SpannedNode::Object(_) => Err(Misfit::new(
            written.span.start,
            format!("expected a list of tables, found one table: write `[[{key}]]`"),
        )),
        _ => Err(Misfit::new(written.span.start, "expected a list of tables")),
    }
}

/// The error, named by the rule's id or the tool's name if there is one to name it by.
fn error_of(
    written: &Written,
    name: &str,
    misfit: Misfit,
    named: fn(&str, &str, String) -> PolicyError,
) -> PolicyError {
    let key = if name == "id" { "rule" } else { "tool" };
    let name = Table::open(written, "a table").ok().and_then(|table| text(table.get(name)?).ok());
    match name {
        Some(name) => named(name, &misfit.path, misfit.problem),
        None => {
            let misfit = misfit.inside(key);
            PolicyError::new(&misfit.path, misfit.problem)
        }
    }
}
