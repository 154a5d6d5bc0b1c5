//! Acts: what concerns every node of a fleet.

use serde::{Deserialize, Serialize};

use crate::value::Object;

/// An act, as it is written into an entry. What is not understood is an error at the node that does not understand
/// it, which then gives nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Act {
    /// As records write halts.
    Halt {
        what: Box<str>,
        /// When it lapses by itself, in milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
    },
    Resume {
        what: Box<str>,
    },
    Reload {
        /// The epoch that the actor knew: one that is not in force any more makes the act void.
        replaces: u64,
        /// Of the policy as the actor understood it: a node that understands another gives nothing.
        digest: Box<str>,
        policy: Box<str>,
    },
    RevokeIdentity {
        id: Box<str>,
    },
    RevokeTool {
        name: Box<str>,
    },
    /// Keeps an identity or a tool out, and ends what each node holds of it: one entry, so that nothing comes between.
    HaltAndRevoke {
        what: Box<str>,
    },
    /// One life of a node ends: it gives nothing any more, and its tasks are over.
    RemoveNode {
        node: Box<str>,
        incarnation: [u8; 16],
    },
    /// A task of one node: other nodes have others of that name.
    EndTask {
        node: Box<str>,
        task: Box<str>,
    },
    /// All that is attested of a subject; nothing where it is seen as it was attested again.
    Restate {
        subject: Box<str>,
        facts: Option<Facts>,
    },
}

/// What is attested of a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    pub(super) groups: Vec<Box<str>>,
    pub(super) attributes: Object,
}

impl Act {
    /// The number of its kind, which stands in front of its body.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Act::Halt { .. } => 1,
            Act::Resume { .. } => 2,
            Act::Reload { .. } => 3,
            Act::RevokeIdentity { .. } => 4,
            Act::RevokeTool { .. } => 5,
            Act::EndTask { .. } => 6,
            Act::Restate { .. } => 7,
            Act::HaltAndRevoke { .. } => 8,
            Act::RemoveNode { .. } => 9,
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// The act of this kind and body; `None` if this version knows none.
    pub(super) fn decode(kind: u8, body: &[u8]) -> Option<Act> {
        let act: Act = serde_json::from_slice(body).ok()?;
        (act.kind() == kind).then_some(act)
    }
}
