//! What subjects are seen to be since the host restated them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::{Attested, AttestedFacts, Identity};

/// In how many parts they are kept: a change copies one of them.
const PARTS: usize = 64;

/// The subjects whose groups and attributes were restated. Cloning shares the parts.
#[derive(Clone)]
pub(crate) struct Restatements {
    /// Nothing until the first restatement, which most brokers never see.
    parts: Option<Arc<[Part]>>,
    hasher: RandomState,
}

type Part = Arc<HashMap<Box<str>, Restated>>;

/// What a subject is seen to be.
#[derive(Clone)]
struct Restated {
    /// The number of the restatement.
    number: u64,
    /// Nothing where it was taken back: its identities are seen as they were attested.
    facts: Option<Arc<Attested>>,
}

impl Restatements {
    pub(crate) fn none() -> Self {
        Restatements { parts: None, hasher: RandomState::new() }
    }

    /// The same, and `subject` restated, or its restatement taken back.
    pub(crate) fn with(&self, subject: &str, number: u64, facts: Option<&Identity>) -> Self {
        let parts = self.parts.iter().flat_map(|parts| parts.iter().cloned());
        let empty = std::iter::repeat_with(Part::default);
        let mut parts: Vec<Part> = parts.chain(empty).take(PARTS).collect();
        if let Some(part) = parts.get_mut(self.place_of(subject)) {
            let restated = Restated { number, facts: facts.map(|who| who.facts.attested.clone()) };
            Arc::make_mut(part).insert(subject.into(), restated);
        }
        Restatements { parts: Some(parts.into()), hasher: self.hasher.clone() }
    }

    /// The identity as it is seen now: by its subject, or by an alias that was restated later.
    pub(crate) fn seen<'i>(&self, who: &'i Identity) -> Cow<'i, Identity> {
        match self.of(who).and_then(|restated| restated.facts.as_ref()) {
            None => Cow::Borrowed(who),
            Some(attested) => {
                let facts =
                    AttestedFacts { who: who.facts.who.clone(), attested: attested.clone() };
                Cow::Owned(Identity { facts: Arc::new(facts) })
            }
        }
    }

    /// Whether the identity is seen otherwise than after the given number of restatements.
    pub(crate) fn is_restated_since(&self, who: &Identity, number: u64) -> bool {
        self.of(who).is_some_and(|restated| restated.number > number)
    }

    /// Whether there is a restatement of this subject.
    pub(crate) fn has(&self, subject: &str) -> bool {
        self.named(subject).is_some_and(|restated| restated.facts.is_some())
    }

    /// The latest restatement of any of its names.
    fn of(&self, who: &Identity) -> Option<&Restated> {
        self.parts.as_ref()?;
        let names = std::iter::once(who.subject().as_str()).chain(who.aliases());
        names.filter_map(|name| self.named(name)).max_by_key(|restated| restated.number)
    }

    fn named(&self, name: &str) -> Option<&Restated> {
        self.parts.as_ref()?.get(self.place_of(name))?.get(name)
    }

    fn place_of(&self, name: &str) -> usize {
        self.hasher.hash_one(name) as usize % PARTS
    }
}
