//! A name that nothing can have, so that halting it would stop nothing.

use std::fmt::Display;

use crate::visible::is_hidden;

/// Why a text names nothing that could be halted, and how it was probably meant.
///
/// A kill switch that is on for a name which no identity, task or tool can have looks like one that works,
/// and stops nothing; so it is refused where it is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", did_you_mean(.meant.as_deref()))]
pub struct HaltError {
    fault: String,
    meant: Option<String>,
}

impl HaltError {
    /// The nearest spelling of a name that something can have, where there is one.
    #[must_use]
    pub fn meant(&self) -> Option<&str> {
        self.meant.as_deref()
    }

    pub(super) fn new(name: &str, fault: &dyn Display, accepts: impl Fn(&str) -> bool) -> Self {
        HaltError { fault: fault.to_string(), meant: likely(name, accepts) }
    }
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(": did you mean `{meant}`?"))
}

/// The longest name that is looked at: for a longer one no spelling is suggested.
const LONGEST: usize = 2 * 1024;

/// The first spelling that is a name, of those that copying, quoting and other systems' ways of writing
/// make of one: each step goes on from the one before.
fn likely(name: &str, accepts: impl Fn(&str) -> bool) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let steps: [fn(&str) -> String; 5] =
        [without_frame, without_hidden, percent_decoded, lower_case_authority, without_end];
    let mut spelling = name.to_owned();
    steps.into_iter().find_map(|step| {
        spelling = step(&spelling);
        accepts(&spelling).then(|| spelling.clone())
    })
}

fn without_hidden(name: &str) -> String {
    name.chars().filter(|c| !is_hidden(*c)).collect()
}

/// Without the spaces and quotes around it.
fn without_frame(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`')).to_owned()
}

fn percent_decoded(name: &str) -> String {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
        let byte = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match byte {
            Some((high, low)) => {
                decoded.push(high * 16 + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| name.to_owned())
}

/// Scheme and trust domain of a SPIFFE id in lower case, as they are always written.
fn lower_case_authority(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.trim_end_matches('.');
    format!("{}://{}{path}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}

/// Without the slashes it ends in.
fn without_end(name: &str) -> String {
    name.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use crate::task::Halt;

    #[test]
    fn a_name_that_nothing_can_have_is_refused_with_the_likely_spelling() {
        let identities = [
            ("SPIFFE://acme.test/agent", Some("spiffe://acme.test/agent")),
            ("spiffe://ACME.test./agent//", Some("spiffe://acme.test/agent")),
            ("spiffe://acme.test/agent%2Fpayer", Some("spiffe://acme.test/agent/payer")),
            ("'spiffe://acme.test/Agent'\n", Some("spiffe://acme.test/Agent")),
            (" agent-7", Some("agent-7")),
            ("agent\u{200B}-7", Some("agent-7")),
            ("spiffe:agent-7", None),
            ("spiffe://acme.test/%zz%f", None),
            ("", None),
            ("\u{200B}", None),
        ];
        for (name, meant) in identities {
            let error = Halt::identity(name).unwrap_err();
            assert_eq!(error.meant(), meant, "{name:?}: {error}");
            let told = meant.map(|meant| format!(": did you mean `{meant}`?"));
            assert!(error.to_string().ends_with(&told.unwrap_or_default()), "{error}");
        }
        assert_eq!(Halt::tool("db.query ").unwrap_err().meant(), Some("db.query"));
        assert_eq!(Halt::tool("db query").unwrap_err().meant(), None);
        assert_eq!(Halt::task("`nightly`  ").unwrap_err().meant(), Some("nightly"));
        assert_eq!(Halt::task("nightly run").unwrap_err().meant(), None);
        let long = format!("{}{}", "\u{200B}", "a".repeat(super::LONGEST));
        assert_eq!(Halt::task(&long).unwrap_err().meant(), None);
    }

    #[test]
    fn a_name_that_something_can_have_is_halted_as_it_is() {
        for name in ["agent-7", "Ada Lovelace", "a%b", "spiffe://acme.test", "\u{E9}ric"] {
            assert!(Halt::identity(name).is_ok(), "an identity can be known as {name:?}");
        }
        assert!(Halt::task("`nightly`").is_ok() && Halt::tool("shell:rm").is_ok());
    }
}
