//! Recorded decisions, decided again by the code that decides at the gate.

mod outcome;
mod question;

use std::collections::HashMap;

pub use self::outcome::{Difference, NotReplayable, Replay, ReplayVerdict, Ruled, Ruling};
pub(in crate::audit) use self::question::Recorded;
use self::question::{counts_decisions, question_of};
use super::{Event, Record, Stage};
use crate::policy::{AskedFacts, Effect, Moment, Policy};
use crate::purpose::Purpose;

/// As many differences are named at most; more are counted.
const MOST_NAMED: usize = 4096;

/// Decides the calls of a log again under the policies that they were decided under; `plain` gives the line next to the
/// record of a number, if there is one.
///
/// What is decided again is what rules decided: calls that were permitted, forbidden, covered by no permit, or withheld by
/// asks. A decision is replayable if everything that the rules of its tool look at stands in plain in the log, and the
/// policy is there; any other is counted with why it is not, and never guessed. What tokens, grants and limits refused is
/// no decision of rules, and requests are not replayed.
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
/// assert_eq!((again.decisions, again.replayed, again.differing), (1, 1, 0));
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
    /// What each open task is for, by its generation.
    tasks: HashMap<u64, Purpose>,
    asked: HashMap<(String, String, Moment), AskedFacts>,
    replay: Replay,
}

impl Replayer {
    /// Decides each call under its own policy, which is found among these by its digest: all agree, or something decides
    /// otherwise than it did.
    pub fn own(policies: impl IntoIterator<Item = Policy>) -> Self {
        let policies = policies.into_iter().map(|own| (own.digest().to_string(), own)).collect();
        Replayer {
            policies,
            other: None,
            epochs: HashMap::new(),
            tasks: HashMap::new(),
            asked: HashMap::new(),
            replay: Replay::default(),
        }
    }

    /// Decides all calls under this policy: the differences are what it would change.
    pub fn under(policy: Policy) -> Self {
        let other = Some((policy.digest().to_string(), policy));
        Replayer { other, ..Replayer::own([]) }
    }

    /// Whether the record is of a decision that rules made about a call: for those, the line next to it is asked for.
    #[must_use]
    pub fn decides(&self, record: &Record) -> bool {
        Recorded::of(record).is_some()
    }

    /// Follows the log by one record; `plain` is the line next to it, if there is one.
    pub fn note(&mut self, record: &Record, plain: Option<&str>) {
        match &record.event {
            Event::Reloaded { epoch, policy } => {
                self.epochs.insert(*epoch, policy.to_string());
            }
            Event::Opened { generation, purpose, ticket, intent, .. } => {
                let mut why = Purpose::new(purpose.as_ref());
                if let Some(ticket) = ticket {
                    why = why.ticket(ticket.as_ref());
                }
                if let Some(intent) = intent {
                    why = why.intent(intent.as_ref());
                }
                self.tasks.insert(*generation, why);
            }
            Event::Ended { generation, .. } => {
                self.tasks.remove(generation);
            }
            Event::Denied { stage: Stage::Request, .. } | Event::Granted { .. } => {
                self.replay.requests += 1;
            }
            Event::DeniedAgain(own) if own.stage == Stage::Request => {
                self.replay.requests = self.replay.requests.saturating_add(own.count);
            }
            Event::DeniedAgain(own) if counts_decisions(own) => {
                // Their contexts may differ, and so may what comes of them.
                let counted = self.replay.not_replayable.entry(NotReplayable::Counted).or_default();
                *counted = counted.saturating_add(own.count);
                self.replay.decisions = self.replay.decisions.saturating_add(own.count);
            }
            _ => {}
        }
        if let Some(recorded) = Recorded::of(record) {
            self.replay.decisions += 1;
            match self.decide_again(&recorded, plain) {
                Err(why) => *self.replay.not_replayable.entry(why).or_default() += 1,
                Ok(replayed) => self.compare(&recorded, replayed),
            }
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
        let own = recorded.epoch.and_then(|epoch| self.epochs.get(&epoch));
        let (digest, policy) = match (&self.other, own) {
            (Some((digest, policy)), _) => (digest, policy),
            (None, Some(digest)) => {
                (digest, self.policies.get(digest).ok_or(NotReplayable::NoPolicy)?)
            }
            (None, None) => return Err(NotReplayable::NoPolicy),
        };
        let moment = match recorded.break_glass {
            true => Moment::BreakGlass,
            false => Moment::Call,
        };
        let key = (digest.clone(), recorded.tool.to_owned(), moment);
        let asked =
            self.asked.entry(key).or_insert_with(|| policy.facts_asked(recorded.tool, moment));
        let why = recorded.generation.and_then(|generation| self.tasks.get(&generation));
        let why = why.ok_or(NotReplayable::NoTask)?;
        let is_own = own.is_some_and(|own| own == digest);
        let question = question_of(recorded, kept, (policy, asked, is_own))?;
        let answer = policy.decide_again(&question.ask(why, moment));
        Ok(match answer {
            Ok(answer) => Again {
                ruled: match answer.effect {
                    Some(Effect::Permit) => Ruled::Permitted,
                    Some(Effect::Ask) => Ruled::Asked,
                    Some(Effect::Forbid) => Ruled::Forbidden,
                    None => Ruled::NotCovered,
                },
                rules: answer.rules,
                permits: answer.permits,
                is_own,
            },
            Err(denial) => Again {
                ruled: Ruled::Refused(denial.reason().as_str()),
                rules: Vec::new(),
                permits: Vec::new(),
                is_own,
            },
        })
    }

    fn compare(&mut self, recorded: &Recorded<'_>, again: Again) {
        self.replay.replayed += 1;
        if recorded.agrees_with(&again) {
            return;
        }
        self.replay.differing += 1;
        if self.replay.differences.len() < MOST_NAMED {
            self.replay.differences.push(recorded.difference(again));
        }
    }
}

/// What rules say now.
struct Again {
    ruled: Ruled,
    rules: Vec<String>,
    /// The permits of what asks withhold.
    permits: Vec<String>,
    /// Whether it is the policy that the record was decided under.
    is_own: bool,
}

impl Recorded<'_> {
    /// Under the policy it was decided under, rules have to be the same; under another one, what they come to.
    fn agrees_with(&self, again: &Again) -> bool {
        let is_same = |own: &[std::borrow::Cow<'_, str>], rules: &[String]| {
            !again.is_own || own.iter().eq(rules.iter())
        };
        match (self.ruled, again.ruled) {
            // What people had agreed to runs whether or not they have to by now.
            (Ruled::Permitted, Ruled::Asked) if self.was_approved => {
                is_same(self.rules, &again.permits)
            }
            // Asks about which people had agreed to a scope are not among those that withheld it.
            (Ruled::Asked, Ruled::Asked) => {
                !again.is_own || self.rules.iter().all(|own| again.rules.iter().any(|r| r == own))
            }
            (own, other) => own == other && is_same(self.rules, &again.rules),
        }
    }

    fn difference(&self, again: Again) -> Difference {
        let rules = self.rules.iter().map(|rule| rule.clone().into_owned()).collect();
        Difference {
            seq: self.seq,
            task: self.task.to_owned(),
            who: self.who.to_owned(),
            tool: self.tool.to_owned(),
            recorded: Ruling { ruled: self.ruled, rules },
            replayed: Ruling { ruled: again.ruled, rules: again.rules },
        }
    }
}

#[cfg(test)]
mod tests;
