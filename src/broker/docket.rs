//! The docket: every question of the broker, by its id, and how many of them each asker has waiting.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::sync::Mutex;
use crate::task::{OpenQuestion, QuestionId};

/// Questions that are open, and settled ones that are remembered. Its lock is taken last: under a task's or
/// under none.
#[derive(Default)]
pub(crate) struct Docket(Mutex<Listed>);

#[derive(Default)]
struct Listed {
    by_id: HashMap<QuestionId, Arc<OpenQuestion>>,
    /// What waits, by who asked, with when that is over.
    waiting: HashMap<Box<str>, Vec<(Timestamp, QuestionId)>>,
}

impl Docket {
    /// Lists a question, unless its asker has `most` of them waiting already.
    pub(super) fn admit(&self, question: &Arc<OpenQuestion>, most: usize, now: Timestamp) -> bool {
        let mut listed = self.0.lock();
        let own = listed.waiting.entry(question.holder.subject().as_str().into()).or_default();
        own.retain(|(expires, _)| now < *expires);
        if own.len() >= most {
            return false;
        }
        own.push((question.expires, question.id));
        listed.by_id.insert(question.id, question.clone());
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
        self.0.lock().by_id.get(&id).cloned()
    }

    /// All questions, in the order in which they were asked.
    pub(super) fn all(&self) -> Vec<Arc<OpenQuestion>> {
        let mut all: Vec<_> = self.0.lock().by_id.values().cloned().collect();
        all.sort_by_key(|own| (own.asked, own.generation, own.id));
        all
    }
}

impl Listed {
    fn settle(&mut self, question: &OpenQuestion) {
        let asker = question.holder.subject().as_str();
        if let Some(own) = self.waiting.get_mut(asker) {
            own.retain(|(_, id)| *id != question.id);
            if own.is_empty() {
                self.waiting.remove(asker);
            }
        }
    }
}
