//! What is remembered of security events: which tokens there were, and when the latest event about a subject happened.

use std::collections::HashMap;
use std::time::Duration;

use hallpass::clock::Timestamp;

use crate::event::EventKind;
use crate::memory::Fact;

/// How many tokens are remembered, and of how many subjects the latest event of each kind. More are refused, and sent again by their
/// transmitter.
const MOST: usize = 65_536;

/// What is remembered of security events.
#[derive(Default)]
pub(crate) struct Seen {
    /// The tokens, by their ids, and when they were issued.
    tokens: HashMap<Box<str>, Timestamp>,
    /// When the latest event of a kind about a subject happened; without a kind, the latest that has restated it.
    latest: HashMap<(Box<str>, Option<EventKind>), Timestamp>,
    /// The latest of those that were forgotten: what happened before it may have been followed by one of them.
    forgotten: Option<Timestamp>,
}

impl Seen {
    /// Takes what was kept.
    pub(crate) fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Token(id, issued) => self.note_token(id, *issued),
            Fact::Event(id, kind, at) => self.note(id, *kind, *at),
            Fact::Forgotten(at) => self.forgotten = self.forgotten.max(Some(*at)),
            // Those are the verifier's.
            Fact::Revoked(..) => {}
        }
    }

    /// All that is remembered.
    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        let tokens = self.tokens.iter().map(|(id, issued)| Fact::Token(id.to_string(), *issued));
        let latest =
            self.latest.iter().map(|((id, kind), at)| Fact::Event(id.to_string(), *kind, *at));
        tokens.chain(latest).chain(self.forgotten.map(Fact::Forgotten))
    }

    /// Forgets the tokens that are too old to be taken again.
    pub(crate) fn forget_tokens(&mut self, now: Timestamp, oldest: Duration) {
        self.tokens.retain(|_, issued| now.since(*issued) <= oldest);
    }

    pub(crate) fn has_token(&self, id: &str) -> bool {
        self.tokens.contains_key(id)
    }

    pub(crate) fn forget_token(&mut self, id: &str) {
        self.tokens.remove(id);
    }

    pub(crate) fn has_room_for_token(&self) -> bool {
        self.tokens.len() < MOST
    }

    pub(crate) fn note_token(&mut self, id: &str, issued: Timestamp) {
        self.tokens.insert(id.into(), issued);
    }

    /// Whether an event about this subject can be noted: where too many are, those that are older than `oldest` are forgotten.
    pub(crate) fn has_room_for(&mut self, id: &str, now: Timestamp, oldest: Duration) -> bool {
        // Of its kind, and as one that has restated.
        let has_room = |own: &Self| own.latest.len() + 2 <= MOST;
        if !has_room(self) {
            let (latest, forgotten) = (&mut self.latest, &mut self.forgotten);
            latest.retain(|_, at| {
                let stays = now.since(*at) <= oldest;
                if !stays {
                    *forgotten = (*forgotten).max(Some(*at));
                }
                stays
            });
        }
        has_room(self) || self.latest.keys().any(|(own, _)| **own == *id)
    }

    /// Whether a later event of this kind about the subject is known; without a kind, a later one that has restated it.
    pub(crate) fn is_old(&self, id: &str, kind: Option<EventKind>, at: Timestamp) -> bool {
        let latest = self.latest.get(&(Box::from(id), kind)).copied();
        latest.or(self.forgotten).is_some_and(|latest| latest > at)
    }

    /// Notes an event. An earlier one than is known changes nothing.
    pub(crate) fn note(&mut self, id: &str, kind: Option<EventKind>, at: Timestamp) {
        let latest = self.latest.entry((id.into(), kind)).or_insert(at);
        *latest = at.max(*latest);
    }
}
