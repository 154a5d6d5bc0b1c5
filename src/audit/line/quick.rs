//! The records that calls write, written without the detours of a general serializer.
//!
//! Byte for byte the text that `serde` gives; a test holds the two together.

use std::borrow::Cow;

use super::{USUAL_LENGTH, json};
use crate::audit::escaped::push_escaped;
use crate::audit::{Event, Outcome, Stage};
use crate::clock::Timestamp;
use crate::value::Value;
use crate::word::Word;

/// A record's line from its time on, for the kinds that are written here and whose texts need no second thought.
pub(super) fn text(at: Timestamp, event: &Event<'_>) -> Option<String> {
    let mut text = Text(String::with_capacity(USUAL_LENGTH));
    push_time(&mut text.0, at);
    // Every field is named, so that a new one cannot be forgotten here.
    match event {
        Event::Permitted {
            task,
            generation,
            grant,
            serial,
            who,
            acts_for,
            tool,
            resource_type,
            resource_id,
            args,
            context,
            rules,
            approvals,
            spent,
            epoch,
            break_glass,
            passed,
            trace,
            plain,
        } => {
            // Few rules count across tasks, and few records keep plain values: those are left to the general serializer.
            if !spent.is_empty() || plain.is_some() {
                return None;
            }
            text.quoted(r#","kind":"permitted","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.quoted(r#","grant":"#, grant)?;
            text.number(r#","serial":"#, *serial);
            text.quoted(r#","who":"#, who)?;
            text.list_if_any(r#","acts_for":"#, acts_for)?;
            text.quoted(r#","tool":"#, tool)?;
            text.quoted_if_any(r#","resource_type":"#, resource_type.as_ref())?;
            text.quoted_if_any(r#","resource_id":"#, resource_id.as_ref())?;
            text.quoted(r#","args":"#, args)?;
            text.quoted_if_any(r#","context":"#, context.as_ref())?;
            text.list_if_any(r#","rules":"#, rules)?;
            text.list_if_any(r#","approvals":"#, approvals)?;
            text.number(r#","epoch":"#, *epoch);
            text.mark(*break_glass);
            text.list_if_any(r#","passed":"#, passed)?;
            text.quoted_if_any(r#","trace":"#, trace.as_ref())?;
        }
        Event::Opened {
            task,
            generation,
            who,
            who_kind,
            acts_for,
            purpose,
            ticket,
            intent,
            ceiling,
        } => {
            text.quoted(r#","kind":"opened","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.quoted(r#","who":"#, who)?;
            text.quoted(r#","who_kind":"#, who_kind)?;
            text.list_if_any(r#","acts_for":"#, acts_for)?;
            text.quoted(r#","purpose":"#, purpose)?;
            text.quoted_if_any(r#","ticket":"#, ticket.as_ref())?;
            text.quoted_if_any(r#","intent":"#, intent.as_ref())?;
            text.number(r#","ceiling":"#, ceiling.unix_millis().unsigned_abs());
        }
        Event::Ended { task, generation, how, reason, running, unsettled } => {
            text.quoted(r#","kind":"ended","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.quoted(r#","how":"#, how.as_str())?;
            text.quoted_if_any(r#","reason":"#, reason.as_ref())?;
            text.numbers_if_any(r#","running":"#, running);
            if *unsettled {
                text.0.push_str(r#","unsettled":true"#);
            }
        }
        Event::Denied {
            stage,
            task,
            generation,
            grant,
            who,
            tool,
            resource_type,
            resource_id,
            args,
            scope,
            context,
            code,
            reason,
            rules,
            epoch,
            break_glass,
            trace,
            plain,
        } => {
            if plain.is_some() {
                return None;
            }
            text.0.push_str(match stage {
                Stage::Open => r#","kind":"denied","stage":"open""#,
                Stage::Request => r#","kind":"denied","stage":"request""#,
                Stage::Delegate => r#","kind":"denied","stage":"delegate""#,
                Stage::Renew => r#","kind":"denied","stage":"renew""#,
                Stage::Call => r#","kind":"denied","stage":"call""#,
                Stage::Run => r#","kind":"denied","stage":"run""#,
                Stage::GiveUp => r#","kind":"denied","stage":"give_up""#,
            });
            text.quoted_if_any(r#","task":"#, task.as_ref())?;
            text.number_if_any(r#","generation":"#, *generation);
            text.quoted_if_any(r#","grant":"#, grant.as_ref())?;
            text.quoted_if_any(r#","who":"#, who.as_ref())?;
            text.quoted_if_any(r#","tool":"#, tool.as_ref())?;
            text.quoted_if_any(r#","resource_type":"#, resource_type.as_ref())?;
            text.quoted_if_any(r#","resource_id":"#, resource_id.as_ref())?;
            text.quoted_if_any(r#","args":"#, args.as_ref())?;
            if let Some(scope) = scope {
                text.value(r#","scope":"#, scope);
            }
            text.quoted_if_any(r#","context":"#, context.as_ref())?;
            text.quoted(r#","code":"#, code)?;
            text.quoted(r#","reason":"#, reason)?;
            text.list_if_any(r#","rules":"#, rules)?;
            text.number_if_any(r#","epoch":"#, *epoch);
            text.mark(*break_glass);
            text.quoted_if_any(r#","trace":"#, trace.as_ref())?;
        }
        Event::Granted {
            task,
            generation,
            grant,
            serial,
            parent,
            requester,
            holder,
            acts_for,
            aliases,
            scope,
            rules,
            approvals,
            epoch,
            policy,
            starts,
            expires,
            trace,
            plain,
        } => {
            if plain.is_some() {
                return None;
            }
            text.quoted(r#","kind":"granted","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.quoted(r#","grant":"#, grant)?;
            text.number(r#","serial":"#, *serial);
            text.quoted_if_any(r#","parent":"#, parent.as_ref())?;
            text.quoted(r#","requester":"#, requester)?;
            text.quoted(r#","holder":"#, holder)?;
            text.list_if_any(r#","acts_for":"#, acts_for)?;
            text.list_if_any(r#","aliases":"#, aliases)?;
            text.value(r#","scope":"#, scope);
            text.list_if_any(r#","rules":"#, rules)?;
            text.list_if_any(r#","approvals":"#, approvals)?;
            text.number(r#","epoch":"#, *epoch);
            text.quoted(r#","policy":"#, policy)?;
            let starts = starts.map(|own| own.unix_millis().unsigned_abs());
            text.number_if_any(r#","starts":"#, starts);
            text.number(r#","expires":"#, expires.unix_millis().unsigned_abs());
            text.quoted_if_any(r#","trace":"#, trace.as_ref())?;
        }
        Event::Outcome { task, generation, of, outcome, task_over, noted, break_glass } => {
            text.quoted(r#","kind":"outcome","task":"#, task)?;
            text.number(r#","generation":"#, *generation);
            text.number(r#","of":"#, *of);
            text.0.push_str(match outcome {
                Outcome::Ok => r#","outcome":"ok""#,
                Outcome::Error => r#","outcome":"error""#,
                Outcome::Abandoned => r#","outcome":"abandoned""#,
                Outcome::Interrupted => r#","outcome":"interrupted""#,
                Outcome::Forwarded => r#","outcome":"forwarded""#,
                Outcome::Unknown => r#","outcome":"unknown""#,
            });
            if *task_over {
                text.0.push_str(r#","task_over":true"#);
            }
            text.number_if_any(r#","noted":"#, (*noted > 0).then_some(*noted));
            text.mark(*break_glass);
        }
        _ => return None,
    }
    text.0.push('}');
    Some(text.0)
}

struct Text(String);

impl Text {
    fn mark(&mut self, break_glass: bool) {
        if break_glass {
            self.0.push_str(r#","break_glass":true"#);
        }
    }

    // What stands before a value is inlined where it is known, so that it is stored and not copied by a call.
    #[inline(always)]
    fn number(&mut self, before: &'static str, number: u64) {
        self.0.push_str(before);
        push_number(&mut self.0, number);
    }

    #[inline(always)]
    fn number_if_any(&mut self, before: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(before, number);
        }
    }

    #[inline(always)]
    fn quoted(&mut self, before: &'static str, value: &str) -> Option<()> {
        self.0.push_str(before);
        self.text(value)
    }

    fn text(&mut self, value: &str) -> Option<()> {
        if is_plain(value) {
            // Room for all of it at once, and for what follows most values.
            self.0.reserve(value.len() + 2);
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        } else {
            self.0.push_str(&json(&value).ok()?);
        }
        Some(())
    }

    /// A value, its numbers exactly; what is hidden stands only within its texts.
    fn value(&mut self, before: &'static str, value: &Value) {
        self.0.push_str(before);
        push_escaped(&mut self.0, &value.to_json());
    }

    #[inline(always)]
    fn quoted_if_any(&mut self, before: &'static str, value: Option<&Cow<'_, str>>) -> Option<()> {
        match value {
            Some(value) => self.quoted(before, value),
            None => Some(()),
        }
    }

    fn numbers_if_any(&mut self, before: &'static str, numbers: &[u64]) {
        let mut opening = "[";
        for number in numbers {
            if opening == "[" {
                self.0.push_str(before);
            }
            self.number(opening, *number);
            opening = ",";
        }
        if !numbers.is_empty() {
            self.0.push(']');
        }
    }

    fn list_if_any(&mut self, before: &'static str, values: &[Cow<'_, str>]) -> Option<()> {
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

/// The member that each line has behind its number, without what closes it.
pub(super) fn push_time(text: &mut String, at: Timestamp) {
    text.push_str(r#""at":"#);
    push_number(text, at.unix_millis().unsigned_abs());
}

/// Appends a number in digits, without the formatter's detour. Most of them have one digit, which is pushed as it is.
pub(super) fn push_number(text: &mut String, number: u64) {
    match u32::try_from(number).ok().and_then(|number| char::from_digit(number, 10)) {
        Some(digit) => text.push(digit),
        None => text.push_str(itoa::Buffer::new().format(number)),
    }
}

/// Printable ASCII without a quote or a backslash, eight bytes at a time.
fn is_plain(value: &str) -> bool {
    let bytes = value.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    let last = match bytes.last_chunk::<8>() {
        // Some of it a second time, which changes nothing.
        Some(last) => *last,
        None => {
            let mut last = [b' '; 8];
            last.iter_mut().zip(rest).for_each(|(own, byte)| *own = *byte);
            last
        }
    };
    words.iter().all(|word| is_plain_word(*word)) && is_plain_word(last)
}

#[inline]
fn is_plain_word(bytes: [u8; 8]) -> bool {
    let word = Word::of(bytes);
    word.is_printable() && (word.places_of(b'"') | word.places_of(b'\\')) == 0
}

#[cfg(test)]
mod tests;
