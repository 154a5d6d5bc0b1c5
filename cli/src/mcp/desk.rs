//! What is open between both sides: which requests wait for which answers, and what was negotiated.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::gatekeeper::Started;
use super::message::Id;
use super::revision::{RESERVED, Revision};

/// The most requests of one side that may be open at once, and the most ids of cancelled ones that are remembered.
const MOST_OPEN: usize = 4096;

/// The most tools of a server, over all pages.
const MOST_TOOLS: usize = 65_536;

/// What waits for an answer.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Its answer is handed on as it is.
    Pass,
    Initialize,
    Discover,
    ListTools {
        revision: Revision,
        continues: bool,
    },
    /// A call that was permitted, of a tool or under a reserved name.
    Call {
        started: Box<Started>,
        revision: Revision,
        of_tool: bool,
    },
}

/// The requests of one side.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: BTreeMap<Id, Waiting>,
    /// Cancelled, and not answered yet: an answer that comes late must not be taken for that of a later request.
    /// Most servers never answer these, so that the oldest are forgotten.
    cancelled: VecDeque<Id>,
}

/// What both directions share.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) of_client: Requests,
    pub(super) of_server: Requests,
    /// What client and server agreed on by a handshake.
    pub(super) negotiated: Option<Revision>,
    /// The revision that a request last stated by itself.
    pub(super) stated: Option<Revision>,
    pub(super) tools: Tools,
    /// All is over: nothing starts any more.
    pub(super) closed: bool,
}

/// The names of tools that the server has listed.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Those of this pass over all pages.
    seen: BTreeSet<String>,
    /// Those that were there twice in it.
    doubled: BTreeSet<String>,
    /// Those that the client was shown in it.
    shown: BTreeSet<String>,
    /// Those that are pinned and were described as they are pinned, in any pass.
    as_pinned: BTreeSet<String>,
    /// Those that were ever described otherwise. They stay so: what a server takes back it can bring back.
    changed: BTreeSet<String>,
}

impl Requests {
    /// Whether a request under this id may be made now, and why not.
    pub(super) fn check(&self, id: &Id) -> Result<(), &'static str> {
        if self.open.contains_key(id) || self.cancelled.contains(id) {
            return Err("a request with this id is open already");
        }
        if self.open.len() >= MOST_OPEN {
            return Err("too many requests are open at once");
        }
        Ok(())
    }

    pub(super) fn open(&mut self, id: Id, waiting: Waiting) {
        self.open.insert(id, waiting);
    }

    /// Takes what waits for an answer, once.
    pub(super) fn answered(&mut self, id: &Id) -> Option<Waiting> {
        self.cancelled.retain(|own| own != id);
        self.open.remove(id)
    }

    /// Takes what was cancelled. Its answer, should it still come, is thrown away.
    pub(super) fn cancel(&mut self, id: &Id) -> Option<Waiting> {
        let waiting = self.open.remove(id)?;
        if self.cancelled.len() >= MOST_OPEN {
            self.cancelled.pop_front();
        }
        self.cancelled.push_back(id.clone());
        Some(waiting)
    }

    /// Takes all that wait.
    pub(super) fn take_all(&mut self) -> Vec<(Id, Waiting)> {
        std::mem::take(&mut self.open).into_iter().collect()
    }
}

impl Desk {
    /// The revision by which what belongs to no request is read.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.negotiated.or(self.stated)
    }
}

impl Tools {
    /// Begins a pass over all pages.
    pub(super) fn begin(&mut self) {
        self.seen.clear();
        self.doubled.clear();
        self.shown.clear();
    }

    /// Notes what the client is shown of a page.
    pub(super) fn show<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.shown.extend(names.into_iter().map(str::to_owned));
    }

    /// Those that belong to no other and could be shown, by what is askable now, if they differ from those that were.
    pub(super) fn changed(&mut self, askable: impl Fn(&BTreeSet<String>) -> Vec<String>) -> bool {
        let mut could: BTreeSet<String> = askable(&self.seen).into_iter().collect();
        let is_own = |name: &String| !self.doubled.contains(name) && !self.changed.contains(name);
        could.retain(|name| is_own(name) && !name.starts_with(RESERVED));
        let is_changed = could != self.shown;
        self.shown = could;
        is_changed
    }

    /// Notes the names of a page, and says which of them are there a second time.
    pub(super) fn note(&mut self, names: &[String]) -> Vec<String> {
        let mut is_again =
            |name: &String| self.seen.len() >= MOST_TOOLS || !self.seen.insert(name.clone());
        let again: Vec<String> = names.iter().filter(|name| is_again(name)).cloned().collect();
        self.doubled.extend(again.iter().cloned());
        again
    }

    /// Notes whether a tool that is pinned is described so.
    pub(super) fn note_pinned(&mut self, name: &str, as_pinned: bool) {
        let set = if as_pinned { &mut self.as_pinned } else { &mut self.changed };
        set.insert(name.to_owned());
    }

    pub(super) fn is_changed(&self, name: &str) -> bool {
        self.changed.contains(name)
    }

    /// Why a tool that is pinned can't be called, if it can't.
    pub(super) fn check_pinned(&self, name: &str) -> Result<(), &'static str> {
        match (self.changed.contains(name), self.as_pinned.contains(name)) {
            (true, _) => Err("the server describes the tool otherwise than it is pinned"),
            (false, true) => Ok(()),
            (false, false) => {
                Err("the tool is pinned, and the server has not listed it in this session")
            }
        }
    }

    pub(super) fn is_doubled(&self, name: &str) -> bool {
        self.doubled.contains(name)
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
        requests.open(id("1"), Waiting::Pass);
        assert!(requests.check(&id("1.0")).is_err() && requests.check(&id("\"1\"")).is_ok());
        assert!(requests.answered(&id("1")).is_some() && requests.answered(&id("1")).is_none());
        assert!(requests.check(&id("1")).is_ok());
    }

    #[test]
    fn the_late_answer_of_a_cancelled_request_is_never_that_of_another() {
        let mut requests = Requests::default();
        requests.open(id("1"), Waiting::Pass);
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
            requests.open(id(&n.to_string()), Waiting::Pass);
        }
        assert!(requests.check(&id("\"more\"")).is_err());
        assert_eq!(requests.take_all().len(), MOST_OPEN);
    }

    #[test]
    fn a_pinned_tool_is_called_once_it_was_seen_and_never_after_it_was_another() {
        let mut tools = Tools::default();
        assert!(tools.check_pinned("a").is_err());
        tools.note_pinned("a", true);
        tools.begin();
        assert!(tools.check_pinned("a").is_ok() && tools.check_pinned("b").is_err());
        tools.note_pinned("a", false);
        tools.note_pinned("a", true);
        assert!(tools.check_pinned("a").is_err() && tools.is_changed("a"));
    }

    #[test]
    fn a_name_is_doubled_over_pages_until_a_pass_has_it_once() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut tools = Tools::default();
        assert_eq!(tools.note(&names(&["a", "b", "a"])), ["a"]);
        assert_eq!(tools.note(&names(&["b", "c"])), ["b"]);
        assert!(tools.is_doubled("a") && tools.is_doubled("b") && !tools.is_doubled("c"));
        tools.begin();
        assert!(tools.note(&names(&["a", "b"])).is_empty() && !tools.is_doubled("a"));
    }
}
