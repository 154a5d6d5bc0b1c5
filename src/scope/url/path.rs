//! The path of a URL.

use std::sync::Arc;

use super::super::glob::{Glob, MAX_PATTERN_TEXT};
use super::super::truth::Truth;
use super::read::canonical_url;
use crate::meter::{Meter, Work};
use crate::value::{Object, Value};
use crate::visible::Shown;

/// What a URL's path must be. A glob stands behind an `Arc`, as everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum PathPattern {
    Exact(Box<str>),
    Prefix(Box<str>),
    Under(Box<str>),
    Glob(Arc<Glob>),
}

impl PathPattern {
    pub(super) fn exact(path: &str) -> Result<Self, String> {
        Ok(PathPattern::Exact(own_spelling(path)?))
    }

    pub(super) fn prefix(start: &str) -> Result<Self, String> {
        Ok(PathPattern::Prefix(own_spelling(start)?))
    }

    /// `/v1/` means what `/v1` does.
    pub(super) fn under(folder: &str) -> Result<Self, String> {
        let folder = folder.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(folder);
        Ok(PathPattern::Under(own_spelling(folder)?))
    }

    pub(super) fn glob(pattern: &str) -> Result<Self, String> {
        if !pattern.starts_with(['/', '*']) {
            return Err(format!("{}: a URL's path begins with `/`", Shown(pattern)));
        }
        Glob::new(pattern)
            .map(|glob| PathPattern::Glob(Arc::new(glob)))
            .map_err(|error| error.to_string())
    }

    /// Of a path that has no other spelling.
    pub(super) fn matches(&self, path: &str, meter: &Meter) -> Truth {
        let start = match self {
            PathPattern::Exact(own) | PathPattern::Prefix(own) | PathPattern::Under(own) => own,
            PathPattern::Glob(_) if path.len() > MAX_PATTERN_TEXT => return Truth::Unknown,
            PathPattern::Glob(glob) => {
                return glob.matches_within(path, meter).map_or(Truth::Unknown, Truth::of);
            }
        };
        if meter.charge_bytes(start.len().min(path.len()), Work::Matching) {
            Truth::of(self.is_of(path))
        } else {
            Truth::Unknown
        }
    }

    /// Whether one path that a pattern names is of another pattern.
    fn covers(&self, path: &str) -> bool {
        !has_other_spelling(path) && path.len() <= MAX_PATTERN_TEXT && self.is_of(path)
    }

    fn is_of(&self, path: &str) -> bool {
        match self {
            PathPattern::Exact(own) => **own == *path,
            PathPattern::Prefix(own) => path.starts_with(&**own),
            PathPattern::Under(own) => is_under(path, own),
            PathPattern::Glob(glob) => glob.matches(path),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            PathPattern::Exact(own) | PathPattern::Prefix(own) | PathPattern::Under(own) => {
                own.len()
            }
            PathPattern::Glob(glob) => glob.as_str().len(),
        }
    }

    pub(super) fn pattern_bytes(&self) -> usize {
        match self {
            PathPattern::Glob(glob) => glob.as_str().len(),
            _ => 0,
        }
    }

    pub(super) fn is_within(&self, wider: &PathPattern) -> bool {
        use PathPattern::{Exact, Glob, Prefix, Under};
        match (self, wider) {
            (own, wider) if own == wider => true,
            (Exact(own), wider) => wider.covers(own),
            (Prefix(own) | Under(own), Prefix(wide)) => own.starts_with(&**wide),
            (Under(own), Under(wide)) => is_under(own, wide),
            // What begins with `/v1` may go on to `/v1x`.
            (Prefix(own), Under(wide)) => &**wide == "/" || (own != wide && is_under(own, wide)),
            (Glob(own), Prefix(wide)) => own.beginning().starts_with(&**wide),
            _ => false,
        }
    }

    fn word_and_value(&self) -> (&'static str, Value) {
        match self {
            PathPattern::Exact(own) => ("eq", Value::Text(own.clone())),
            PathPattern::Prefix(own) => ("prefix", Value::Text(own.clone())),
            PathPattern::Under(own) => ("under", Value::Text(own.clone())),
            PathPattern::Glob(glob) => ("glob", Value::from(glob.as_str())),
        }
    }
}

