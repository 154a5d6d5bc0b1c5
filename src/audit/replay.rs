//! Recorded decisions, decided again by the code that decides at the gate.

mod compare;
mod known;
mod outcome;
mod question;
mod request;

use std::collections::HashMap;

use self::compare::{Again, Said};
use self::known::KnownTasks;
pub use self::outcome::{Decided, Difference, NotReplayable, Replay, ReplayVerdict, Ruled, Ruling};
pub(in crate::audit) use self::question::Recorded;
use self::question::{counts_decisions, question_of};
use self::request::{Requested, counts_requests};
use super::{Event, Record};
use crate::policy::{AskedFacts, Moment, Policy};

/// As many differences are named at most; more are counted.
const MOST_NAMED: usize = 4096;

/// Decides the calls and requests of a log again under the policies that they were decided under; `plain` gives the line next to the
/// record of a number, if there is one.
///
/// What is decided again is what rules decided: calls, requests, delegations, renewals and emergencies that were permitted,
/// forbidden, covered by no permit, or withheld by asks. A decision is replayable if everything that the rules of its tool look at stands in plain in the log, and the
/// policy is there; any other is counted with why it is not, and never guessed. What tokens, grants and limits refused is
/// no decision of rules.
///
/// Records are believed: [`verify`](super::verify()) says whether they may be. For a log longer than memory, a
/// [`Replayer`] takes them one by one.
///
/// ```
/// use hallpass::audit::{MemoryLog, replay};
/// use hallpass::policy::Tool;
/// use hallpass::prelude::*;
/// use hallpass::scope::max;
///
/// let policy = Policy::builder()
///     .tool(Tool::new("bank.pay").log_plain("amount"))
///     .rule(Rule::permit("small").tool("bank.pay").arg("amount", max(500)))
///     .build()?;
/// let log = MemoryLog::new();
/// let broker = Broker::builder(policy.clone()).log(log.clone()).build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("pay-bill"))?;
/// let grant = task.request(Scope::tool("bank.pay").arg("amount", max(500)), &Context::new())?;
/// let call = Call::new("bank.pay", serde_json::json!({ "amount": 98 }))?;
/// let _permit = broker.gate().authorize(&grant, &agent, call, &Context::new())?;
///
/// let again = replay(&log.records(), |seq| log.plain_line(seq), [policy]);
/// assert_eq!((again.decisions, again.requests, again.replayed, again.differing), (2, 1, 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn replay<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    mut plain: impl FnMut(u64) -> Option<String>,
    policies: impl IntoIterator<Item = Policy>,
) -> Replay {
    let mut replayer = Replayer::own(policies);
    for record in records {
        match replayer.decides(record) {
            true => replayer.note(record, plain(record.seq).as_deref()),
            false => replayer.note(record, None),
        }
    }
    replayer.finish()
}

/// As [`replay`], of records that come one by one, from the log's first on.
#[derive(Debug)]
pub struct Replayer {
    /// By digest, as records write it.
    policies: HashMap<String, Policy>,
    /// Decide everything under this one instead.
    other: Option<(String, Policy)>,
    /// The digest of the policy of each epoch.
    epochs: HashMap<u64, String>,
    tasks: KnownTasks,
    asked: HashMap<(String, String, Moment), AskedFacts>,
    replay: Replay,
}

impl Replayer {
    /// Decides each under its own policy, which is found among these by its digest: all agree, or something decides
    /// otherwise than it did.
    pub fn own(policies: impl IntoIterator<Item = Policy>) -> Self {
        let policies = policies.into_iter().map(|own| (own.digest().to_string(), own)).collect();
        Replayer {
            policies,
            other: None,
            epochs: HashMap::new(),
            tasks: KnownTasks::default(),
            asked: HashMap::new(),
            replay: Replay::default(),
        }
    }

    /// Decides all of them under this policy: the differences are what it would change.
    pub fn under(policy: Policy) -> Self {
        let other = Some((policy.digest().to_string(), policy));
        Replayer { other, ..Replayer::own([]) }
    }

    /// Whether the record is of a decision that rules made: for those, the line next to it is asked for.
    #[must_use]
    pub fn decides(&self, record: &Record) -> bool {
        Recorded::of(record).is_some() || Requested::of(record).is_some()
    }

