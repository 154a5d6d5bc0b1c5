//! Lines and tags of a batch, ready for the sink.

use std::cell::Cell;
use std::collections::VecDeque;

use super::queue::Waiting;
use super::{Anchor, ChainKey, Entry};
use crate::audit::ChainTag;
use crate::sync;

/// A thread keeps room for this many bytes of lines, so that one long batch is not paid for ever.
const MOST_KEPT: usize = 64 * 1024;

/// This many entries are lent from the stack: a call and what came before it.
const FEW: usize = 4;

static NO_TAG: ChainTag = ChainTag::from_bytes([0; 32]);

sync::thread_local! {
    /// Room for a batch, empty while it is lent. A thread's own: memory that several write to in
    /// turn, they take from each other line by line of the cache.
    static ROOM: Cell<Rendered> = const { Cell::new(Rendered::new()) };
}

/// The lines of a batch, one after the other, and where each ends.
#[derive(Default)]
pub(super) struct Rendered {
    text: String,
    /// The lines next to those that have one.
    plain: String,
    marks: Vec<Mark>,
}

#[derive(Clone, Copy)]
struct Mark {
    first: u64,
    seq: u64,
    end: usize,
    /// Where in `plain` its own ends, if that is not where the one before ended.
    plain_end: usize,
    gives_access: bool,
    tag: ChainTag,
}

impl Rendered {
    const fn new() -> Self {
        Rendered { text: String::new(), plain: String::new(), marks: Vec::new() }
    }

    /// Renders a batch that follows `last`, and lends it.
    pub(super) fn lend<T>(
        batch: &VecDeque<Waiting>,
        last: Anchor,
        key: &ChainKey,
        then: impl FnOnce(&Rendered) -> T,
    ) -> T {
        // A thread that is ending has lost its room, and one that is inside a sink has lent it.
        let mut rendered = ROOM.try_with(Cell::take).unwrap_or_default();
        rendered.fill(batch, last, key);
        let answer = then(&rendered);
        if rendered.text.capacity() + rendered.plain.capacity() <= MOST_KEPT {
            let _ = ROOM.try_with(|room| room.set(rendered));
        }
        answer
    }

    fn fill(&mut self, batch: &VecDeque<Waiting>, last: Anchor, key: &ChainKey) {
        self.text.clear();
        self.plain.clear();
        self.marks.clear();
        let (mut before, mut key) = (last.tag, key);
        for Waiting { seq, body, hashed, .. } in batch {
            body.push_line(*seq, &mut self.text);
            let tag = key.link(&before, *seq, body.unnumbered(), hashed.as_ref());
            body.push_plain(*seq, &mut self.plain);
            before = tag;
            self.marks.push(Mark {
                first: body.first(*seq),
                seq: *seq,
                end: self.text.len(),
                plain_end: self.plain.len(),
                gives_access: body.gives_access(),
                tag,
            });
            if let Some(next) = body.next_key() {
                key = next;
            }
        }
    }

    /// Lends the entries after the first `skipped`.
    pub(super) fn entries<T>(&self, skipped: usize, then: impl FnOnce(&[Entry<'_>]) -> T) -> T {
        let before = skipped.checked_sub(1).and_then(|index| self.marks.get(index));
        let mut start = before.map_or(0, |mark| mark.end);
        let mut plain_start = before.map_or(0, |mark| mark.plain_end);
        let marks = self.marks.get(skipped..).unwrap_or_default();
        let entries = marks.iter().map(|mark| {
            let line = self.text.get(start..mark.end).unwrap_or_default();
            start = mark.end;
            let plain = self.plain.get(plain_start..mark.plain_end);
            plain_start = mark.plain_end;
            Entry {
                first: mark.first,
                seq: mark.seq,
                gives_access: mark.gives_access,
                tag: &mark.tag,
                line,
                plain: plain.filter(|plain| !plain.is_empty()),
            }
        });
        if marks.len() > FEW {
            return then(&entries.collect::<Vec<_>>());
        }
        let none =
            Entry { first: 0, seq: 0, gives_access: false, tag: &NO_TAG, line: "", plain: None };
        let mut few = [none; FEW];
        few.iter_mut().zip(entries).for_each(|(slot, entry)| *slot = entry);
        then(few.get(..marks.len()).unwrap_or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Where the log stands once it has the first `records`.
    pub(super) fn anchor_after(&self, records: usize) -> Option<Anchor> {
        let mark = self.marks.get(records.checked_sub(1)?)?;
        Some(Anchor { seq: mark.seq, tag: mark.tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Body, Event};
    use crate::clock::Timestamp;

    #[test]
    fn room_that_is_lent_is_lent_once_and_none_is_kept_that_is_too_large() {
        let key = super::super::tests::chain();
        let batch = |what: &str| {
            let body = Body::new(Timestamp::MIN, &Event::Halted { what: what.into(), until: None })
                .unwrap();
            let mut queue = super::super::queue::Queue::after(0);
            queue.push(body, None);
            queue.drain()
        };
        let long = "x".repeat(2 * MOST_KEPT);
        let lend = |what: &str, then: &dyn Fn(&str)| {
            Rendered::lend(&batch(what), key.start(), &key, |rendered| {
                rendered.entries(0, |entries| then(entries[0].line));
            });
        };
        lend("outer", &|outer| {
            lend(&long, &|inner| assert!(inner.contains(&long)));
            lend("inner", &|inner| assert!(inner.contains("inner")));
            assert!(outer.contains("outer") && !outer.contains("inner"));
        });
        lend(&long, &|_| ());
        assert!(ROOM.take().text.capacity() <= MOST_KEPT);
    }
}
