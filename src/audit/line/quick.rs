//! The two records that every call writes, written without the detours of a general serializer.
//!
//! Byte for byte the text that `serde` gives; a test holds the two together.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{USUAL_LENGTH, json};
use crate::audit::{Event, Outcome};

/// The event's JSON, for the kinds that are written here and whose texts need no second thought.
pub(super) fn text(event: &Event<'_>) -> Option<String> {
    let mut text = Text(String::with_capacity(USUAL_LENGTH));
    // Every field is named, so that a new one cannot be forgotten here.
    match event {
        Event::Permitted {
            task,
            generation,
            grant,
            serial,
            who,
            tool,
            resource_type,
            resource_id,
            args,
            context,
            rules,
            epoch,
            policy,
        } => {
            text.quoted(r#"{"kind":"permitted","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.quoted(r#","grant":"#, grant)?;
            text.number(r#","serial":"#, *serial);
            text.quoted(r#","who":"#, who)?;
            text.quoted(r#","tool":"#, tool)?;
            text.quoted_if_any(r#","resource_type":"#, resource_type.as_ref())?;
            text.quoted_if_any(r#","resource_id":"#, resource_id.as_ref())?;
            text.quoted(r#","args":"#, args)?;
            text.quoted_if_any(r#","context":"#, context.as_ref())?;
            text.list_if_any(r#","rules":"#, rules)?;
            text.number(r#","epoch":"#, *epoch);
            text.quoted(r#","policy":"#, policy)?;
        }
        Event::Outcome { task, generation, of, outcome, task_over } => {
            text.quoted(r#"{"kind":"outcome","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.number(r#","of":"#, *of);
            text.0.push_str(match outcome {
                Outcome::Ok => r#","outcome":"ok""#,
                Outcome::Error => r#","outcome":"error""#,
                Outcome::Abandoned => r#","outcome":"abandoned""#,
                Outcome::Interrupted => r#","outcome":"interrupted""#,
            });
            if *task_over {
                text.0.push_str(r#","task_over":true"#);
            }
        }
        _ => return None,
    }
    text.0.push('}');
    Some(text.0)
}

struct Text(String);

impl Text {
    fn number(&mut self, before: &str, number: u64) {
        self.0.push_str(before);
        // Writing to a string does not fail.
        let _ = write!(self.0, "{number}");
    }

    fn quoted(&mut self, before: &str, value: &str) -> Option<()> {
        self.0.push_str(before);
        if is_plain(value) {
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        } else {
            self.0.push_str(&json(&value).ok()?);
        }
        Some(())
    }

    fn quoted_if_any(&mut self, before: &str, value: Option<&Cow<'_, str>>) -> Option<()> {
        value.map_or(Some(()), |value| self.quoted(before, value))
    }

    fn list_if_any(&mut self, before: &str, values: &[Cow<'_, str>]) -> Option<()> {
        let mut opening = "[";
        for value in values {
            if opening == "[" {
                self.0.push_str(before);
            }
            self.quoted(opening, value)?;
            opening = ",";
        }
        if !values.is_empty() {
            self.0.push(']');
        }
        Some(())
    }
}

/// Printable ASCII without a quote or a backslash. Without a branch, so that it runs on many bytes
/// at a time.
fn is_plain(value: &str) -> bool {
    value.bytes().fold(true, |plain, byte| {
        plain & (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Cow<'static, str>> {
        prop_oneof!["[ -~]{0,12}", any::<String>(), "[\"\\\\\u{7f}\n\u{202e}a]{0,4}"]
            .prop_map(Cow::Owned)
    }

    fn maybe() -> impl Strategy<Value = Option<Cow<'static, str>>> {
        proptest::option::of(words())
    }

    prop_compose! {
        fn permitted()(
            (task, grant, who, tool, args, policy) in
                (words(), words(), words(), words(), words(), words()),
            (generation, serial, epoch) in any::<(u64, u64, u64)>(),
            (resource_type, resource_id, context) in (maybe(), maybe(), maybe()),
            rules in proptest::collection::vec(words(), 0..4),
        ) -> Event<'static> {
            Event::Permitted {
                task, generation, grant, serial, who, tool, resource_type, resource_id, args,
                context, rules, epoch, policy,
            }
        }
    }

    prop_compose! {
        fn outcome()(
            task in words(),
            (generation, of, task_over) in any::<(u64, u64, bool)>(),
            outcome in proptest::sample::select(vec![
                Outcome::Ok, Outcome::Error, Outcome::Abandoned, Outcome::Interrupted,
            ]),
        ) -> Event<'static> {
            Event::Outcome { task, generation, of, outcome, task_over }
        }
    }

    proptest! {
        /// attack 134
        #[test]
        fn the_quick_text_is_the_text_of_serde(event in prop_oneof![permitted(), outcome()]) {
            prop_assert_eq!(text(&event).unwrap(), json(&event).unwrap());
        }
    }
}
