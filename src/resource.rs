//! What a call touches.

use std::borrow::Cow;

use crate::value::{Key, Object, TextValue, Value, ValueError};
use crate::visible::{
    ATTRIBUTE_NAME, SHOWN, TextFault, TextRule, escape_for_people, not_a_name_char,
};

const TYPE: TextRule = TextRule {
    max: 64,
    refuses: not_a_name_char,
    expected: "letters a-z and A-Z, digits and `_.:/-`",
};
const ID: TextRule = TextRule {
    max: 1024,
    refuses: |text| text.chars().position(char::is_control),
    expected: "no control characters",
};

/// How many attributes a resource holds: the same bound, for the same reason, as a context's.
const ATTRIBUTES_MAX: usize = 256;

/// The thing a call touches: a type, an id within the type, and attributes.
///
/// Building never fails; the first mistake is kept and every call with such a resource is refused: a
/// type is 1 to 64 characters out of `[A-Za-z0-9_.:/-]`, an id 1 to 1024 bytes without control
/// characters, attribute names 1 to 128 bytes without hidden characters, each once, at most 256, and what
/// is not a [`Value`] (NaN, say) is not an attribute. All are compared byte for byte.
///
/// ```
/// use hallpass::resource::Resource;
/// use hallpass::value::Value;
///
/// let photo = Resource::new("Photo", "vacation.jpg").attr("owner", Value::Text("alice".into()));
/// assert_eq!(photo.resource_type(), "Photo");
/// assert_eq!(photo.id(), "vacation.jpg");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    resource_type: TextValue,
    id: TextValue,
    attributes: Object,
    mistake: Option<ResourceError>,
}

impl Resource {
    /// The resource of this type and id, without attributes.
    pub fn new(resource_type: impl Into<Box<str>>, id: impl Into<Box<str>>) -> Self {
        let (resource_type, id) = (resource_type.into(), id.into());
        let mistake = TYPE
            .check(&resource_type)
            .map_err(Problem::Type)
            .and_then(|()| ID.check(&id).map_err(Problem::Id))
            .err()
            .map(ResourceError);
        Resource {
            resource_type: TextValue::new(resource_type),
            id: TextValue::new(id),
            attributes: Object::new(),
            mistake,
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attr<V>(mut self, name: impl Into<Cow<'static, str>>, value: V) -> Self
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

    /// The type as given.
    pub fn resource_type(&self) -> &str {
        self.resource_type.as_str()
    }

    /// The id as given.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The attributes given so far.
    pub fn attributes(&self) -> &Object {
        &self.attributes
    }

    /// # Errors
    /// The first mistake made in building.
    pub(crate) fn checked(&self) -> Result<CheckedResource<'_>, ResourceError> {
        match &self.mistake {
            None => Ok(CheckedResource(self)),
            Some(mistake) => Err(mistake.clone()),
        }
    }

    fn add(&mut self, name: Key, value: Value) -> Result<(), ResourceError> {
        ATTRIBUTE_NAME.check(&name).map_err(Problem::AttributeName)?;
        if self.attributes.len() >= ATTRIBUTES_MAX {
            return Err(Problem::TooMany.into());
        }
        self.attributes.insert(name, value).map_err(|twice| Problem::Twice(twice.0))?;
        Ok(())
    }
}

/// A resource whose parts all fit, in the form rules read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedResource<'r>(&'r Resource);

impl<'r> CheckedResource<'r> {
    pub(crate) fn type_value(self) -> &'r Value {
        self.0.resource_type.value()
    }

    pub(crate) fn id_value(self) -> &'r Value {
        self.0.id.value()
    }

    pub(crate) fn attributes(self) -> &'r Object {
        &self.0.attributes
    }
}

/// Why a [`Resource`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ResourceError(#[from] Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("resource type {0}")]
    Type(TextFault),
    #[error("resource id {0}")]
    Id(TextFault),
    #[error("resource attribute name {0}")]
    AttributeName(TextFault),
    #[error("resource attribute `{}` is given twice", escape_for_people(.0, SHOWN))]
    Twice(Box<str>),
    #[error("resource has more than {ATTRIBUTES_MAX} attributes")]
    TooMany,
    #[error("resource attribute `{}` is not a value: {error}", escape_for_people(.name, SHOWN))]
    Value { name: Box<str>, error: ValueError },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(resource: &Resource) -> String {
        resource.checked().unwrap_err().to_string()
    }

    #[test]
    fn rules_read_type_id_and_attributes_as_values() {
        let photo = Resource::new("Photo", "été 1.jpg").attr("owner", Value::Text("alice".into()));
        let photo = photo.checked().unwrap();
        assert_eq!(photo.type_value(), &Value::Text("Photo".into()));
        assert_eq!(photo.id_value(), &Value::Text("été 1.jpg".into()));
        assert_eq!(photo.attributes().get("owner"), Some(&Value::Text("alice".into())));
    }

    #[test]
    fn a_type_has_1_to_64_characters_of_a_tool_name() {
        assert!(complaint(&Resource::new("", "1")).contains("type is empty"));
        assert!(Resource::new("t".repeat(64), "1").checked().is_ok());
        assert!(complaint(&Resource::new("t".repeat(65), "1")).contains("65 bytes"));
        assert!(complaint(&Resource::new("Phot\u{43E}", "1")).contains(r"\u{43e}"));
    }

    #[test]
    fn an_id_has_1_to_1024_bytes_without_control_characters() {
        assert!(complaint(&Resource::new("T", "")).contains("id is empty"));
        assert!(Resource::new("T", "i".repeat(1024)).checked().is_ok());
        assert!(complaint(&Resource::new("T", "i".repeat(1025))).contains("1025 bytes"));
        for control in ['\0', '\n', '\u{7F}', '\u{9B}'] {
            assert!(complaint(&Resource::new("T", format!("a{control}"))).contains("character 2"));
        }
    }

    #[test]
    fn an_attribute_given_twice_refuses_the_resource() {
        let twice = Resource::new("T", "1").attr("a", Value::Null).attr("a", Value::Null);
        assert_eq!(complaint(&twice), "resource attribute `a` is given twice");
    }

    #[test]
    fn an_attribute_that_is_no_value_refuses_the_resource() {
        assert!(Resource::new("T", "1").attr("share", 0.5).checked().is_ok());
        let wrong = Resource::new("T", "1").attr("share", f64::INFINITY);
        assert_eq!(complaint(&wrong), "resource attribute `share` is not a value: not a number");
    }

    /// attack 12
    #[test]
    fn an_attribute_name_with_hidden_characters_refuses_the_resource() {
        let hidden = Resource::new("T", "1").attr("ow\u{2060}ner", Value::Null);
        assert!(complaint(&hidden).contains(r"\u{2060}"));
    }

    #[test]
    fn the_first_mistake_is_kept() {
        let wrong = Resource::new("", "1").attr("", Value::Null);
        assert!(complaint(&wrong).contains("type is empty"));
    }

    #[test]
    fn at_most_256_attributes_fit() {
        let of = |count: usize| {
            (0..count).fold(Resource::new("T", "1"), |r, n| r.attr(n.to_string(), Value::Null))
        };
        assert!(of(256).checked().is_ok());
        assert!(complaint(&of(257)).contains("256"));
    }
}
