//! Names of tools.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::visible::{TextFault, TextRule, not_a_name_char};

/// The most bytes of a tool's name.
pub(crate) const MAX_TOOL_NAME: usize = 128;

const TOOL_NAME: TextRule = TextRule {
    max: MAX_TOOL_NAME,
    refuses: not_a_name_char,
    expected: "letters a-z and A-Z, digits and `_.:/-`",
};

/// The name of a tool: 1 to 128 characters out of `[A-Za-z0-9_.:/-]`, compared byte for byte.
///
/// Case counts: `Shell:rm` and `shell:rm` are two tools. Characters that look like others, that
/// cannot be seen, or that have several Unicode spellings are not part of any name. Cloning is cheap.
///
/// ```
/// use hallpass::tool::ToolName;
///
/// let name = ToolName::new("db.query")?;
/// assert_eq!(name.as_str(), "db.query");
/// assert!(ToolName::new("db query").is_err());
/// # Ok::<(), hallpass::tool::ToolNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolName(Arc<str>);

impl ToolName {
    /// Reads a tool name.
    ///
    /// # Errors
    /// [`ToolNameError`] if `name` is empty, too long, or has a character no tool name has.
    #[inline]
    pub fn new(name: &str) -> Result<Self, ToolNameError> {
        TOOL_NAME.check(name).map_err(ToolNameError)?;
        Ok(ToolName(Arc::from(name)))
    }

    /// Whether `name` is one.
    pub(crate) fn accepts(name: &str) -> bool {
        TOOL_NAME.check(name).is_ok()
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`ToolName`]: says which character stands where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tool name {0}")]
pub struct ToolNameError(TextFault);

impl FromStr for ToolName {
    type Err = ToolNameError;

    fn from_str(name: &str) -> Result<Self, ToolNameError> {
        ToolName::new(name)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolName({})", self.0)
    }
}

impl Borrow<str> for ToolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ToolName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for ToolName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(name: &str) -> String {
        ToolName::new(name).unwrap_err().to_string()
    }

    /// attack 11
    #[test]
    fn a_look_alike_letter_is_refused_and_shown_escaped() {
        let complaint = complaint("r\u{435}ad_file");
        assert!(complaint.contains(r"has `\u{435}` as character 2"), "{complaint}");
    }

    /// attack 12
    #[test]
    fn what_cannot_be_seen_is_refused() {
        for hidden in ['\u{200B}', '\u{200D}', '\u{202E}', '\u{2066}', '\u{FEFF}', '\u{AD}', '\0'] {
            let name = format!("read{hidden}_file");
            let complaint = complaint(&name);
            assert!(complaint.contains(&hidden.escape_unicode().to_string()), "{complaint}");
            assert!(!complaint.contains(hidden));
        }
    }

    /// attack 13
    #[test]
    fn case_makes_another_name() {
        assert_ne!(ToolName::new("Shell:rm").unwrap(), ToolName::new("shell:rm").unwrap());
    }

    /// attack 10: nothing outside ASCII is a name, so no name has two Unicode spellings
    #[test]
    fn neither_spelling_of_an_accented_letter_is_a_name() {
        assert!(ToolName::new("caf\u{E9}").is_err());
        assert!(ToolName::new("cafe\u{301}").is_err());
    }

    #[test]
    fn a_name_has_1_to_128_characters() {
        assert!(complaint("").contains("is empty"));
        assert!(ToolName::new(&"a".repeat(128)).is_ok());
        assert!(complaint(&"a".repeat(129)).contains("129 bytes"));
    }

    #[test]
    fn a_name_is_found_by_its_text_and_serialised_as_it() {
        let names = std::collections::HashSet::from([ToolName::new("db.query").unwrap()]);
        assert!(names.contains("db.query"));
        assert!(!names.contains("db.Query"));
        let json = serde_json::to_string(&ToolName::new("a/b").unwrap()).unwrap();
        assert_eq!(json, r#""a/b""#);
    }

    proptest! {
        #[test]
        fn exactly_the_documented_pattern_is_accepted(name in "[A-Za-z0-9_.:/ é@\u{200B}-]{0,130}") {
            const ALLOWED: &str =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-";
            let count = name.chars().count();
            let fits = (1..=128).contains(&count) && name.chars().all(|c| ALLOWED.contains(c));
            prop_assert_eq!(ToolName::new(&name).is_ok(), fits);
        }

        #[test]
        fn a_name_reads_back_as_given(name in "[A-Za-z0-9_.:/-]{1,128}") {
            let read = ToolName::new(&name).unwrap();
            prop_assert_eq!(read.as_str(), &name);
            prop_assert_eq!(read.to_string(), name);
        }
    }
}
