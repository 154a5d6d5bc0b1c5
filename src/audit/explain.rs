//! The story of a task, from its log alone: who asked, for whom, why, which rule gave it, who agreed, what
//! ran, what was refused, and what ended it.

mod agreement;
mod call;
mod credential;
mod emergency;
mod grant;
mod sentence;
mod settlement;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use self::agreement::{Agreement, Answer};
pub use self::call::{CallEnd, ExplainedCall};
pub use self::credential::ExplainedCredential;
pub use self::emergency::ExplainedEmergency;
pub use self::grant::{AccessEnd, ExplainedGrant};
pub use self::sentence::Sentence;
pub use self::settlement::TaskSettlement;
use super::{Event, How, Record};
use crate::audit::{AnswerGiven, Asked, GrantShortened};
use crate::clock::Timestamp;

/// Tells the stories of the tasks of a name, in the order in which they were opened: mostly of one, since a
/// name is free again once its task has ended.
///
/// Records are believed: [`verify`](super::verify()) says whether they may be. For a log longer than memory, an
/// [`Explainer`] takes them one by one.
///
/// ```
/// use hallpass::audit::explain;
/// # use hallpass::prelude::*;
/// # let rule = Rule::permit("adders-add").tool("math.add").any_args();
/// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open_named("sums", &agent, Purpose::new("adding").ticket("T-1"))?;
/// let grant = task.request(Scope::tool("math.add").any_args(), &Context::new())?;
/// let call = Call::new("math.add", serde_json::json!({ "a": 1 }))?;
/// broker.gate().authorize(&grant, &agent, call, &Context::new())?.run(|_| Ok::<_, String>(2))?;
/// task.complete();
/// broker.flush();
///
/// let stories = explain(&broker.log().expect("in memory").records(), "sums");
/// let [story] = &stories[..] else { panic!("one task had this name") };
/// assert_eq!((&*story.who, story.ticket.as_deref()), ("agent-7", Some("T-1")));
/// assert_eq!(story.calls[0].rules, ["adders-add"]);
/// println!("{story}"); // in sentences
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn explain<'r>(records: impl IntoIterator<Item = &'r Record>, task: &str) -> Vec<Explanation> {
    let mut explainer = Explainer::of_task(task);
    for record in records {
        explainer.note(record);
    }
    explainer.finish()
}

/// Which tasks are explained.
#[derive(Clone, Debug)]
enum Wanted {
    Name(String),
    Generation(u64),
}

/// As [`explain`], of records that come one by one, from the log's first on. It holds what is said of the tasks
/// that it explains, and a digest for each policy that was loaded.
#[derive(Clone, Debug)]
pub struct Explainer {
    wanted: Wanted,
    /// The policy of each epoch, of the last life that had it.
    policies: BTreeMap<u64, String>,
    last: Option<Timestamp>,
    stories: Vec<Explanation>,
}

impl Explainer {
    /// Explains the tasks of this name.
    #[must_use]
    pub fn of_task(name: &str) -> Self {
        Explainer::of(Wanted::Name(name.to_owned()))
    }

    /// Explains the task of this generation.
    #[must_use]
    pub fn of_generation(generation: u64) -> Self {
        Explainer::of(Wanted::Generation(generation))
    }

    fn of(wanted: Wanted) -> Self {
        Explainer { wanted, policies: BTreeMap::new(), last: None, stories: Vec::new() }
    }

    /// Follows the log by one record.
    pub fn note(&mut self, record: &Record) {
        self.last = self.last.max(Some(record.at));
        if let Event::Reloaded { epoch, policy } = &record.event {
            self.policies.insert(*epoch, policy.to_string());
        }
        if let Event::Opened { task, generation, .. } = &record.event {
            let wanted = match &self.wanted {
                Wanted::Name(name) => name == task,
                Wanted::Generation(own) => own == generation,
            };
            if wanted {
                self.stories.extend(Explanation::opened(record));
            }
            return;
        }
        match record.event.generation() {
            Some(generation) => {
                let mut stories = self.stories.iter_mut().rev();
                if let Some(story) = stories.find(|story| story.generation == generation) {
                    story.note(record, &self.policies);
                }
            }
            // A credential may be gone long after its task has ended.
            None if credential::name_of(&record.event).is_some() => {
                for story in &mut self.stories {
                    story.note_credential(record);
                }
            }
            // What is not said of a task concerns those that are open. Of one name, only the last one can be.
            None => {
                if let Some(story) = self.stories.last_mut().filter(|own| own.ended.is_none()) {
                    story.note_around(record);
                }
            }
        }
    }

