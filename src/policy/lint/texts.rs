//! Texts that are taken as they are written, and look as if they were meant for more.

use std::net::IpAddr;

use super::warning::{Findings, WarningCode};
use crate::policy::error::place_of;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Constraint, Fact, Node};
use crate::value::{Number, Value};
use crate::visible::Shown;

/// Warns of patterns and templates where texts stand for themselves.
pub(super) fn texts(rule: &Rule, findings: &mut Findings<'_>) {
    if let Tools::Like(constraint) = &rule.tools {
        of_constraint(&Fact::Tool, constraint, findings);
    }
    for condition in rule.all_conditions() {
        of_constraint(&condition.fact, &condition.constraint, findings);
    }
}

fn of_constraint(fact: &Fact, constraint: &Constraint, findings: &mut Findings<'_>) {
    let mut look = |text: &str, is_pattern: bool| {
        // Alone it is a word of an argument's own, for all columns of a table, say; no one is called so.
        let is_word = text == "*" && fact.is_of_the_call();
        if !is_pattern && text.contains('*') && !is_word {
            let message = format!(
                "`{fact}` is compared with {} as it is written: a pattern is said with `glob`",
                Shown(text)
            );
            findings.add(WarningCode::PatternAsText, &place_of(fact), message);
        }
        if let Some(bound) = bound_in_text(text) {
            let message = format!(
                "`{fact}` is compared with {} as it is written: a bound is said with `{bound}`",
                Shown(text)
            );
            findings.add(WarningCode::PatternAsText, &place_of(fact), message);
        }
        if !is_pattern && let Some(instead) = meant_by(text) {
            let message =
                format!("`{fact}` is compared with {} as it is written: {instead}", Shown(text));
            findings.add(WarningCode::PatternAsText, &place_of(fact), message);
        }
        if let Some(placeholder) = placeholder(text) {
            let message = format!(
                "`{fact}` is compared with {} as it is written, and nothing is put in for {}: \
                 in the place of a value write `{{ ref = \"who.id\" }}`, or `{{ join = [ … ] }}`",
                Shown(text),
                Shown(placeholder)
            );
            findings.add(WarningCode::Template, &place_of(fact), message);
        }
    };
    constraint.for_each_leaf(&mut |leaf| match leaf {
        Node::Prefix(text) | Node::Suffix(text) | Node::Under(text) => look(text, false),
        Node::Contains(text) => look(text, true),
        Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
            set.iter().for_each(|value| each_text(value, &mut |text| look(text, false)));
        }
        _ => {}
    });
    constraint.for_each_leaf(&mut |leaf| match leaf {
        Node::Glob(glob) if glob.as_str().contains('|') => {
            let message = format!(
                "`|` in {} is itself: for one of several globs write `any = [{{ glob = … }}, {{ glob = … }}]`",
                Shown(glob.as_str())
            );
            findings.add(WarningCode::PatternAsText, &place_of(fact), message);
        }
        Node::Regex(regex) if has_delimiters(regex.as_str()) => {
            let message = format!(
                "the slashes of {} are part of it: a regex stands in quotes alone, and has no flags",
                Shown(regex.as_str())
            );
            findings.add(WarningCode::PatternAsText, &place_of(fact), message);
        }
        _ => {}
    });
}

/// What a text was probably meant to say that says a value.
fn meant_by(text: &str) -> Option<&'static str> {
    if text.strip_prefix('!').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric())) {
        return Some("what is excluded is said with `not`");
    }
    let (address, bits) = text.split_once('/')?;
    let is_network = address.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok();
    is_network.then_some("what lies in a network is said with `cidr`")
}

/// `/…/` with flags behind it, as other languages write a pattern.
fn has_delimiters(pattern: &str) -> bool {
    let Some((inner, flags)) = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'))
    else {
        return false;
    };
    let are_flags = !flags.is_empty() && flags.bytes().all(|byte| b"dgimsuvxy".contains(&byte));
    !inner.is_empty() && are_flags && !inner.contains('/')
}

/// The texts of a value, those inside lists and objects included.
fn each_text<'v>(value: &'v Value, visit: &mut impl FnMut(&'v str)) {
    match value {
        Value::Text(text) => visit(text),
        Value::List(elements) => elements.iter().for_each(|element| each_text(element, visit)),
        Value::Object(fields) => fields.iter().for_each(|(_, field)| each_text(field, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The word for what other languages write as `<= 100`, of a text that says so.
fn bound_in_text(text: &str) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 8] = [
        ("<=", "max"),
        (">=", "min"),
        ("≤", "max"),
        ("≥", "min"),
        ("!=", "not"),
        ("==", "eq"),
        ("<", "below"),
        (">", "above"),
    ];
    let (sign, word) = SIGNS.into_iter().find(|(sign, _)| text.starts_with(sign))?;
    Number::parse(text.get(sign.len()..)?.trim()).is_ok().then_some(word)
}

/// The first part of a text that other programs put something in for: `${…}`, `$(…)`, `{{…}}`,
/// `<%…%>`, and variables of the environment in capitals, `$HOME` and `%USERNAME%`. A `$` before
/// other letters is a word of query languages (`$ref`, `$where`), which policies do speak of.
fn placeholder(text: &str) -> Option<&str> {
    text.char_indices().find_map(|(at, c)| {
        let rest = text.get(at..)?;
        let closed = |open: &str, close: &str| {
            let inner = rest.strip_prefix(open)?;
            rest.get(..open.len() + inner.find(close)? + close.len())
        };
        match c {
            '$' => closed("${", "}").or_else(|| closed("$(", ")")).or_else(|| {
                let name = rest.get(1..)?;
                let end = name.find(|c| !is_of_a_variable(c)).unwrap_or(name.len());
                let starts_so = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
                (end >= 2 && starts_so).then(|| rest.get(..=end))?
            }),
            '{' => closed("{{", "}}"),
            '<' => closed("<%", "%>"),
            '%' => {
                let whole = closed("%", "%")?;
                let name = whole.trim_matches('%');
                let is_name = name.len() >= 2
                    && name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.chars().all(is_of_a_variable);
                is_name.then_some(whole)
            }
            _ => None,
        }
    })
}

fn is_of_a_variable(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::placeholder;

    #[test]
    fn what_other_programs_fill_in_is_found() {
        for (text, found) in [
            ("/home/${who.id}/", "${who.id}"),
            ("/home/{{ user }}/", "{{ user }}"),
            ("/home/<%= user %>/", "<%= user %>"),
            ("/home/$(id -un)/", "$(id -un)"),
            ("$HOME/.ssh", "$HOME"),
            ("/srv/$TENANT_ID/", "$TENANT_ID"),
            (r"C:\Users\%USERNAME%\x", "%USERNAME%"),
            ("ü${x}", "${x}"),
        ] {
            assert_eq!(placeholder(text), Some(found), "{text}");
        }
    }

    #[test]
    fn what_texts_hold_otherwise_is_not() {
        for text in [
            "",
            "$",
            "${",
            "$ref",
            "$where",
            "$5",
            "US$100",
            "{a}",
            "{{",
            "}}{{",
            "100%",
            "%20%",
            "%41%42",
            "50% of 100%",
            "a <% b",
            "$A",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
