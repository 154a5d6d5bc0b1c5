//! What a log that verifies leaves to the broker that goes on with it.

use std::collections::{BTreeMap, BTreeSet};

use super::left_question::{LeftQuestion, SinceAsked};
use super::left_settlement::LeftSettlement;
use super::left_task::LeftTask;
use super::seal::SealKey;
use super::{Answered, Event, LeftDebt, Outcome, Record, Spent};
use crate::audit::{AnswerGiven, Asked, BrokenGlass};
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
    /// The id of the log.
    log: String,
    halts: BTreeMap<String, Option<Timestamp>>,
    tasks: BTreeMap<u64, LeftTask>,
    permits: BTreeMap<u64, OpenPermit>,
    /// Those that people may still answer, or whose yes was not used, by id.
    questions: BTreeMap<String, LeftQuestion>,
    /// The policy of each epoch of the last life, by its digest.
    policies: BTreeMap<u64, String>,
    /// Those of whom the last life saw something else than what was attested.
    restated: BTreeSet<String>,
    /// What permits took of limits that span tasks.
    spent: CarriedCounters,
    /// The first permit whose record says so in a way that can't be read.
    unreadable: Option<u64>,
    /// By name.
    credentials: BTreeMap<String, LeftCredential>,
    /// By generation.
    unsettled: BTreeMap<u64, LeftSettlement>,
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
    /// The questions about calls of which it took a use.
    questions: Vec<String>,
}

impl Resumption {
    /// Follows the log by one record, which was written under `key`.
    pub(super) fn note(&mut self, record: &Record, key: Option<&LogKey>) {
        let seals = |wanted: bool| key.filter(|_| wanted).map(SealKey::of);
        match &record.event {
            Event::LogStarted { log, .. } => self.log = log.to_string(),
            Event::Reopened { .. } => {
                // Neither outlives its broker.
                self.policies.clear();
                self.restated.clear();
            }
            Event::Reloaded { epoch, policy } => {
                self.policies.insert(*epoch, policy.to_string());
            }
            Event::Restated { who, groups, attributes } => {
                match groups.is_some() || attributes.is_some() {
                    true => self.restated.insert(who.to_string()),
                    false => self.restated.remove(&**who),
                };
            }
            Event::Opened { generation, .. } => {
                self.tasks.extend(LeftTask::of(&record.event).map(|own| (*generation, own)));
            }
            Event::Ended { generation, unsettled, .. } => {
                if *unsettled {
                    self.add_unsettled(*generation, &record.event);
                }
                self.tasks.remove(generation);
                self.questions.retain(|_, own| own.generation != *generation);
            }
            Event::Granted { generation, .. } => {
                if let Some(task) = self.tasks.get_mut(generation) {
                    task.grant(record);
                }
            }
            Event::Asked(Asked { question, sealed, .. }) => {
                let seals = seals(sealed.is_some());
                let left = LeftQuestion::of(record, &self.log, seals.as_ref());
                self.questions.extend(left.map(|own| (question.to_string(), own)));
            }
            Event::Answered(AnswerGiven { refused: None, sealed, .. }) => {
                self.answer(record, seals(sealed.is_some()).as_ref());
            }
            Event::Voided { question, .. } => {
                self.questions.remove(&**question);
            }
            Event::Permitted { generation, break_glass, approvals, spent, epoch, .. } => {
                let key = seals(!spent.is_empty());
                let charge = |own: &Spent<'_>| own.charge(key.as_ref()?);
                let charges: Option<Vec<_>> = spent.iter().map(charge).collect();
                let mut charges = charges.unwrap_or_else(|| {
                    self.unreadable.get_or_insert(record.seq);
                    Vec::new()
                });
                charges.iter_mut().for_each(|own| self.spent.charge(own, record.at));
                if let Some(task) = self.tasks.get_mut(generation) {
                    task.call(record, self.policies.get(epoch).map(String::as_str));
                }
                let questions = self.redeem(record, approvals.iter().map(|id| &**id));
                let permit = OpenPermit {
                    task: record.event.task().unwrap_or_default().to_owned(),
                    generation: *generation,
                    break_glass: *break_glass,
                    charges,
                    unstarted: !questions.is_empty(),
                    questions,
                };
                self.permits.insert(record.seq, permit);
            }
            Event::Starting { of, .. } => {
                if let Some(permit) = self.permits.get_mut(of) {
                    permit.unstarted = false;
                }
            }
            Event::BrokenGlass(BrokenGlass { grant, generation, .. }) => {
                if let Some(task) = self.tasks.get_mut(generation) {
                    task.lost = Some("the glass was broken in it");
                }
                let debt = LeftDebt::of(&record.event, record.at);
                self.debts.extend(debt.map(|debt| (grant.to_string(), debt)));
            }
            Event::AlertFailed { grant, given: false, .. }
            | Event::DebtClosed { grant, refused: None, .. } => {
                self.debts.remove(&**grant);
            }
            Event::Outcome { of, outcome, generation, .. } => {
                let Some(permit) = self.permits.remove(of) else { return };
                let abandoned = *outcome == Outcome::Abandoned;
                if abandoned {
                    permit.charges.iter().for_each(|own| self.spent.refund(own));
                    if let Some(task) = self.tasks.get_mut(generation) {
                        task.abandon(*of);
                    }
                }
                self.follow(&permit.questions, &SinceAsked::Ended { of: *of, abandoned });
            }
            Event::Halted { what, until } => {
                self.halts.insert(what.to_string(), *until);
            }
            Event::Resumed { what } => {
                self.halts.remove(&**what);
            }
            Event::CredentialPlanned { name, generation, .. } => {
                self.add_unsettled(*generation, &record.event);
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
                let left = self.credentials.remove(&**name);
                if let Some(own) = left.and_then(|own| self.unsettled.get_mut(&own.generation)) {
                    own.note_gone(name);
                }
            }
            Event::Settled(settled) => {
                self.unsettled.remove(&settled.generation);
            }
            _ => {}
        }
    }

