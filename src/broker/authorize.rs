//! Authorizing a call: one attempt, from what was presented to the commit. The one way to a permit.

use std::sync::Arc;

use super::covered::{Covered, covering, stamps_on};
use super::current::{Current, Decided};
use super::permit::Permit;
use super::present::{Presented, present};
use super::shared::Shared;
use crate::audit::{Event, Place, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Life, OpenPermit, Reservation, Row, TaskCell};
use crate::identity::Identity;
use crate::policy::{
    Catalogue, Deciders, Listed, Moment, Question, Setting, Verdict, What, decide, nearest_for_call,
};
use crate::sync::Apart;
use crate::token::Narrowing;
use crate::value::{Digest, Object, Value};

/// One attempt to call.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) shared: &'a Shared,
    /// What was presented: a token, or one bound to a call.
    pub(super) text: &'a str,
    pub(super) caller: &'a Identity,
    pub(super) call: &'a Call,
    pub(super) context: &'a Context,
    pub(super) now: Timestamp,
}

/// A denial, and which grant it was about, if the token told.
pub(super) struct Refusal {
    pub(super) denial: Denial,
    pub(super) about: Option<(Arc<TaskCell>, GrantId)>,
}

/// A permit that the log has accepted.
pub(super) struct Committed {
    cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
    epoch: u64,
    rules: Decided,
    lapses: Timestamp,
    /// The call that may run, if its arguments were spelled otherwise than the tool gets them.
    canonical: Option<Call>,
}

