//! The arguments of a call.

mod convert;

use std::convert::Infallible;
use std::fmt;

use crate::value::{
    BYTES_OF_VALUE, Digest, JsonError, JsonErrorKind, MAX_DEPTH, MAX_NODES, MAX_TEXT, Number,
    NumberError, Object, Value, ValueError,
};
use crate::visible::is_printable_ascii;
use crate::visible::{Shown, is_hidden};

/// The most bytes of one key. Argument names are words; the longest in public tool catalogues stay
/// below 64.
pub const MAX_KEY: usize = 128;

/// The arguments of a call: an object within limits, every key of it (nested ones too) visible text.
///
/// Limits: [`MAX_DEPTH`] levels (the object itself is the first), [`MAX_NODES`] values, [`MAX_TEXT`]
/// bytes of keys and texts together, [`MAX_KEY`] bytes a key. A key is not empty and has no control,
/// zero-width or bidirectional characters, so that two keys that look the same to a person differ at
/// most in script.
///
/// ```
/// use hallpass::args::Args;
/// use serde_json::json;
///
/// let args = Args::try_from(json!({ "to": "CH93", "amount": 98 }))?;
/// assert_eq!(args, Args::from_json(r#"{"amount": 98.0, "to": "CH93"}"#)?);
/// assert_eq!(args.text("to"), Some("CH93"));
/// assert_eq!(args.number("amount"), Some(98.into()));
/// assert_eq!(args.to_string(), r#"{"amount":98,"to":"CH93"}"#);
///
/// assert!(Args::from_json(r#"{"to": "CH93", "to": "CH12"}"#).is_err());
/// # Ok::<(), hallpass::args::ArgsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Args {
    object: Object,
    /// See [`Args::size`].
    size: usize,
}

/// Why data cannot be the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// The text is not JSON, or has a number of more than 38 digits.
    #[error("malformed arguments: {0}")]
    Malformed(JsonError),
    /// A number has too many digits.
    #[error("malformed arguments: {0}")]
    Number(NumberError),
    /// The arguments are something else than an object; the kind is given.
    #[error("arguments are {}, expected an object", with_article(.0))]
    NotAnObject(&'static str),
    /// A key was given twice in one object, however either is spelled.
    #[error("argument {} is given twice", Shown(.0))]
    DuplicateKey(Box<str>),
    /// There are more than [`MAX_TEXT`] bytes of text or more than [`MAX_NODES`] values.
    #[error(
        "arguments are too large, expected at most {MAX_TEXT} bytes of text and {MAX_NODES} values"
    )]
    TooLarge,
    /// Lists and objects stand inside each other more than [`MAX_DEPTH`] levels deep.
    #[error("arguments are nested too deeply, expected at most {MAX_DEPTH} levels")]
    TooDeep,
    /// A key is empty, longer than [`MAX_KEY`] bytes, or has characters that are not visible.
    #[error("argument key {} is {fault}", Shown(.key))]
    BadKey {
        /// The key as given.
        key: Box<str>,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// Data of the host that can't be written as JSON.
    #[error("can't be written as JSON: {0}")]
    Unwritable(Box<str>),
    /// The arguments are not what the tool takes.
    #[error("arguments do not fit: {0}")]
    Misfit(Box<str>),
}

/// What is wrong with an argument's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// It has more than [`MAX_KEY`] bytes.
    #[error("longer than {MAX_KEY} bytes")]
    TooLong,
    /// It has control, zero-width or bidirectional characters.
    #[error("not plain text: it has control, zero-width or bidirectional characters")]
    HiddenCharacter,
}

impl Default for Args {
    fn default() -> Self {
        Args::new()
    }
}

impl Args {
    /// No arguments.
    pub const fn new() -> Self {
        Args { object: Object::new(), size: BYTES_OF_VALUE }
    }

    /// Reads arguments from JSON text, as strictly as [`Value::from_json`] does.
    ///
    /// # Errors
    /// [`ArgsError`]; text over [`MAX_TEXT`] bytes is refused before it is looked at.
    pub fn from_json(text: &str) -> Result<Self, ArgsError> {
        Args::try_from(Value::from_json(text)?)
    }

    /// As [`Args::from_json`], from bytes that ought to be UTF-8.
    ///
    /// # Errors
    /// As [`Args::from_json`].
    pub fn from_json_bytes(bytes: &[u8]) -> Result<Self, ArgsError> {
        Args::try_from(Value::from_json_bytes(bytes)?)
    }

    /// The argument of that name, if given.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// The argument of that name, if given and text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// The argument of that name, if given and a number.
    pub fn number(&self, key: &str) -> Option<Number> {
        self.get(key)?.as_number()
    }

