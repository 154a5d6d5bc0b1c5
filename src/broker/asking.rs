//! Asking people: a call that only asks withhold is parked until they agree, and found again.

use std::sync::Arc;

use super::current::Current;
use super::eligible::{Electorate, is_bound};
use super::judge::{CallInputs, WithheldCall};
use super::parking::QuestionDraft;
use super::shared::Shared;
use crate::audit::{DigestText, Event};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::policy::Deciders;
use crate::task::{
    Approval, Items, Life, Liveness, OpenQuestion, OtherCalls, QuestionState, Subject,
};
use crate::value::PackedObject;

impl CallInputs<'_> {
    /// What people agreed to of this call, if it covers all these asks.
    pub(super) fn approved(
        &self,
        life: &Life,
        live: &Liveness,
        asks: &Deciders,
        permits: &Deciders,
        scopes: Vec<(Arc<OpenQuestion>, Items)>,
    ) -> Option<Box<Approval>> {
        let (shared, current) = (self.request.shared, self.current);
        let CallInputs { request, .. } = self;
        let now = live.at();
        let mut rules = permits.iter().filter_map(|at| current.policy.rule(*at));
        let is_kept = rules.any(|rule| rule.limits.keeps_abandoned);
        let questions = life.questions()?;
        // What people said yes to is presented by somebody, and may have been delegated, who did not take part
        // when they were asked.
        let above = life.row(live).map(|row| life.above(row)).ok()?;
        let holders = above.iter().map(|row| &row.holder);
        let presenting: Vec<&Identity> =
            holders.chain([request.caller, &*self.presented.cell.requester]).collect();
        let mut usable: Vec<&Arc<OpenQuestion>> = questions
            .reaching(request.caller, request.call)
            .filter(|own| shared.refresh(current, own, now) == QuestionState::Approved)
            .filter(|own| {
                shared.still_agreed(&Electorate::of(current, own, life, &presenting), now)
            })
            .collect();
        // What is presented for redemption comes first, and is spent in any case.
        usable.sort_by_key(|own| !request.redeeming.is_some_and(|one| Arc::ptr_eq(one, own)));
        let mut used: Vec<Arc<OpenQuestion>> = Vec::new();
        if let Some(redeemed) = request.redeeming {
            used.extend(
                usable.iter().find(|own| Arc::ptr_eq(own, redeemed)).map(|own| (*own).clone()),
            );
            if used.is_empty() {
                return None;
            }
        }
        for ask in asks.iter() {
            let ask = current.policy.rule(*ask)?;
            let names =
                |own: &OpenQuestion| own.binding.asks.iter().any(|bound| bound.id == ask.id);
            if !used.iter().any(|own| names(own)) {
                used.push((*usable.iter().find(|own| names(own))?).clone());
            }
        }
        let is_any = !used.is_empty() || !scopes.is_empty();
        let (questions, scopes) = (used.into(), scopes.into());
        is_any.then(|| Box::new(Approval { questions, scopes, is_kept }))
    }

    /// Parks the call, or finds the open question of an equal one: the denial says what to come back with. A
    /// call that no one could answer for is not parked, and the denial says why.
    #[cold]
    pub(super) fn park(
        &self,
        life: &mut Life,
        live: &Liveness,
        (withheld, args): (&WithheldCall, DigestText),
        denial: Denial,
    ) -> Denial {
        let CallInputs { request, current, presented, .. } = self;
        let call = request.call;
        let above = match life.row(live).map(|row| life.above(row)) {
            Ok(above) => above,
            Err(denial) => return denial,
        };
        let mut parties = vec![Identity::clone(&presented.cell.requester)];
        parties.extend(above.iter().map(|row| row.holder.clone()));
        let draft = QuestionDraft {
            cell: &presented.cell,
            holder: request.caller,
            parties,
            subject: Subject::Call {
                call: self.named_as_granted(life, live),
                context: PackedObject::of(self.context),
                other: OtherCalls::of((call != request.made).then(|| request.made.clone()), None),
            },
            listed: self.listed.digest,
            asks: &withheld.asks,
            permits: &withheld.permits,
            args: Some(args),
            break_glass: life.is_of_glass(presented.grant),
        };
        request.shared.park(request.owner, current, life, draft, (denial, live.at()))
    }
}

impl CallInputs<'_> {
    /// The call, its tool named by the text that the grant holds: what waits keeps no copy of that.
    fn named_as_granted(&self, life: &Life, live: &Liveness) -> Call {
        let call = self.request.call;
        let scope = life.row(live).map(|row| &row.terms.scope);
        let mut tools = scope.into_iter().flatten().map(|own| &own.capability.tool);
        match tools.find(|own| *own == call.tool_name()) {
            Some(tool) => call.named_by(tool),
            None => call.clone(),
        }
    }
}

impl Shared {
    /// Brings a question up to date with time and policy, under its task's lock: where it stands now.
    pub(super) fn refresh(
        &self,
        current: &Current,
        question: &OpenQuestion,
        now: Timestamp,
    ) -> QuestionState {
        match question.pass_time(now) {
            None => {}
            // Of a plan a part was given, and the rest is not answered any more.
            Some(QuestionState::Approved) => {
                self.docket.settle(question);
                self.announce(question, question.state());
            }
            Some(to) => self.settled(question, to, "time", now),
        }
        if question.version() != current.version {
            if is_bound(question, current) {
                question.note_version(current.version, &current.policy);
            } else if question.void() {
                self.settled(question, QuestionState::Void, "policy", now);
            }
        }
        question.state_at(now)
    }

    /// Voids every question that what is in force does not let stand. One that is used before this comes to it
    /// is found so then.
    pub(super) fn void_questions(&self) {
        let Some(now) = self.time_of_end() else { return };
        for question in self.docket.all() {
            let current = self.current();
            let Some(cell) = self.table.task(question.generation) else { continue };
            let _life = cell.life.lock();
            self.refresh(&current, &question, self.as_of(now));
        }
        self.watchers.wake_due();
    }

    /// Whether those who agreed may still, and are enough: void where they are not. One who is halted does
    /// not count as long as that lasts.
    fn still_agreed(&self, electorate: &Electorate<'_>, now: Timestamp) -> bool {
        let question = electorate.question();
        let votes = question.votes();
        if electorate.progress(&votes, |who| !self.halts.stop(who, now)).is_met() {
            return true;
        }
        if !electorate.progress(&votes, |_| true).is_met() && question.void() {
            self.settled(question, QuestionState::Void, "reviewers", now);
        }
        false
    }

    /// Records what ended a question that no one answered, and lists it as settled.
    pub(super) fn settled(
        &self,
        question: &OpenQuestion,
        to: QuestionState,
        why: &str,
        now: Timestamp,
    ) {
        self.docket.settle(question);
        self.watchers.note_end(question.generation);
        let event = Event::Voided {
            task: (&*question.task).into(),
            generation: question.generation,
            question: question.id.text().as_str().to_owned().into(),
            state: to.as_str().into(),
            why: why.into(),
            break_glass: question.break_glass,
        };
        self.record(now, &event);
        self.announce(question, to);
    }
}
