//! What other pattern languages would read into a glob, and what says it here.

use super::ESCAPED;

/// The first part of a pattern that means something elsewhere and nothing here, and what to write
/// instead. A forbid of such a pattern would be one of these very characters.
pub(super) fn foreign(pattern: &str) -> Option<(&str, &'static str)> {
    if pattern.starts_with('!') {
        return Some(("!", "to leave these out, write `not = { glob = .. }`"));
    }
    let home = pattern.strip_prefix('~').and_then(|rest| {
        let name = rest.find('/')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        rest.get(..name)?.chars().all(is_name).then(|| pattern.get(..name + 2))?
    });
    if let Some(home) = home {
        return Some((home, "no folder is put in for it: write the path from `/` on"));
    }
    let mut escaped = false;
    pattern.char_indices().find_map(|(at, c)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        escaped = c == '\\';
        let rest = pattern.get(at..)?;
        match c {
            '$' => variable(rest).map(|found| {
                (
                    found,
                    "nothing is put in for it: write what it stands for, or compare by `same_as`",
                )
            }),
            '@' | '+' | '?' | '!' | '*' => list_of_patterns(rest).map(|found| {
                (found, "for alternatives, write `any = [{ glob = .. }, { glob = .. }]`")
            }),
            _ => None,
        }
    })
}

/// `${` or `$NAME`, at the beginning.
fn variable(rest: &str) -> Option<&str> {
    let name = rest.get(1..)?;
    if name.starts_with('{') {
        return rest.get(..2);
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    rest.get(..=end)
}

/// `@(`, `+(`, `?(` or `!(`, at the beginning; and `*(` where alternatives follow, for copies of files
/// are called `report (1).pdf`.
fn list_of_patterns(rest: &str) -> Option<&str> {
    let inner = rest.get(1..)?.strip_prefix('(')?;
    let lists = !rest.starts_with('*')
        || inner.split_once(')').is_some_and(|(inner, _)| inner.contains('|'));
    if lists { rest.get(..2) } else { None }
}

/// Whether a `\` may stand before a character, which is then meant itself.
pub(super) fn is_escaped(c: char) -> bool {
    ESCAPED.contains(c)
}