impl Attempt<'_> {
    pub(super) fn commit(&self) -> Result<Committed, Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        let mut presented = self.present(&current, listed)?;
        let listed = self.listed(listed, &mut presented)?;
        let about = |denial| presented.refuse(denial);
        let canonical = listed.typed.canonical_call(self.call).map_err(about)?;
        let this = self.of(canonical.as_ref());
        let (what, context) = this.well_formed(listed).map_err(about)?;
        let arguments = this.shared.argument_digest(this.call.args());

        let mut life = presented.cell.life.lock();
        this.shared
            .keep_up(&current, &presented.cell, &mut life, presented.grant, this.now)
            .map_err(about)?;
        this.take_once(&presented, &mut life).map_err(about)?;
        let (covered, rules) =
            this.decide(&current, &presented, &life, context, what).map_err(about)?;
        let rules = Decided::by(&current, rules);
        let (place, lapses) = this
            .reserve(&current, &presented, &mut life, &covered, what.labels, (&rules, arguments))
            .map_err(about)?;
        let seq = place.seq();
        drop(life);
        let epoch = current.epoch;
        drop(current);

        // Outside the locks: the log may take its time.
        let settled = self.shared.settle(place);
        let mut life = presented.cell.life.lock();
        if let Err(denial) = settled {
            life.close_permit(seq, false);
            drop(life);
            return Err(presented.refuse(denial));
        }
        life.note_recorded(seq);
        drop(life);
        let Presented { cell, grant, .. } = presented;
        Ok(Committed { cell, grant, seq, epoch, rules, lapses, canonical })
    }

    pub(super) fn check(&self) -> Result<Decided, Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        let mut presented = self.present(&current, listed)?;
        let listed = self.listed(listed, &mut presented)?;
        let about = |denial| presented.refuse(denial);
        let canonical = listed.typed.canonical_call(self.call).map_err(about)?;
        let this = self.of(canonical.as_ref());
        let (what, context) = this.well_formed(listed).map_err(about)?;
        let mut life = presented.cell.life.lock();
        this.shared
            .keep_up(&current, &presented.cell, &mut life, presented.grant, this.now)
            .map_err(about)?;
        if let Some(once) = presented.once {
            let row = this.live(&presented, &life).map_err(about)?;
            row.probe(once, this.now).map_err(about)?;
        }
        let (covered, rules) =
            this.decide(&current, &presented, &life, context, what).map_err(about)?;
        this.make_room(&presented, &mut life).map_err(about)?;
        let Life { grants, counters, .. } = &mut *life;
        if !covered.is_unlimited() {
            counters.probe(covered.stamps(grants), this.call.args(), this.now).map_err(about)?;
        }
        Ok(Decided::by(&current, rules))
    }

    fn present(&self, current: &Current, listed: Option<&Listed>) -> Result<Presented, Refusal> {
        let untyped = listed.is_some_and(|listed| listed.typed.is_empty());
        present(self.shared, current, self.text, self.caller, (self.call, untyped), self.now)
            .map_err(|denial| Refusal { denial, about: None })
    }

    /// What the catalogue says of the tool. Attenuations, made without it, are brought to the spelling
    /// in which calls are compared with them.
    #[inline]
    fn listed<'c>(
        &self,
        listed: Option<&'c Listed>,
        presented: &mut Presented,
    ) -> Result<&'c Listed, Refusal> {
        let tool = self.call.tool();
        let listed = listed.ok_or_else(|| presented.refuse(Catalogue::unknown(tool)))?;
        for Narrowing { hop, capabilities } in &mut presented.narrowings {
            if let Err(fault) = listed.typed.respell(tool, capabilities) {
                let denial = Denial::new(Reason::OutOfScope)
                    .because(format_args!("attenuation {hop}: {fault}"));
                return Err(presented.refuse(denial));
            }
        }
        Ok(listed)
    }

    /// The attempt to make the call as the tool gets it, where that is spelled otherwise. What was
    /// presented was bound to the call as it was made.
    fn of<'a>(&'a self, canonical: Option<&'a Call>) -> Attempt<'a> {
        Attempt { call: canonical.unwrap_or(self.call), ..*self }
    }

    /// Call and context as rules see them.
    #[inline]
    fn well_formed<'q>(&'q self, listed: &'q Listed) -> Result<(What<'q>, &'q Object), Denial> {
        let what = What::of(self.call, listed)?;
        match self.context.checked() {
            Ok(context) => Ok((what, context)),
            Err(error) => Err(Denial::new(Reason::MalformedContext).because(error)),
        }
    }

    /// Whether grant, ancestors and rules permit the call: what covers it, and the permits.
    fn decide(
        &self,
        current: &Current,
        presented: &Presented,
        life: &Life,
        context: &Object,
        what: What<'_>,
    ) -> Result<(Covered, Deciders), Denial> {
        let row = self.live(presented, life)?;
        let with_this = match current.policy.looks_at_history {
            true => life.history().with(what.labels),
            false => None,
        };
        let time = current.policy.time(self.now);
        let question = Question {
            setting: Setting {
                moment: Moment::Call,
                who: self.caller,
                purpose: &presented.cell.purpose,
                context,
                seen: with_this.as_ref().unwrap_or(life.history().labels()),
                now: self.now,
                now_text: time.as_ref(),
            },
            what: What { form: presented.form(), ..what },
        };
        let at = covering(&row.terms.scope, &presented.narrowings, &question)?;
        let mut covered = Covered::by(row, at);
        self.ancestors_cover(row, life, &question, &mut covered)?;
        match decide(&current.policy, &question) {
            Verdict::Permit(rules) => {
                let spanning = &self.shared.spanning;
                let stamps = stamps_on(row, at);
                covered.hold_to(&rules, &current.policy, stamps, self.caller, spanning);
                Ok((covered, rules))
            }
            Verdict::Ask(rules) => Err(denied(Reason::ApprovalRequired, current, &rules)),
            Verdict::Forbid(rules) => Err(denied(Reason::Forbidden, current, &rules)),
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
        covered: &mut Covered,
    ) -> Result<(), Denial> {
        let mut next = row.parent;
        while let Some(id) = next {
            let above = life.grant(id).ok_or_else(|| Denial::new(life.why_gone(id)))?;
            if above.is_past(self.now) {
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
    fn take_once(&self, presented: &Presented, life: &mut Life) -> Result<(), Denial> {
        let Some(once) = presented.once else { return Ok(()) };
        self.live(presented, life)?;
        match life.grant_mut(presented.grant) {
            Some(row) => row.take(once, self.now),
            None => Err(Denial::new(Reason::UnknownGrant)),
        }
    }

    /// Whether task and grant live, and nothing is halted.
    fn live<'l>(&self, presented: &Presented, life: &'l Life) -> Result<&'l Row, Denial> {
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        let Some(row) = life.grant(presented.grant) else {
            return Err(Denial::new(life.why_gone(presented.grant)));
        };
        if row.serial != presented.serial {
            return Err(Denial::new(Reason::Superseded));
        }
        if row.is_past(self.now) || self.now >= presented.cell.ceiling {
            return Err(Denial::new(Reason::Expired));
        }
        let halts = &self.shared.halts;
        let (cell, grant) = (&presented.cell, presented.grant);
        match halts.stopping_call(cell, life, grant, self.caller, self.call.tool()) {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(row),
        }
    }

    /// What lapsed gives back what it held; whether there is room for one more permit then.
    fn make_room(&self, presented: &Presented, life: &mut Life) -> Result<(), Denial> {
        self.shared.close_lapsed(&presented.cell, life, self.now);
        if life.permits().len() >= self.shared.settings.max_permits {
            return Err(Denial::new(Reason::TooMany)
                .because("the task has too many permits open: finish or drop some"));
        }
        Ok(())
    }

    /// The commit: reserves what the call costs, adds to the history and takes the record's place,
    /// all under the task's lock.
    fn reserve(
        &self,
        current: &Current,
        presented: &Presented,
        life: &mut Life,
        covered: &Covered,
        labels: &Value,
        (rules, arguments): (&Decided, Digest),
    ) -> Result<(Place, Timestamp), Denial> {
        let lapses = self
            .now
            .checked_add(self.shared.settings.permit_ttl)
            .ok_or_else(|| Denial::new(Reason::Expired))?;
        self.make_room(presented, life)?;
        let Life { grants, counters, .. } = &mut *life;
        let reservation = match covered.is_unlimited() {
            true => Reservation::default(),
            false => counters.reserve(covered.stamps(grants), self.call.args(), self.now)?,
        };

        let cell = &presented.cell;
        let (grant, arguments) = (presented.grant.text(), arguments.text());
        let event = Event::Permitted {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: grant.as_str().into(),
            serial: u64::from(presented.serial),
            who: self.caller.subject().as_str().into(),
            tool: self.call.tool().into(),
            resource_type: self.call.resource().map(|resource| resource.resource_type().into()),
            resource_id: self.call.resource().map(|resource| resource.id().into()),
            args: arguments.as_str().into(),
            context: None,
            rules: rules.ids().map(Into::into).collect(),
            epoch: current.epoch,
        };
        let place = match self.shared.place(self.now, &event) {
            Ok(place) => place,
            Err(denial) => {
                life.counters.give_back(&reservation);
                return Err(denial);
            }
        };
        life.remember(labels);
        life.touch(presented.grant, self.now);
        let (seq, grant) = (place.seq(), presented.grant);
        let (tool, caller) = (self.call.tool_name().clone(), self.caller.share());
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

    /// Records the denial, and hands it on.
    pub(super) fn record(&self, refusal: Refusal) -> Denial {
        let Refusal { denial, about } = refusal;
        let current = self.shared.current();
        let epoch = current.epoch;
        // The log speaks of arguments as tools get them, as long as they can be spelled so.
        let canonical = match current.policy.catalogue.get(self.call.tool()) {
            Some(listed) => listed.typed.canonical_call(self.call).ok().flatten(),
            None => None,
        };
        drop(current);
        let call = canonical.as_ref().unwrap_or(self.call);
        let arguments = self.shared.argument_digest(call.args()).text();
        let grant = about.as_ref().map(|(_, grant)| grant.text());
        self.shared.record_denial(
            self.now,
            &denial,
            Event::Denied {
                stage: Stage::Call,
                task: about.as_ref().map(|(cell, _)| (&*cell.name).into()),
                generation: about.as_ref().map(|(cell, _)| cell.generation),
                grant: grant.as_ref().map(|grant| grant.as_str().into()),
                who: Some(self.caller.subject().as_str().into()),
                tool: Some(self.call.tool().into()),
                args: Some(arguments.as_str().into()),
                code: denial.code().as_str().into(),
                reason: denial.reason().as_str().into(),
                rules: denial.rules().map(Into::into).collect(),
                epoch: Some(epoch),
            },
        );
        self.shared.trip(self.caller, &denial, self.now);
        denial
    }
}

fn denied(reason: Reason, current: &Current, rules: &Deciders) -> Denial {
    Denial::new(reason).by_rules(current.ids(rules))
}

impl Presented {
    fn refuse(&self, denial: Denial) -> Refusal {
        Refusal { denial, about: Some((self.cell.clone(), self.grant)) }
    }
}

impl Committed {
    pub(super) fn into_permit(self, shared: &Arc<Apart<Arc<Shared>>>, call: Call) -> Permit {
        let Committed { cell, grant, seq, epoch, rules, lapses, canonical } = self;
        let call = canonical.unwrap_or(call);
        Permit::new(shared.clone(), cell, grant, seq, epoch, lapses, rules, call)
    }
}
