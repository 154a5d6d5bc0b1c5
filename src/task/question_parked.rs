//! What a question is made of, and bound to. It never changes, and equal parts of many questions are kept once.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::question_id::QuestionId;
use super::question_subject::Subject;
use crate::approval::name::Names;
use crate::clock::Timestamp;
use crate::grant::Pooled;
use crate::identity::Identity;
use crate::purpose::CheckedPurpose;
use crate::value::Digest;

/// A rule that a question is bound to: it is void once the rule says something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoundRule {
    pub(crate) id: Arc<str>,
    pub(crate) digest: Digest,
}

/// What a question is bound to, and how long a yes to it is good for: the same for all questions of the same rules
/// about the same tool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The asks that withhold it, by id.
    pub(crate) asks: Box<[BoundRule]>,
    /// The permits that give it.
    pub(crate) permits: Box<[BoundRule]>,
    /// Of the entry in the catalogue of a call's tool. The items of a plan have theirs with them.
    pub(crate) listed: Option<Digest>,
    pub(crate) good_for: Duration,
}

impl Pooled for Binding {
    fn file(&self, hasher: &mut impl Hasher) {
        // Digests of other rules differ. What else is compared differs where these do, nearly always.
        self.asks.iter().chain(&self.permits).for_each(|rule| rule.digest.as_bytes().hash(hasher));
    }
}

/// A question as it was asked.
pub(crate) struct Parked {
    pub(crate) id: QuestionId,
    pub(crate) task: Box<str>,
    pub(crate) generation: u64,
    /// Who asked, and is to run the call.
    pub(crate) holder: Identity,
    /// Who can't answer, as the holder can't, where others take part.
    pub(crate) others: Option<Box<Others>>,
    pub(crate) purpose: Arc<CheckedPurpose>,
    pub(crate) subject: Subject,
    pub(crate) binding: Arc<Binding>,
    /// Whether the call is on what breaking the glass gave.
    pub(crate) break_glass: bool,
    pub(crate) asked: Timestamp,
    /// Until when people can answer.
    pub(crate) expires: Timestamp,
    /// Until when a yes is good at most.
    pub(crate) ceiling: Timestamp,
}

/// Those who take part in a question, the holder left out.
#[derive(Default)]
pub(crate) struct Others {
    /// The requester, and those who delegated to the holder.
    pub(crate) parties: Box<[Identity]>,
    /// Names of whom the holder had delegated to in an earlier life of the broker.
    pub(crate) delegates: Names,
}

impl Others {
    /// Those of the parties of whom more is said than of the holder, and the delegates; nothing where there are none.
    pub(crate) fn of(
        holder: &Identity,
        parties: impl IntoIterator<Item = Identity>,
        delegates: Names,
    ) -> Option<Box<Others>> {
        let parties: Box<[Identity]> =
            parties.into_iter().filter(|own| !own.is_attested_as(holder)).collect();
        let is_any = !parties.is_empty() || !delegates.is_empty();
        is_any.then(|| Box::new(Others { parties, delegates }))
    }
}

impl Parked {
    /// The requester, and those who delegated to the holder, where that is not the holder again.
    pub(crate) fn parties(&self) -> &[Identity] {
        self.others.as_ref().map_or(&[], |own| &own.parties)
    }

    /// Names of whom the holder had delegated to in an earlier life of the broker.
    pub(crate) fn delegates(&self) -> Names {
        self.others.as_ref().map(|own| own.delegates.clone()).unwrap_or_default()
    }
}
