//! What a log that verifies leaves to the broker that goes on with it.

use std::collections::BTreeMap;

use super::seal::SealKey;
use super::{Event, LeftDebt, Outcome, Record, Spent};
use crate::clock::Timestamp;
use crate::grant::{CarriedCharge, CarriedCounters, Counter};
use crate::identity::Fold;
use crate::key::LogKey;

/// What was going on when a log ended: the halts that are on, the tasks that had not ended, the permits
/// whose outcome is not known, the reviews that are owed, and what was spent of limits that span tasks.
///
/// Only reading a log that verifies makes one, so it can't be made up. A broker takes it with
/// [`BrokerBuilder::resume_from`](crate::BrokerBuilder::resume_from).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumption {
    halts: BTreeMap<String, Option<Timestamp>>,
    tasks: BTreeMap<u64, String>,
    permits: BTreeMap<u64, OpenPermit>,
    /// Those that people may still answer, or whose yes was not used, by id.
    questions: BTreeMap<String, LeftQuestion>,
    /// What permits took of limits that span tasks.
    spent: CarriedCounters,
    /// The first permit whose record says so in a way that can't be read.
    unreadable: Option<u64>,
    /// By name.
    credentials: BTreeMap<String, LeftCredential>,
    /// By grant.
    debts: BTreeMap<String, LeftDebt>,
    pub(super) torn: Option<u64>,
    pub(super) anchored: bool,
}

/// A credential that was not known to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftCredential {
    pub(crate) task: String,
    pub(crate) generation: u64,
    pub(crate) grant: String,
    pub(crate) credential: String,
    pub(crate) provider: String,
    pub(crate) detail: String,
    pub(crate) lands_by: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) minted: bool,
}

/// A permit whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OpenPermit {
    task: String,
    generation: u64,
    break_glass: bool,
    charges: Vec<CarriedCharge>,
    /// Whether its call never started: of one that people agreed to there is a record before it does.
    unstarted: bool,
}

/// A question that was not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftQuestion {
    pub(crate) task: String,
    pub(crate) generation: u64,
    pub(crate) break_glass: bool,
    /// Whether it is about a call, whose yes is used by a permit.
    of_call: bool,
}

impl Resumption {
    /// Follows the log by one record, which was written under `key`.
    pub(super) fn note(&mut self, record: &Record, key: Option<&LogKey>) {
        match &record.event {
            Event::Opened { task, generation, .. } => {
                self.tasks.insert(*generation, task.to_string());
            }
            Event::Ended { generation, .. } => {
                self.tasks.remove(generation);
                self.questions.retain(|_, own| own.generation != *generation);
            }
            Event::Asked { task, generation, question, tool, break_glass, .. } => {
                let (task, generation, break_glass) = (task.to_string(), *generation, *break_glass);
                let left = LeftQuestion { task, generation, break_glass, of_call: tool.is_some() };
                self.questions.insert(question.to_string(), left);
            }
            Event::Answered { question, state, refused: None, .. }
                if !["waiting", "approved", "partial"].contains(&&**state) =>
            {
                self.questions.remove(&**question);
            }
            Event::Voided { question, .. } => {
                self.questions.remove(&**question);
            }
            Event::Permitted { task, generation, break_glass, approvals, spent, .. } => {
                let key = key.filter(|_| !spent.is_empty()).map(SealKey::of);
                let charge = |own: &Spent<'_>| own.charge(key.as_ref()?);
                let charges: Option<Vec<_>> = spent.iter().map(charge).collect();
                let mut charges = charges.unwrap_or_else(|| {
                    self.unreadable.get_or_insert(record.seq);
                    Vec::new()
                });
                charges.iter_mut().for_each(|own| self.spent.charge(own, record.at));
                let (task, generation, break_glass) = (task.to_string(), *generation, *break_glass);
                let unstarted = !approvals.is_empty();
                for id in approvals {
                    if self.questions.get(&**id).is_some_and(|own| own.of_call) {
                        self.questions.remove(&**id);
                    }
                }
                let permit = OpenPermit { task, generation, break_glass, charges, unstarted };
                self.permits.insert(record.seq, permit);
            }
            Event::Starting { of, .. } => {
                if let Some(permit) = self.permits.get_mut(of) {
                    permit.unstarted = false;
                }
            }
            Event::BrokenGlass { grant, .. } => {
                let debt = LeftDebt::of(&record.event, record.at);
                self.debts.extend(debt.map(|debt| (grant.to_string(), debt)));
            }
            Event::AlertFailed { grant, given: false, .. }
            | Event::DebtClosed { grant, refused: None, .. } => {
                self.debts.remove(&**grant);
            }
            Event::Outcome { of, outcome, .. } => {
                let permit = self.permits.remove(of).filter(|_| *outcome == Outcome::Abandoned);
                let charges = permit.into_iter().flat_map(|own| own.charges);
                charges.for_each(|own| self.spent.refund(&own));
            }
            Event::Halted { what, until } => {
                self.halts.insert(what.to_string(), *until);
            }
            Event::Resumed { what } => {
                self.halts.remove(&**what);
            }
            Event::CredentialPlanned { name, .. } => {
                if let Some(left) = LeftCredential::of(&record.event) {
                    self.credentials.insert(name.to_string(), left);
                }
            }
            Event::CredentialMinted { name, detail, expires, .. } => {
                if let Some(left) = self.credentials.get_mut(&**name) {
                    (left.minted, left.detail, left.expires) = (true, detail.to_string(), *expires);
                }
            }
            Event::CredentialGone { name, .. } => {
                self.credentials.remove(&**name);
            }
            _ => {}
        }
    }

