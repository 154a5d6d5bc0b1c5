//! The members of a JSON object, each as it was written.
//!
//! What is decided is read strictly into values; what only passes through stays the text that it was. Both need to
//! know where each member of an object stands, and that none stands there twice: of two, a gate may read the one and a
//! server the other.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most members that an object which is looked into may have: what the protocol names is far less.
const MOST: usize = 1024;

/// The members of an object, in the order in which they stand there.
#[derive(Debug, Default)]
pub(crate) struct Members<'m>(Vec<(String, &'m RawValue)>);

/// Why a text is not an object that can be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(String);

impl<'m> Members<'m> {
    /// Reads an object; its members' values are checked to be JSON and not looked into.
    ///
    /// # Errors
    /// [`Malformed`] for what is not an object, and for a member that is given twice.
    pub(crate) fn of(text: &'m str) -> Result<Self, Malformed> {
        serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))
    }

    /// The text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'m str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.get())
    }

    /// The text of a member that is a string, with its escapes read.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'m str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.get()))
    }
}

/// The elements of a list, each as it was written; `None` for what is not a list.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let Elements(found) = serde_json::from_str(text).ok()?;
    Some(found.into_iter().map(RawValue::get).collect())
}

impl<'m> Deserialize<'m> for Members<'m> {
    fn deserialize<D: Deserializer<'m>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'m> Visitor<'m> for MembersVisitor {
    type Value = Members<'m>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'m>>(self, mut map: A) -> Result<Members<'m>, A::Error> {
        let mut members: Vec<(String, &'m RawValue)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if members.iter().any(|(own, _)| *own == name) {
                return Err(A::Error::custom("a key is given twice"));
            }
            if members.len() == MOST {
                return Err(A::Error::custom("too many keys"));
            }
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

struct Elements<'m>(Vec<&'m RawValue>);

impl<'m> Deserialize<'m> for Elements<'m> {
    fn deserialize<D: Deserializer<'m>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'m> Visitor<'m> for ElementsVisitor {
    type Value = Elements<'m>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'m>>(self, mut list: A) -> Result<Elements<'m>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Elements(elements))
    }
}

impl Malformed {
    pub(crate) fn of(why: &str) -> Self {
        Malformed(why.to_owned())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_they_were_written() {
        let members = Members::of(r#"{"a": [1, 2.50] ,"b":"x\u0041", "c":null}"#).unwrap();
        assert_eq!(members.get("a"), Some("[1, 2.50]"));
        assert_eq!(members.text("b").as_deref(), Some("xA"));
        assert_eq!((members.text("a"), members.get("d")), (None, None));
        assert_eq!(elements("[1, {\"a\": 2}]"), Some(vec!["1", "{\"a\": 2}"]));
        assert_eq!(elements("{}"), None);
    }

    #[test]
    fn a_key_that_is_given_twice_however_it_is_spelled_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            "[]",
            "1",
            "{} {}",
            "{",
            r#"{"\ud800":1}"#,
        ] {
            assert!(Members::of(text).is_err(), "{text}");
        }
        let many: String = (0..=MOST).map(|n| format!(",\"k{n}\":0")).collect();
        assert!(Members::of(&format!("{{{}}}", &many[1..])).is_err());
    }

    /// Reading what only passes takes no stack.
    #[test]
    fn a_text_nested_a_million_times_is_passed_over() {
        let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
        let text = format!("{{\"a\":{open}{close}}}");
        assert!(Members::of(&text).is_ok());
    }
}
