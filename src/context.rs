//! Attributes of the moment.

use crate::text::{ATTRIBUTE_NAME, SHOWN, TextFault, escape_for_people};
use crate::value::{Object, Value};

/// How many names a context holds. Real ones have about ten; a reader of a denial still finds the
/// one that mattered, and hashing or logging a context stays cheap.
const NAMES_MAX: usize = 256;

/// Names under which rules see what the broker itself adds. A host that could set them could move
/// the clock or clean a task's history.
const RESERVED: [&str; 3] = ["seen", "now", "time"];

/// Typed attributes of the moment, given by the host with each question: environment, risk, device
/// posture, address.
///
/// Building never fails; the first mistake is kept and every question asked with such a context is
/// refused: a name given twice, a name that is empty, longer than 128 bytes or has hidden characters,
/// more than 256 names, or one of `seen`, `now` and `time`, which the broker itself adds. Names are
/// compared byte for byte.
///
/// ```
/// use hallpass::context::Context;
/// use hallpass::value::Value;
///
/// let context = Context::new().with("env", Value::Text("prod".into())).with("vpn", Value::Bool(true));
/// assert_eq!(context.get("vpn"), Some(&Value::Bool(true)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    attributes: Object,
    mistake: Option<ContextError>,
}

impl Context {
    /// A context without attributes: every rule that reads one finds it absent.
    pub const fn new() -> Self {
        Context { attributes: Object::new(), mistake: None }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<Box<str>>, value: impl Into<Value>) -> Self {
        if let Err(mistake) = self.add(name.into(), value.into()) {
            self.mistake.get_or_insert(mistake);
        }
        self
    }

    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// Names and values, names in UTF-8 order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.attributes.iter()
    }

    /// Whether there is no attribute.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// # Errors
    /// The first mistake made in building.
    pub(crate) fn checked(&self) -> Result<&Object, ContextError> {
        match &self.mistake {
            None => Ok(&self.attributes),
            Some(mistake) => Err(mistake.clone()),
        }
    }

    fn add(&mut self, name: Box<str>, value: Value) -> Result<(), ContextError> {
        ATTRIBUTE_NAME.check(&name).map_err(Problem::Name)?;
        if RESERVED.contains(&&*name) {
            return Err(Problem::Reserved(name).into());
        }
        if self.attributes.len() >= NAMES_MAX {
            return Err(Problem::TooMany.into());
        }
        self.attributes.insert(name, value).map_err(|twice| Problem::Twice(twice.0))?;
        Ok(())
    }
}

/// The same names are refused as by [`Context::with`].
impl From<Object> for Context {
    fn from(attributes: Object) -> Self {
        let mistake = fault_of(&attributes).map(ContextError);
        Context { attributes, mistake }
    }
}

fn fault_of(attributes: &Object) -> Option<Problem> {
    if attributes.len() > NAMES_MAX {
        return Some(Problem::TooMany);
    }
    attributes.keys().find_map(|name| match ATTRIBUTE_NAME.check(name) {
        Err(fault) => Some(Problem::Name(fault)),
        Ok(()) if RESERVED.contains(&name) => Some(Problem::Reserved(name.into())),
        Ok(()) => None,
    })
}

/// Why a [`Context`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContextError(#[from] Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("context name {0}")]
    Name(TextFault),
    #[error("context name `{}` is given twice", escape_for_people(.0, SHOWN))]
    Twice(Box<str>),
    #[error("context name `{0}` is reserved: the broker adds it")]
    Reserved(Box<str>),
    #[error("context has more than {NAMES_MAX} names")]
    TooMany,
}
