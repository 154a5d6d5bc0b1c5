//! One value as people can safely read it: on one line, with everything escaped that hides, reorders or
//! imitates, and cut in its middle where it is long.

use std::collections::VecDeque;
use std::fmt::Write as _;

use unicode_normalization::char::is_combining_mark;

use crate::value::{Object, Value};
use crate::visible::{is_hidden, plain_letter};

/// How many characters of a value are shown before it is cut, and how many are kept of its end. People read
/// what fits a few lines; what is longer they are told of, with its length and digest.
const HEAD: usize = 320;
const TAIL: usize = 120;

/// How many spaces in a row are shown as spaces: more push what follows out of sight.
const MOST_SPACES: usize = 4;
/// How many marks are shown over one letter: more are drawn over what stands above and below.
const MOST_MARKS: usize = 2;
/// How many of its characters have to be hidden ones for a text to be no text, and the share of them.
const FEWEST_HIDDEN: usize = 8;
const HIDDEN_SHARE: usize = 8;
/// How long a run of letters and digits has to be to be taken for encoded data.
const ENCODED: usize = 120;
/// How many letters that look like others are named.
const MOST_ALIKE: usize = 8;

/// A value made readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// Whether its middle was left out.
    pub(super) is_cut: bool,
    /// Whether it is data that no one can read, encoded or not.
    pub(super) is_unreadable: bool,
    /// Letters that look like plain ones and are not, next to plain ones.
    pub(super) alike: Vec<char>,
}

impl Shown {
    /// The value as JSON whose texts are escaped for people.
    pub(super) fn of(value: &Value) -> Shown {
        let mut page = Page::new(HEAD, TAIL);
        page.value(value);
        page.finish()
    }

    /// A text in quotes.
    pub(super) fn of_text(text: &str) -> Shown {
        let mut page = Page::new(HEAD, TAIL);
        page.text(text);
        page.finish()
    }

    /// The whole of it, however long.
    pub(super) fn whole(value: &Value) -> String {
        let mut page = Page::new(usize::MAX, 0);
        page.value(value);
        page.finish().text
    }
}

/// Room for the beginning and the end of what is written.
struct Page {
    head: String,
    head_room: usize,
    head_is_full: bool,
    /// The last pieces, with how many characters each has.
    tail: VecDeque<(String, usize)>,
    tail_length: usize,
    tail_room: usize,
    is_cut: bool,
    is_unreadable: bool,
    alike: Vec<char>,
}

impl Page {
    fn new(head_room: usize, tail_room: usize) -> Page {
        Page {
            head: String::new(),
            head_room,
            head_is_full: false,
            tail: VecDeque::new(),
            tail_length: 0,
            tail_room,
            is_cut: false,
            is_unreadable: false,
            alike: Vec::new(),
        }
    }

    /// Writes a piece that is shown whole or not at all: half an escape would be another character.
    fn put(&mut self, piece: &str) {
        let length = piece.chars().count();
        if !self.head_is_full && length <= self.head_room {
            self.head_room -= length;
            self.head.push_str(piece);
            return;
        }
        self.head_is_full = true;
        self.tail_length += length;
        self.tail.push_back((piece.to_owned(), length));
        while self.tail_length > self.tail_room
            && let Some((_, length)) = self.tail.pop_front()
        {
            self.tail_length -= length;
            self.is_cut = true;
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.text(text),
            Value::List(list) => {
                self.put("[");
                for (at, element) in list.iter().enumerate() {
                    if at > 0 {
                        self.put(",");
                    }
                    self.value(element);
                }
                self.put("]");
            }
            Value::Object(object) => self.object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.put(&value.to_json()),
        }
    }

    fn object(&mut self, object: &Object) {
        self.put("{");
        for (at, (key, value)) in object.iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            self.text(key);
            self.put(":");
            self.value(value);
        }
        self.put("}");
    }

    /// A text in quotes, none of whose characters can end them, begin a line or hide.
    fn text(&mut self, text: &str) {
        self.is_unreadable |= is_unreadable(text);
        self.note_alike(text);
        self.put("\"");
        let mut before = Before::default();
        let mut escape = String::new();
        for c in text.chars() {
            escape.clear();
            let shown_as_it_is = before.shows(c);
            // Writing to a text can't fail.
            let _ = match c {
                '"' | '\\' => write!(escape, "\\{c}"),
                '\n' => write!(escape, "\\n"),
                '\r' => write!(escape, "\\r"),
                '\t' => write!(escape, "\\t"),
                c if shown_as_it_is => write!(escape, "{c}"),
                c => write!(escape, "{}", c.escape_unicode()),
            };
            self.put(&escape);
        }
        self.put("\"");
    }

    fn note_alike(&mut self, text: &str) {
        if text.is_ascii() || !text.chars().any(|c| c.is_ascii_alphanumeric()) {
            return;
        }
        for c in text.chars().filter(|c| c.is_alphabetic() && plain_letter(*c).is_some()) {
            if self.alike.len() < MOST_ALIKE && !self.alike.contains(&c) {
                self.alike.push(c);
            }
        }
    }

    fn finish(self) -> Shown {
        let mut text = self.head;
        if self.is_cut {
            text.push('…');
        }
        text.extend(self.tail.iter().map(|(piece, _)| &**piece));
        Shown { text, is_cut: self.is_cut, is_unreadable: self.is_unreadable, alike: self.alike }
    }
}

/// What stands before a character: some are harmless only behind others.
#[derive(Default)]
struct Before {
    is_letter: bool,
    spaces: usize,
    marks: usize,
}

impl Before {
    /// Whether a reader sees this character for what it is, here.
    fn shows(&mut self, c: char) -> bool {
        let (is_mark, is_space) = (is_combining_mark(c), c == ' ');
        let carried = self.is_letter && self.marks < MOST_MARKS;
        let hidden = is_hidden(c)
            // Blanks of other widths, and the sign that stands for what was cut.
            || (c.is_whitespace() && !is_space)
            || c == '…'
            || (is_space && self.spaces >= MOST_SPACES)
            // A mark on nothing is drawn over the quote or the sign before it.
            || (is_mark && !carried);
        self.spaces = if is_space { self.spaces + 1 } else { 0 };
        if is_mark {
            self.marks += 1;
        } else {
            (self.is_letter, self.marks) = (c.is_alphabetic() && !hidden, 0);
        }
        !hidden
    }
}

/// Whether a text is data rather than something to read: many characters that can't be seen, or one long
/// run of what encodings are made of.
fn is_unreadable(text: &str) -> bool {
    let hidden = text.chars().filter(|c| is_hidden(*c) && !matches!(c, '\n' | '\r' | '\t')).count();
    if hidden >= FEWEST_HIDDEN && hidden * HIDDEN_SHARE >= text.chars().count() {
        return true;
    }
    let is_coded =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let mut runs = text.as_bytes().split(|byte| !is_coded(*byte));
    runs.any(|run| {
        let has = |of: fn(&u8) -> bool| run.iter().any(of);
        run.len() >= ENCODED && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
    })
}

#[cfg(test)]
mod tests;
