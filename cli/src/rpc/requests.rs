//! The requests of one side that wait for their answers.

use std::collections::{BTreeMap, VecDeque};

use super::message::Id;

/// The most requests of one side that may be open at once, and the most ids of cancelled ones that are remembered.
const MOST_OPEN: usize = 4096;

/// The requests of one side.
#[derive(Debug)]
pub(crate) struct Requests<W> {
    open: BTreeMap<Id, W>,
    /// Cancelled, and not answered yet: an answer that comes late must not be taken for that of a later request.
    /// Most servers never answer these, so that the oldest are forgotten.
    cancelled: VecDeque<Id>,
}

impl<W> Default for Requests<W> {
    fn default() -> Self {
        Requests { open: BTreeMap::new(), cancelled: VecDeque::new() }
    }
}

impl<W> Requests<W> {
    /// Whether a request under this id may be made now, and why not.
    pub(crate) fn check(&self, id: &Id) -> Result<(), &'static str> {
        if self.open.contains_key(id) || self.cancelled.contains(id) {
            return Err("a request with this id is open already");
        }
        if self.open.len() >= MOST_OPEN {
            return Err("too many requests are open at once");
        }
        Ok(())
    }

    pub(crate) fn open(&mut self, id: Id, waiting: W) {
        self.open.insert(id, waiting);
    }

    /// Takes what waits for an answer, once.
    pub(crate) fn answered(&mut self, id: &Id) -> Option<W> {
        self.cancelled.retain(|own| own != id);
        self.open.remove(id)
    }

    /// Takes what was cancelled. Its answer, should it still come, is thrown away.
    pub(crate) fn cancel(&mut self, id: &Id) -> Option<W> {
        let waiting = self.open.remove(id)?;
        self.forget(id);
        Some(waiting)
    }

    /// An answer to this request, should one still come, is thrown away.
    pub(crate) fn forget(&mut self, id: &Id) {
        if self.cancelled.len() >= MOST_OPEN {
            self.cancelled.pop_front();
        }
        self.cancelled.push_back(id.clone());
    }

    /// What waits for an answer.
    pub(crate) fn waiting(&self, id: &Id) -> Option<&W> {
        self.open.get(id)
    }

    /// Takes all that wait.
    pub(crate) fn take_all(&mut self) -> Vec<(Id, W)> {
        std::mem::take(&mut self.open).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::named(Some(&format!("{{\"id\":{text}}}")), "id").unwrap()
    }

    #[test]
    fn an_id_is_answered_once_and_used_once_at_a_time() {
        let mut requests = Requests::default();
        requests.open(id("1"), ());
        assert!(requests.check(&id("1.0")).is_err() && requests.check(&id("\"1\"")).is_ok());
        assert!(requests.answered(&id("1")).is_some() && requests.answered(&id("1")).is_none());
        assert!(requests.check(&id("1")).is_ok());
    }

    #[test]
    fn the_late_answer_of_a_cancelled_request_is_never_that_of_another() {
        let mut requests = Requests::default();
        requests.open(id("1"), ());
        assert!(requests.cancel(&id("1")).is_some() && requests.cancel(&id("1")).is_none());
        assert!(requests.check(&id("1")).is_err(), "its answer may still come");
        assert!(requests.answered(&id("1")).is_none());
        assert!(requests.check(&id("1")).is_ok());
    }

    #[test]
    fn requests_of_one_side_are_bounded() {
        let mut requests = Requests::default();
        for n in 0..MOST_OPEN {
            assert!(requests.check(&id(&n.to_string())).is_ok());
            requests.open(id(&n.to_string()), ());
        }
        assert!(requests.check(&id("\"more\"")).is_err());
        assert_eq!(requests.take_all().len(), MOST_OPEN);
    }
}
