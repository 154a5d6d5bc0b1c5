//! Who holds what at one moment of a log, and who waits for whom.

mod held;
mod noted;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use self::held::{
    Watched, WatchedCall, WatchedCredential, WatchedDebt, WatchedGrant, WatchedHalt,
    WatchedQuestion, WatchedTask,
};
use super::review::tools_of;
use super::{Event, LeftDebt, Outcome, Record};
use crate::audit::{AnswerGiven, Asked, BrokenGlass, GrantShortened};
use crate::clock::Timestamp;

/// Follows a log record by record, and says who holds what.
///
/// Records are believed: [`verify`](super::verify()) says whether they may be. What is kept is what is live: it does not
/// grow with the log.
///
/// ```
/// use hallpass::audit::Watcher;
/// # use hallpass::prelude::*;
/// # let rule = Rule::permit("adders").any_tool().any_args();
/// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open_named("sums", &agent, Purpose::new("adding"))?;
/// let grant = task.request(Scope::tool("math.add").any_args(), &Context::new())?;
/// let mut watcher = Watcher::new();
/// broker.flush();
/// broker.log().expect("in memory").records().iter().for_each(|record| watcher.note(record));
///
/// let opened = broker.log().expect("in memory").records()[2].at;
/// let watched = watcher.at(opened);
/// assert_eq!((&*watched.tasks[0].task, &*watched.tasks[0].purpose), ("sums", "adding"));
/// assert_eq!((&*watched.grants[0].holder, &watched.grants[0].rules[..]), ("agent-7", &["adders".to_owned()][..]));
/// # task.complete();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Watcher {
    through: u64,
    last: Option<Timestamp>,
    /// By generation.
    tasks: BTreeMap<u64, LiveTask>,
    /// By the number of the permit.
    calls: BTreeMap<u64, WatchedCall>,
    halts: BTreeMap<String, Option<Timestamp>>,
    /// By grant.
    debts: BTreeMap<String, LeftDebt>,
    credentials: BTreeMap<String, WatchedCredential>,
}

/// A task that has not ended, and what hangs from it.
#[derive(Clone, Debug)]
struct LiveTask {
    own: WatchedTask,
    grants: BTreeMap<String, WatchedGrant>,
    questions: BTreeMap<String, WatchedQuestion>,
}

impl Watcher {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Watcher::default()
    }

    /// Takes the next record.
    pub fn note(&mut self, record: &Record) {
        self.through = record.seq;
        self.last = self.last.max(Some(record.at));
        match &record.event {
            Event::Opened { generation, .. } => {
                let opened = WatchedTask::of(record).map(LiveTask::opened);
                self.tasks.extend(opened.map(|own| (*generation, own)));
            }
            Event::Ended { generation, .. } => _ = self.tasks.remove(generation),
            // What a broker gave is gone with it.
            Event::Reopened { .. } => self.tasks.values_mut().for_each(LiveTask::lose_broker),
            Event::BrokenGlass(BrokenGlass { grant, .. }) => {
                let debt = LeftDebt::of(&record.event, record.at);
                self.debts.extend(debt.map(|own| (grant.to_string(), own)));
            }
            Event::AlertFailed { grant, given: false, .. }
            | Event::DebtClosed { grant, refused: None, .. } => {
                self.debts.remove(&**grant);
            }
            Event::Permitted { .. } => {
                self.calls.extend(WatchedCall::of(record).map(|own| (record.seq, own)));
            }
            Event::Outcome { of, outcome, generation, .. } => {
                let call = self.calls.remove(of);
                let call = call.filter(|_| *outcome == Outcome::Abandoned);
                if let (Some(task), Some(call)) = (self.tasks.get_mut(generation), call) {
                    task.give_back(&call);
                }
            }
            Event::Halted { what, until } => _ = self.halts.insert(what.to_string(), *until),
            Event::Resumed { what } => _ = self.halts.remove(&**what),
            Event::CredentialPlanned { name, .. } => {
                let planned = WatchedCredential::of(record);
                self.credentials.extend(planned.map(|own| (name.to_string(), own)));
            }
            Event::CredentialMinted { name, .. }
            | Event::CredentialOwed { name, .. }
            | Event::CredentialWithdrawn { name } => {
                if let Some(own) = self.credentials.get_mut(&**name) {
                    own.note(&record.event);
                }
            }
            Event::CredentialGone { name, .. } => _ = self.credentials.remove(&**name),
            _ => {}
        }
        if let Some(task) = record.event.generation().and_then(|own| self.tasks.get_mut(&own)) {
            task.note(record);
        }
    }

    /// How it stands at a time, which is never before the last record.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Watched {
        let now = self.last.map_or(now, |last| last.max(now));
        let (mut tasks, mut grants, mut questions) = (Vec::new(), Vec::new(), Vec::new());
        for task in self.tasks.values().filter(|task| now < task.own.ceiling) {
            tasks.push(task.own.clone());
            grants.extend(task.grants_at(now));
            let waits = task.questions.values();
            let waits = waits.filter(|own| own.until.is_none_or(|until| now < until));
            questions.extend(waits.cloned());
        }
        let is_over = |own: &WatchedCall| !self.tasks.contains_key(&own.generation);
        let calls = self.calls.values();
        let calls = calls.map(|own| WatchedCall { task_over: is_over(own), ..own.clone() });
        let halts = self.halts.iter().filter(|(_, until)| until.is_none_or(|until| now < until));
        let halts = halts.map(|(what, until)| WatchedHalt { what: what.clone(), until: *until });
        Watched {
            at: now,
            through: self.through,
            tasks,
            grants,
            calls: calls.collect(),
            questions,
            halts: halts.collect(),
            debts: self.debts.values().map(WatchedDebt::of).collect(),
            credentials: self.credentials.values().cloned().collect(),
        }
    }
}

