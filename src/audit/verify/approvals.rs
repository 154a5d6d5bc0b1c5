//! Whether what was redeemed had been approved: exactly that call, by others than its asker, in time, and
//! once.

use std::collections::BTreeMap;

use super::Fault;
use crate::approval::GIVEN_BACK;
use crate::approval::name::PersonName;
use crate::audit::{Answered, Event, Outcome, Record};
use crate::clock::Timestamp;

/// Every question so far of tasks that have not ended.
#[derive(Default)]
pub(super) struct Approvals {
    questions: BTreeMap<String, Question>,
    /// The questions that each permit without an outcome has redeemed, by its number.
    redeemed: BTreeMap<u64, Vec<String>>,
    /// How often the log's key has changed, and with it that of digests.
    rekeyed: u64,
}

struct Question {
    generation: u64,
    who: String,
    /// Who asked, and all others who can't approve it.
    parties: Vec<PersonName>,
    tool: String,
    /// Digest of the arguments.
    args: String,
    /// How often the key had changed when that was digested.
    rekeyed: u64,
    /// Until when it can be answered.
    expires: Timestamp,
    state: State,
    given_back: u8,
}

#[derive(Clone, Copy)]
enum State {
    Waiting,
    Approved {
        good_until: Timestamp,
    },
    /// A permit has redeemed it, and is not known to have started.
    Spent {
        good_until: Timestamp,
    },
    /// Denied, cancelled, withdrawn, voided, or the call ran: nothing comes after it.
    Final,
}

impl Approvals {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::Rekeyed { .. } => self.rekeyed += 1,
            Event::Asked { question, .. } => {
                let asked = Question::of(&record.event, self.rekeyed);
                let asked = asked.ok_or(Fault::NoQuestion { seq })?;
                if self.questions.insert(question.to_string(), asked).is_some() {
                    return Err(Fault::NoQuestion { seq });
                }
            }
            Event::Answered { question, who, answer, refused: None, good_until, .. } => {
                let who = who.as_deref();
                self.find(question, seq)?.answer(who, *answer, *good_until, record)?;
            }
            Event::Voided { question, .. } => {
                let question = self.find(question, seq)?;
                if matches!(question.state, State::Final) {
                    return Err(Fault::Settled { seq });
                }
                question.state = State::Final;
            }
            Event::Permitted { approvals, .. } => {
                for id in approvals {
                    let question = self.questions.get_mut(&**id);
                    let question = question.ok_or(Fault::NotApproved { seq })?;
                    question.redeem(record, self.rekeyed)?;
                    self.redeemed.entry(seq).or_default().push(id.to_string());
                }
            }
            Event::Outcome { of, outcome, .. } => {
                for id in self.redeemed.remove(of).into_iter().flatten() {
                    if let Some(question) = self.questions.get_mut(&id) {
                        question.end_permit(*outcome);
                    }
                }
            }
            Event::Ended { generation, .. } => {
                self.questions.retain(|_, question| question.generation != *generation);
            }
            _ => {}
        }
        Ok(())
    }

    fn find(&mut self, id: &str, seq: u64) -> Result<&mut Question, Fault> {
        self.questions.get_mut(id).ok_or(Fault::NoQuestion { seq })
    }
}

impl Question {
    /// What was asked, if that is what was recorded.
    fn of(event: &Event<'_>, rekeyed: u64) -> Option<Question> {
        let Event::Asked { generation, who, parties, tool, args, expires, .. } = event else {
            return None;
        };
        Some(Question {
            generation: *generation,
            who: who.to_string(),
            parties: parties.iter().chain([who]).map(|own| PersonName::of(own)).collect(),
            tool: tool.to_string(),
            args: args.to_string(),
            rekeyed,
            expires: *expires,
            state: State::Waiting,
            given_back: 0,
        })
    }

    /// Takes an answer that counts.
    fn answer(
        &mut self,
        who: Option<&str>,
        answer: Answered,
        good_until: Option<Timestamp>,
        record: &Record,
    ) -> Result<(), Fault> {
        let seq = record.seq;
        let who = who.map(PersonName::of);
        if who.is_none() && answer != Answered::Cancel {
            return Err(Fault::OfNoOne { seq });
        }
        let is_party = who.is_some_and(|who| self.parties.contains(&who));
        if answer == Answered::Approve && is_party {
            return Err(Fault::OwnApproval { seq });
        }
        self.state = match (self.state, answer, good_until) {
            (State::Waiting, ..) if record.at >= self.expires => {
                return Err(Fault::Settled { seq });
            }
            (State::Waiting, Answered::Approve | Answered::Confirm, complete) => match complete {
                Some(good_until) => State::Approved { good_until },
                None => State::Waiting,
            },
            (State::Waiting, Answered::Deny | Answered::Cancel, _) => State::Final,
            // Another yes changes nothing: the time is that of the one which made it complete.
            (State::Approved { good_until }, Answered::Approve | Answered::Confirm, None)
                if record.at < good_until =>
            {
                self.state
            }
            // It takes the yes back. Whether the call had started is known from its outcome alone.
            (State::Approved { .. } | State::Spent { .. }, Answered::Deny, _) => State::Final,
            _ => return Err(Fault::Settled { seq }),
        };
        Ok(())
    }

    /// Spends its approval on the permit of this record, whose arguments are digested under a key that has
    /// changed so often.
    fn redeem(&mut self, record: &Record, rekeyed: u64) -> Result<(), Fault> {
        let seq = record.seq;
        let Event::Permitted { generation, who, tool, args, .. } = &record.event else {
            return Err(Fault::NotApproved { seq });
        };
        let State::Approved { good_until } = self.state else {
            return Err(Fault::NotApproved { seq });
        };
        if record.at >= good_until || self.generation != *generation {
            return Err(Fault::NotApproved { seq });
        }
        // Digests under two keys say nothing of each other.
        let is_same_args = self.rekeyed != rekeyed || self.args == *args;
        if self.who != *who || self.tool != *tool || !is_same_args {
            return Err(Fault::OtherCall { seq });
        }
        self.state = State::Spent { good_until };
        Ok(())
    }

    /// The permit that spent it has an outcome: one that never started gives the approval back, unless it was
    /// taken back or voided meanwhile, or came back too often.
    fn end_permit(&mut self, outcome: Outcome) {
        let State::Spent { good_until } = self.state else { return };
        if outcome != Outcome::Abandoned {
            self.state = State::Final;
        } else if self.given_back < GIVEN_BACK {
            self.given_back += 1;
            self.state = State::Approved { good_until };
        }
    }
}

#[cfg(test)]
mod tests;
