//! A question: a call that waits until people agree, what it is bound to, and where it stands.
//!
//! What changes of it changes under its task's lock. Its own lock is for those who only look, and wait.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::question_state::QuestionState;
use crate::approval::GIVEN_BACK;
use crate::approval::name::Names;
use crate::approval::view::{Asked, RuleShown, Source, View};
use crate::base64::{Spelled, decode};
use crate::call::Call;
use crate::clock::{Timestamp, format_duration};
use crate::identity::Identity;
use crate::policy::Compiled;
use crate::purpose::CheckedPurpose;
use crate::random::{self, RandomError};
use crate::sync::{Condvar, Mutex};
use crate::value::Digest;

/// A question's id: 128 random bits. It names a question and lends no authority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QuestionId([u8; 16]);

impl QuestionId {
    pub(crate) fn random() -> Result<QuestionId, RandomError> {
        let mut bytes = [0; 16];
        random::fill(&mut bytes)?;
        Ok(QuestionId(bytes))
    }

    /// The id as records write it.
    pub(crate) fn text(&self) -> Spelled<22> {
        Spelled::new(&self.0)
    }

    /// Reads what [`text`](Self::text) wrote.
    pub(crate) fn parse(text: &str) -> Option<QuestionId> {
        let mut bytes = [0; 16];
        decode(text, &mut bytes)?;
        Some(QuestionId(bytes))
    }
}

impl fmt::Debug for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// A rule that a question is bound to: it is void once the rule says something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoundRule {
    pub(crate) id: Arc<str>,
    pub(crate) digest: Digest,
}

/// A call that waits until people agree.
pub(crate) struct OpenQuestion {
    parked: Parked,
    view: OnceLock<View>,
    standing: Mutex<Standing>,
    /// Signalled when it does not wait any more.
    settled: Condvar,
}

struct Standing {
    state: QuestionState,
    votes: Vec<Vote>,
    good_until: Option<Timestamp>,
    given_back: u8,
    /// Whether the call that spent it has started.
    started: bool,
    /// The version of what is in force that it was last found to be bound to, and its policy.
    version: u64,
    policy: Arc<Compiled>,
}

/// Somebody's yes.
#[derive(Clone)]
pub(crate) struct Vote {
    pub(crate) who: Identity,
    /// All names that were stated with a yes of this one.
    pub(crate) names: Names,
    /// A confirmation by the human that is acted for; a review otherwise.
    pub(crate) confirms: bool,
}

/// What a question is made of, and bound to.
pub(crate) struct Parked {
    pub(crate) id: QuestionId,
    pub(crate) task: Box<str>,
    pub(crate) generation: u64,
    /// Who asked, and is to run the call.
    pub(crate) holder: Identity,
    /// Who can't answer, as the holder can't: the requester, and those who delegated to the holder.
    pub(crate) parties: Box<[Identity]>,
    pub(crate) purpose: Arc<CheckedPurpose>,
    /// As the tool will get it.
    pub(crate) call: Call,
    /// As it was made, where its arguments were spelled otherwise.
    pub(crate) made: Option<Box<Call>>,
    /// The asks that withhold the call, by id.
    pub(crate) asks: Box<[BoundRule]>,
    /// The permits that give it.
    pub(crate) permits: Box<[BoundRule]>,
    /// Of the tool's entry in the catalogue.
    pub(crate) listed: Option<Digest>,
    pub(crate) asked: Timestamp,
    /// Until when people can answer.
    pub(crate) expires: Timestamp,
    /// How long a yes is good for, and until when at most.
    pub(crate) good_for: Duration,
    pub(crate) ceiling: Timestamp,
}

impl Deref for OpenQuestion {
    type Target = Parked;

    fn deref(&self) -> &Parked {
        &self.parked
    }
}

