//! Taking up again what a log left open: the tasks in which people were asked something, and their questions.
//!
//! What was asked waits again under its id, and a yes is good for what it was given to and for no longer. Grants, tokens
//! and permits of the earlier life are gone: a task that is taken up holds nothing, and no one has it until
//! [`Broker::resume`](crate::Broker::resume) hands it out. Whatever can't be told from the log leaves a question void.

use std::sync::Arc;

use super::current::Current;
use super::eligible::is_bound;
use super::shared::Shared;
use crate::approval::name::Names;
use crate::approval::width::Width;
use crate::audit::{
    Answered, Event, LeftAnswer, LeftQuestion, LeftTask, Resumption, SinceAsked, sealed_place,
};
use crate::clock::Timestamp;
use crate::identity::{Identity, KeptIdentity, Subject};
use crate::policy::COOL_DOWN;
use crate::purpose::{CheckedPurpose, Purpose};
use crate::sync::{Condvar, Mutex};
use crate::task::{
    Binding, Items, KeptQuestion, Life, OpenQuestion, Others, Parked, QuestionId, QuestionState,
    Recalled, RecalledUse, RecalledYes, Requester, TaskCell,
};
use crate::tool::ToolName;

/// A task that a log left open, under what is in force.
pub(super) struct LeftOpen<'a> {
    pub(super) shared: &'a Shared,
    pub(super) resumption: &'a Resumption,
    pub(super) generation: u64,
    pub(super) task: &'a LeftTask,
    /// The questions of the task, by id.
    pub(super) questions: &'a [(&'a str, &'a LeftQuestion)],
    pub(super) at: Timestamp,
}

