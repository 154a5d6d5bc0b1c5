//! Names of tools.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::text::{TextFault, TextRule, is_name_char};

const TOOL_NAME: TextRule = TextRule {
    max: 128,
    allows: is_name_char,
    expected: "letters a-z and A-Z, digits and `_.:/-`",
};

/// The name of a tool: 1 to 128 characters out of `[A-Za-z0-9_.:/-]`, compared byte for byte.
///
/// Case counts: `Shell:rm` and `shell:rm` are two tools. Characters that look like others, that
/// cannot be seen, or that have several Unicode spellings are no part of any name. Cloning is cheap.
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
    pub fn new(name: &str) -> Result<Self, ToolNameError> {
        TOOL_NAME.check(name).map_err(ToolNameError)?;
        Ok(ToolName(Arc::from(name)))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no [`ToolName`]: says which character stands where.
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