impl LiveTask {
    fn opened(own: WatchedTask) -> Self {
        LiveTask { own, grants: BTreeMap::new(), questions: BTreeMap::new() }
    }

    /// Its broker is gone, and its grants are with it. What people were asked may be asked on.
    fn lose_broker(&mut self) {
        self.own.dormant = true;
        self.grants.clear();
    }

    /// Takes the next record about it.
    fn note(&mut self, record: &Record) {
        match &record.event {
            Event::TaskResumed { .. } => self.own.dormant = false,
            Event::Granted { grant, .. } => {
                let calls = self.grants.get(&**grant).map_or(0, |before| before.calls);
                let given = WatchedGrant::of(record, calls);
                self.grants.extend(given.map(|own| (grant.to_string(), own)));
            }
            Event::BrokenGlass(BrokenGlass { grant, .. }) => {
                let given = WatchedGrant::of_emergency(record);
                self.grants.extend(given.map(|own| (grant.to_string(), own)));
            }
            Event::AlertFailed { grant, given: false, .. } => _ = self.grants.remove(&**grant),
            Event::GrantShortened(GrantShortened { grant, expires, .. }) => {
                if let Some(own) = self.grants.get_mut(&**grant) {
                    own.expires = own.expires.min(*expires);
                }
            }
            // What was delegated from it is not live without it.
            Event::GrantEnded { grant, .. } => _ = self.grants.remove(&**grant),
            Event::Permitted { grant, approvals, .. } => {
                if let Some(own) = self.grants.get_mut(&**grant) {
                    own.calls += 1;
                }
                self.redeem(approvals);
            }
            Event::Asked(Asked { question, .. }) => {
                let asked = WatchedQuestion::of(record);
                self.questions.extend(asked.map(|own| (question.to_string(), own)));
            }
            Event::Answered(answer) => self.answer(answer),
            Event::Voided { question, .. } => _ = self.questions.remove(&**question),
            _ => {}
        }
    }

    /// The call of a permit never started.
    fn give_back(&mut self, call: &WatchedCall) {
        if let Some(own) = self.grants.get_mut(&call.grant) {
            own.calls = own.calls.saturating_sub(1);
        }
    }

    /// A permit redeems approvals: one that was good for one call waits for no one any more.
    fn redeem(&mut self, approvals: &[Cow<'_, str>]) {
        for id in approvals {
            if self.questions.get(&**id).is_some_and(WatchedQuestion::is_of_one_call) {
                self.questions.remove(&**id);
            }
        }
    }

    fn answer(&mut self, answer: &AnswerGiven<'_>) {
        let Some(own) = self.questions.get_mut(&*answer.question) else { return };
        if answer.refused.is_none() && !own.answer(answer) {
            self.questions.remove(&*answer.question);
        }
    }

    /// The grants that are live, each until all that it hangs from ends at the latest.
    fn grants_at(&self, now: Timestamp) -> impl Iterator<Item = WatchedGrant> {
        self.grants.values().filter_map(move |own| {
            let expires = self.end_of(own).filter(|expires| now < *expires)?;
            Some(WatchedGrant { expires: expires.min(self.own.ceiling), ..own.clone() })
        })
    }

    /// When a grant ends at the latest. Nothing of one that hangs from what has ended.
    fn end_of(&self, own: &WatchedGrant) -> Option<Timestamp> {
        let (mut end, mut next) = (own.expires, own.parent.as_deref());
        // A chain is no longer than there are grants: a log that was not verified may name a circle.
        for _ in 0..=self.grants.len() {
            let Some(parent) = next else { return Some(end) };
            let above = self.grants.get(parent)?;
            end = end.min(above.expires);
            next = above.parent.as_deref();
        }
        None
    }
}

#[cfg(test)]
mod tests;
