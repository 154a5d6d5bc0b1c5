//! Types of arguments: which spelling of a value rules judge and tools get.

use std::borrow::Cow;

use crate::scope::{PathFault, UrlFault, canonical_path, canonical_url};
use crate::value::Value;

/// What an argument of a tool is, where its text has several spellings of one thing.
///
/// A typed argument is text, or a list of texts. The gate brings it to its one spelling before any
/// rule or scope is asked, and the tool gets that: what was judged and what is used can't differ. What
/// has no such spelling is refused, whatever the rules say.
///
/// ```
/// use hallpass::policy::{ArgType, Tool};
///
/// let mail = Tool::new("mail.send").label("egress").arg("attachment", ArgType::Path);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArgType {
    /// A path with `/` between its segments, taken by its spelling alone. `//`, `/./` and a `/` at the
    /// end are folded; `..`, backslashes, `%`, a leading `~` and hidden characters are refused.
    Path,
    /// A URL, read as browsers read it (WHATWG) and serialised again, without a dot at the end of the
    /// host and with an IPv4 address written as IPv6 as the IPv4 address it is. A user before the host
    /// is refused. Takes the feature `url`: without it, a policy that has the type is refused.
    Url,
}

/// An argument of a tool that has a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypedArg {
    pub(crate) name: Box<str>,
    pub(crate) of: ArgType,
    /// Whether `null` stands for an argument that is left out, and is taken out of a call.
    pub(crate) optional: bool,
}

impl TypedArg {
    /// The word of policies, with a `?` behind it where it may be left out.
    pub(crate) fn word(&self) -> String {
        let mark = if self.optional { "?" } else { "" };
        format!("{}{mark}", self.of.as_str())
    }
}

/// Why a value is not of its argument's type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TypeFault {
    #[error("is of the kind {0}, expected text or a list of texts")]
    Kind(&'static str),
    #[error("has an element of the kind {0}, expected text")]
    Element(&'static str),
    #[error("is not a path: {0}")]
    Path(#[from] PathFault),
    #[error("is not a URL: {0}")]
    Url(#[from] UrlFault),
}

impl ArgType {
    /// The word of policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            ArgType::Path => "path",
            ArgType::Url => "url",
        }
    }

    /// Every type and its word, with whether an argument of it may be `null`.
    pub(crate) const WORDS: &[(&'static str, (ArgType, bool))] = &[
        ("path", (ArgType::Path, false)),
        ("path?", (ArgType::Path, true)),
        ("url", (ArgType::Url, false)),
        ("url?", (ArgType::Url, true)),
    ];

    /// Whether this build can read it.
    pub(crate) const fn is_built(self) -> bool {
        match self {
            ArgType::Path => true,
            ArgType::Url => cfg!(feature = "url"),
        }
    }

    /// The one spelling of a text.
    fn canonical_text(self, text: &str) -> Result<Cow<'_, str>, TypeFault> {
        match self {
            ArgType::Path => Ok(canonical_path(text)?),
            ArgType::Url => Ok(canonical_url(text)?),
        }
    }

    /// The value in its one spelling; `None` where it has that already.
    pub(crate) fn canonical(self, value: &Value) -> Result<Option<Value>, TypeFault> {
        match value {
            Value::Text(text) => self.other_spelling(text),
            Value::List(elements) => {
                let mut canonical: Option<Vec<Value>> = None;
                for (at, element) in elements.iter().enumerate() {
                    let Value::Text(text) = element else {
                        return Err(TypeFault::Element(element.kind_name()));
                    };
                    if let Some(own) = self.other_spelling(text)? {
                        let all = canonical.get_or_insert_with(|| elements.clone());
                        if let Some(place) = all.get_mut(at) {
                            *place = own;
                        }
                    }
                }
                Ok(canonical.map(Value::List))
            }
            other => Err(TypeFault::Kind(other.kind_name())),
        }
    }

    fn other_spelling(self, text: &str) -> Result<Option<Value>, TypeFault> {
        Ok(match self.canonical_text(text)? {
            Cow::Borrowed(same) if same.len() == text.len() => None,
            other => Some(Value::from(&*other)),
        })
    }
}
