//! Questions: what people answer, and what is redeemed.

use crate::broker::{NotCounted, Question, Tally};
use crate::denial::{Denial, Reason};
use crate::identity::{Assertion, Identity};
use crate::token::Token;
use crate::value::Digest;
use crate::{Call, Task};

use super::answer::{Answer, Refusal};
use super::asked::{Asked, Parked};
use super::fields::Misread;
use super::holding::{Granted, Holding, Opening};
use super::host::{Errand, Host, Slip};
use super::vote::{Amended, Redemption, Taken, Vote, What};

impl Host {
    /// The answer to a denial; what it parked is known by this alias from here on.
    pub(super) fn denied_call(
        &mut self,
        denial: &Denial,
        asked: (Option<&str>, Identity, Option<Call>),
        line: usize,
    ) -> Answer {
        let answer = Answer::denied(denial);
        let (Some(alias), holder, call) = asked else { return answer };
        let Some(pending) = denial.pending().cloned() else {
            self.questions.give(alias, line, Asked::Refused(denial.reason().into()));
            return answer;
        };
        let generation = pending.generation();
        let parked = Parked { pending, holder, generation, call };
        self.questions.give(alias, line, Asked::Parked(Box::new(parked)));
        answer.with("question", alias)
    }

    /// The answer to what may have parked a scope, which is known by this alias from here on. Where nothing was
    /// parked it stands for the refusal.
    pub(super) fn asked_of_scope(
        &mut self,
        ask_as: Option<&str>,
        answer: Answer,
        line: usize,
    ) -> Answer {
        let Some(alias) = ask_as.filter(|_| answer.is_denial()) else { return answer };
        let Some(pending) = answer.pending().cloned() else {
            self.questions.give(alias, line, Asked::Refused(answer.refusal()));
            return answer;
        };
        let (holder, generation) = (pending.holder().clone(), pending.generation());
        let parked = Parked { pending, holder, generation, call: None };
        self.questions.give(alias, line, Asked::Parked(Box::new(parked)));
        answer.with("question", alias)
    }

    /// Has somebody make another call of one that waits.
    pub(super) fn amend(&mut self, amended: &Amended<'_>, line: usize) -> Result<Answer, Misread> {
        let parked = match self.questions.get(amended.question)? {
            Asked::Parked(parked) => parked,
            Asked::Refused(refusal) => return Ok(unasked(*refusal)),
        };
        let who = match self.attest(&amended.who) {
            Ok(who) => who,
            Err(answer) => return Ok(answer),
        };
        let (before, question) = (parked.call.clone(), parked.pending.question());
        let (holder, generation) = (parked.holder.clone(), parked.generation);
        let Some(before) = before else {
            let refused = NotCounted::NotACall;
            return Ok(Answer::not_counted(refused.as_str(), refused.to_string()));
        };
        let call = match amended.call(&before) {
            Ok(call) => call,
            Err(error) => return Ok(Answer::malformed_call(&error)),
        };
        let reviews = self.broker.reviews();
        let shown = shown(&question, amended.stale);
        let counted = reviews.amend(&question, &who, &shown, call.clone());
        let parked = match counted.map(|_| parked.pending.amended()) {
            Ok(Some(pending)) => Parked { pending, holder, generation, call: Some(call) },
            Ok(None) => return Ok(Answer::new()),
            Err(refused) => {
                let answer = Answer::not_counted(refused.as_str(), refused.to_string());
                self.questions.give(
                    amended.alias,
                    line,
                    Asked::Refused(Reason::ApprovalVoid.into()),
                );
                return Ok(answer);
            }
        };
        let tally = parked.pending.tally();
        self.questions.give(amended.alias, line, Asked::Parked(Box::new(parked)));
        Ok(told(Ok(tally)).with("question", amended.alias))
    }

    /// Takes what people agreed to of a scope.
    pub(super) fn take(&mut self, taken: &Taken<'_>, line: usize) -> Result<Answer, Misread> {
        self.free_grant(taken.alias)?;
        let parked = match self.questions.get(taken.question)? {
            Asked::Parked(parked) => parked,
            Asked::Refused(refusal) => {
                let answer = unasked(*refusal);
                self.grants.give(taken.alias, line, Holding::Refused(answer.refusal()));
                return Ok(answer);
            }
        };
        let (pending, holder) = (parked.pending.clone(), parked.holder.clone());
        let given = match self.tasks.peek(pending.task()) {
            Some(Errand::Open(_, task)) if task.generation() == parked.generation => {
                let take = if taken.part { Task::take_part } else { Task::take };
                take(task, &pending, &taken.context).map_err(|denial| Answer::denied(&denial))
            }
            _ => {
                let why = "the task of the question is over".to_owned();
                Err(Answer::refused(Reason::TaskOver.into(), why))
            }
        };
        let of = Opening { task: pending.task().into(), generation: parked.generation };
        let given = given.map(|grant| (Granted { holder, grant, of }, None));
        let answer = self.keep(taken.alias, given, line);
        Ok(self.asked_of_scope(taken.ask_as, answer, line))
    }

