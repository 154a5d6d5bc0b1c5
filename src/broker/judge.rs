//! A call that is asked for: what a good token led to, the call as the tool gets it, and what it is asked
//! with. Judged under the task's lock, against grant, ancestors, rules and limits.

use std::sync::Arc;

use super::call_request::CallRequest;
use super::coverage::{Coverage, covering, stamps_on};
use super::current::{Current, DecidingRules};
use super::presented::PresentedGrant;
use crate::audit::{Event, Place};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{Reservation, Row};
use crate::meter::Meter;
use crate::policy::{
    Deciders, Listed, Moment, Question, Setting, Verdict, What, decide, nearest_for_call,
};
use crate::sync::{Apart, MutexGuard};
use crate::task::{Life, OpenPermit};
use crate::value::{Digest, Object};

/// Everything that a call is judged by, but for the task's life.
pub(super) struct CallInputs<'a> {
    attempt: CallRequest<'a>,
    current: &'a Arc<Apart<Current>>,
    presented: &'a PresentedGrant,
    what: What<'a>,
    context: &'a Object,
    /// What judging it may cost.
    meter: Meter,
}

/// A place in the log for the call's permit, and what is reserved for it.
pub(super) struct Reserved {
    pub(super) place: Place,
    pub(super) lapses: Timestamp,
    pub(super) rules: DecidingRules,
    pub(super) epoch: u64,
}

impl<'a> CallInputs<'a> {
    /// Call and context as rules see them.
    #[inline(always)]
    pub(super) fn of(
        attempt: CallRequest<'a>,
        current: &'a Arc<Apart<Current>>,
        presented: &'a PresentedGrant,
        listed: &'a Listed,
    ) -> Result<Self, Denial> {
        let what = What::of(attempt.call, listed)?;
        match attempt.context.checked() {
            Ok(context) => {
                let meter = Meter::of_question(attempt.call.args().size());
                Ok(CallInputs { attempt, current, presented, what, context, meter })
            }
            Err(error) => Err(Denial::new(Reason::MalformedContext).because(error)),
        }
    }

    /// Judges the call and reserves what it costs. A call-bound presentation is spent whatever comes
    /// of it.
    pub(super) fn reserve(&self) -> Result<Reserved, Denial> {
        let arguments = self.attempt.shared.argument_digest(self.attempt.call.args());
        let mut life = self.life()?;
        self.take_once(&mut life)?;
        let (covered, rules) = self.decide(&life)?;
        let rules = DecidingRules::by(self.current, rules);
        let (place, lapses) = self.place(&mut life, &covered, &rules, arguments)?;
        Ok(Reserved { place, lapses, rules, epoch: self.current.epoch })
    }

    /// Judges the call as `reserve` does, and takes nothing.
    #[inline(always)]
    pub(super) fn probe(&self) -> Result<DecidingRules, Denial> {
        let mut life = self.life()?;
        if let Some(once) = self.presented.once {
            self.live(&life)?.probe(once, self.attempt.now)?;
        }
        let (covered, rules) = self.decide(&life)?;
        self.make_room(&mut life)?;
        let Life { grants, counters, .. } = &mut *life;
        if !covered.is_unlimited() {
            let args = self.attempt.call.args();
            counters.probe(covered.stamps(grants), args, self.attempt.now)?;
        }
        Ok(DecidingRules::by(self.current, rules))
    }