    /// Follows the log by one record; `plain` is the line next to it, if there is one.
    pub fn note(&mut self, record: &Record, plain: Option<&str>) {
        match &record.event {
            Event::Reloaded { epoch, policy } => {
                self.epochs.insert(*epoch, policy.to_string());
            }
            Event::DeniedAgain(own) if counts_decisions(own) => self.count(own.count, false),
            Event::DeniedAgain(own) if counts_requests(own) => self.count(own.count, true),
            _ => {}
        }
        if let Some(recorded) = Recorded::of(record) {
            self.replay.decisions += 1;
            let again = self.decide_again(&recorded, plain);
            self.compare(recorded.said(), again);
        } else if let Some(requested) = Requested::of(record) {
            self.replay.decisions += 1;
            self.replay.requests += 1;
            let again = self.decide_request_again(&requested, plain);
            self.compare(requested.said(), again);
        }
        // Of what is decided here, a grant knows nothing yet.
        self.tasks.note(&record.event);
    }

    /// Counts what the log only counts. What the denials were about may differ in what they do not name, and so may what
    /// comes of them.
    fn count(&mut self, denials: u64, of_requests: bool) {
        let counted = self.replay.not_replayable.entry(NotReplayable::Counted).or_default();
        *counted = counted.saturating_add(denials);
        self.replay.decisions = self.replay.decisions.saturating_add(denials);
        if of_requests {
            self.replay.requests = self.replay.requests.saturating_add(denials);
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Replay {
        self.replay
    }

    /// The permits that give a recorded call now; `None` if none does, or something else withholds it.
    pub(super) fn permits_again(
        &mut self,
        recorded: &Recorded<'_>,
        plain: Option<&str>,
    ) -> Result<Option<Vec<String>>, NotReplayable> {
        let again = self.decide_again(recorded, plain)?;
        Ok((again.ruled == Ruled::Permitted).then_some(again.rules))
    }

    fn decide_again(
        &mut self,
        recorded: &Recorded<'_>,
        kept: Option<&str>,
    ) -> Result<Again, NotReplayable> {
        let (digest, policy, is_own) = self.policy_of(recorded.epoch)?;
        let moment = match recorded.break_glass {
            true => Moment::BreakGlass,
            false => Moment::Call,
        };
        let key = (digest.to_owned(), recorded.tool.to_owned(), moment);
        let policy = policy.clone();
        let asked =
            self.asked.entry(key).or_insert_with(|| policy.facts_asked(recorded.tool, moment));
        let task = recorded.generation.and_then(|generation| self.tasks.get(generation));
        let task = task.ok_or(NotReplayable::NoTask)?;
        let question = question_of(recorded, kept, (&policy, asked, is_own))?;
        let answer = policy.decide_again(&question.ask(&task.why, moment));
        Ok(Again::of(answer, is_own))
    }

    fn decide_request_again(
        &self,
        requested: &Requested<'_>,
        kept: Option<&str>,
    ) -> Result<Again, NotReplayable> {
        let (_, policy, is_own) = self.policy_of(Some(requested.epoch))?;
        let task = self.tasks.get(requested.generation).ok_or(NotReplayable::NoTask)?;
        let whole = requested.whole(kept, task, policy, is_own)?;
        Ok(Again::of(policy.decide_request_again(&whole.ask(&task.why)), is_own))
    }

    /// The policy to decide under, its digest, and whether it is the one of this epoch.
    fn policy_of(&self, epoch: Option<u64>) -> Result<(&str, &Policy, bool), NotReplayable> {
        let own = epoch.and_then(|epoch| self.epochs.get(&epoch));
        let (digest, policy) = match (&self.other, own) {
            (Some((digest, policy)), _) => (digest, policy),
            (None, Some(digest)) => {
                (digest, self.policies.get(digest).ok_or(NotReplayable::NoPolicy)?)
            }
            (None, None) => return Err(NotReplayable::NoPolicy),
        };
        Ok((digest, policy, own.is_some_and(|own| own == digest)))
    }

    fn compare(&mut self, said: Said<'_>, again: Result<Again, NotReplayable>) {
        let again = match again {
            Ok(again) => again,
            Err(why) => {
                *self.replay.not_replayable.entry(why).or_default() += 1;
                return;
            }
        };
        self.replay.replayed += 1;
        if said.agrees_with(&again) {
            return;
        }
        self.replay.differing += 1;
        if self.replay.differences.len() < MOST_NAMED {
            self.replay.differences.push(said.difference(again));
        }
    }
}

#[cfg(test)]
mod tests;
