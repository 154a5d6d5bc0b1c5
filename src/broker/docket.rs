//! The docket: every question of the broker, by its id, and how many of them each asker has waiting.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::identity::Subject;
use crate::sync::Mutex;
use crate::task::{OpenQuestion, QuestionId};

/// Questions that are open, and settled ones that are remembered. Its lock is taken last: under a task's or
/// under none.
#[derive(Default)]
pub(crate) struct Docket(Mutex<Listed>);

#[derive(Default)]
struct Listed {
    by_id: HashSet<ById>,
    /// What waits, by who asked.
    waiting: HashMap<Subject, Vec<Arc<OpenQuestion>>>,
}

/// A question, found by its id.
struct ById(Arc<OpenQuestion>);

impl Borrow<QuestionId> for ById {
    fn borrow(&self) -> &QuestionId {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Docket {
    /// Lists a question, unless its asker has `most` of them waiting already.
    pub(super) fn admit(&self, question: &Arc<OpenQuestion>, most: usize, now: Timestamp) -> bool {
        let mut listed = self.0.lock();
        let own = listed.waiting.entry(question.holder.subject().clone()).or_default();
        own.retain(|own| now < own.expires);
        if own.len() >= most {
            return false;
        }
        own.push(question.clone());
        listed.by_id.insert(ById(question.clone()));
        true
    }

    /// A question does not wait any more.
    pub(super) fn settle(&self, question: &OpenQuestion) {
        self.0.lock().settle(question);
    }

    /// Forgets questions.
    pub(super) fn forget<'q>(&self, questions: impl IntoIterator<Item = &'q Arc<OpenQuestion>>) {
        let mut listed = self.0.lock();
        for question in questions {
            listed.settle(question);
            listed.by_id.remove(&question.id);
        }
    }

    /// The question of this id, as records write it.
    pub(super) fn find(&self, id: &str) -> Option<Arc<OpenQuestion>> {
        self.find_id(QuestionId::parse(id)?)
    }

    pub(super) fn find_id(&self, id: QuestionId) -> Option<Arc<OpenQuestion>> {
        self.0.lock().by_id.get(&id).map(|own| own.0.clone())
    }

    /// All questions, in the order in which they were asked.
    pub(super) fn all(&self) -> Vec<Arc<OpenQuestion>> {
        let mut all: Vec<_> = self.0.lock().by_id.iter().map(|own| own.0.clone()).collect();
        all.sort_by_key(|own| (own.asked, own.generation, own.id));
        all
    }
}

impl Listed {
    fn settle(&mut self, question: &OpenQuestion) {
        let asker = question.holder.subject().as_str();
        if let Some(own) = self.waiting.get_mut(asker) {
            own.retain(|own| own.id != question.id);
            if own.is_empty() {
                self.waiting.remove(asker);
            }
        }
    }
}