impl OpenQuestion {
    /// Parks a call, under what is in force: this version of it, and its policy.
    pub(crate) fn new(parked: Parked, version: u64, policy: Arc<Compiled>) -> Self {
        let standing = Standing {
            state: QuestionState::Waiting,
            votes: Vec::new(),
            good_until: None,
            given_back: 0,
            started: false,
            version,
            policy,
        };
        OpenQuestion {
            parked,
            view: OnceLock::new(),
            standing: Mutex::new(standing),
            settled: Condvar::new(),
        }
    }

    /// The call as it was made.
    pub(crate) fn made(&self) -> &Call {
        self.made.as_deref().unwrap_or(&self.call)
    }

    /// What people are shown: rendered when somebody looks, from what was kept when it was asked.
    pub(crate) fn view(&self) -> &View {
        self.view.get_or_init(|| {
            // Its rules say today what they said then, or it is void and shows what it showed.
            let policy = self.standing.lock().policy.clone();
            let asks = self.asks.iter().map(|bound| ("ask", bound));
            let rules = asks.chain(self.permits.iter().map(|bound| ("permit", bound)));
            let rules: Vec<RuleShown<'_>> = rules
                .filter_map(|(effect, bound)| {
                    let rule = policy.rule(policy.place_of(&bound.id)?)?;
                    let limits = match (&rule.approval, effect) {
                        (Some(terms), "ask") => vec![
                            ("to answer", format_duration(terms.time_to_answer())),
                            ("good for", format_duration(terms.time_to_use())),
                        ],
                        _ => rule.limits.shown(),
                    };
                    Some(RuleShown { effect, id: &rule.id, owner: rule.owned_by(), limits })
                })
                .collect();
            let material: Vec<(&str, &Digest)> = self.call.materials().iter().collect();
            let others = self.parties.iter().filter(|own| own.subject() != self.holder.subject());
            let parties: Vec<Identity> = others.cloned().collect();
            View::of(&Source {
                asked: Asked::Call(&self.call),
                holder: &self.holder,
                parties: &parties,
                amended_by: &[],
                task: (&self.task, self.generation),
                purpose: &self.purpose,
                rules: &rules,
                material: &material,
                before: None,
            })
        })
    }

    /// Where it stands at that time, whether or not it was noticed.
    pub(crate) fn state_at(&self, now: Timestamp) -> QuestionState {
        let standing = self.standing.lock();
        self.lapsed(&standing, now).unwrap_or(standing.state)
    }

    /// Where it stood when that was last noticed.
    pub(crate) fn state(&self) -> QuestionState {
        self.standing.lock().state
    }

    fn lapsed(&self, standing: &Standing, now: Timestamp) -> Option<QuestionState> {
        match standing.state {
            QuestionState::Waiting if now >= self.expires => Some(QuestionState::Expired),
            QuestionState::Approved if standing.good_until.is_none_or(|until| now >= until) => {
                Some(QuestionState::Lapsed)
            }
            _ => None,
        }
    }

    /// Until when its yes is good, once it is complete.
    pub(crate) fn good_until(&self) -> Option<Timestamp> {
        self.standing.lock().good_until
    }

    /// Whether it is the same call of the same holder, in the same task.
    pub(crate) fn is_of(&self, holder: &Identity, call: &Call) -> bool {
        self.is_asked_by(holder) && self.call == *call
    }

    /// Whether this is who asked, for the same people: what one of them confirmed does not run for another.
    pub(crate) fn is_asked_by(&self, who: &Identity) -> bool {
        self.holder.subject() == who.subject() && self.holder.acts_for() == who.acts_for()
    }

    /// Everyone who said yes.
    pub(crate) fn votes(&self) -> Vec<Vote> {
        self.standing.lock().votes.clone()
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
        let to = self.lapsed(&standing, now)?;
        self.settle(&mut standing, to);
        Some(to)
    }