    /// What the records that were noted say.
    #[must_use]
    pub fn finish(mut self) -> Vec<Explanation> {
        for story in &mut self.stories {
            story.settle(self.last);
        }
        self.stories
    }
}

/// What a log says of one task. Shown, it is a sentence a line, in the order of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The task's name.
    pub task: String,
    /// Its generation, which no other task of the log has.
    pub generation: u64,
    /// When it was opened.
    pub opened: Timestamp,
    /// Who asked for it.
    pub who: String,
    /// Of which kind they are: `agent`, `workload` or `human`.
    pub who_kind: String,
    /// For whom, the nearest first.
    pub acts_for: Vec<String>,
    /// Why: the purpose's name.
    pub purpose: String,
    /// The ticket that it names.
    pub ticket: Option<String>,
    /// What it says in words.
    pub intent: Option<String>,
    /// When it ends at the latest.
    pub ceiling: Timestamp,
    /// What was granted in it, in the order in which it was.
    pub grants: Vec<ExplainedGrant>,
    /// The calls that were permitted, in their order.
    pub calls: Vec<ExplainedCall>,
    /// The credentials that were planned for its calls.
    pub credentials: Vec<ExplainedCredential>,
    /// How many requests and calls were denied.
    pub denied: u64,
    /// What ended it, if anything has.
    pub ended: Option<TaskEnd>,
    /// That nothing is left of it, and what became of its credentials. Of a task whose end left nothing, that is said by
    /// its end.
    pub settled: Option<TaskSettlement>,
    /// All of it, in sentences.
    pub sentences: Vec<Sentence>,
    /// What people were asked, by the question's id.
    #[serde(skip)]
    questions: BTreeMap<String, Agreement>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskEnd {
    /// The number of the record that says so.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// Why, in the words of who ended it.
    pub reason: Option<String>,
    /// The permits whose calls were running then.
    pub running: Vec<u64>,
}

impl Explanation {
    fn opened(record: &Record) -> Option<Self> {
        let Event::Opened {
            task,
            generation,
            who,
            who_kind,
            acts_for,
            purpose,
            ticket,
            intent,
            ceiling,
        } = &record.event
        else {
            return None;
        };
        let mut story = Explanation {
            task: task.to_string(),
            generation: *generation,
            opened: record.at,
            who: who.to_string(),
            who_kind: who_kind.to_string(),
            acts_for: acts_for.iter().map(ToString::to_string).collect(),
            purpose: purpose.to_string(),
            ticket: ticket.as_ref().map(ToString::to_string),
            intent: intent.as_ref().map(ToString::to_string),
            ceiling: *ceiling,
            grants: Vec::new(),
            calls: Vec::new(),
            credentials: Vec::new(),
            denied: 0,
            ended: None,
            settled: None,
            sentences: Vec::new(),
            questions: BTreeMap::new(),
        };
        story.say(record);
        Some(story)
    }

