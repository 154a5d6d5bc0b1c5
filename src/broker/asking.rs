//! Asking people: a call that only asks withhold is parked until they agree, and found again.

use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::eligible::{Electorate, human_behind, is_bound};
use super::judge::{CallInputs, Withheld};
use super::pending::Pending;
use super::shared::Shared;
use crate::approval::name::Names;
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::Row;
use crate::identity::Identity;
use crate::policy::{ApprovalTerms, Deciders, offered_by_all};
use crate::task::{
    Approval, BoundRule, Life, Liveness, OpenQuestion, Parked, QuestionId, QuestionState,
};

impl CallInputs<'_> {
    /// What people agreed to of this call, if it covers all these asks.
    pub(super) fn approved(
        &self,
        life: &Life,
        live: &Liveness,
        asks: &Deciders,
        permits: &Deciders,
    ) -> Option<Box<Approval>> {
        let (shared, current) = (self.request.shared, self.current);
        let CallInputs { request, .. } = self;
        let questions = life.questions()?;
        let now = live.at();
        // What people said yes to is presented by somebody, and may have been delegated, who did not take part
        // when they were asked.
        let above = life.row(live).map(|row| life.above(row)).ok()?;
        let holders = above.iter().map(|row| &row.holder);
        let presenting: Vec<&Identity> =
            holders.chain([request.caller, &self.presented.cell.requester]).collect();
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
            let names = |own: &OpenQuestion| own.asks.iter().any(|bound| bound.id == ask.id);
            if !used.iter().any(|own| names(own)) {
                used.push((*usable.iter().find(|own| names(own))?).clone());
            }
        }
        let mut rules = permits.iter().filter_map(|at| current.policy.rule(*at));
        let is_kept = rules.any(|rule| rule.limits.keeps_abandoned);
        (!used.is_empty()).then(|| Box::new(Approval { questions: used.into(), is_kept }))
    }

    /// Parks the call, or finds the open question of an equal one: the denial says what to come back with. A
    /// call that no one could answer for is not parked, and the denial says why.
    #[cold]
    pub(super) fn park(
        &self,
        life: &mut Life,
        live: &Liveness,
        withheld: &Withheld,
        denial: Denial,
    ) -> Denial {
        match self.find_or_park(life, live, withheld) {
            Ok(open) => {
                denial.with_pending(Arc::new(Pending::new(self.request.owner.clone(), open)))
            }
            Err(Unasked::Because(why)) => denial.and_because(why),
            Err(Unasked::Full(why, wait)) => {
                let rules = self.current.ids(&withheld.asks);
                let full = Denial::new(Reason::TooMany).by_rules(rules).because(why);
                wait.into_iter().fold(full, Denial::free_after)
            }
            Err(Unasked::Denied(denial)) => denial,
        }
    }

    fn find_or_park(
        &self,
        life: &mut Life,
        live: &Liveness,
        withheld: &Withheld,
    ) -> Result<Arc<OpenQuestion>, Unasked> {
        let CallInputs { request, current, presented, .. } = self;
        let (shared, call, holder) = (request.shared, request.call, request.caller);
        let now = live.at();
        // A log that takes nothing does not become a way to fill the memory by asking and taking back.
        if shared.journal.is_full() {
            return Err(Unasked::Denied(Denial::new(Reason::LogRefused)));
        }
        let asks = self.bound(&withheld.asks);
        if let Some(questions) = life.questions() {
            for own in questions.all() {
                shared.refresh(current, own, now);
            }
            let names = |own: &OpenQuestion| asks.iter().all(|ask| own.asks.contains(ask));
            let mut same = questions.of(holder, call);
            let waits = |own: &&Arc<OpenQuestion>| own.state_at(now).is_waiting() && names(own);
            if let Some(open) = same.find(waits) {
                return Ok(open.clone());
            }
        }
        let rules = withheld.asks.iter().filter_map(|at| current.policy.rule(*at));
        let terms: Vec<(&Arc<str>, &ApprovalTerms)> =
            rules.filter_map(|rule| Some((&rule.id, rule.approval.as_ref()?))).collect();
        let above = life.row(live).map(|row| life.above(row)).map_err(Unasked::Denied)?;
        let delegators = above.iter().map(|row: &&Row| row.holder.clone());
        let mut parties = vec![presented.cell.requester.clone()];
        parties.extend(delegators);
        let mut names = Names::of_party(holder);
        parties.iter().for_each(|party| names.add(Names::of_party(party)));
        if offered_by_all(terms.iter().map(|(_, own)| &own.offer)).is_empty() {
            let rules: Vec<String> = terms.iter().map(|(rule, _)| format!("`{rule}`")).collect();
            return Err(Unasked::Because(format!(
                "{} offer no width in common: no yes would be one to all of them",
                rules.join(" and ")
            )));
        }
        for (rule, own) in &terms {
            self.can_be_asked(rule, own, &names)?;
            let cools =
                life.questions().and_then(|own| own.cools_down(rule, call.tool_name(), now));
            if let Some(until) = cools {
                let why = format!(
                    "`{rule}`: its questions about `{}` were denied too often in this task: nothing is \
                     asked until {until}",
                    call.tool()
                );
                return Err(Unasked::Full(why, Some(until.since(now))));
            }
        }
        let most = shared.settings.questions_per_task;
        if life.questions().is_some_and(|own| own.waiting(now) >= most) {
            let why = format!("the task has {most} questions waiting: answer or cancel some");
            return Err(Unasked::Full(why, None));
        }
        let shortest = |length: fn(&ApprovalTerms) -> Duration| {
            terms.iter().map(|(_, own)| length(own)).min().unwrap_or_default()
        };
        let (expires, good_for) =
            (shortest(ApprovalTerms::time_to_answer), shortest(ApprovalTerms::time_to_use));
        let ceiling = presented.cell.ceiling;
        let id = QuestionId::random()
            .map_err(|error| Unasked::Denied(Denial::new(Reason::NoRandomness).because(error)))?;
        let parked = Parked {
            id,
            task: presented.cell.name.clone(),
            generation: presented.cell.generation,
            holder: holder.clone(),
            parties: parties.into(),
            purpose: presented.cell.purpose.clone(),
            call: call.clone(),
            made: (call != request.made).then(|| Box::new(request.made.clone())),
            asks,
            permits: self.bound(&withheld.permits),
            listed: current.policy.catalogue.get(call.tool()).and_then(|own| own.digest),
            asked: now,
            expires: now.checked_add(expires).unwrap_or(ceiling).min(ceiling),
            good_for,
            ceiling,
        };
        let open = Arc::new(OpenQuestion::new(parked, current.version, current.policy.clone()));
        let refuses_cut = terms.iter().find(|(_, own)| own.offer.refuses_cut);
        if let (Some((rule, _)), Some(line)) = (refuses_cut, open.view().unshown()) {
            let why = format!("`{rule}` wants all of a call shown, and this is not: {line}");
            return Err(Unasked::Because(why));
        }
        let most = shared.settings.questions_per_identity;
        if !shared.docket.admit(&open, most, now) {
            let who = holder.subject();
            let why = format!("`{who}` has {most} questions waiting: answer or cancel some");
            return Err(Unasked::Full(why, None));
        }
        let forgotten = life.questions_mut().keep(open.clone(), now);
        shared.docket.forget(&forgotten);
        self.record_asked(&open, now);
        Ok(open)
    }

    /// Whether anybody could answer for this ask.
    fn can_be_asked(
        &self,
        rule: &str,
        terms: &ApprovalTerms,
        parties: &Names,
    ) -> Result<(), Unasked> {
        let holder = self.request.caller;
        if terms.confirm && human_behind(holder).is_none() {
            return Err(Unasked::Because(format!(
                "`{rule}` asks the human whom `{}` acts for, and it acts for none",
                holder.subject()
            )));
        }
        let material = self.request.call.materials();
        if let Some(name) = terms.material.iter().find(|name| !material.has(name)) {
            return Err(Unasked::Because(format!(
                "`{rule}` wants a digest of the call's material `{name}`, and the call states none"
            )));
        }
        if terms.fault_of_quorum(&|id| parties.include(id)).is_some() {
            return Err(Unasked::Because(format!(
                "`{rule}` leaves too few who may review: no one approves for themselves, and those it names \
                 are who asks, who delegated, or whom they act for"
            )));
        }
        Ok(())
    }

    fn bound(&self, rules: &Deciders) -> Box<[BoundRule]> {
        let policy = &self.current.policy;
        let each = rules.iter().filter_map(|at| {
            let (rule, digest) = (policy.rule(*at)?, policy.digest_of(*at)?);
            Some(BoundRule { id: rule.id.clone(), digest })
        });
        each.collect()
    }

    fn record_asked(&self, open: &OpenQuestion, now: Timestamp) {
        let CallInputs { request, current, .. } = self;
        let args = request.arguments(current, &open.call).text();
        let mut parties: Vec<_> = Vec::new();
        let others = open.parties.iter().flat_map(|own| own.names());
        for name in open.holder.names().skip(1).chain(others) {
            if !parties.contains(&name) && name != open.holder.subject().as_str() {
                parties.push(name);
            }
        }
        let event = Event::Asked {
            task: (&*open.task).into(),
            generation: open.generation,
            question: open.id.text().as_str().to_owned().into(),
            who: open.holder.subject().as_str().into(),
            parties: parties.into_iter().map(Into::into).collect(),
            tool: open.call.tool().into(),
            args: args.as_str().into(),
            rules: open.asks.iter().map(|ask| (&*ask.id).into()).collect(),
            vary: open.vary().into_iter().map(Into::into).collect(),
            expires: open.expires,
            epoch: current.epoch,
        };
        request.shared.record(now, &event);
    }
}

/// Why a call was not parked.
enum Unasked {
    /// People can't be asked about it.
    Because(String),
    /// Too much is asked already; and how long that lasts, if it is known.
    Full(String, Option<Duration>),
    Denied(Denial),
}

impl Shared {
    /// Brings a question up to date with time and policy, under its task's lock: where it stands now.
    pub(super) fn refresh(
        &self,
        current: &Current,
        question: &OpenQuestion,
        now: Timestamp,
    ) -> QuestionState {
        if let Some(to) = question.pass_time(now) {
            self.settled(question, to, "time", now);
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
        let event = Event::Voided {
            task: (&*question.task).into(),
            generation: question.generation,
            question: question.id.text().as_str().to_owned().into(),
            state: to.as_str().into(),
            why: why.into(),
        };
        self.record(now, &event);
    }
}