    /// The halts that are on, as their records write them, and when they lapse.
    pub fn halts(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.halts.iter().map(|(what, until)| (what.as_str(), *until))
    }

    /// The tasks that had not ended, by generation.
    pub fn tasks(&self) -> impl Iterator<Item = (u64, &str)> {
        self.tasks.iter().map(|(generation, task)| (*generation, task.as_str()))
    }

    /// The permits without an outcome: the number of each, its task, and that one's generation.
    pub fn permits(&self) -> impl Iterator<Item = (u64, &str, u64)> {
        self.permits.iter().map(|(seq, own)| (*seq, own.task.as_str(), own.generation))
    }

    /// The questions that were not settled, and approvals that were not used.
    pub(crate) fn questions(&self) -> impl Iterator<Item = (&str, &LeftQuestion)> {
        self.questions.iter().map(|(id, left)| (id.as_str(), left))
    }

    /// Whether a permit without an outcome is of what breaking the glass gave.
    pub(crate) fn is_glass_permit(&self, seq: u64) -> bool {
        self.permits.get(&seq).is_some_and(|own| own.break_glass)
    }

    /// Whether the call of a permit without an outcome is known not to have started.
    #[must_use]
    pub fn is_unstarted(&self, permit: u64) -> bool {
        self.permits.get(&permit).is_some_and(|own| own.unstarted)
    }

    /// The uses of the emergency path that were not reviewed, the oldest first.
    pub fn debts(&self) -> impl Iterator<Item = &LeftDebt> {
        let mut debts: Vec<&LeftDebt> = self.debts.values().collect();
        debts.sort_by_key(|own| own.since());
        debts.into_iter()
    }

    /// What counters that span tasks had counted: who, as names are folded, under which rule, and what.
    ///
    /// # Errors
    /// The number of the first permit whose record can't be read: its counter would begin anew.
    pub(crate) fn spent(
        &self,
        fold: Fold,
    ) -> Result<impl Iterator<Item = (&str, &str, &Counter)>, u64> {
        self.unreadable.map_or(Ok(()), Err).map(|()| self.spent.all(fold))
    }

    /// Names of the credentials that were not known to be gone. A broker that goes on with the log owes that they go.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        self.credentials.keys().map(String::as_str)
    }

    /// As [`credentials`](Self::credentials), with what is known of them.
    pub(crate) fn left_credentials(&self) -> impl Iterator<Item = (&str, &LeftCredential)> {
        self.credentials.iter().map(|(name, left)| (name.as_str(), left))
    }

    /// How many bytes of an incomplete last line were cut off and kept aside.
    #[must_use]
    pub fn torn(&self) -> Option<u64> {
        self.torn
    }

    /// Whether the log was compared with an anchor kept elsewhere. Where it was not, records that were cut
    /// off its end are not missed.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        self.anchored
    }
}

impl LeftCredential {
    /// What a plan says.
    fn of(event: &Event<'_>) -> Option<LeftCredential> {
        let Event::CredentialPlanned {
            task,
            generation,
            grant,
            credential,
            provider,
            detail,
            lands_by,
            expires,
            ..
        } = event
        else {
            return None;
        };
        Some(LeftCredential {
            task: task.to_string(),
            generation: *generation,
            grant: grant.to_string(),
            credential: credential.to_string(),
            provider: provider.to_string(),
            detail: detail.to_string(),
            lands_by: *lands_by,
            expires: *expires,
            minted: false,
        })
    }
}
