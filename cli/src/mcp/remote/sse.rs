//! Reading a stream of events, as the HTML standard has it: a chunk at a time, and never more of one event than a
//! message may have.

use std::time::Duration;

use crate::rpc::frame::MAX_FRAME;

/// The most characters of an event's id, which is sent back in a header.
const MAX_ID: usize = 1024;

/// Reads events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// It is of another kind than a message.
    is_other: bool,
    /// What the current event says its id is, and those after it until one says another.
    id: Option<String>,
    /// The id of the last event that was whole.
    last_id: Option<String>,
    retry: Option<Duration>,
    /// The last byte was a carriage return, of which a line feed is a part.
    after_return: bool,
    has_begun: bool,
}

/// An event, or what is left of one, is longer than a message may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Events {
    /// Takes a chunk of the stream; gives the data of the messages that are whole with it.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut whole = Vec::new();
        while let Some(first) = chunk.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                chunk = chunk.get(1..).unwrap_or_default();
                continue;
            }
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            if self.buffered().saturating_add(part.len()) > MAX_FRAME.saturating_add(MAX_ID) {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            self.after_return = rest.first() == Some(&b'\r');
            chunk = rest.get(1..).unwrap_or_default();
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                whole.extend(self.take_line(&line));
            }
        }
        Ok(whole)
    }

    /// How many bytes of an event wait for the rest of it.
    pub(super) fn buffered(&self) -> usize {
        self.line.len().saturating_add(self.data.len())
    }

    /// The id of the last event that was whole, behind which a stream can be gone on with.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long the server wants to be left alone before a stream is opened again.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Begins a stream that goes on behind the last whole event of this one.
    pub(super) fn begin_again(&mut self) {
        let (last_id, retry) = (self.last_id.take(), self.retry);
        *self = Events { id: last_id.clone(), last_id, retry, ..Events::default() };
    }

    fn take_line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let line = match std::mem::replace(&mut self.has_begun, true) {
            false => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            return self.dispatch();
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                // The lines of one event are those of one text: between parts of a message, which are all that a line of JSON
                // can be broken between, they are space.
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b' ');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.is_other = !matches!(value, b"" | b"message"),
            b"id" if value.len() <= MAX_ID && value.iter().all(is_of_id) => {
                self.id = std::str::from_utf8(value).ok().map(str::to_owned);
            }
            // One that can't be sent back can't be gone on behind.
            b"id" => self.id = None,
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let millis = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.retry = millis.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Vec<u8>> {
        self.last_id = self.id.clone().filter(|id| !id.is_empty());
        let data = std::mem::take(&mut self.data);
        let is_message = std::mem::take(&mut self.has_data) && !std::mem::take(&mut self.is_other);
        self.is_other = false;
        (is_message && !data.is_empty()).then_some(data)
    }
}

/// What a header can say as it is.
fn is_of_id(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Events) {
        let mut events = Events::default();
        let all = events.push(text.as_bytes()).unwrap();
        (all.into_iter().map(|data| String::from_utf8(data).unwrap()).collect(), events)
    }

    #[test]
    fn events_are_the_same_however_their_lines_end_and_wherever_a_chunk_does() {
        let text = "\u{feff}: hello\nid: 1\nretry: 250\ndata:\n\nevent: message\ndata: {\"a\":\ndata: 1}\nid: 2\n\n\
                    event: other\ndata: no\n\ndata:{}\nnonsense\ndata\n\ndata: not whole\n";
        let told = [r#"{"a": 1}"#, "{} "];
        for ending in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', ending);
            for size in 1..9 {
                let mut events = Events::default();
                let chunks = text.as_bytes().chunks(size);
                let all: Vec<_> = chunks.flat_map(|own| events.push(own).unwrap()).collect();
                assert_eq!(all, told.map(|own| own.as_bytes().to_vec()), "{ending:?} {size}");
                assert_eq!(events.last_id(), Some("2"));
                assert_eq!(events.retry(), Some(Duration::from_millis(250)));
            }
        }
    }

    #[test]
    fn a_stream_goes_on_behind_the_last_event_that_was_whole() {
        let (all, mut events) = read("id: 1\ndata: {}\n\nid: 2\ndata: {\"cut\"");
        assert_eq!((all, events.last_id()), (vec!["{}".to_owned()], Some("1")));
        events.begin_again();
        assert_eq!(events.buffered(), 0);
        assert_eq!(
            events.push(b"data: [1]\n\n").unwrap(),
            [b"[1]"],
            "nothing is left of the other"
        );
        assert_eq!(events.last_id(), Some("1"));
    }

    #[test]
    fn an_id_that_no_header_can_say_is_none() {
        for id in ["\u{0}", "a\u{0}b", "é", "\t", &"x".repeat(MAX_ID + 1), ""] {
            let (_, events) = read(&format!("id: 1\ndata: a\n\nid: {id}\ndata: b\n\n"));
            assert_eq!(events.last_id(), None, "{id:?}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let line = format!("data: {}\n", "x".repeat(1 << 16));
        for text in ["data: ", ": ", &line] {
            let mut events = Events::default();
            let chunk = text.repeat((1 << 20) / text.len());
            let taken = (0..).take_while(|_| events.push(chunk.as_bytes()).is_ok()).count();
            assert!((60..=70).contains(&taken), "{taken}");
            assert!(events.buffered() <= MAX_FRAME + MAX_ID);
        }
    }
}
