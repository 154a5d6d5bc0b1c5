//! Takes the secrets of a task out of text and bytes.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::escaped::Openings;
use super::matcher::{Hit, Matcher};
use super::reading::{WIDEST, is_mark};
use super::used::{Found, UsedSecrets};
use crate::sync::Mutex;

/// What stands in a result where a secret stood.
pub(super) const REDACTED: &[u8] = b"[redacted]";

/// What is to be scrubbed by: kept with what a call gave.
#[derive(Debug, Default)]
pub(crate) struct ScrubSource {
    pub(crate) used: Option<Arc<UsedSecrets>>,
    /// The number of the permit.
    pub(crate) permit: u64,
    /// Whether that is of what breaking the glass gave.
    pub(crate) break_glass: bool,
    /// The caller, if a leak halts it.
    pub(crate) halts: Option<Box<str>>,
    /// Of which secrets a leak was told: what is shown again has leaked once.
    pub(crate) told: OnceLock<Box<Mutex<BTreeSet<Arc<str>>>>>,
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
    /// Made for the first text that has a mark of an escape in it.
    openings: OnceCell<Openings>,
    /// How many secrets the task had used.
    pub(super) count: usize,
}

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
        let mut ranges = Vec::new();
        let found = known.find(text, 0..text.len(), &mut ranges);
        if ranges.is_empty() {
            return Scrubbed::Clean;
        }
        self.found.borrow_mut().extend(found);
        Scrubbed::Without(redacted(text, 0..text.len(), &ranges).0)
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
    /// Tells of what was found, once of each secret.
    pub(super) fn tell(&self, used: &UsedSecrets, found: BTreeSet<Arc<str>>) {
        let new = |told: &mut BTreeSet<Arc<str>>| -> Vec<Arc<str>> {
            found.into_iter().filter(|name| told.insert(name.clone())).collect()
        };
        let credentials = new(&mut self.told.get_or_init(Box::default).lock());
        if !credentials.is_empty() {
            let (permit, break_glass) = (self.permit, self.break_glass);
            used.tell(Found { permit, break_glass, credentials, halts: self.halts.clone() });
        }
    }
}

impl UsedSecrets {
    /// Looks for the secrets that were used so far in texts that are kept, and tells no one of what it finds.
    pub(crate) fn finder(&self) -> SecretFinder {
        SecretFinder(self.any().then(|| Known::of(self)))
    }
}

/// Looks for the secrets that a task has used.
pub(crate) struct SecretFinder(Option<Option<Known>>);

impl SecretFinder {
    /// Whether one stands in the text, in any form that is scrubbed, or that can't be told.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        match &self.0 {
            None => false,
            Some(None) => true,
            Some(Some(known)) => {
                let mut ranges = Vec::new();
                known.find(text.as_bytes(), 0..text.len(), &mut ranges);
                !ranges.is_empty()
            }
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
        let names = secrets.into_iter().map(|(name, _)| name).collect();
        Some(Known { names, matcher, openings: OnceCell::new(), count })
    }

    /// The most bytes of a text in which one secret stands: in the longest form, escaped twice. Those are hexadecimal
    /// digits, after which nothing has to be read; the other forms are shorter by more than what may have to be.
    pub(super) fn reach(&self) -> usize {
        self.matcher.longest_form().saturating_mul(WIDEST)
    }

    /// Adds where the secrets stand that begin at one of `starts`, and gives which. The ranges are in order if those
    /// before were; a range may begin before its secret, by at most [`WIDEST`].
    pub(super) fn find(
        &self,
        text: &[u8],
        starts: Range<usize>,
        ranges: &mut Vec<Range<usize>>,
    ) -> BTreeSet<Arc<str>> {
        let mut found = BTreeSet::new();
        let mut note = |Hit { range, secret }| {
            ranges.push(range);
            found.extend(self.names.get(secret).cloned());
        };
        self.matcher.find(text, starts.clone(), &mut note);
        let ahead = text.get(starts.start..).unwrap_or_default();
        if self.openings.get().is_some() || has_mark(ahead) {
            let openings = self.openings.get_or_init(|| Openings::of(&self.matcher));
            openings.find(&self.matcher, text, starts, &mut note);
        }
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        found
    }
}

/// Whether there is any, many bytes at a time.
fn has_mark(text: &[u8]) -> bool {
    text.chunks(256).any(|part| part.iter().fold(false, |any, byte| any | is_mark(*byte)))
}

/// A part of a text without what stands in these ranges, which are in order; those that overlap are as one. Gives
/// where the last that begins in this part ends, or the part does.
pub(super) fn redacted(
    text: &[u8],
    Range { start: mut at, end }: Range<usize>,
    ranges: &[Range<usize>],
) -> (Vec<u8>, usize) {
    let mut rest = Vec::with_capacity(end.saturating_sub(at));
    for range in ranges.iter().take_while(|range| range.start < end) {
        // One that overlaps what was taken out before is a part of it.
        if range.start >= at {
            rest.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            rest.extend_from_slice(REDACTED);
        }
        at = at.max(range.end);
    }
    rest.extend_from_slice(text.get(at..end).unwrap_or_default());
    (rest, at.max(end))
}

/// Shows nothing of what it knows.
impl fmt::Debug for Scrubber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").field("idle", &self.source.is_none()).finish_non_exhaustive()
    }
}
