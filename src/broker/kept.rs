//! Approvals of scopes that a task keeps: what lies within one passes the asks that it names, as long as it is
//! good.

use std::sync::Arc;

use super::current::Current;
use super::eligible::Electorate;
use super::judge::CallInputs;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::{Deciders, Question, What};
use crate::scope::Capability;
use crate::task::{Items, Life, Liveness, OpenQuestion, QuestionState};

/// Who is to pass an ask, in a task.
#[derive(Clone, Copy)]
pub(super) struct Passing<'a> {
    pub(super) current: &'a Current,
    pub(super) life: &'a Life,
    /// Whose approvals are looked at: none serves anybody else, a delegate neither.
    pub(super) holder: &'a Identity,
    /// Who else takes part now.
    pub(super) parties: &'a [&'a Identity],
    pub(super) now: Timestamp,
}

impl Shared {
    /// The question whose approval lets something pass an ask: one about a scope that covers it, to which enough
    /// have agreed who may still; and the item that does.
    pub(super) fn passes(
        &self,
        passing: &Passing<'_>,
        ask: &str,
        covers: impl Fn(&Capability) -> bool,
    ) -> Option<(Arc<OpenQuestion>, usize)> {
        let Passing { current, life, holder, parties, now } = *passing;
        let all = life.questions()?.all().iter().rev();
        let mut theirs = all.filter(|own| own.plan().is_some() && own.is_asked_by(holder));
        theirs.find_map(|own| {
            self.refresh(current, own, now);
            let plan = own.plan()?;
            let good = own.good_items(now, true).meet(own.items_of_ask(ask));
            let item = good.iter().find(|at| {
                let item = plan.items.get(*at).and_then(|item| plan.capability(item));
                item.is_some_and(&covers) && self.still_given(own, (*at, ask), passing, parties)
            });
            Some((own.clone(), item?))
        })
    }

    /// Whether those who agreed to an item may still, and are enough for this ask: void where they are not.
    fn still_given(
        &self,
        question: &OpenQuestion,
        (item, ask): (usize, &str),
        passing: &Passing<'_>,
        parties: &[&Identity],
    ) -> bool {
        let Passing { current, life, now, .. } = *passing;
        let electorate = Electorate::of(current, question, life, parties);
        let votes = question.votes();
        let only = Some(ask);
        let counts = |who: &Identity| !self.halts.stop(who, now);
        if electorate.progress_of(item, only, &votes, counts).is_met() {
            return true;
        }
        if !electorate.progress_of(item, only, &votes, |_| true).is_met() && question.void() {
            self.settled(question, QuestionState::Void, "reviewers", now);
        }
        false
    }
}

impl CallInputs<'_> {
    /// The asks that no approval of a scope lets the call pass, and the questions whose approvals do.
    #[cold]
    pub(super) fn not_passed(
        &self,
        life: &Life,
        live: &Liveness,
        question: &Question<'_>,
        asks: Deciders,
    ) -> (Deciders, Vec<(Arc<OpenQuestion>, Items)>) {
        let CallInputs { request, current, presented, .. } = *self;
        if life.questions().is_none() {
            return (asks, Vec::new());
        }
        let holders: Vec<&Identity> = life.holders(live.grant()).collect();
        let parties: Vec<&Identity> =
            holders.into_iter().chain([&*presented.cell.requester]).collect();
        let passing =
            Passing { current, life, holder: request.caller, parties: &parties, now: live.at() };
        let What { tool, args, resource, .. } = question.what;
        let call = (tool, args, resource.is_some());
        let covers = |scope: &Capability| {
            Capability::first_covering([scope], call, question, &self.meter).is_some()
        };
        let (mut left, mut scopes) = (Vec::new(), Vec::<(Arc<OpenQuestion>, Items)>::new());
        for at in asks.iter() {
            let ask = current.policy.rule(*at);
            match ask.and_then(|ask| request.shared.passes(&passing, &ask.id, covers)) {
                None => left.push(*at),
                Some((open, item)) => {
                    match scopes.iter_mut().find(|(own, _)| Arc::ptr_eq(own, &open)) {
                        Some((_, items)) => *items = items.and(item),
                        None => scopes.push((open, Items::NONE.and(item))),
                    }
                }
            }
        }
        (left.into_iter().collect(), scopes)
    }
}
