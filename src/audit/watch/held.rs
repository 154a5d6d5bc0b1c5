//! What is live at one moment, and what people are waited for.

use serde::Serialize;

use crate::clock::Timestamp;

/// Who holds what at one moment, and who waits for whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Watched {
    /// The moment.
    pub at: Timestamp,
    /// The number of the last record that was followed.
    pub through: u64,
    /// The tasks that have not ended.
    pub tasks: Vec<WatchedTask>,
    /// The grants that are live.
    pub grants: Vec<WatchedGrant>,
    /// The permits without an outcome: calls that run, or are about to.
    pub calls: Vec<WatchedCall>,
    /// The questions that people have not answered, and the approvals that were not used.
    pub questions: Vec<WatchedQuestion>,
    /// What is stopped.
    pub halts: Vec<WatchedHalt>,
    /// The uses of the emergency path that were not reviewed.
    pub debts: Vec<WatchedDebt>,
    /// The credentials that are not known to be gone.
    pub credentials: Vec<WatchedCredential>,
}

/// A task that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedTask {
    /// Its name.
    pub task: String,
    /// Its generation.
    pub generation: u64,
    /// Who opened it.
    pub who: String,
    /// Of which kind that is.
    pub who_kind: String,
    /// For whom, the nearest first.
    pub acts_for: Vec<String>,
    /// What for.
    pub purpose: String,
    /// Its ticket.
    pub ticket: Option<String>,
    /// What it is to do, in words.
    pub intent: Option<String>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it ends at the latest.
    pub ceiling: Timestamp,
    /// Whether its process is gone, and it waits to be taken up again: it holds nothing.
    pub dormant: bool,
}

/// A grant that is live.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedGrant {
    /// Its id.
    pub id: String,
    /// The task.
    pub task: String,
    /// The task's generation.
    pub generation: u64,
    /// Who can use it.
    pub holder: String,
    /// For whom, the nearest first.
    pub acts_for: Vec<String>,
    /// The tools that it names; none where its scope is too long to be in the log.
    pub tools: Vec<String>,
    /// The rules that gave it.
    pub rules: Vec<String>,
    /// What it was delegated from.
    pub parent: Option<String>,
    /// When it can be used from, where that was to come.
    pub starts: Option<Timestamp>,
    /// When it ends at the latest: with what it was delegated from, where that ends sooner.
    pub expires: Timestamp,
    /// How many calls were permitted under it, but for those that never started.
    pub calls: u64,
    /// Whether breaking the glass gave it.
    pub break_glass: bool,
}

/// A permit without an outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedCall {
    /// The number of the permit.
    pub seq: u64,
    /// The task.
    pub task: String,
    /// The task's generation.
    pub generation: u64,
    /// The grant that it was permitted under.
    pub grant: String,
    /// Who calls.
    pub who: String,
    /// The tool.
    pub tool: String,
    /// The type and the id of what it acts on.
    pub resource: Option<(String, String)>,
    /// When it was permitted.
    pub since: Timestamp,
    /// Whether its task has ended.
    pub task_over: bool,
}

/// A question that people have not answered, or an approval that was not used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedQuestion {
    /// Its id.
    pub id: String,
    /// The task.
    pub task: String,
    /// The task's generation.
    pub generation: u64,
    /// Who waits.
    pub who: String,
    /// The tools of what was asked for.
    pub tools: Vec<String>,
    /// Whether it is about one call, and not about a scope.
    pub of_call: bool,
    /// The asks: they say who may answer.
    pub rules: Vec<String>,
    /// The other names of those who can't answer.
    pub parties: Vec<String>,
    /// When it was asked.
    pub asked: Timestamp,
    /// `waiting` for answers, `partial` where some of a scope's items have theirs, or `approved`, and then it waits for
    /// who asked.
    pub state: String,
    /// Until when people can answer, or the approval can be used.
    pub until: Option<Timestamp>,
    /// Who has said yes.
    pub agreed: Vec<String>,
    /// How far a yes reaches, where that is not one call.
    pub width: Option<String>,
}

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedHalt {
    /// What.
    pub what: String,
    /// When that lapses by itself.
    pub until: Option<Timestamp>,
}

/// A use of the emergency path that was not reviewed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedDebt {
    /// The grant that it gave.
    pub grant: String,
    /// The task.
    pub task: String,
    /// Who broke the glass.
    pub who: String,
    /// Why, in that one's words.
    pub justification: String,
    /// When that was.
    pub since: Timestamp,
    /// When the review is due.
    pub due: Timestamp,
}

/// A credential that is not known to be gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WatchedCredential {
    /// What it is called outside.
    pub name: String,
    /// What the catalogue calls it.
    pub credential: String,
    /// Who mints it.
    pub provider: String,
    /// The task that it is for.
    pub task: String,
    /// The task's generation.
    pub generation: u64,
    /// `planned`, `minted`, `owed` where it could not be withdrawn, or `withdrawn`.
    pub state: String,
    /// When it has expired.
    pub expires: Timestamp,
}
