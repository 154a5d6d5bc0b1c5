//! What there is at a node, as it tells another that asks: what stands, what waits for people, and what is owed outside.

use serde::{Deserialize, Serialize};

use crate::broker::Broker;
use crate::credential::Debt;

/// How many of each are told at most: more than people look at, and well below what a message holds.
const MOST: usize = 2_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::fleet) enum Look {
    Standing,
    Reviews,
    Obligations,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::fleet) enum Seen {
    Standing(StandingThere),
    Reviews(WaitingThere),
    Obligations(OwedThere),
}

/// What is live at a node, as [`Standing`](crate::Standing) is at this one. Times are as they were there, in RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StandingThere {
    /// Live tasks.
    pub tasks: Vec<TaskThere>,
    /// Live grants.
    pub grants: Vec<GrantThere>,
    /// How many calls run on after the end of their task.
    pub late_calls: usize,
    /// Credentials outside that are not known to be gone.
    pub downstream: Vec<CredentialThere>,
    /// How many there are more than are told: of each, two thousand are.
    pub left_out: usize,
}

/// A live task of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TaskThere {
    /// Its name there.
    pub name: Box<str>,
    /// Who opened it.
    pub requester: Box<str>,
    /// When it ends at the latest.
    pub ceiling: Box<str>,
}

/// A live grant of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GrantThere {
    /// Its id.
    pub id: Box<str>,
    /// The task that it ends with.
    pub task: Box<str>,
    /// Who may use it.
    pub holder: Box<str>,
    /// When it ends, unless something ends it before.
    pub expires: Box<str>,
}

/// A credential outside that is not known to be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CredentialThere {
    /// What it is called outside.
    pub name: Box<str>,
    /// What the catalogue calls it.
    pub credential: Box<str>,
    /// What records call the provider.
    pub provider: Box<str>,
    /// The task that it was minted in.
    pub task: Box<str>,
    /// When it has expired.
    pub until: Box<str>,
}

/// What waits for people at a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WaitingThere {
    /// The questions that wait, the oldest first.
    pub questions: Vec<QuestionThere>,
    /// How many there are more than are told.
    pub left_out: usize,
}

/// A question that waits for people at a node. It is answered there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct QuestionThere {
    /// Its id, as the log names it.
    pub id: Box<str>,
    /// The task that it ends with.
    pub task: Box<str>,
    /// Who asked, and is to run it.
    pub holder: Box<str>,
    /// The tools that it is about.
    pub tools: Vec<Box<str>>,
    /// Since when it waits.
    pub asked: Box<str>,
    /// Until when it can be answered.
    pub expires: Box<str>,
}

/// What a node has to withdraw outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwedThere {
    /// Its obligations.
    pub obligations: Vec<ObligationThere>,
    /// How many there are more than are told.
    pub left_out: usize,
}

/// An obligation of a node: see [`Obligation`](crate::Obligation).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ObligationThere {
    /// The credential.
    pub credential: CredentialThere,
    /// How far its withdrawal is: `owed`, `withdrawn`, or `lasting` where it can't be withdrawn.
    pub debt: Box<str>,
    /// Since when it has had to go.
    pub since: Box<str>,
    /// How often that was tried in vain.
    pub attempts: u64,
    /// What was said at the last of these.
    pub last_error: Option<Box<str>>,
}

impl Seen {
    /// What there is at this broker.
    pub(in crate::fleet) fn at(broker: &Broker, look: Look) -> Seen {
        match look {
            Look::Standing => Seen::Standing(standing(broker)),
            Look::Reviews => Seen::Reviews(waiting(broker)),
            Look::Obligations => Seen::Obligations(owed(broker)),
        }
    }
}

fn standing(broker: &Broker) -> StandingThere {
    let own = broker.standing();
    let lengths = [own.tasks.len(), own.grants.len(), own.downstream.len()];
    let task = |task: crate::StandingTask| TaskThere {
        name: (&*task.name).into(),
        requester: task.requester,
        ceiling: text(task.ceiling),
    };
    let grant = |grant: crate::StandingGrant| GrantThere {
        id: text(grant.id),
        task: (&*grant.task).into(),
        holder: grant.holder,
        expires: text(grant.expires),
    };
    let credential = |own: crate::StandingCredential| CredentialThere {
        name: own.name,
        credential: (&*own.credential).into(),
        provider: (&*own.provider).into(),
        task: (&*own.task).into(),
        until: text(own.until),
    };
    StandingThere {
        tasks: own.tasks.into_iter().take(MOST).map(task).collect(),
        grants: own.grants.into_iter().take(MOST).map(grant).collect(),
        late_calls: own.late_calls.len(),
        downstream: own.downstream.into_iter().take(MOST).map(credential).collect(),
        left_out: lengths.iter().map(|length| length.saturating_sub(MOST)).sum(),
    }
}

fn waiting(broker: &Broker) -> WaitingThere {
    let own = broker.waiting_questions();
    let left_out = own.len().saturating_sub(MOST);
    let question = |own: &std::sync::Arc<crate::task::OpenQuestion>| QuestionThere {
        id: own.id.text().as_str().into(),
        task: own.task.clone(),
        holder: own.holder.subject().as_str().into(),
        tools: own.tools().iter().map(|(tool, _)| tool.as_str().into()).collect(),
        asked: text(own.asked),
        expires: text(own.expires),
    };
    WaitingThere { questions: own.iter().take(MOST).map(question).collect(), left_out }
}

fn owed(broker: &Broker) -> OwedThere {
    let own = broker.obligations();
    let left_out = own.len().saturating_sub(MOST);
    let obligation = |own: crate::Obligation| ObligationThere {
        credential: CredentialThere {
            name: own.name,
            credential: (&*own.credential).into(),
            provider: (&*own.provider).into(),
            task: (&*own.task).into(),
            until: text(own.expires),
        },
        debt: match own.debt {
            Debt::Owed => "owed",
            Debt::Withdrawn => "withdrawn",
            Debt::Lasting => "lasting",
        }
        .into(),
        since: text(own.since),
        attempts: own.attempts,
        last_error: own.last_error,
    };
    OwedThere { obligations: own.into_iter().take(MOST).map(obligation).collect(), left_out }
}

fn text(value: impl std::fmt::Display) -> Box<str> {
    value.to_string().into()
}
