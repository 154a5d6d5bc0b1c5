//! Takes the secrets of a task out of text and bytes.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::encoding::longest;
use super::matcher::{Hit, Matcher};
use super::unescape::{Decoded, Escapes};
use super::used::{Found, UsedSecrets};
use crate::sync::atomic::{AtomicBool, Ordering};

/// What stands in a result where a secret stood.
pub(super) const REDACTED: &[u8] = b"[redacted]";

/// What is to be scrubbed by: kept with what a call gave.
#[derive(Debug, Default)]
pub(crate) struct ScrubSource {
    pub(crate) used: Option<Arc<UsedSecrets>>,
    /// The number of the permit.
    pub(crate) permit: u64,
    /// The caller, if a leak halts it.
    pub(crate) halts: Option<Box<str>>,
    /// A value that is shown again has leaked once.
    pub(crate) told: AtomicBool,
}

impl ScrubSource {
    pub(crate) fn scrubber(&self) -> Scrubber<'_> {
        let source = self.used.as_ref().filter(|used| used.any()).map(|used| (self, &**used));
        Scrubber { source, known: OnceCell::new(), found: RefCell::default() }
    }
}

/// Knows the secrets that a task has used, and takes them out of text and bytes: of each form on
/// [the list](crate::scrub), `[redacted]` is left.
///
/// Lives for one scrubbing; what it knows is wiped with it. What it found is recorded then, by the names of the
/// credentials.
pub struct Scrubber<'s> {
    /// `None` while the task has used none: then everything is given as it is.
    source: Option<(&'s ScrubSource, &'s UsedSecrets)>,
    known: OnceCell<Option<Known>>,
    found: RefCell<BTreeSet<Arc<str>>>,
}

/// Secrets in a form to be looked for.
pub(super) struct Known {
    names: Vec<Arc<str>>,
    matcher: Matcher,
    /// How many secrets the task had used.
    pub(super) count: usize,
}

/// The escapes of a text, decoded in every order up to two deep: what was decoded, in which, if in another.
pub(super) struct Views(Vec<(Decoded, Option<usize>)>);

impl Scrubber<'_> {
    /// The text without the secrets.
    pub fn text(&self, text: String) -> String {
        if self.source.is_none() {
            return text;
        }
        match self.scrub(text.as_bytes()) {
            Scrubbed::Clean => text,
            Scrubbed::Without(bytes) => {
                drop(Zeroizing::new(text));
                // A secret that is not text may have begun or ended within a character.
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
        }
    }

    /// The bytes without the secrets.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.source.is_none() {
            return bytes;
        }
        match self.scrub(&bytes) {
            Scrubbed::Clean => bytes,
            Scrubbed::Without(rest) => {
                drop(Zeroizing::new(bytes));
                rest
            }
        }
    }

    fn scrub(&self, text: &[u8]) -> Scrubbed {
        let Some((_, used)) = self.source else { return Scrubbed::Clean };
        let known = self.known.get_or_init(|| Known::of(used));
        // What can't be looked through is not shown.
        let Some(known) = known else { return Scrubbed::Without(REDACTED.to_vec()) };
        let (ranges, found) = known.find(text, &Views::of(text));
        if ranges.is_empty() {
            return Scrubbed::Clean;
        }
        self.found.borrow_mut().extend(found);
        let mut rest = Vec::with_capacity(text.len());
        let mut at = 0;
        for range in ranges {
            rest.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            rest.extend_from_slice(REDACTED);
            at = range.end;
        }
        rest.extend_from_slice(text.get(at..).unwrap_or_default());
        Scrubbed::Without(rest)
    }
}

impl Drop for Scrubber<'_> {
    fn drop(&mut self) {
        let found = self.found.take();
        if let (Some((source, used)), false) = (self.source, found.is_empty()) {
            source.tell(used, found);
        }
    }
}

impl ScrubSource {
    /// Tells of what was found, once.
    pub(super) fn tell(&self, used: &UsedSecrets, found: BTreeSet<Arc<str>>) {
        if !self.told.swap(true, Ordering::SeqCst) {
            let credentials = found.into_iter().collect();
            used.tell(Found { permit: self.permit, credentials, halts: self.halts.clone() });
        }
    }
}

enum Scrubbed {
    Clean,
    Without(Vec<u8>),
}

impl Known {
    pub(super) fn of(used: &UsedSecrets) -> Option<Known> {
        let secrets = used.unseal()?;
        let matcher = Matcher::of(secrets.iter().map(|(_, secret)| secret));
        let count = secrets.len();
        Some(Known { names: secrets.into_iter().map(|(name, _)| name).collect(), matcher, count })
    }

    /// The most bytes of a text in which one secret stands: in the longest form, escaped twice.
    pub(super) fn reach(&self) -> usize {
        let escaped = Escapes::WIDEST * Escapes::WIDEST;
        longest(self.matcher.longest()).saturating_mul(escaped).saturating_add(2 * escaped)
    }

    /// Where secrets stand, in order and apart from each other, and which.
    pub(super) fn find(
        &self,
        text: &[u8],
        views: &Views,
    ) -> (Vec<Range<usize>>, BTreeSet<Arc<str>>) {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut found = BTreeSet::new();
        let mut note = |Hit { range, secret }, source: &dyn Fn(Range<usize>) -> Range<usize>| {
            ranges.push(source(range));
            found.extend(self.names.get(secret).cloned());
        };
        self.matcher.find(text, |hit| note(hit, &|range| range));
        for at in 0..views.0.len() {
            if let Some((view, _)) = views.0.get(at) {
                self.matcher.find(&view.bytes, |hit| note(hit, &|range| views.source(at, range)));
            }
        }
        (apart(ranges), found)
    }
}

impl Views {
    pub(super) fn of(text: &[u8]) -> Views {
        let mut views: Vec<(Decoded, Option<usize>)> = Vec::new();
        for escapes in Escapes::ALL {
            let Some(view) = escapes.decode(text) else { continue };
            let deeper = Escapes::ALL.map(|escapes| escapes.decode(&view.bytes));
            let at = views.len();
            views.push((view, None));
            views.extend(deeper.into_iter().flatten().map(|view| (view, Some(at))));
        }
        Views(views)
    }

    /// Where a part of a view stands in the text itself.
    fn source(&self, at: usize, range: Range<usize>) -> Range<usize> {
        match self.0.get(at) {
            Some((view, None)) => view.source(range),
            Some((view, Some(outer))) => self.source(*outer, view.source(range)),
            None => range,
        }
    }

    /// The last place not after `at` in the text at which no escape of any view is cut in two.
    pub(super) fn cut(&self, mut at: usize) -> usize {
        loop {
            let before = at;
            for (view, outer) in &self.0 {
                let Some(outer) = outer else {
                    at = view.around(at).unwrap_or(at);
                    continue;
                };
                let mut originals = view.originals().map(|range| self.source(*outer, range));
                let cut = originals.find(|range| range.start < at && at < range.end);
                at = cut.map_or(at, |range| range.start);
            }
            if at == before {
                return at;
            }
        }
    }
}

/// Ranges in order, those that meet as one.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut().filter(|last| range.start < last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => apart.push(range),
        }
    }
    apart
}

/// Shows nothing of what it knows.
impl fmt::Debug for Scrubber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").field("idle", &self.source.is_none()).finish_non_exhaustive()
    }
}