    /// Names and arguments, names in UTF-8 order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.object.iter()
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.object.len()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.object.is_empty()
    }

    /// How much there is to look at: the bytes of keys and texts, and some for each value.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The arguments as an object.
    pub const fn object(&self) -> &Object {
        &self.object
    }

    /// The arguments as an object, which may be changed and become arguments again.
    pub fn into_object(self) -> Object {
        self.object
    }

    /// The digest of the arguments' one byte form: equal arguments have equal digests, however their
    /// JSON was spelled.
    pub fn digest(&self) -> Digest {
        self.object.digest()
    }

    /// The arguments as exact JSON text, as [`Value::to_json`].
    pub fn to_json(&self) -> String {
        self.object.to_json()
    }
}

/// As [`Args::to_json`].
impl fmt::Display for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

/// As a map; for numbers see [`Number`].
impl serde::Serialize for Args {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object.serialize(serializer)
    }
}

/// # Errors
/// [`ArgsError`] if the object is outside the limits of [`Args`].
impl TryFrom<Object> for Args {
    type Error = ArgsError;

    #[inline]
    fn try_from(object: Object) -> Result<Self, Self::Error> {
        let mut room = LimitsLeft { nodes: MAX_NODES, text: MAX_TEXT };
        match room.take_object(&object, MAX_DEPTH) {
            Ok(()) => Ok(Args { object, size: room.taken() }),
            Err(over) => Err(*over),
        }
    }
}

/// # Errors
/// As from an [`Object`], and [`ArgsError::NotAnObject`].
impl TryFrom<Value> for Args {
    type Error = ArgsError;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Object(object) => Args::try_from(object),
            other => Err(ArgsError::NotAnObject(other.kind_name())),
        }
    }
}

/// Lets a function take `impl TryInto<Args>` and be given arguments.
impl From<Infallible> for ArgsError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<JsonError> for ArgsError {
    fn from(error: JsonError) -> Self {
        match error.kind() {
            JsonErrorKind::DuplicateKey(key) => ArgsError::DuplicateKey(key.clone()),
            JsonErrorKind::TooDeep(_) => ArgsError::TooDeep,
            JsonErrorKind::TooManyValues(_) | JsonErrorKind::TooLong(_) => ArgsError::TooLarge,
            _ => ArgsError::Malformed(error),
        }
    }
}

impl From<ValueError> for ArgsError {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::Number(error) => ArgsError::Number(error),
            ValueError::TooDeep => ArgsError::TooDeep,
            ValueError::DuplicateKey(duplicate) => ArgsError::DuplicateKey(duplicate.0),
        }
    }
}

/// What is left of the limits.
struct LimitsLeft {
    nodes: usize,
    text: usize,
}

/// Boxed, because every argument of every call is asked and hardly any is refused: an answer of one word
/// stays in a register.
type Taken = Result<(), Box<ArgsError>>;

impl LimitsLeft {
    fn taken(&self) -> usize {
        (MAX_TEXT - self.text) + (MAX_NODES - self.nodes) * BYTES_OF_VALUE
    }

    fn take_object(&mut self, object: &Object, levels: usize) -> Taken {
        let levels = one_level_down(levels)?;
        self.take_node()?;
        for (key, value) in object.iter() {
            check_key(key).map_err(|fault| bad_key(key, fault))?;
            self.take_text(key)?;
            self.take_value(value, levels)?;
        }
        Ok(())
    }

    #[inline]
    fn take_value(&mut self, value: &Value, levels: usize) -> Taken {
        match value {
            Value::Object(object) => return self.take_object(object, levels),
            Value::List(list) => self.take_items(list, levels)?,
            Value::Text(text) => self.take_text(text)?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        self.take_node()
    }

    fn take_items(&mut self, list: &[Value], levels: usize) -> Taken {
        let levels = one_level_down(levels)?;
        list.iter().try_for_each(|item| self.take_value(item, levels))
    }

    #[inline]
    fn take_node(&mut self) -> Taken {
        self.nodes = self.nodes.checked_sub(1).ok_or_else(too_large)?;
        Ok(())
    }

    #[inline]
    fn take_text(&mut self, text: &str) -> Taken {
        self.text = self.text.checked_sub(text.len()).ok_or_else(too_large)?;
        Ok(())
    }
}

#[inline]
fn one_level_down(levels: usize) -> Result<usize, Box<ArgsError>> {
    levels.checked_sub(1).ok_or_else(|| Box::new(ArgsError::TooDeep))
}

#[cold]
fn too_large() -> Box<ArgsError> {
    Box::new(ArgsError::TooLarge)
}

#[cold]
fn bad_key(key: &str, fault: KeyFault) -> Box<ArgsError> {
    Box::new(ArgsError::BadKey { key: key.into(), fault })
}

#[inline]
pub(crate) fn check_key(key: &str) -> Result<(), KeyFault> {
    if key.is_empty() {
        Err(KeyFault::Empty)
    } else if key.len() > MAX_KEY {
        Err(KeyFault::TooLong)
    } else if is_printable_ascii(key) || !key.chars().any(is_hidden) {
        Ok(())
    } else {
        Err(KeyFault::HiddenCharacter)
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" | "text" => kind.to_owned(),
        _ => format!("a {kind}"),
    }
}