/// Sorted as they are written.
impl Ord for PathPattern {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.word_and_value().cmp(&other.word_and_value())
    }
}

impl PartialOrd for PathPattern {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// All of them, as a policy writes it: in one table, or a list of tables where a word comes twice.
pub(super) fn to_value(paths: &[PathPattern]) -> Option<Value> {
    let mut tables: Vec<Object> = Vec::new();
    for (word, value) in paths.iter().map(PathPattern::word_and_value) {
        match tables.iter_mut().find(|table| table.get(word).is_none()) {
            Some(table) => {
                // The word was found to be free.
                let _ = table.insert(word, value);
            }
            None => tables.extend(Object::from_pairs([(word, value)])),
        }
    }
    let mut tables = tables.into_iter().map(Value::Object);
    match (tables.next(), tables.next()) {
        (None, _) => None,
        (Some(only), None) => Some(only),
        (Some(first), Some(second)) => {
            Some(Value::List([first, second].into_iter().chain(tables).collect()))
        }
    }
}

fn is_under(path: &str, folder: &str) -> bool {
    folder == "/"
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path that a pattern names: as it is spelled in a URL.
fn own_spelling(path: &str) -> Result<Box<str>, String> {
    let shown = Shown(path);
    let Some(path) = path.strip_prefix('/') else {
        return Err(format!("{shown}: a URL's path begins with `/`"));
    };
    let url = format!("https://a/{path}");
    let canonical = canonical_url(&url).map_err(|fault| format!("{shown}: {fault}"))?;
    if has_other_spelling(path) || path.contains(['?', '#']) || *canonical != *url {
        let behind = canonical.get("https://a".len()..).unwrap_or_default();
        return Err(format!(
            "{shown} is not how a URL spells a path, expected one like {}",
            Shown(behind)
        ));
    }
    Ok(format!("/{path}").into())
}

/// Whether a path has an escape that the standard does not make itself (`%61` is `a` to a reader that decodes,
/// `%2F` may become a `/`, and what is not UTF-8 anything), or a segment that servers which cut off what
/// follows a `;` take for `.` or `..`.
pub(super) fn has_other_spelling(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    path.contains('\\')
        || (path.contains('%') && !is_utf8_decoded(bytes))
        || path.split('/').any(|segment| matches!(segment.split_once(';'), Some(("." | "..", _))))
        || escapes.any(|(at, _)| match bytes.get(at + 1..at + 3) {
            // What is outside of ASCII.
            Some([b'8' | b'9' | b'A'..=b'F', low]) => !matches!(low, b'0'..=b'9' | b'A'..=b'F'),
            Some(escape) => !MADE.contains(&escape),
            None => true,
        })
}

/// Whether a path is UTF-8 once its escapes are decoded.
fn is_utf8_decoded(path: &[u8]) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut decoded = Vec::new();
    let mut rest = path;
    while let Some((byte, behind)) = rest.split_first() {
        let escaped = match behind {
            [high, low, ..] if *byte == b'%' => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push((high * 16 + low) as u8);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(*byte);
                rest = behind;
            }
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}

/// What the standard escapes in a path, of ASCII that is seen: space and `"` `#` `<` `>` `?` `` ` ``
/// `{` `}`.
const MADE: &[&[u8]] = &[b"20", b"22", b"23", b"3C", b"3E", b"3F", b"60", b"7B", b"7D"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_may_decode_to_something_else_has_another_spelling() {
        for (path, other) in [
            ("/v1/a", false),
            ("/v1/a;v=2", false),
            ("/v1/..a;b", false),
            ("/v1/a;..", false),
            ("/v1/caf%C3%A9", false),
            ("/v1/%F0%9F%98%80", false),
            ("/v1/..;/admin", true),
            ("/v1/..;a=b/admin", true),
            ("/v1/.;/admin", true),
            ("/..;", true),
            ("/v1/%C0%AE%C0%AE/admin", true),
            ("/v1/%FF", true),
            ("/v1/%E2%82", true),
            ("/v1/caf%C3", true),
            ("/v1/%ED%A0%80", true),
            ("/v1/%61", true),
            ("/v1/%2F", true),
            ("/v1/%c3%a9", true),
        ] {
            assert_eq!(has_other_spelling(path), other, "{path}");
        }
    }
}
