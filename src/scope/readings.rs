//! Texts that are read as something else, once a question and not once a rule.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use super::url::UrlParts;
use crate::meter::{Meter, Work};
use crate::spread::SpreadMap;
use crate::value::{MAX_TEXT, Value};

/// How many texts are kept as each of both kinds, of as many bytes together as one call may have. More
/// of them are read each time, and paid for.
const MOST: usize = 256;

/// What a text is read into for each of its bytes at most, in steps, and what it costs in addition.
const STEPS_PER_BYTE: usize = 2;
const STEPS_PER_TEXT: usize = 32;

/// The texts of one question that were read as JSON or as URLs.
///
/// Reading a text takes time in proportion to it, as reading the call did: that is free, once. What is
/// read again, for want of room, is paid for, so that rules can't multiply it.
///
/// INVARIANT: a text is known by where it lies. That is sound because every text lies in a fact, which
/// lasts for `'q`, or in something read and kept here; the lifetime may neither grow nor shrink.
#[derive(Debug, Default)]
pub(crate) struct Readings<'q> {
    json: Kept<Value>,
    urls: Kept<UrlParts>,
    of: PhantomData<Cell<&'q Value>>,
}

/// What a text was read into: nothing inside, where it is something else.
pub(super) enum Reading<T> {
    /// It lasts as long as the question.
    Kept(Rc<Option<T>>),
    /// It does not: what lies in it must not be kept either.
    Passing(Option<T>),
    /// Reading it could not be paid for.
    TooCostly,
}

/// What texts were read into, `None` where they are something else, by where they lie.
#[derive(Debug)]
struct Kept<T> {
    /// Made when the first is kept: most questions read none.
    by_place: RefCell<Option<Box<ByPlace<T>>>>,
    /// How many bytes of texts may still be kept.
    room: Cell<usize>,
}

type ByPlace<T> = SpreadMap<Place, Rc<Option<T>>>;

/// Where a text lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    start: usize,
    bytes: usize,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept { by_place: RefCell::default(), room: Cell::new(MAX_TEXT) }
    }
}

impl<T> Kept<T> {
    /// What `text` is read into.
    fn read(&self, text: &str, meter: &Meter, read: impl FnOnce(&str) -> Option<T>) -> Reading<T> {
        let place = Place { start: text.as_ptr() as usize, bytes: text.len() };
        let kept = match self.by_place.borrow().as_deref() {
            Some(all) => match all.get(&place) {
                Some(known) => return Reading::Kept(known.clone()),
                None => all.len(),
            },
            None => 0,
        };
        let room = self.room.get().checked_sub(text.len());
        let keeps = room.is_some() && kept < MOST;
        match room.filter(|_| keeps) {
            Some(room) => {
                let read = Rc::new(read(text));
                self.room.set(room);
                self.by_place.borrow_mut().get_or_insert_default().insert(place, read.clone());
                Reading::Kept(read)
            }
            None => read_once(text, meter, read),
        }
    }
}

impl Readings<'_> {
    pub(crate) fn new() -> Self {
        Readings::default()
    }

    /// What the text says as JSON.
    pub(super) fn json(&self, text: &str, meter: &Meter) -> Reading<Value> {
        self.json.read(text, meter, |text| Value::from_json(text).ok())
    }

    /// The parts of a URL in its one spelling.
    pub(super) fn url(&self, text: &str, meter: &Meter) -> Reading<UrlParts> {
        self.urls.read(text, meter, UrlParts::read)
    }
}

/// As JSON, where nothing is kept.
pub(super) fn read_json(text: &str, meter: &Meter) -> Reading<Value> {
    read_once(text, meter, |text| Value::from_json(text).ok())
}

/// As a URL, where nothing is kept.
pub(super) fn read_url(text: &str, meter: &Meter) -> Reading<UrlParts> {
    read_once(text, meter, UrlParts::read)
}

fn read_once<T>(text: &str, meter: &Meter, read: impl FnOnce(&str) -> Option<T>) -> Reading<T> {
    if pays_for(text, meter) { Reading::Passing(read(text)) } else { Reading::TooCostly }
}

/// Takes the steps of reading a text.
fn pays_for(text: &str, meter: &Meter) -> bool {
    meter.charge(STEPS_PER_TEXT + text.len() * STEPS_PER_BYTE, Work::Reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_read_as_long_as_it_can_be_paid_for() {
        let meter = Meter::of(10 * (STEPS_PER_TEXT + 2 * STEPS_PER_BYTE) as u64);
        let read = || !matches!(read_json("[]", &meter), Reading::TooCostly);
        assert_eq!((0..20).filter(|_| read()).count(), 10);
        assert!(matches!(read_url("https://a.test/", &meter), Reading::TooCostly));
    }

    /// What is beyond that is read each time and paid for.
    #[test]
    fn at_most_so_many_texts_of_so_many_bytes_are_kept() {
        let meter = Meter::ample();
        let is_kept = |readings: &Readings<'_>, text: &str| {
            matches!(readings.json(text, &meter), Reading::Kept(_))
        };
        let texts: Vec<String> = (0..MOST + 5).map(|n| format!("[{n}]")).collect();
        let readings = Readings::new();
        for _ in 0..2 {
            assert_eq!(texts.iter().filter(|text| is_kept(&readings, text)).count(), MOST);
        }
        let half = || format!("\"{}\"", "a".repeat(MAX_TEXT / 2 - 2));
        let (first, second, third) = (half(), half(), half());
        let readings = Readings::new();
        assert!(is_kept(&readings, &first) && is_kept(&readings, &second));
        assert!(!is_kept(&readings, &third));
        assert!(is_kept(&readings, &first), "what is kept is found again");
    }
}
