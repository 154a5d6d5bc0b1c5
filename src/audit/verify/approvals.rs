//! Whether what was redeemed had been approved: that call, by others than its asker, in time, and no more often
//! than the yes says.

use std::collections::BTreeMap;

use super::Fault;
use super::approved_item::{ApprovedItem, Given};
use crate::approval::GIVEN_BACK;
use crate::approval::name::PersonName;
use crate::approval::width::Width;
use crate::audit::{AnswerGiven, Answered, Asked, Event, Outcome, Record};
use crate::clock::Timestamp;
use crate::value::Value;

/// Every question so far of tasks that have not ended.
#[derive(Default)]
pub(super) struct Approvals {
    questions: BTreeMap<String, Question>,
    /// Each permit without an outcome that an approval gave, by its number.
    redeemed: BTreeMap<u64, Redeemed>,
    /// How often the log's key has changed, and with it that of digests.
    rekeyed: u64,
}

/// A permit that an approval gave.
#[derive(Default)]
struct Redeemed {
    /// The questions about calls of which it took a use.
    questions: Vec<String>,
    /// Whether its call was about to start.
    starting: bool,
}

struct Question {
    generation: u64,
    who: String,
    /// Who asked, and all others who can't approve it.
    parties: Vec<PersonName>,
    subject: Subject,
    /// The question that it is in the place of.
    amends: Option<String>,
    /// How often the key had changed when it was asked.
    rekeyed: u64,
    /// Whether calls of a yes that reaches several may have other arguments.
    varies: bool,
    /// Until when it can be answered.
    expires: Timestamp,
    state: State,
    /// How many calls each reviewer's yes is to reach.
    widths: BTreeMap<String, u32>,
    given_back: u8,
}

enum Subject {
    Call {
        tool: String,
        /// Digest of the arguments.
        args: String,
    },
    Scope(Vec<Item>),
}

/// An item of a plan: what it is, and what was answered.
struct Item {
    item: ApprovedItem,
    good_until: Option<Timestamp>,
    denied: bool,
}

#[derive(Clone, Copy)]
enum State {
    Waiting,
    Approved {
        good_until: Timestamp,
        /// How many calls it is good for yet.
        left: u32,
        /// How many permits have redeemed it and have no outcome: any may not have started.
        open: u32,
        /// Whether it was good for more than one.
        is_wide: bool,
    },
    /// Denied, cancelled, withdrawn, voided, or used up: nothing comes after it.
    Final,
}