    /// Has somebody answer a question.
    pub(super) fn vote(&self, vote: &Vote<'_>) -> Result<Answer, Misread> {
        let parked = match self.questions.get(vote.question)? {
            Asked::Parked(parked) => parked,
            Asked::Refused(refusal) => return Ok(unasked(*refusal)),
        };
        let who = match self.attest(&vote.who) {
            Ok(who) => who,
            Err(answer) => return Ok(answer),
        };
        let (reviews, question) = (self.broker.reviews(), parked.pending.question());
        let shown = |stale: bool| shown(&question, stale);
        let counted = match vote.what {
            What::Approve { stale, width } => match &vote.items {
                None => reviews.approve(&question, &who, &shown(stale), width),
                Some(items) => reviews.approve_items(&question, &who, &shown(stale), items),
            },
            What::Confirm { stale } => reviews.confirm(&question, &who, &shown(stale)),
            What::Reject(why) => match &vote.items {
                None => reviews.deny(&question, &who, why),
                Some(items) => reviews.deny_items(&question, &who, items, why),
            },
        };
        Ok(told(counted))
    }

    pub(super) fn cancel(&self, alias: &str) -> Result<Answer, Misread> {
        match self.questions.get(alias)? {
            Asked::Parked(parked) => Ok(told(parked.pending.cancel())),
            Asked::Refused(refusal) => Ok(unasked(*refusal)),
        }
    }

    /// The aliases of the questions that somebody may answer.
    pub(super) fn questions(&self, who: &Assertion) -> Answer {
        let who = match self.attest(who) {
            Ok(who) => who,
            Err(answer) => return answer,
        };
        let listed: Vec<String> =
            self.broker.reviews().list(&who).iter().map(Question::id).collect();
        let known = self.questions.iter().filter_map(|(alias, asked)| match asked {
            Asked::Parked(parked) => listed.contains(&parked.pending.id()).then_some(alias),
            Asked::Refused(_) => None,
        });
        let mut known: Vec<&str> = known.collect();
        known.sort_unstable();
        Answer::new().with("questions", known)
    }

    /// Redeems what was approved, and runs it, or keeps the permit.
    pub(super) fn redeem(
        &mut self,
        asked: &Redemption<'_>,
        line: usize,
    ) -> Result<Answer, Misread> {
        if let Some(alias) = asked.alias {
            let lives = |slip: &Slip| matches!(slip, Slip::Permitted(_) | Slip::Running(_));
            self.permits.free(alias, lives)?;
        }
        let parked = match self.questions.get(asked.question)? {
            Asked::Parked(parked) => parked,
            Asked::Refused(refusal) => return Ok(unasked(*refusal)),
        };
        let alias = match asked.grant {
            Some(alias) => alias,
            None => match self.live_grant(parked) {
                Some(alias) => alias,
                None => {
                    let why = "no grant of its task and holder is live".to_owned();
                    return Ok(Answer::refused(Reason::UnknownGrant.into(), why));
                }
            },
        };
        let (token, holder, _) = match self.held(alias)? {
            Ok(held) => held,
            Err(answer) => return Ok(answer),
        };
        let who = match asked.who.as_ref().map(|who| self.attest(who)) {
            Some(Ok(who)) => who,
            Some(Err(answer)) => return Ok(answer),
            None => holder.clone(),
        };
        let bound: Token;
        let token = match parked.call.as_ref().filter(|_| asked.bound) {
            Some(call) => {
                bound = match self.bind(token, call) {
                    Ok(bound) => bound,
                    Err(answer) => return Ok(answer),
                };
                &bound
            }
            None => token,
        };
        let stated = asked.material.iter();
        let pending = stated.fold(parked.pending.clone(), |pending, (name, digest)| {
            pending.material(name, *digest)
        });
        let call = parked.call.clone();
        match self.gate.redeem(&pending, token, &who, &asked.context) {
            Ok(permit) => Ok(match asked.alias {
                None => Host::run_to_end(permit, asked.outcome, None),
                Some(alias) => self.keep_permit(alias, permit, line),
            }),
            Err(denial) => {
                let answer = self.denied_call(&denial, (asked.ask_as, who, call), line);
                if let Some(alias) = asked.alias {
                    self.permits.give(alias, line, Slip::Refused(answer.refusal()));
                }
                Ok(answer)
            }
        }
    }

    /// The newest live grant of the task and the asker of a question.
    fn live_grant(&self, parked: &Parked) -> Option<&str> {
        let standing = self.broker.standing();
        self.grants.newest(|holding| match holding {
            Holding::Granted(granted) => {
                let Granted { holder, grant, of } = &**granted;
                of.generation == parked.generation
                    && holder.subject() == parked.holder.subject()
                    && standing.grants.iter().any(|live| live.id == grant.id())
            }
            Holding::Offline(_) | Holding::Refused(_) => false,
        })
    }
}

/// The digest of what is shown, or of what an older page showed.
fn shown(question: &Question, stale: bool) -> Digest {
    let current = question.view().digest();
    if stale { Digest::of(current.as_bytes()) } else { current }
}

fn told(counted: Result<Tally, NotCounted>) -> Answer {
    match counted {
        Ok(tally) => Answer::new()
            .with("state", tally.state.as_str())
            .with("have", u64::from(tally.have))
            .with("need", u64::from(tally.need)),
        Err(refused) => Answer::not_counted(refused.as_str(), refused.to_string()),
    }
}

fn unasked(refusal: Refusal) -> Answer {
    Answer::refused(refusal, "nothing was asked".to_owned())
}
