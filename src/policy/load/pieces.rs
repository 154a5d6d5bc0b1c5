//! Long TOML text, rule by rule: read as a whole it takes fifty times its length in memory.

use super::{MAX_POLICY_TEXT, draft, rule};
use crate::document::{Table, list, parse_toml};
use crate::policy::Policy;

/// How a rule begins.
const HEADER: &str = "[[rule]]";

/// The policy, if the text falls into pieces of which each can be read without the others and nothing in any is
/// wrong. `None` says no more than that it has to be read as a whole, which also tells what is wrong and where.
pub(super) fn policy_of_pieces(text: &str) -> Option<Policy> {
    // In a text of several lines, what looks like a header may be a part of it. Elsewhere a line that begins so
    // is one: no value does.
    if text.len() > MAX_POLICY_TEXT || text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let mut pieces = pieces(text);
    let first = parse_toml(pieces.next()?).ok()?;
    let builder = draft(&first).ok()?;
    if Table::open(&first, "a policy").ok()?.get("rule").is_some() {
        return None;
    }
    drop(first);
    let mut rules = Vec::new();
    for piece in pieces {
        let piece = parse_toml(piece).ok()?;
        let table = Table::read(&piece, &["rule"], "a list of rules").ok()?;
        for written in list(table.get("rule")?).ok()? {
            rules.push(rule::read(written).ok()?);
        }
    }
    builder.rules(rules).build().ok()
}

/// What stands before the first header, and then each header with what stands behind it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let own = rest?;
        let lines = own.match_indices('\n').map(|(at, _)| at + 1);
        let next = lines.into_iter().find(|at| {
            own.get(*at..)
                .is_some_and(|line| line.trim_start_matches([' ', '\t']).starts_with(HEADER))
        });
        let (piece, more) = match next {
            Some(at) => (own.get(..at)?, own.get(at..)),
            None => (own, None),
        };
        rest = more;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"version = 1 # [[rule]]

        [[rule]]
        id = "a"
        effect = "permit"
        what = { tool = "t", args = { x = [
            "[[rule]]",
        ] } }
        [[rule]]
        id = "b"
        effect = "forbid"
        [rule.what]
        tool = "u"
"#;

    #[test]
    fn text_read_by_pieces_says_what_it_says_as_a_whole() {
        let whole = Policy::from_toml(&format!("{RULES}# \"\"\"")).unwrap();
        assert!(policy_of_pieces(&format!("{RULES}# \"\"\"")).is_none());
        let read = policy_of_pieces(RULES).unwrap();
        assert_eq!((read.len(), read.digest()), (2, whole.digest()));
        assert_eq!(pieces(RULES).count(), 3);
        assert_eq!(pieces(RULES).collect::<String>(), RULES);
    }

    /// A piece that says more than rules, or that nothing can be made of, is for who reads all of it.
    #[test]
    fn what_is_not_of_rules_alone_is_read_as_a_whole() {
        let more = |text: &str| format!("{RULES}{text}");
        for text in [
            more("[[tool]]\nname = \"t\"\n[[tool]]\nname = \"u\"\n"),
            more("[tool]\nname = \"t\"\n"),
            more("[[rule]]\nid = \"a\"\n"),
            more("[[rule]]\nid = \"c\"\neffect = \"permit\"\n"),
            more("[[rule]]]\n"),
            RULES.replacen("version = 1", "version = 2", 1),
            RULES.replacen("version = 1", "version = 1\nrule = []", 1),
            RULES.replacen("version = 1", "version = 1\nrule.x = 1", 1),
        ] {
            assert!(policy_of_pieces(&text).is_none(), "{text}");
        }
        let behind = more("[[tool]]\nname = \"t\"\n[[tool]]\nname = \"u\"\n");
        assert_eq!(Policy::from_toml(&behind).unwrap().len(), 2);
        let twice = Policy::from_toml(&more("[[rule]]\nid = \"a\"\neffect = \"forbid\"\n"));
        let error = twice.unwrap_err().to_string();
        assert!(error.starts_with("line 15, column 6: rule `a`: `id`: two rules"), "{error}");
    }
}