    /// Takes a yes; one of the same person again adds nothing.
    pub(crate) fn agree(&self, who: &Identity, confirms: bool) {
        let mut vote = Vote { who: who.clone(), names: Names::of_person(who), confirms };
        let mut standing = self.standing.lock();
        let same =
            |own: &Vote| own.confirms == vote.confirms && own.who.subject() == vote.who.subject();
        match standing.votes.iter_mut().find(|own| same(own)) {
            // As it is attested now, and known by every name that was stated: a person who leaves an alias
            // out is not another one.
            Some(own) => {
                vote.names.add(std::mem::take(&mut own.names));
                *own = vote;
            }
            None => standing.votes.push(vote),
        }
    }

    /// Enough have agreed: until when that is good, unless it was complete before.
    pub(crate) fn complete(&self, now: Timestamp) -> Option<Timestamp> {
        let mut standing = self.standing.lock();
        if standing.state != QuestionState::Waiting {
            return None;
        }
        let until = now.checked_add(self.good_for).unwrap_or(self.ceiling).min(self.ceiling);
        standing.good_until = Some(until);
        self.settle(&mut standing, QuestionState::Approved);
        Some(until)
    }

    /// Somebody who may say so says no: the state it went to. `None` where it is too late.
    pub(crate) fn refuse(&self) -> Option<QuestionState> {
        let mut standing = self.standing.lock();
        let to = match standing.state {
            QuestionState::Waiting => QuestionState::Denied,
            QuestionState::Approved => QuestionState::Withdrawn,
            QuestionState::Spent if !standing.started => QuestionState::Withdrawn,
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

    /// Its task has ended: what is not final is over.
    pub(crate) fn end_with_task(&self) {
        let mut standing = self.standing.lock();
        let to = match standing.state {
            QuestionState::Waiting => QuestionState::Cancelled,
            _ => QuestionState::Void,
        };
        if standing.is_open() {
            self.settle(&mut standing, to);
        }
    }

    /// Spends the approval on a permit, under the task's lock, in one step with the commit.
    pub(super) fn spend(&self) {
        self.standing.lock().state = QuestionState::Spent;
    }

    /// Whether it is spent: `false` where the approval was taken back since, or voided.
    pub(super) fn is_spent(&self) -> bool {
        self.standing.lock().state == QuestionState::Spent
    }

    /// The call that spent it starts: from here on it can't be taken back.
    pub(super) fn note_start(&self) {
        self.standing.lock().started = true;
    }

    /// Whether nothing can change any more: neither an answer nor a permit that gives it back.
    pub(crate) fn is_final(&self, now: Timestamp) -> bool {
        let standing = self.standing.lock();
        !standing.is_open() || self.lapsed(&standing, now).is_some()
    }

    /// The permit never started, and the approval comes back, unless it did so too often.
    pub(super) fn give_back(&self) {
        let mut standing = self.standing.lock();
        if standing.given_back < GIVEN_BACK && standing.state == QuestionState::Spent {
            standing.given_back += 1;
            standing.come_back();
        }
    }

    /// The permit was never given.
    pub(super) fn unspend(&self) {
        let mut standing = self.standing.lock();
        if standing.state == QuestionState::Spent {
            standing.come_back();
        }
    }

    /// Waits until it does not wait for people any more, or for `most` at the longest.
    pub(crate) fn wait(&self, most: Duration) {
        let mut standing = self.standing.lock();
        let waits = |standing: &mut Standing| standing.state == QuestionState::Waiting;
        self.settled.wait_while_for(&mut standing, waits, most);
    }

    fn settle(&self, standing: &mut Standing, to: QuestionState) {
        standing.state = to;
        self.settled.notify_all();
    }
}

impl Standing {
    /// Whether it waits, or is a yes that no call has started on: what can still end otherwise.
    fn is_open(&self) -> bool {
        match self.state {
            QuestionState::Waiting | QuestionState::Approved => true,
            QuestionState::Spent => !self.started,
            _ => false,
        }
    }

    fn come_back(&mut self) {
        self.state = QuestionState::Approved;
    }
}
