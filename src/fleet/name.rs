//! Names of fleets and nodes.

/// The longest name: it stands in a row of every store, and is read by people.
const MAX_NAME: usize = 64;

/// Why a name names no fleet and no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} name `{}`, expected 1 to {MAX_NAME} of `a-z`, `0-9`, `.`, `_` and `-`", shown.escape_debug())]
pub struct NameError {
    what: &'static str,
    shown: Box<str>,
}

/// Checks a name: one spelling for each, and none that a store, a file or a certificate writes otherwise.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<Box<str>, NameError> {
    let fits = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    match (1..=MAX_NAME).contains(&name.len()) && name.as_bytes().iter().all(fits) {
        true => Ok(name.into()),
        false => Err(NameError { what, shown: name.chars().take(MAX_NAME).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling_and_says_what_is_wrong_with_it() {
        for good in ["a", "node-1.acme_eu", &"n".repeat(64)] {
            assert_eq!(*check_name("node", good).unwrap(), *good);
        }
        for bad in ["", "Node", "a b", "a/b", "\u{E9}", "a\n", &"n".repeat(65)] {
            let error = check_name("node", bad).unwrap_err().to_string();
            assert!(error.starts_with("node name `"), "{error}");
        }
    }
}
