//! A question: a call that waits until people agree, what it is bound to, and where it stands.
//!
//! What changes of it changes under its task's lock. Its own lock is for those who only look, and wait.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::plan::{Item, Items};
use super::question_parked::{BoundRule, Parked};
use super::question_standing::{Standing, Vote};
use super::question_state::QuestionState;
use super::question_subject::{Amendment, Subject};
use super::uses::Uses;
use crate::approval::name::Names;
use crate::approval::view::View;
use crate::approval::width::Width;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::{Compiled, WidthOffer, offered_by_all, varied_by_all};
use crate::sync::{Condvar, Mutex};
use crate::tool::ToolName;
use crate::value::Digest;

/// A call, or a plan, that waits until people agree.
pub(crate) struct OpenQuestion {
    parked: Parked,
    /// Rendered when somebody looks: of most questions that wait, no one has yet.
    view: OnceLock<Box<View>>,
    pub(super) standing: Mutex<Standing>,
    /// Signalled when it does not wait any more.
    settled: Condvar,
}

impl Deref for OpenQuestion {
    type Target = Parked;

    fn deref(&self) -> &Parked {
        &self.parked
    }
}

impl OpenQuestion {
    /// Parks it, under what is in force: this version of it, and its policy.
    pub(crate) fn new(parked: Parked, version: u64, policy: Arc<Compiled>) -> Self {
        let items = match &parked.subject {
            Subject::Call { .. } => 0,
            Subject::Scope(plan) => plan.items.len(),
        };
        let standing = Standing::new(items, version, policy);
        OpenQuestion {
            parked,
            view: OnceLock::new(),
            standing: Mutex::new(standing),
            settled: Condvar::new(),
        }
    }

    /// The call, if it is about one.
    pub(crate) fn call(&self) -> Option<&Call> {
        match &self.subject {
            Subject::Call { call, .. } => Some(call),
            Subject::Scope(_) => None,
        }
    }

    /// What it was before, if somebody amended it.
    pub(crate) fn amended(&self) -> Option<&Amendment> {
        match &self.subject {
            Subject::Call { other, .. } => other.as_ref()?.amended.as_ref(),
            Subject::Scope(_) => None,
        }
    }

    /// The question that was asked in its place, if somebody amended it.
    pub(crate) fn successor(&self) -> Option<Arc<OpenQuestion>> {
        self.standing.lock().successor.clone()?.downcast().ok()
    }

    /// Another question is asked in its place: whether it waited.
    pub(crate) fn amend_to(&self, successor: Arc<OpenQuestion>) -> bool {
        let mut standing = self.standing.lock();
        let waits = standing.state == QuestionState::Waiting;
        if waits {
            // Once: it waits no more.
            standing.successor = Some(successor);
            self.settle(&mut standing, QuestionState::Amended);
        }
        waits
    }

    /// The call as it was made, if it is about one.
    pub(crate) fn made(&self) -> Option<&Call> {
        match &self.subject {
            Subject::Call { call, other, .. } => {
                Some(other.as_ref().and_then(|own| own.made.as_ref()).unwrap_or(call))
            }
            Subject::Scope(_) => None,
        }
    }

    /// The tools that it is about, each with its entry in the catalogue.
    pub(crate) fn tools(&self) -> Vec<(&ToolName, Option<Digest>)> {
        match &self.subject {
            Subject::Call { call, .. } => vec![(call.tool_name(), self.binding.listed)],
            Subject::Scope(plan) => {
                let each = plan.items.iter();
                let tool = |item: &Item| plan.capabilities.get(item.at).map(|own| &own.tool);
                each.filter_map(|item| Some((tool(item)?, item.listed))).collect()
            }
        }
    }

    /// What people are shown: rendered when somebody looks, from what was kept when it was asked.
    pub(crate) fn view(&self) -> &View {
        self.view.get_or_init(|| Box::new(self.rendered()))
    }

    /// Where it stands at that time, whether or not it was noticed.
    pub(crate) fn state_at(&self, now: Timestamp) -> QuestionState {
        let standing = self.standing.lock();
        match standing.lapsed(self.expires, now) {
            None | Some(QuestionState::Approved) => standing.shown(),
            Some(lapsed) => lapsed,
        }
    }