    /// Follows the task by a record about it.
    fn note(&mut self, record: &Record, policies: &BTreeMap<u64, String>) {
        let seq = record.seq;
        match &record.event {
            Event::Granted { grant, approvals, .. } => {
                let agreed = self.agreed(approvals);
                match self.grants.iter_mut().rev().find(|own| own.id == **grant) {
                    Some(own) => own.renew(record, agreed),
                    None => self.grants.extend(ExplainedGrant::of(record, agreed)),
                }
            }
            Event::BrokenGlass(_) => self.grants.extend(ExplainedGrant::of_emergency(record)),
            Event::AlertFailed { grant, .. } | Event::DebtClosed { grant, .. } => {
                let own = self.grants.iter_mut().rev().find(|own| own.id == **grant);
                if let Some(emergency) = own.and_then(|own| own.emergency.as_mut()) {
                    emergency.note(record);
                }
            }
            Event::Permitted { grant, approvals, epoch, .. } => {
                let chain = grant::chain(&self.grants, grant);
                let (agreed, policy) = (self.agreed(approvals), policies.get(epoch).cloned());
                self.calls.extend(ExplainedCall::of(record, chain, agreed, policy));
            }
            Event::Outcome { of, outcome, .. } => {
                if let Some(call) = self.call_mut(*of) {
                    call.ended = Some(CallEnd { seq, at: record.at, outcome: *outcome });
                }
            }
            Event::Starting { of, .. } => {
                if let Some(call) = self.call_mut(*of) {
                    call.starting = Some(seq);
                }
            }
            Event::SecretFound { of, credentials, .. } => {
                if let Some(call) = self.call_mut(*of) {
                    call.secrets_found.extend(credentials.iter().map(ToString::to_string));
                }
            }
            Event::Asked(Asked { question, .. }) => {
                let asked = Agreement::of(record).map(|asked| (question.to_string(), asked));
                self.questions.extend(asked);
            }
            Event::Answered(AnswerGiven { question, .. }) => {
                if let Some(asked) = self.questions.get_mut(&**question) {
                    asked.answer(record);
                }
            }
            Event::GrantShortened(GrantShortened { grant, expires, .. }) => {
                if let Some(own) = self.grants.iter_mut().rev().find(|own| own.id == **grant) {
                    own.expires = *expires;
                }
            }
            Event::GrantEnded { grant, why, below, .. } => {
                let end = AccessEnd { seq: Some(seq), at: record.at, why: why.to_string() };
                for id in below.iter().chain([grant]) {
                    if let Some(own) = self.grants.iter_mut().rev().find(|own| own.id == **id) {
                        own.ended.get_or_insert_with(|| end.clone());
                    }
                }
            }
            Event::Ended { how, reason, running, unsettled, .. } => {
                let reason = reason.as_ref().map(ToString::to_string);
                let (at, how, running) = (record.at, *how, running.clone());
                self.ended = Some(TaskEnd { seq, at, how, reason, running });
                if !unsettled {
                    self.settled = Some(TaskSettlement::by_end(record));
                }
            }
            Event::Settled(settled) => {
                self.settled = Some(TaskSettlement::of(record, settled));
            }
            Event::Denied { .. } => self.denied += 1,
            Event::DeniedAgain(denials) => {
                self.denied = self.denied.saturating_add(denials.count);
            }
            Event::CredentialPlanned { .. } => {
                self.credentials.extend(ExplainedCredential::of(record));
            }
            Event::CredentialMinted { .. } => return self.note_credential(record),
            _ => {}
        }
        self.say(record);
    }

    /// Follows one of the task's credentials by a record that names it.
    fn note_credential(&mut self, record: &Record) {
        let name = credential::name_of(&record.event);
        let mut own = self.credentials.iter_mut().rev();
        if let Some(own) = own.find(|own| Some(&*own.name) == name) {
            own.note(record);
            self.say(record);
        }
    }

    /// Follows an open task by what is not about a task: halts, policies, the end of its process.
    fn note_around(&mut self, record: &Record) {
        let concerns = match &record.event {
            Event::Halted { .. } | Event::Resumed { .. } | Event::Reloaded { .. } => true,
            Event::Reopened { .. } => true,
            Event::Withdrawn { task, .. } => task.as_deref() == Some(&self.task),
            _ => false,
        };
        if concerns {
            self.say(record);
        }
    }

    fn say(&mut self, record: &Record) {
        self.sentences.extend(Sentence::of(record));
    }

    /// What people were asked in these questions, and what they have said up to now.
    fn agreed(&self, approvals: &[Cow<'_, str>]) -> Vec<Agreement> {
        approvals.iter().filter_map(|id| self.questions.get(&**id)).cloned().collect()
    }

    /// Permits rise in number, so the one of a number is found without looking at all.
    fn call_mut(&mut self, seq: u64) -> Option<&mut ExplainedCall> {
        let at = self.calls.binary_search_by_key(&seq, |call| call.seq).ok()?;
        self.calls.get_mut(at)
    }

    /// Says of each grant what ended it, where no record of its own does.
    fn settle(&mut self, last: Option<Timestamp>) {
        let ends: Vec<_> = self.grants.iter().map(|own| grant::end_of(own, self, last)).collect();
        for (own, end) in self.grants.iter_mut().zip(ends) {
            own.ended = end;
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentences.iter().try_for_each(|sentence| writeln!(f, "{sentence}"))
    }
}

#[cfg(test)]
pub(super) mod tests;
