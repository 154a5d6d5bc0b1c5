//! The records that calls write, written without the detours of a general serializer.
//!
//! Byte for byte the text that `serde` gives; a test holds the two together.

use std::borrow::Cow;

use super::{USUAL_LENGTH, json};
use crate::audit::{Event, Outcome, Stage};

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
        }
        Event::Denied {
            stage,
            task,
            generation,
            grant,
            who,
            tool,
            args,
            code,
            reason,
            rules,
            epoch,
        } => {
            text.0.push_str(match stage {
                Stage::Open => r#"{"kind":"denied","stage":"open""#,
                Stage::Request => r#"{"kind":"denied","stage":"request""#,
                Stage::Call => r#"{"kind":"denied","stage":"call""#,
                Stage::Run => r#"{"kind":"denied","stage":"run""#,
                Stage::GiveUp => r#"{"kind":"denied","stage":"give_up""#,
            });
            text.quoted_if_any(r#","task":"#, task.as_ref())?;
            text.number_if_any(r#","generation":"#, *generation);
            text.quoted_if_any(r#","grant":"#, grant.as_ref())?;
            text.quoted_if_any(r#","who":"#, who.as_ref())?;
            text.quoted_if_any(r#","tool":"#, tool.as_ref())?;
            text.quoted_if_any(r#","args":"#, args.as_ref())?;
            text.quoted(r#","code":"#, code)?;
            text.quoted(r#","reason":"#, reason)?;
            text.list_if_any(r#","rules":"#, rules)?;
            text.number_if_any(r#","epoch":"#, *epoch);
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
        push_number(&mut self.0, number);
    }

    fn number_if_any(&mut self, before: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(before, number);
        }
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

/// Appends a number in digits, without the formatter's detour.
pub(super) fn push_number(text: &mut String, mut number: u64) {
    // 20 digits hold any; filled from the last one.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.get(first..).and_then(|digits| std::str::from_utf8(digits).ok());
    text.push_str(digits.unwrap_or_default());
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
            (task, grant, who, tool, args) in (words(), words(), words(), words(), words()),
            (generation, serial, epoch) in any::<(u64, u64, u64)>(),
            (resource_type, resource_id, context) in (maybe(), maybe(), maybe()),
            rules in proptest::collection::vec(words(), 0..4),
        ) -> Event<'static> {
            Event::Permitted {
                task, generation, grant, serial, who, tool, resource_type, resource_id, args,
                context, rules, epoch,
            }
        }
    }

    prop_compose! {
        fn denied()(
            stage in proptest::sample::select(vec![
                Stage::Open, Stage::Request, Stage::Call, Stage::Run,
            ]),
            (task, grant, who, tool, args) in (maybe(), maybe(), maybe(), maybe(), maybe()),
            (generation, epoch) in any::<(Option<u64>, Option<u64>)>(),
            (code, reason) in (words(), words()),
            rules in proptest::collection::vec(words(), 0..4),
        ) -> Event<'static> {
            Event::Denied {
                stage, task, generation, grant, who, tool, args, code, reason, rules, epoch,
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
        fn the_quick_text_is_the_text_of_serde(event in prop_oneof![permitted(), denied(), outcome()]) {
            prop_assert_eq!(text(&event).unwrap(), json(&event).unwrap());
        }
    }
}