    /// Where it stood when that was last noticed.
    pub(crate) fn state(&self) -> QuestionState {
        self.standing.lock().shown()
    }

    /// Whether people can answer it, or a part of it.
    pub(crate) fn awaits(&self, now: Timestamp) -> bool {
        self.standing.lock().state == QuestionState::Waiting && now < self.expires
    }

    /// Until when its yes is good, once it is complete.
    pub(crate) fn good_until(&self) -> Option<Timestamp> {
        self.standing.lock().good_until
    }

    /// Whether it is the same call of the same holder, in the same task.
    pub(crate) fn is_of(&self, holder: &Identity, call: &Call) -> bool {
        self.is_asked_by(holder) && self.call() == Some(call)
    }

    /// Whether its yes reaches this call of this holder: the one that was shown, or one that its width takes for
    /// that.
    pub(crate) fn reaches(&self, holder: &Identity, call: &Call) -> bool {
        let reaches = |call: &Call| match &self.standing.lock().variation {
            Some(variation) => self.call().is_some_and(|shown| variation.covers(shown, call)),
            None => false,
        };
        self.is_asked_by(holder) && (self.call() == Some(call) || reaches(call))
    }

    /// Whether this is who asked, for the same people: what one of them confirmed does not run for another.
    pub(crate) fn is_asked_by(&self, who: &Identity) -> bool {
        self.holder.subject() == who.subject() && self.holder.acts_for() == who.acts_for()
    }

    /// Everyone who said yes.
    pub(crate) fn votes(&self) -> Vec<Vote> {
        self.standing.lock().votes.clone()
    }

    /// Whether nothing that time or what is in force may have changed is to be looked at.
    pub(crate) fn is_up_to_date(&self, version: u64, now: Timestamp) -> bool {
        let standing = self.standing.lock();
        standing.version == version && standing.lapsed(self.expires, now).is_none()
    }

    /// The version of what is in force at which what it is bound to was last looked at.
    pub(crate) fn version(&self) -> u64 {
        self.standing.lock().version
    }

    pub(crate) fn note_version(&self, version: u64, policy: &Arc<Compiled>) {
        let mut standing = self.standing.lock();
        standing.version = version;
        // What a question that lives is shown by does not keep a policy that is in force no more.
        standing.policy = policy.clone();
    }

    /// Has it be past its time, if it is: the state it went to.
    pub(crate) fn pass_time(&self, now: Timestamp) -> Option<QuestionState> {
        let mut standing = self.standing.lock();
        let to = standing.lapsed(self.expires, now)?;
        if to == QuestionState::Spent {
            // What was taken of it in time can still start.
            return None;
        }
        self.settle(&mut standing, to);
        Some(to)
    }

    /// The widths that all of its asks offer.
    pub(crate) fn offers(&self) -> Vec<Width> {
        let policy = self.standing.lock().policy.clone();
        offered_by_all(self.asks_offer(&policy))
    }

    /// The arguments that may be others in the calls of a yes that reaches several.
    pub(crate) fn vary(&self) -> Vec<String> {
        let policy = self.standing.lock().policy.clone();
        let varied = varied_by_all(self.asks_offer(&policy));
        varied.iter().flat_map(|own| &own.vary).map(|name| name.to_string()).collect()
    }

    /// What each ask offers, under a policy that it is bound to.
    fn asks_offer<'q>(&'q self, policy: &'q Compiled) -> impl Iterator<Item = &'q WidthOffer> {
        let offer = |ask: &BoundRule| {
            let rule = policy.rule(policy.place_of(&ask.id)?)?;
            rule.approval.as_ref().map(|terms| &terms.offer)
        };
        self.binding.asks.iter().filter_map(offer)
    }

    /// The first instant at which nothing can come of it, whatever is answered.
    pub(crate) fn last_use(&self) -> Timestamp {
        let usual = Width::CALL.end(self.expires, self.binding.good_for, self.ceiling);
        let ends = self.offers().into_iter();
        let ends = ends.map(|width| width.end(self.expires, self.binding.good_for, self.ceiling));
        ends.max().unwrap_or(usual).max(usual)
    }