impl LeftOpen<'_> {
    /// Has those of its questions wait again that can, and records of the others that they are void. Whether anything
    /// may come of the task still: otherwise it is over.
    pub(super) fn take_up(&self) -> bool {
        let LeftOpen { shared, questions: left, .. } = *self;
        let current = shared.current();
        let mut recalled: Vec<Option<Recalled>> =
            left.iter().map(|(_, own)| self.recall(own)).collect();
        let requester = recalled.iter().flatten().find_map(|own| {
            let who = shared.fold.name(&self.task.who);
            let mut all = own.parties.iter().chain([&own.holder]);
            all.find(|party| *party.subject().as_str() == *who).cloned()
        });
        let cell = requester.and_then(|requester| self.cell(&current, requester));
        let mut waits = false;
        for ((id, own), recalled) in left.iter().zip(recalled.drain(..)) {
            let question = match (&cell, recalled) {
                (Some((_, purpose)), Some(recalled)) => {
                    self.question(&current, purpose, id, own, recalled)
                }
                _ => Err("restart"),
            };
            match (question, &cell) {
                (Ok(open), Some((cell, _))) => {
                    let mut life = cell.life.lock();
                    waits |= self.keep(&current, &mut life, open);
                }
                (Err(why), _) => self.void(id, own, why),
                (Ok(_), None) => {}
            }
        }
        let Some((cell, _)) = cell.filter(|_| waits) else { return false };
        cell.life.lock().questions_mut().note_dormant(true);
        shared.table.insert(&cell).is_ok()
    }

    /// What its record keeps of a question, if nothing has been stated anew of those who take part in it.
    fn recall(&self, own: &LeftQuestion) -> Option<Recalled> {
        let kept = KeptQuestion::parse(own.kept.as_ref()?.as_str())?;
        let recalled = kept.recall(self.shared.id, self.shared.fold)?;
        // What was seen of them instead of what was attested is not in the log.
        let is_restated = self.is_restated(&recalled.holder)
            || recalled.parties.iter().any(|party| self.is_restated(party));
        (!is_restated).then_some(recalled)
    }

    fn is_restated(&self, who: &Identity) -> bool {
        who.names().any(|name| self.resumption.is_restated(name, self.shared.fold))
    }

    /// The task, with what it has spent and seen; `None` where that is not known.
    fn cell(
        &self,
        current: &Current,
        requester: Identity,
    ) -> Option<(Arc<TaskCell>, Arc<CheckedPurpose>)> {
        let LeftOpen { task, .. } = *self;
        if task.lost.is_some() {
            return None;
        }
        // What calls have cost, and how their tools are labelled, another policy may say otherwise.
        if task.policies.iter().any(|policy| *policy != *current.digest) {
            return None;
        }
        let purpose = Purpose::new(task.purpose.as_str());
        let purpose = task.ticket.iter().fold(purpose, |own, said| own.ticket(said.as_str()));
        let purpose = task.intent.iter().fold(purpose, |own, said| own.intent(said.as_str()));
        let purpose = Arc::new(purpose.check().ok()?);
        let cell = TaskCell {
            name: task.name.as_str().into(),
            generation: self.generation,
            requester: Requester::of(requester),
            purpose: purpose.clone(),
            ceiling: task.ceiling,
            life: Mutex::new(self.life(current)?),
            call_done: Condvar::new(),
        };
        Some((Arc::new(cell), purpose))
    }

    /// What the task has spent, used and been denied.
    fn life(&self, current: &Current) -> Option<Life> {
        let LeftOpen { shared, task, .. } = *self;
        let policy = &current.policy;
        let mut life = Life::default();
        for call in &task.calls {
            let never_started = call.abandoned || self.resumption.is_unstarted(call.seq);
            let rules = call.rules.iter().filter_map(|id| policy.rule(policy.place_of(id)?));
            for rule in rules.filter(|rule| policy.may_speak_of(&rule.id, &call.tool)) {
                let is_back = never_started && !rule.limits.keeps_abandoned;
                life.counters.recall(&rule.id, &rule.limits, call.at, is_back)?;
            }
            let tool = ToolName::new(&call.tool).ok()?;
            let labels = policy.catalogue.labels_of(&call.tool)?.clone();
            life.recall_call(&tool, &labels, call.seq, current.listing());
        }
        for (holder, id, given) in task.given() {
            let rule = policy.place_of(id).and_then(|at| policy.rule(at));
            if let Some(rule) = rule {
                let holder = Subject::new(&shared.fold.name(holder)).ok()?;
                life.recall_spell(&rule.id, &rule.limits, &holder, given);
            }
        }
        for (id, tool, denied) in &task.denied {
            let rule = policy.place_of(id).and_then(|at| policy.rule(at));
            let terms = rule.and_then(|rule| Some((&rule.id, rule.approval.as_ref()?)));
            if let Some((id, terms)) = terms {
                let until = denied.checked_add(terms.cool_down.unwrap_or(COOL_DOWN));
                let tool = ToolName::new(tool).ok()?;
                life.questions_mut().note_denied(id, &tool, until.unwrap_or(task.ceiling));
            }
        }
        Some(life)
    }

    /// The question as it stood, or why it is void.
    fn question(
        &self,
        current: &Current,
        purpose: &Arc<CheckedPurpose>,
        id: &str,
        own: &LeftQuestion,
        recalled: Recalled,
    ) -> Result<Arc<OpenQuestion>, &'static str> {
        let Recalled { holder, parties, subject, asks, permits, listed } = recalled;
        let policy = &current.policy;
        let terms =
            asks.iter().filter_map(|ask| policy.rule(policy.place_of(&ask.id)?)?.approval.as_ref());
        let good_for = terms.map(|own| own.time_to_use()).min().unwrap_or_default();
        let delegates = self.task.delegates_of(holder.subject().as_str(), self.shared.fold);
        let parked = Parked {
            id: QuestionId::parse(id).ok_or("restart")?,
            task: self.task.name.as_str().into(),
            generation: self.generation,
            others: Others::of(&holder, parties, Names::of(delegates)),
            holder,
            purpose: purpose.clone(),
            subject,
            binding: self.shared.bindings.share(Binding { asks, permits, listed, good_for }),
            break_glass: own.break_glass,
            asked: own.asked,
            expires: own.expires,
            ceiling: self.task.ceiling,
        };
        let open = Arc::new(OpenQuestion::new(parked, current.version, policy.clone()));
        if !is_bound(&open, current) {
            return Err("policy");
        }
        self.follow(current, &open, &own.since)?;
        Ok(open)
    }

    /// Follows what its records say of it since.
    fn follow(
        &self,
        current: &Current,
        open: &OpenQuestion,
        since: &[SinceAsked],
    ) -> Result<(), &'static str> {
        let given_back = |rules: &[String]| {
            let policy = &current.policy;
            let mut limits = rules.iter().filter_map(|id| policy.limits_of(id));
            match limits.any(|own| own.keeps_abandoned) {
                true => RecalledUse::Lost,
                false => RecalledUse::GivenBack,
            }
        };
        let rules_of = |permit: u64| {
            since.iter().find_map(|event| match event {
                SinceAsked::Permitted { seq, rules } if *seq == permit => Some(&rules[..]),
                _ => None,
            })
        };
        for event in since {
            match event {
                SinceAsked::Answered(answer) => self.follow_answer(open, answer)?,
                SinceAsked::Permitted { .. } => open.recall_use(RecalledUse::Taken),
                SinceAsked::Ended { abandoned: false, .. } => open.recall_use(RecalledUse::Started),
                SinceAsked::Ended { of, .. } => {
                    open.recall_use(given_back(rules_of(*of).unwrap_or_default()));
                }
            }
        }
        // What a process that died had permitted and not started never starts; of what had started it is not known
        // whether it ran.
        for event in since {
            let SinceAsked::Permitted { seq, rules } = event else { continue };
            if self.resumption.is_unstarted(*seq) {
                open.recall_use(given_back(rules));
            } else if self.resumption.is_open(*seq) {
                open.recall_use(RecalledUse::Started);
            }
        }
        Ok(())
    }

    fn follow_answer(&self, open: &OpenQuestion, own: &LeftAnswer) -> Result<(), &'static str> {
        let items = |numbers: &[u32]| match numbers {
            [] if open.plan().is_none() => Some(Items::FIRST),
            [] => Some(Items::NONE),
            numbers => open.items_of(numbers),
        };
        let chosen = items(&own.items).ok_or("restart")?;
        match own.answer {
            Answered::Approve | Answered::Confirm => {}
            Answered::Deny => return open.refuse_items(chosen).map(drop).ok_or("restart"),
            // Nothing comes after these.
            Answered::Cancel | Answered::Amend => return Err("restart"),
        }
        let who: KeptIdentity = own
            .who
            .as_ref()
            .and_then(|text| serde_json::from_str(text.as_str()).ok())
            .ok_or("restart")?;
        let who = who.attest(self.shared.id, self.shared.fold).ok_or("restart")?;
        // A role that was taken away by restating it does not come back.
        if self.is_restated(&who) {
            return Err("reviewers");
        }
        // They agreed to what they were shown, and to nothing that is shown today.
        if own.shown.as_deref() != Some(open.view().digest().text().as_str()) {
            return Err("view");
        }
        let given = match open.plan() {
            None => Items::NONE,
            Some(_) => items(&own.given).ok_or("restart")?,
        };
        let is_as_it_was = open.recall_yes(&RecalledYes {
            who: &who,
            confirms: own.answer == Answered::Confirm,
            width: own
                .width
                .as_deref()
                .map_or(Ok(Width::CALL), str::parse)
                .map_err(|_| "restart")?,
            items: chosen,
            given,
            at: own.at,
            good_until: own.good_until,
        });
        is_as_it_was.then_some(()).ok_or("restart")
    }

    /// Has it stand among the questions of its task; whether anything may come of it.
    fn keep(&self, current: &Current, life: &mut Life, open: Arc<OpenQuestion>) -> bool {
        let LeftOpen { shared, at, .. } = *self;
        if open.state() == QuestionState::Spent && open.is_final(at) {
            return false;
        }
        shared.docket.admit(&open, usize::MAX, at);
        if !open.awaits(at) {
            shared.docket.settle(&open);
        }
        // Its time may be over.
        shared.refresh(current, &open, at);
        let waits = !open.is_final(at);
        shared.docket.forget(&life.questions_mut().keep(open, at));
        waits
    }

    /// Says that nothing comes of it any more.
    fn void(&self, id: &str, own: &LeftQuestion, why: &str) {
        // A yes that was used up has nothing left to void. What is left of any other would come back with the next life,
        // which may know less of why it is void.
        if own.is_used_up(|permit| self.resumption.is_unstarted(permit)) {
            return;
        }
        let (task, question) = (own.task.as_str().into(), id.into());
        let (generation, break_glass) = (own.generation, own.break_glass);
        let (state, why) = (QuestionState::Void.as_str().into(), why.into());
        let event = Event::Voided { task, generation, question, state, why, break_glass };
        self.shared.record(self.at, &event);
    }
}

impl Shared {
    /// What of a question outlives the process, sealed for its record. Nothing where no log goes on.
    pub(super) fn sealed_question(&self, current: &Current, open: &OpenQuestion) -> Option<String> {
        self.seal_for(current, "asked", open, || open.to_kept())
    }

    /// Who said yes, sealed for the record of that.
    pub(super) fn sealed_vote(
        &self,
        current: &Current,
        open: &OpenQuestion,
        who: &Identity,
    ) -> Option<String> {
        let kept = || serde_json::to_string(&KeptIdentity::of(who)).ok();
        self.seal_for(current, "answered", open, kept)
    }

    fn seal_for(
        &self,
        current: &Current,
        kind: &str,
        open: &OpenQuestion,
        text: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        let log = self.kept_log.as_deref()?;
        // What breaking the glass gave is not taken up again.
        let text = (!open.break_glass).then(text)??;
        let generation = open.generation.to_string();
        let id = open.id.text();
        let place = sealed_place(kind, log, id.as_str(), &open.task, &generation);
        // Without randomness it comes back as void.
        current.keys.seals.seal(&place, &text).ok()
    }
}

#[cfg(test)]
mod tests;
