//! What is open between both sides: which requests wait for which answers, and what was negotiated.

use std::collections::BTreeSet;

use super::revision::{RESERVED, Revision};
use crate::errand::Started;
use crate::rpc::requests::Requests;

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

/// What both directions share.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) of_client: Requests<Waiting>,
    pub(super) of_server: Requests<Waiting>,
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