    /// A task has something that is to be settled.
    fn add_unsettled(&mut self, generation: u64, event: &Event<'_>) {
        self.unsettled.entry(generation).or_insert_with(|| LeftSettlement::of(event));
    }

    /// Takes an answer that counts.
    fn answer(&mut self, record: &Record, key: Option<&SealKey>) {
        let Event::Answered(AnswerGiven { generation, question, answer, items, state, .. }) =
            &record.event
        else {
            return;
        };
        let Some(own) = self.questions.get_mut(&**question) else { return };
        if let Some(task) = self.tasks.get_mut(generation)
            && *answer == Answered::Deny
            && **state != *"withdrawn"
        {
            for tool in own.denied_tools(items) {
                let denied = |rule: &String| (rule.clone(), tool.to_owned(), record.at);
                task.denied.extend(own.rules.iter().map(denied));
            }
        }
        if own.answer(record, &self.log, key) {
            self.questions.remove(&**question);
        }
    }

    /// A permit redeems approvals: those of calls, of which it took a use.
    fn redeem<'i>(
        &mut self,
        record: &Record,
        approvals: impl Iterator<Item = &'i str>,
    ) -> Vec<String> {
        let Event::Permitted { rules, .. } = &record.event else { return Vec::new() };
        let of_call = |id: &&str| self.questions.get(*id).is_some_and(|own| own.of_call);
        let ids: Vec<String> = approvals.filter(of_call).map(str::to_owned).collect();
        let rules = rules.iter().map(ToString::to_string).collect();
        self.follow(&ids, &SinceAsked::Permitted { seq: record.seq, rules });
        ids
    }

    fn follow(&mut self, questions: &[String], event: &SinceAsked) {
        for id in questions {
            if let Some(own) = self.questions.get_mut(id) {
                own.since.push(event.clone());
            }
        }
    }

    /// The id of the log; empty where it has no record.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    /// Whether the last life saw somebody of this name, as names are folded, as something else than what was attested.
    pub(crate) fn is_restated(&self, name: &str, fold: Fold) -> bool {
        let is_it = |own: &String| *fold.name(own) == *name;
        self.restated.contains(name) || (fold != Fold::None && self.restated.iter().any(is_it))
    }

    /// As [`tasks`](Self::tasks), with what is known of them.
    pub(crate) fn left_tasks(&self) -> impl Iterator<Item = (u64, &LeftTask)> {
        self.tasks.iter().map(|(generation, own)| (*generation, own))
    }

    /// The halts that are on, as their records write them, and when they lapse.
    pub fn halts(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.halts.iter().map(|(what, until)| (what.as_str(), *until))
    }

    /// The tasks that had not ended, by generation.
    pub fn tasks(&self) -> impl Iterator<Item = (u64, &str)> {
        self.tasks.iter().map(|(generation, task)| (*generation, task.name.as_str()))
    }

    /// The permits without an outcome: the number of each, its task, and that one's generation.
    pub fn permits(&self) -> impl Iterator<Item = (u64, &str, u64)> {
        self.permits.iter().map(|(seq, own)| (*seq, own.task.as_str(), own.generation))
    }

    /// The questions that were not settled, and approvals that were not used.
    pub(crate) fn questions(&self) -> impl Iterator<Item = (&str, &LeftQuestion)> {
        self.questions.iter().map(|(id, left)| (id.as_str(), left))
    }

    /// Whether a permit has no outcome.
    pub(crate) fn is_open(&self, permit: u64) -> bool {
        self.permits.contains_key(&permit)
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

    /// The tasks that are not settled, by generation: of those that have not ended, the ones for which a credential was
    /// planned.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = (u64, &LeftSettlement)> {
        self.unsettled.iter().map(|(generation, left)| (*generation, left))
    }

    /// Whether a task is not settled.
    pub(crate) fn is_unsettled(&self, generation: u64) -> bool {
        self.unsettled.contains_key(&generation)
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
