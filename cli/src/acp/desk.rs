//! What is open between the editor and the agent.

use std::collections::BTreeMap;

use super::methods::About;
use super::turn::Turn;
use crate::errand::Started;
use crate::rpc::requests::Requests;

/// A request of the editor that waits for the agent's answer.
#[derive(Debug)]
pub(super) enum Awaited {
    Pass,
    Initialize,
    /// With its answer the turn of this session is over.
    Prompt(String),
}

/// A request of the agent that waits for the editor's answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) session: String,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// A call that was permitted.
    Call(Box<Started>),
    /// A command that was permitted, and runs from its answer on.
    Create(Box<Started>),
    /// Something about a terminal.
    Terminal(About, String),
    /// A command whose turn is over: its terminal is ended as soon as it is known.
    Late,
}

/// What both directions share.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) of_editor: Requests<Awaited>,
    pub(super) of_agent: Requests<Asked>,
    /// Sessions of which a prompt waits for its answer; `None` once it was cancelled.
    pub(super) turns: BTreeMap<String, Option<Turn>>,
    pub(super) phase: Phase,
    /// How many requests the gate has made itself.
    pub(super) own: u64,
    /// All is over: nothing starts any more.
    pub(super) closed: bool,
}

/// How far the handshake is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Before,
    Asked,
    Done,
}