    /// Takes somebody's yes.
    pub(crate) fn agree(&self, who: &Identity, confirms: bool, width: Width, items: Items) {
        let vote = Vote { who: who.clone(), names: Names::of_person(who), confirms, width, items };
        self.standing.lock().agree(vote);
    }

    /// Enough have agreed: until when that is good, unless it was complete before.
    pub(crate) fn complete(&self, now: Timestamp) -> Option<Timestamp> {
        let mut standing = self.standing.lock();
        if standing.state != QuestionState::Waiting {
            return None;
        }
        let (uses, until) = standing.reach(now, self.binding.good_for, self.ceiling);
        if uses > Width::CALL.uses() {
            let policy = standing.policy.clone();
            standing.variation = varied_by_all(self.asks_offer(&policy));
        }
        standing.uses = Uses::new(uses);
        standing.good_until = Some(until);
        self.settle(&mut standing, QuestionState::Approved);
        Some(until)
    }

    /// Somebody who may say so says no: the state it went to. `None` where it is too late.
    pub(crate) fn refuse(&self) -> Option<QuestionState> {
        let mut standing = self.standing.lock();
        let to = match standing.state {
            QuestionState::Waiting => QuestionState::Denied,
            _ if standing.is_open() => QuestionState::Withdrawn,
            _ => return None,
        };
        self.settle(&mut standing, to);
        Some(to)
    }

    /// Ends a question that waits, as `to`; whether it did.
    pub(crate) fn end_waiting(&self, to: QuestionState) -> bool {
        let mut standing = self.standing.lock();
        let waits = standing.state == QuestionState::Waiting;
        if waits {
            self.settle(&mut standing, to);
        }
        waits
    }

    /// What it was asked under changed: whether that changes anything.
    pub(crate) fn void(&self) -> bool {
        let mut standing = self.standing.lock();
        let lives = standing.is_open();
        if lives {
            self.settle(&mut standing, QuestionState::Void);
        }
        lives
    }

    /// Its task has ended: what is not final is over. Whether anything was.
    pub(crate) fn end_with_task(&self) -> bool {
        let mut standing = self.standing.lock();
        let to = match standing.state {
            QuestionState::Waiting => QuestionState::Cancelled,
            _ => QuestionState::Void,
        };
        let lived = standing.is_open();
        if lived {
            self.settle(&mut standing, to);
        }
        lived
    }

    /// Spends a use of the approval on a permit, under the task's lock, in one step with the commit.
    pub(super) fn spend(&self) {
        self.change_uses(Uses::take);
    }

    /// Whether what a permit took of it stands: not where the approval was taken back since, or voided.
    pub(super) fn stands(&self) -> bool {
        let state = self.standing.lock().state;
        matches!(state, QuestionState::Approved | QuestionState::Spent)
    }

    /// A call that took a use of it starts: from here on that can't be taken back.
    pub(super) fn note_start(&self) {
        self.change_uses(Uses::start);
    }

    /// A permit never started, and what it took comes back, unless that happened too often.
    pub(super) fn give_back(&self) {
        self.change_uses(Uses::give_back);
    }

    /// A permit never started, and a rule keeps what it took.
    pub(super) fn lose(&self) {
        self.change_uses(Uses::lose);
    }

    /// A permit was never given.
    pub(super) fn unspend(&self) {
        self.change_uses(Uses::undo);
    }

    fn change_uses(&self, change: fn(&mut Uses)) {
        let mut standing = self.standing.lock();
        change(&mut standing.uses);
        standing.note_uses();
    }

    /// Whether nothing can change any more: neither an answer nor a permit that gives it back.
    pub(crate) fn is_final(&self, now: Timestamp) -> bool {
        let standing = self.standing.lock();
        match standing.lapsed(self.expires, now) {
            Some(QuestionState::Spent | QuestionState::Approved) => false,
            Some(_) => true,
            None => !standing.is_open(),
        }
    }

    /// Waits until it does not wait for people any more, or for `most` at the longest.
    pub(crate) fn wait(&self, most: Duration) {
        let mut standing = self.standing.lock();
        let waits = |standing: &mut Standing| standing.state == QuestionState::Waiting;
        self.settled.wait_while_for(&mut standing, waits, most);
    }

    pub(super) fn settle(&self, standing: &mut Standing, to: QuestionState) {
        standing.state = to;
        self.settled.notify_all();
    }
}
