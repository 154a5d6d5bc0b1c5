//! Attributes of the moment.

mod source;
mod trace_parent;

use std::borrow::Cow;

use crate::value::{Key, Object, Value, ValueError};
use crate::visible::{ATTRIBUTE_NAME, SHOWN, TextFault, escape_for_people};

pub use source::ContextSource;
pub use trace_parent::{TraceParent, TraceParentError};

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
/// more than 256 names, one of `seen`, `now` and `time`, which the broker itself adds, or what is not a
/// [`Value`] (NaN, say). Names are compared byte for byte.
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
    trace: Option<TraceParent>,
}

impl Context {
    /// A context without attributes: every rule that reads one finds it absent.
    pub const fn new() -> Self {
        Context { attributes: Object::new(), mistake: None, trace: None }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with<V>(mut self, name: impl Into<Cow<'static, str>>, value: V) -> Self
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let name = name.into();
        let added = match value.try_into() {
            Ok(value) => self.add(name, value),
            Err(error) => Err(Problem::Value { name: name.into(), error: error.into() }.into()),
        };
        if let Err(mistake) = added {
            self.mistake.get_or_insert(mistake);
        }
        self
    }

    /// Says which trace the question belongs to: the log keeps that with what is decided, and no rule sees it.
    #[must_use]
    pub fn traced(self, trace: TraceParent) -> Self {
        Context { trace: Some(trace), ..self }
    }

    /// Which trace the question belongs to, if that was said.
    pub fn trace(&self) -> Option<&TraceParent> {
        self.trace.as_ref()
    }

    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// Names and values, names in UTF-8 order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.attributes.iter()
    }

    /// Whether there is no attribute; of a trace this says nothing.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// What both say. A name of which they say different things is left out: nothing is known of it, and
    /// what asks for it is unknown.
    pub(crate) fn joined_with(&self, other: &Context) -> Context {
        let mut joined = self.clone();
        for (name, value) in other.iter() {
            match self.get(name) {
                Some(own) if own == value => {}
                Some(_) => joined.attributes.remove(name),
                None => {
                    if let Err(mistake) = joined.add(Key::Owned(name.to_owned()), value.clone()) {
                        joined.mistake.get_or_insert(mistake);
                    }
                }
            }
        }
        joined
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
        Context { attributes, mistake, trace: None }
    }
}

/// An object's names and values. Anything else is refused where the context is asked with, as a name is
/// that can't be one.
///
/// ```
/// use hallpass::Context;
/// use serde_json::json;
///
/// let context = Context::from(json!({ "env": "prod", "risk": 0.5 }));
/// assert_eq!(context, Context::new().with("env", "prod").with("risk", 0.5));
/// ```
impl From<serde_json::Value> for Context {
    fn from(json: serde_json::Value) -> Self {
        let mistaken =
            |problem: Problem| Context { mistake: Some(problem.into()), ..Context::new() };
        match Value::try_from(json) {
            Ok(Value::Object(attributes)) => Context::from(attributes),
            Ok(other) => mistaken(Problem::NotAnObject(other.kind_name())),
            Err(error) => mistaken(Problem::Json(error)),
        }
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
    #[error("context `{}` is not a value: {error}", escape_for_people(.name, SHOWN))]
    Value { name: Box<str>, error: ValueError },
    #[error("context is not a value: {0}")]
    Json(ValueError),
    #[error("context is of kind {0}, expected an object")]
    NotAnObject(&'static str),
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
    fn what_is_no_value_or_no_object_refuses_the_context() {
        assert!(Context::from(serde_json::json!({ "n": 0.1 })).checked().is_ok());
        let many = serde_json::json!(1e300);
        for (context, said) in [
            (Context::new().with("risk", f64::NAN), "context `risk` is not a value: not a number"),
            (Context::new().with("n", many.clone()), "38 digits"),
            (Context::from(serde_json::json!({ "n": many })), "context is not a value: a number"),
            (Context::from(serde_json::json!(["env"])), "is of kind list, expected an object"),
            (Context::from(serde_json::json!({ "now": 1 })), "`now` is reserved"),
        ] {
            assert!(complaint(&context).contains(said), "{}", complaint(&context));
        }
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
