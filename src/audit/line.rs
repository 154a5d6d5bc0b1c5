//! The text of a record, before and after it has its number.

mod quick;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::{ChainKey, Event, Record};
use crate::clock::Timestamp;
use crate::visible::is_hidden;

/// Room for a `permitted` record with ids and digests of usual length, so that it is written
/// without growing.
const USUAL_LENGTH: usize = 512;

/// An event written out and ready for its number. Built before a task's lock is taken, because only
/// the number has to wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    at: Timestamp,
    weight: Weight,
    /// The first number that a sum of denials stands for.
    from: Option<u64>,
    /// The line, from its time on.
    text: String,
    /// The key that the records after this one are under, where it changes.
    next_key: Option<Arc<ChainKey>>,
    /// Values that the record commits to, for the line next to it.
    plain: Option<Box<str>>,
}

/// What hangs from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It takes effect only once the log has it.
    Gives,
    /// It says that something was not given.
    Denies,
    /// Its effect stands, whatever the log says.
    Stands,
}

impl Body {
    /// Writes the event; `at` is the broker's time of its decision.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON, which no event of ours causes.
    pub(crate) fn new(at: Timestamp, event: &Event<'_>) -> Result<Self, Unwritable> {
        let text = match quick::text(at, event) {
            Some(text) => text,
            None => timed(at, &json(event)?),
        };
        let weight = match event.gives_access() {
            true => Weight::Gives,
            false if event.denies() => Weight::Denies,
            false => Weight::Stands,
        };
        Ok(Self { weight, ..Self::standing(at, text) })
    }

    /// A record whose effect stands.
    fn standing(at: Timestamp, text: String) -> Self {
        Self { at, weight: Weight::Stands, from: None, text, next_key: None, plain: None }
    }

    /// With the values that the event commits to.
    pub(crate) fn with_plain(mut self, values: Option<Box<str>>) -> Self {
        self.plain = values;
        self
    }

