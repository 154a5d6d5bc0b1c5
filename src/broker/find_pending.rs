//! Finding what waits for people again: by its text, and all of a task.

use std::sync::Arc;

use super::gate::Gate;
use super::pending::Pending;
use super::shared::Shared;
use super::task::Task;
use crate::approval::handle::{Handle, PREFIX};
use crate::sync::Apart;
use crate::task::{OpenQuestion, QuestionId};

impl Gate {
    /// What waits for people, by the text that its asker was given: `None` where that is not a text of this broker,
    /// was changed, is past its time, or of a question that is forgotten. Who may redeem it is asked then.
    pub fn pending(&self, text: &str) -> Option<Pending> {
        text.starts_with(PREFIX).then_some(())?;
        Some(Pending::new(self.shared.clone(), self.shared.find_question(text)?))
    }
}

impl Task {
    /// What of this task waits for people, in the order in which it was asked.
    pub fn pending(&self) -> Vec<Pending> {
        let shared = Arc::new(Apart(self.shared.clone()));
        let Some(now) = self.shared.time_of_end() else { return Vec::new() };
        let life = self.cell.life.lock();
        let all = life.questions().map_or(&[][..], |questions| questions.all());
        let waiting = all.iter().filter(|own| own.awaits(self.shared.as_of(now)));
        waiting.map(|own| Pending::new(shared.clone(), own.clone())).collect()
    }
}

impl Shared {
    /// The question of an id, or of a handle's text.
    pub(super) fn find_question(&self, text: &str) -> Option<Arc<OpenQuestion>> {
        let now = self.now().ok()?;
        if !text.starts_with(PREFIX) {
            return self.docket.find(text);
        }
        let keys = self.log_keys.lock();
        let handle = Handle::read(text, &self.issuer, |id| keys.find(id), now).ok()?;
        self.docket.find_id(QuestionId::from_bytes(handle.question))
    }
}
