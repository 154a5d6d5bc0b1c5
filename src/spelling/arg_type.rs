//! Types of arguments: which spelling of a value rules judge and tools get.

use std::borrow::Cow;

use crate::scope::{PathFault, UrlFault, canonical_path, canonical_url};
use crate::value::Value;

/// What an argument of a tool is: of which kind its value is, or which spelling its text has where there are
/// several of one thing.
///
/// A path or a URL is text, or a list of texts. The gate brings it to its one spelling before any
/// rule or scope is asked, and the tool gets that: what was judged and what is used can't differ. What
/// has no such spelling, or is of another kind, is refused, whatever the rules say.
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
    /// One text, of any spelling.
    Text,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A list of any values.
    List,
    /// A list of nothing but texts; it may be empty. Written `["text"]`.
    Texts,
    /// An object.
    Object,
}

/// An argument of a tool that has a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypedArg {
    pub(crate) name: Box<str>,
    pub(crate) of: ArgType,
    /// Whether `null` stands for an argument that is left out, and is taken out of a call.
    pub(crate) optional: bool,
    /// What an argument that is left out stands for: it is put into the call.
    pub(crate) default: Option<Value>,
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
    #[error("is of the kind {0}, expected {1}")]
    Expected(&'static str, &'static str),
    #[error("has a fraction, expected an integer")]
    Fraction,
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
            ArgType::Text => "text",
            ArgType::Number => "number",
            ArgType::Integer => "integer",
            ArgType::Bool => "bool",
            ArgType::List => "list",
            ArgType::Texts => "[\"text\"]",
            ArgType::Object => "object",
        }
    }

    /// Whether it says which kind of value an argument is, and nothing of its spelling. A tool of which that is
    /// said has no other arguments than those it lists.
    pub(crate) const fn is_plain(self) -> bool {
        !matches!(self, ArgType::Path | ArgType::Url)
    }

    /// What is wrong with a value of an argument of a plain type.
    fn plain_fault(self, value: &Value) -> Option<TypeFault> {
        let expected = match (self, value) {
            (ArgType::Text, Value::Text(_))
            | (ArgType::Number, Value::Number(_))
            | (ArgType::Bool, Value::Bool(_))
            | (ArgType::List, Value::List(_))
            | (ArgType::Object, Value::Object(_)) => return None,
            (ArgType::Integer, Value::Number(number)) => {
                return (!number.is_integer()).then_some(TypeFault::Fraction);
            }
            (ArgType::Texts, Value::List(elements)) => {
                let odd = elements.iter().find(|own| own.as_text().is_none())?;
                return Some(TypeFault::Element(odd.kind_name()));
            }
            (ArgType::Path | ArgType::Url, _) => return None,
            (ArgType::Text, _) => "text",
            (ArgType::Number, _) => "number",
            (ArgType::Integer, _) => "integer",
            (ArgType::Bool, _) => "boolean",
            (ArgType::List, _) => "list",
            (ArgType::Texts, _) => "list of texts",
            (ArgType::Object, _) => "object",
        };
        Some(TypeFault::Expected(value.kind_name(), expected))
    }

    /// As [`canonical`](Self::canonical), of a value that a constraint names: an element of a list, too.
    pub(super) fn canonical_named(self, value: &Value) -> Result<Option<Value>, TypeFault> {
        match (self, value) {
            (ArgType::List, _) | (ArgType::Texts, Value::Text(_)) => Ok(None),
            _ => self.canonical(value),
        }
    }

    /// Every type and its word, with whether an argument of it may be `null`.
    pub(crate) const WORDS: &[(&'static str, (ArgType, bool))] = &[
        ("path", (ArgType::Path, false)),
        ("path?", (ArgType::Path, true)),
        ("url", (ArgType::Url, false)),
        ("url?", (ArgType::Url, true)),
        ("text", (ArgType::Text, false)),
        ("text?", (ArgType::Text, true)),
        ("number", (ArgType::Number, false)),
        ("number?", (ArgType::Number, true)),
        ("integer", (ArgType::Integer, false)),
        ("integer?", (ArgType::Integer, true)),
        ("bool", (ArgType::Bool, false)),
        ("bool?", (ArgType::Bool, true)),
        ("list", (ArgType::List, false)),
        ("list?", (ArgType::List, true)),
        ("object", (ArgType::Object, false)),
        ("object?", (ArgType::Object, true)),
    ];

    /// Whether this build can read it.
    pub(crate) const fn is_built(self) -> bool {
        !matches!(self, ArgType::Url) || cfg!(feature = "url")
    }

    /// The one spelling of a text.
    fn canonical_text(self, text: &str) -> Result<Cow<'_, str>, TypeFault> {
        match self {
            ArgType::Path => Ok(canonical_path(text)?),
            ArgType::Url => Ok(canonical_url(text)?),
            _ => Ok(Cow::Borrowed(text)),
        }
    }

    /// The value in its one spelling; `None` where it has that already.
    pub(crate) fn canonical(self, value: &Value) -> Result<Option<Value>, TypeFault> {
        if self.is_plain() {
            return self.plain_fault(value).map_or(Ok(None), Err);
        }
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