    /// The last record under the log's key of now, which says that `key` comes next.
    pub(crate) fn rekeying(at: Timestamp, key: Arc<ChainKey>) -> Self {
        // An id is hexadecimal digits. Written out, since a change of keys has no way to fail here.
        let text = format!(r#"{{"kind":"rekeyed","key":"{}"}}"#, key.id());
        Self { next_key: Some(key), ..Self::standing(at, timed(at, &text)) }
    }

    /// The key that the records after this one are under, where it changes.
    pub(super) fn next_key(&self) -> Option<&Arc<ChainKey>> {
        self.next_key.as_ref()
    }

    /// The sum of the denials from number `from` on.
    pub(super) fn sum(at: Timestamp, from: u64, event: &Event<'_>) -> Self {
        // Names of reasons and numbers, which always have a JSON form.
        let text = json(event).unwrap_or_else(|Unwritable| {
            format!(r#"{{"kind":"denials","from":{from},"since":0,"reasons":{{}}}}"#)
        });
        Self { from: Some(from), ..Self::standing(at, timed(at, &text)) }
    }

    /// The numbers from `from` on are lost.
    pub(super) fn void(at: Timestamp, from: u64) -> Self {
        let text = format!(r#"{{"kind":"void","from":{from}}}"#);
        Self { from: Some(from), ..Self::standing(at, timed(at, &text)) }
    }

    /// The broker's time of its decision.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether what it records waits for the log.
    pub(super) fn gives_access(&self) -> bool {
        self.weight == Weight::Gives
    }

    /// The reason, if it is the record of one denial. Read back, since it is asked for only where
    /// memory runs short.
    pub(super) fn denial_reason(&self) -> Option<String> {
        if self.weight != Weight::Denies {
            return None;
        }
        match self.event() {
            Some(Event::Denied { reason, .. }) => Some(reason.into_owned()),
            _ => None,
        }
    }

    /// What it says, read back.
    fn event(&self) -> Option<Event<'static>> {
        let mut line = String::with_capacity(self.text.len() + USUAL_LENGTH);
        self.push_line(0, &mut line);
        serde_json::from_str(&line).ok().map(|record: Record| record.event)
    }

    /// From now on it stands as it is: what it gives is taken back by another record.
    pub(super) fn stand(&mut self) {
        self.weight = Weight::Stands;
    }

    /// The first number that it stands for, if its own is `seq`.
    pub(super) fn first(&self, seq: u64) -> u64 {
        self.from.unwrap_or(seq)
    }

    /// Writes the whole line after what `lines` holds: [`numbered::split`](super::numbered::split) takes it apart.
    pub(super) fn push_line(&self, seq: u64, lines: &mut String) {
        lines.push_str(r#"{"seq":"#);
        quick::push_number(lines, seq);
        lines.push(',');
        lines.push_str(&self.text);
    }

    /// Its line, from its time on: what does not depend on its place.
    pub(super) fn unnumbered(&self) -> &str {
        &self.text
    }

    /// Writes the line next to it after what `lines` holds, if it has one.
    pub(super) fn push_plain(&self, seq: u64, lines: &mut String) {
        if let Some(values) = &self.plain {
            lines.push_str(r#"{"seq":"#);
            quick::push_number(lines, seq);
            lines.push_str(r#","plain":"#);
            lines.push_str(values);
            lines.push('}');
        }
    }

    /// What stands in its place when the sink has refused it.
    pub(super) fn withdrawn(&self, cause: &str) -> Self {
        // Read back instead of kept separately: withdrawing is rare, writing is not.
        let event = self.event();
        let withdrawn = Event::Withdrawn {
            was: Cow::Borrowed(event.as_ref().map_or("unknown", Event::kind)),
            task: event.as_ref().and_then(Event::task).map(Cow::Borrowed),
            grant: event.as_ref().and_then(Event::grant).map(Cow::Borrowed),
            cause: Cow::Borrowed(cause),
            break_glass: event.as_ref().is_some_and(Event::is_of_glass),
        };
        Self::new(self.at, &withdrawn).unwrap_or_else(|Unwritable| {
            let unknown = r#"{"kind":"withdrawn","was":"unknown","cause":"unknown"}"#;
            Self::standing(self.at, timed(self.at, unknown))
        })
    }
}

/// An event's JSON as a line has it, from its time on.
fn timed(at: Timestamp, event: &str) -> String {
    let mut text = String::with_capacity(event.len() + 32);
    quick::push_time(&mut text, at);
    text.push(',');
    text.push_str(event.strip_prefix('{').unwrap_or_default());
    text
}

fn json(value: &impl Serialize) -> Result<String, Unwritable> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Plain);
    value.serialize(&mut serializer).map_err(|_| Unwritable)?;
    String::from_utf8(bytes).map_err(|_| Unwritable)
}

/// The event has no JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record cannot be written as JSON")]
pub(crate) struct Unwritable;

/// Compact JSON in which nothing invisible stands as itself: a value can neither end a line nor
/// make a terminal or an editor show the record as another one (attack 134).
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        if fragment.bytes().fold(true, |plain, byte| plain & (byte < 0x7f)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut buffer = [0; 4];
        for character in fragment.chars() {
            if is_hidden(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(character.encode_utf8(&mut buffer).as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::{How, Record};

    fn line(event: &Event<'_>) -> String {
        let mut line = String::new();
        let at = Timestamp::from_unix_millis(1_000).unwrap();
        Body::new(at, event).unwrap().push_line(7, &mut line);
        line
    }

    fn ended(task: &str, reason: &str) -> Event<'static> {
        Event::Ended {
            task: task.to_owned().into(),
            generation: u64::MAX,
            how: How::Failed,
            reason: Some(reason.to_owned().into()),
            running: vec![],
            unsettled: false,
        }
    }

    #[test]
    fn a_line_is_the_number_the_time_and_the_event() {
        assert_eq!(
            line(&Event::Reloaded { epoch: 2, policy: "ab".into() }),
            r#"{"seq":7,"at":1000,"kind":"reloaded","epoch":2,"policy":"ab"}"#
        );
    }

    /// attack 134
    #[test]
    fn what_is_invisible_is_escaped() {
        let text =
            line(&ended("t\u{202e}\u{7f}\u{85}\u{2028}\u{200d}\u{e0041}", "a\"}\n{\"seq\":8"));
        let fillers = line(&ended("t", "a\u{3164}b\u{34f}c\u{fe0f}d\u{2800}e\u{ffff}"));
        assert!(fillers.contains(r"a\u3164b\u034fc\ufe0fd\u2800e\uffff"), "{fillers}");
        assert!(text.contains(r"t\u202e\u007f\u0085\u2028\u200d\udb40\udc41"), "{text}");
        assert!(text.contains(r#"a\"}\n{\"seq\":8"#), "{text}");
    }

    #[test]
    fn a_withdrawn_record_says_what_was_not_given_and_why() {
        let event = Event::GrantEnded {
            task: "t\"1".into(),
            generation: 1,
            grant: "g1".into(),
            why: "revoked".into(),
            below: Vec::new(),
            running: vec![1],
            break_glass: true,
        };
        let at = Timestamp::from_unix_millis(5).unwrap();
        let withdrawn = Body::new(at, &event).unwrap().withdrawn("disk full");
        let mut line = String::new();
        withdrawn.push_line(3, &mut line);
        let record: Record = serde_json::from_str(&line).unwrap();
        assert_eq!((record.seq, record.at), (3, at));
        assert_eq!(
            record.event,
            Event::Withdrawn {
                was: "grant_ended".into(),
                task: Some("t\"1".into()),
                grant: Some("g1".into()),
                cause: "disk full".into(),
                break_glass: true,
            }
        );
    }

    proptest! {
        /// attack 134
        #[test]
        fn any_text_reads_back_and_no_control_character_stands_in_the_line(
            task in any::<String>(),
            reason in "[\\x00-\\x20\\x7f-\\xa0\"\\\\{}\u{2028}\u{202e}a,:]{0,20}",
        ) {
            let event = ended(&task, &reason);
            let line = line(&event);
            prop_assert!(!line.chars().any(is_hidden));
            let record: Record = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(record.seq, 7);
            prop_assert_eq!(record.event, event);
        }
    }
}
