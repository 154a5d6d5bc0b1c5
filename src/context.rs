//! Attributes of the moment.

use std::borrow::Cow;

use crate::text::{ATTRIBUTE_NAME, SHOWN, TextFault, escape_for_people};
use crate::value::{Key, Object, Value};

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
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
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

    fn add(&mut self, name: Key, value: Value) -> Result<(), ContextError> {
        ATTRIBUTE_NAME.check(&name).map_err(Problem::Name)?;
        if RESERVED.contains(&&*name) {
            return Err(Problem::Reserved(name.as_ref().into()).into());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(context: &Context) -> String {
        context.checked().unwrap_err().to_string()
    }

    fn yes() -> Value {
        Value::Bool(true)
    }

    #[test]
    fn a_context_holds_what_was_given_in_name_order() {
        let context = Context::new().with("vpn", yes()).with("env", Value::Text("prod".into()));
        let names: Vec<_> = context.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["env", "vpn"]);
        assert_eq!(context.checked().unwrap().get("vpn"), Some(&yes()));
        assert_eq!(context.get("risk"), None);
        assert!(Context::new().is_empty() && !context.is_empty());
    }

    #[test]
    fn a_name_given_twice_refuses_the_context_even_with_equal_values() {
        let context = Context::new().with("env", yes()).with("env", yes());
        assert_eq!(complaint(&context), "context name `env` is given twice");
    }

    #[test]
    fn the_first_mistake_is_kept_and_nothing_after_it_heals_it() {
        let context = Context::new().with("", yes()).with("now", yes()).with("env", yes());
        assert!(complaint(&context).contains("name is empty"));
    }

    #[test]
    fn names_the_broker_adds_are_refused_in_both_ways_of_building() {
        for name in ["seen", "now", "time"] {
            assert!(complaint(&Context::new().with(name, yes())).contains("reserved"));
            let mut object = Object::new();
            object.insert(name, yes()).unwrap();
            assert!(complaint(&Context::from(object)).contains("reserved"));
        }
    }

    /// attack 12
    #[test]
    fn a_name_with_hidden_characters_is_refused_in_both_ways_of_building() {
        let name = "en\u{200B}v";
        assert!(
            complaint(&Context::new().with(name, yes())).contains(r"`\u{200b}` as character 3")
        );
        let mut object = Object::new();
        object.insert(name, yes()).unwrap();
        assert!(complaint(&Context::from(object)).contains(r"\u{200b}"));
    }

    /// attack 10
    #[test]
    fn two_unicode_spellings_are_two_names() {
        let context = Context::new().with("caf\u{E9}", yes()).with("cafe\u{301}", Value::Null);
        assert_eq!(context.checked().unwrap().get("cafe\u{301}"), Some(&Value::Null));
    }

    #[test]
    fn at_most_256_names_of_128_bytes_fit() {
        let of =
            |count: usize| (0..count).fold(Context::new(), |c, n| c.with(n.to_string(), yes()));
        assert!(of(256).checked().is_ok());
        assert!(complaint(&of(257)).contains("256"));
        let object = |count: usize| {
            let mut object = Object::new();
            (0..count).for_each(|n| object.insert(n.to_string(), yes()).unwrap());
            Context::from(object)
        };
        assert!(object(256).checked().is_ok());
        assert!(complaint(&object(257)).contains("256"));
        assert!(Context::new().with("n".repeat(128), yes()).checked().is_ok());
        assert!(complaint(&Context::new().with("n".repeat(129), yes())).contains("129"));
    }
}