impl Approvals {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::Rekeyed { .. } => self.rekeyed += 1,
            Event::Asked(Asked { question, .. }) => {
                let asked = Question::of(&record.event, self.rekeyed);
                let asked = asked.ok_or(Fault::NoQuestion { seq })?;
                if self.questions.insert(question.to_string(), asked).is_some() {
                    return Err(Fault::NoQuestion { seq });
                }
            }
            Event::Answered(AnswerGiven {
                question,
                who,
                answer,
                width,
                refused: None,
                good_until,
                ..
            }) => {
                let who = who.as_deref();
                if width.is_some() && *answer != Answered::Approve {
                    return Err(Fault::NotOffered { seq });
                }
                let width = width.as_deref().map_or(Ok(Width::CALL), str::parse);
                let width = width.map_err(|_| Fault::Unreadable { seq })?;
                if *answer == Answered::Amend {
                    self.check_amended(question, who, seq)?;
                }
                let question = self.find(question, seq)?;
                match question.subject {
                    Subject::Call { .. } => {
                        question.answer(who, *answer, width, *good_until, record)?;
                    }
                    Subject::Scope(_) => question.answer_items(record)?,
                }
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
                    if let Subject::Scope(items) = &question.subject {
                        question.lets_pass(items, record)?;
                        continue;
                    }
                    question.redeem(record, self.rekeyed)?;
                    let redeemed = self.redeemed.entry(seq).or_default();
                    redeemed.questions.push(id.to_string());
                }
            }
            Event::Granted { approvals, .. } => {
                for id in approvals {
                    let question = self.questions.get(&**id);
                    let question = question.ok_or(Fault::NotApproved { seq })?;
                    let Subject::Scope(items) = &question.subject else {
                        return Err(Fault::OtherCall { seq });
                    };
                    question.lets_pass(items, record)?;
                }
            }
            Event::Starting { of, .. } => match self.redeemed.get_mut(of) {
                Some(own) if !own.starting => own.starting = true,
                _ => return Err(Fault::Unstarted { seq }),
            },
            Event::Outcome { of, outcome, .. } => {
                let redeemed = self.redeemed.remove(of);
                let has_run = *outcome != Outcome::Abandoned;
                if has_run && redeemed.as_ref().is_some_and(|own| !own.starting) {
                    return Err(Fault::Unstarted { seq });
                }
                for id in redeemed.into_iter().flat_map(|own| own.questions) {
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

    /// Whether another question was asked in the place of one, to which who amended it is a party.
    fn check_amended(&self, id: &str, who: Option<&str>, seq: u64) -> Result<(), Fault> {
        let mut others = self.questions.values();
        let other = others.find(|own| own.amends.as_deref() == Some(id));
        let who = who.map(PersonName::of);
        match other {
            Some(other) if who.is_some_and(|who| other.parties.contains(&who)) => Ok(()),
            Some(_) => Err(Fault::OwnApproval { seq }),
            None => Err(Fault::NoQuestion { seq }),
        }
    }

    fn find(&mut self, id: &str, seq: u64) -> Result<&mut Question, Fault> {
        self.questions.get_mut(id).ok_or(Fault::NoQuestion { seq })
    }
}

impl Subject {
    fn of(tool: Option<&str>, args: Option<&str>, scope: Option<&Value>) -> Option<Subject> {
        let item = |value: &Value| {
            Some(Item { item: ApprovedItem::of(value)?, good_until: None, denied: false })
        };
        match (tool, args, scope) {
            (Some(tool), Some(args), None) => {
                Some(Subject::Call { tool: tool.to_owned(), args: args.to_owned() })
            }
            (None, None, Some(Value::List(items))) => {
                items.iter().map(item).collect::<Option<_>>().map(Subject::Scope)
            }
            _ => None,
        }
    }
}

impl Question {
    /// What was asked, if that is what was recorded.
    fn of(event: &Event<'_>, rekeyed: u64) -> Option<Question> {
        let Event::Asked(asked) = event else {
            return None;
        };
        let Asked { who, parties, tool, args, scope, amends, vary, .. } = asked;
        Some(Question {
            generation: asked.generation,
            who: who.to_string(),
            parties: parties.iter().chain([who]).map(|own| PersonName::of(own)).collect(),
            subject: Subject::of(tool.as_deref(), args.as_deref(), scope.as_deref())?,
            rekeyed,
            amends: amends.as_deref().map(str::to_owned),
            varies: !vary.is_empty(),
            expires: asked.expires,
            state: State::Waiting,
            widths: BTreeMap::new(),
            given_back: 0,
        })
    }

    /// Takes an answer that counts.
    fn answer(
        &mut self,
        who: Option<&str>,
        answer: Answered,
        width: Width,
        good_until: Option<Timestamp>,
        record: &Record,
    ) -> Result<(), Fault> {
        let seq = record.seq;
        if who.is_none() && answer != Answered::Cancel {
            return Err(Fault::OfNoOne { seq });
        }
        self.check_party(who, answer, seq)?;
        self.state = match (self.state, answer, good_until) {
            (State::Waiting, ..) if record.at >= self.expires => {
                return Err(Fault::Settled { seq });
            }
            (State::Waiting, Answered::Approve | Answered::Confirm, complete) => {
                if let (Answered::Approve, Some(who)) = (answer, who) {
                    self.widths.insert(who.to_owned(), width.uses());
                }
                match complete {
                    Some(good_until) => self.approved(good_until),
                    None => State::Waiting,
                }
            }
            (State::Waiting, Answered::Deny | Answered::Cancel | Answered::Amend, _) => {
                State::Final
            }
            // Another yes changes nothing: the time is that of the one which made it complete.
            (
                State::Approved { good_until, left, .. },
                Answered::Approve | Answered::Confirm,
                None,
            ) if record.at < good_until && left > 0 => self.state,
            // It takes the yes back. Whether a call had started is known from its outcome alone.
            (State::Approved { .. }, Answered::Deny, _) => State::Final,
            _ => return Err(Fault::Settled { seq }),
        };
        Ok(())
    }

    fn check_party(&self, who: Option<&str>, answer: Answered, seq: u64) -> Result<(), Fault> {
        let is_party = who.is_some_and(|who| self.parties.contains(&PersonName::of(who)));
        match matches!(answer, Answered::Approve | Answered::Amend) && is_party {
            true => Err(Fault::OwnApproval { seq }),
            false => Ok(()),
        }
    }

    /// Takes an answer that counts, to items of a plan.
    fn answer_items(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        let settled = Err(Fault::Settled { seq });
        let Event::Answered(AnswerGiven { who, answer, items, given, good_until, .. }) =
            &record.event
        else {
            return settled;
        };
        if who.is_none() && *answer != Answered::Cancel {
            return Err(Fault::OfNoOne { seq });
        }
        self.check_party(who.as_deref(), *answer, seq)?;
        let is_waiting = record.at < self.expires;
        let (Subject::Scope(all), State::Waiting) = (&mut self.subject, self.state) else {
            return settled;
        };
        let numbers = if *answer == Answered::Deny { items } else { given };
        for number in numbers {
            let place = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            let item = place.and_then(|at| all.get_mut(at)).ok_or(Fault::Settled { seq })?;
            match (answer, good_until) {
                (Answered::Deny, _) => (item.denied, item.good_until) = (true, None),
                (Answered::Approve | Answered::Confirm, Some(until))
                    if is_waiting && !item.denied && item.good_until.is_none() =>
                {
                    item.good_until = Some(*until);
                }
                _ => return settled,
            }
        }
        if *answer == Answered::Cancel {
            self.state = State::Final;
        }
        Ok(())
    }

    /// Whether what people agreed to of a plan lets the permit, or the grant, of this record pass.
    fn lets_pass(&self, items: &[Item], record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        let (generation, who, given) = match &record.event {
            Event::Permitted { generation, who, tool, .. } => (generation, who, Given::Call(tool)),
            Event::Granted { generation, holder, scope, .. } => {
                (generation, holder, Given::of_scope(scope))
            }
            _ => return Err(Fault::NotApproved { seq }),
        };
        if self.generation != *generation || !matches!(self.state, State::Waiting) {
            return Err(Fault::NotApproved { seq });
        }
        let is_named = |item: &&Item| item.item.lets_pass(&given);
        let mut named = items.iter().filter(is_named).peekable();
        if self.who != **who || named.peek().is_none() {
            return Err(Fault::OtherCall { seq });
        }
        match named.any(|item| item.good_until.is_some_and(|until| record.at < until)) {
            true => Ok(()),
            false => Err(Fault::NotApproved { seq }),
        }
    }

    /// Spends its approval on the permit of this record, whose arguments are digested under a key that has
    /// changed so often.
    fn redeem(&mut self, record: &Record, rekeyed: u64) -> Result<(), Fault> {
        let seq = record.seq;
        let Event::Permitted { generation, who, tool, args, .. } = &record.event else {
            return Err(Fault::NotApproved { seq });
        };
        let State::Approved { good_until, left: left @ 1.., open, is_wide } = self.state else {
            return Err(Fault::NotApproved { seq });
        };
        if record.at >= good_until || self.generation != *generation {
            return Err(Fault::NotApproved { seq });
        }
        // Digests under two keys say nothing of each other, nor do they of what may vary.
        let may_differ = self.rekeyed != rekeyed || (is_wide && self.varies);
        let is_call = match &self.subject {
            Subject::Call { tool: own, args: shown } => {
                own == tool && (may_differ || shown == args)
            }
            Subject::Scope(_) => false,
        };
        if self.who != *who || !is_call {
            return Err(Fault::OtherCall { seq });
        }
        self.state = State::Approved { good_until, left: left - 1, open: open + 1, is_wide };
        Ok(())
    }

    /// The state of a yes that is complete: of several widths it has the fewest uses.
    fn approved(&self, good_until: Timestamp) -> State {
        let left = self.widths.values().min().copied().unwrap_or(1);
        State::Approved { good_until, left, open: 0, is_wide: left > 1 }
    }

    /// A permit that redeemed it has an outcome: one that never started gives back what it took, unless that
    /// happened too often. What was taken back or voided meanwhile stays so.
    fn end_permit(&mut self, outcome: Outcome) {
        let State::Approved { good_until, mut left, open, is_wide } = self.state else { return };
        let open = open.saturating_sub(1);
        if outcome == Outcome::Abandoned && self.given_back < GIVEN_BACK {
            self.given_back += 1;
            left += 1;
        }
        // What may come back of one that is used up came back already, or a rule keeps it.
        self.state = match left == 0 && open == 0 && outcome != Outcome::Abandoned {
            true => State::Final,
            false => State::Approved { good_until, left, open, is_wide },
        };
    }
}

#[cfg(test)]
mod tests;