    /// The task's life, its lock taken, with the grant held to today's policy.
    fn life(&self) -> Result<MutexGuard<'a, Life>, Denial> {
        let PresentedGrant { cell, grant, .. } = self.presented;
        let CallRequest { shared, now, .. } = self.attempt;
        let mut life = cell.life.lock();
        shared.keep_up(self.current, cell, &mut life, *grant, now)?;
        Ok(life)
    }

    /// Whether grant, ancestors and rules permit the call: what covers it, and the permits.
    fn decide(&self, life: &Life) -> Result<(Coverage, Deciders), Denial> {
        self.meter.settle(self.decide_by(life))
    }

    fn decide_by(&self, life: &Life) -> Result<(Coverage, Deciders), Denial> {
        let CallInputs { attempt, current, presented, ref what, context, ref meter } = *self;
        let row = self.live(life)?;
        let with_this = match current.policy.looks_at_history {
            true => life.history().with(what.labels),
            false => None,
        };
        let time = current.policy.time(attempt.now);
        let question = Question {
            setting: Setting {
                moment: Moment::Call,
                who: attempt.caller,
                purpose: &presented.cell.purpose,
                context,
                seen: with_this.as_ref().unwrap_or(life.history().labels()),
                now: attempt.now,
                now_text: time.as_ref(),
                meter,
            },
            what: What { form: presented.form(), ..*what },
        };
        let at = covering(&row.terms.scope, &presented.narrowings, &question)?;
        let mut covered = Coverage::by(row, at);
        self.ancestors_cover(row, life, &question, &mut covered)?;
        match decide(&current.policy, &question) {
            Verdict::Permit(rules) => {
                let spanning = &attempt.shared.spanning;
                let stamps = stamps_on(row, at);
                covered.hold_to(&rules, &current.policy, stamps, attempt.caller, spanning);
                Ok((covered, rules))
            }
            Verdict::Ask(rules) => Err(self.denied(Reason::ApprovalRequired, &rules)),
            Verdict::Forbid(rules) => Err(self.denied(Reason::Forbidden, &rules)),
            Verdict::NoPermit => Err(Denial::new(Reason::NoPermit)
                .nearest_to(nearest_for_call(&current.policy, &question))),
        }
    }

    /// Whether every grant this one was delegated from lives and covers the call itself: this, and
    /// not any comparison made before, is what keeps a child within its parents.
    fn ancestors_cover(
        &self,
        row: &Row,
        life: &Life,
        question: &Question<'_>,
        covered: &mut Coverage,
    ) -> Result<(), Denial> {
        let mut next = row.parent;
        while let Some(id) = next {
            let above = life.grant(id).ok_or_else(|| Denial::new(life.why_gone(id)))?;
            if above.is_past(self.attempt.now) {
                return Err(
                    Denial::new(Reason::Expired).because("a grant above it is past its time")
                );
            }
            covered.by_ancestor(above, covering(&above.terms.scope, &[], question)?);
            next = above.parent;
        }
        Ok(())
    }

    /// Spends a call-bound presentation, whatever is decided next: it was good for this one try. Only
    /// now that signature, holder and liveness have passed, so that nobody else can fill the memory.
    fn take_once(&self, life: &mut Life) -> Result<(), Denial> {
        let Some(once) = self.presented.once else { return Ok(()) };
        self.live(life)?;
        match life.grant_mut(self.presented.grant) {
            Some(row) => row.take(once, self.attempt.now),
            None => Err(Denial::new(Reason::UnknownGrant)),
        }
    }

    /// Whether task and grant live, and nothing is halted.
    fn live<'l>(&self, life: &'l Life) -> Result<&'l Row, Denial> {
        let CallInputs { attempt, presented, .. } = self;
        let now = attempt.now;
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        let Some(row) = life.grant(presented.grant) else {
            return Err(Denial::new(life.why_gone(presented.grant)));
        };
        if row.serial != presented.serial {
            return Err(Denial::new(Reason::Superseded));
        }
        if row.is_past(now) || now >= presented.cell.ceiling {
            return Err(Denial::new(Reason::Expired));
        }
        let (cell, grant, tool) = (&presented.cell, presented.grant, attempt.call.tool());
        match attempt.shared.halts.stopping_call(cell, life, grant, attempt.caller, tool) {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(row),
        }
    }

    /// What lapsed gives back what it held; whether there is room for one more permit then.
    fn make_room(&self, life: &mut Life) -> Result<(), Denial> {
        let CallRequest { shared, now, .. } = self.attempt;
        shared.close_lapsed(&self.presented.cell, life, now);
        if life.permits().len() >= shared.settings.max_permits {
            return Err(Denial::new(Reason::TooMany)
                .because("the task has too many permits open: finish or drop some"));
        }
        Ok(())
    }

    /// The commit: reserves what the call costs, adds to the history and takes the record's place,
    /// all under the task's lock.
    fn place(
        &self,
        life: &mut Life,
        covered: &Coverage,
        rules: &DecidingRules,
        arguments: Digest,
    ) -> Result<(Place, Timestamp), Denial> {
        let CallInputs { attempt, presented, .. } = self;
        let CallRequest { shared, caller, call, now, .. } = *attempt;
        let lapses = now
            .checked_add(shared.settings.permit_ttl)
            .ok_or_else(|| Denial::new(Reason::Expired))?;
        self.make_room(life)?;
        let Life { grants, counters, .. } = &mut *life;
        let reservation = match covered.is_unlimited() {
            true => Reservation::default(),
            false => counters.reserve(covered.stamps(grants), call.args(), now)?,
        };

        let cell = &presented.cell;
        let (grant, arguments) = (presented.grant.text(), arguments.text());
        let event = Event::Permitted {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: grant.as_str().into(),
            serial: u64::from(presented.serial),
            who: caller.subject().as_str().into(),
            tool: call.tool().into(),
            resource_type: call.resource().map(|resource| resource.resource_type().into()),
            resource_id: call.resource().map(|resource| resource.id().into()),
            args: arguments.as_str().into(),
            context: None,
            rules: rules.ids().map(Into::into).collect(),
            epoch: self.current.epoch,
        };
        let place = match shared.place(now, &event) {
            Ok(place) => place,
            Err(denial) => {
                life.counters.give_back(&reservation);
                return Err(denial);
            }
        };
        life.remember(self.what.labels);
        life.touch(presented.grant, now);
        let (seq, grant) = (place.seq(), presented.grant);
        let (tool, caller) = (call.tool_name().clone(), caller.share());
        life.hand_out(OpenPermit {
            seq,
            grant,
            serial: presented.serial,
            caller,
            tool,
            recorded: false,
            running: false,
            lapses,
            reservation,
        });
        Ok((place, lapses))
    }

    fn denied(&self, reason: Reason, rules: &Deciders) -> Denial {
        Denial::new(reason).by_rules(self.current.ids(rules))
    }
}
