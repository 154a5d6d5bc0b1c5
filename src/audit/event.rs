//! What a record says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer_given::AnswerGiven;
use super::asked::Asked;
use super::broken_glass::BrokenGlass;
use super::denied_again::DeniedAgain;
use super::plain::Plain;
use super::settled::Settled;
use super::shortened::GrantShortened;
use super::spent::Spent;
use super::words::{GoneHow, How, Outcome, Stage, is_false, is_zero};
use crate::clock::Timestamp;
use crate::value::Value;

/// One thing that happened, in the words of the log.
///
/// Texts are borrowed while a record is written and owned once it is read back. Digests and ids are
/// texts here: what they mean is said where they are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the vocabulary; the odd ones are said"
)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The log begins: always its first record, and of none other.
    LogStarted {
        /// The [id](super::LogId) of the log.
        log: Cow<'a, str>,
        issuer: Cow<'a, str>,
        audience: Cow<'a, str>,
        /// The id of the key that it begins under.
        key: Cow<'a, str>,
    },
    /// The log's key changes: the last record under the old one.
    Rekeyed {
        /// The id of the key that all records from here on are under.
        key: Cow<'a, str>,
    },
    /// A task was opened. It holds nothing yet.
    Opened {
        task: Cow<'a, str>,
        generation: u64,
        who: Cow<'a, str>,
        who_kind: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acts_for: Vec<Cow<'a, str>>,
        purpose: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        intent: Option<Cow<'a, str>>,
        /// When it ends at the latest.
        ceiling: Timestamp,
    },
    /// A request was permitted and became a grant.
    Granted {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        serial: u64,
        /// The grant it was delegated from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Cow<'a, str>>,
        requester: Cow<'a, str>,
        holder: Cow<'a, str>,
        /// For whom the holder acts, the nearest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acts_for: Vec<Cow<'a, str>>,
        /// The other names of a holder whom it was delegated to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        aliases: Vec<Cow<'a, str>>,
        /// What was granted, its numbers exactly: read a line with [`Record::from_line`](super::Record::from_line) to keep them so.
        scope: Cow<'a, Value>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<Cow<'a, str>>,
        /// The questions about scopes whose approvals let it through.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<Cow<'a, str>>,
        epoch: u64,
        policy: Cow<'a, str>,
        /// When it can be used from, where that was to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts: Option<Timestamp>,
        expires: Timestamp,
        /// Where in a trace it was asked, if the context said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plain: Option<Box<Plain<'a>>>,
    },
    /// Something was asked for and not given.
    Denied {
        stage: Stage,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<Cow<'a, str>>,
        /// What the call was to act on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_type: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<Cow<'a, str>>,
        /// Digest of the arguments.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        args: Option<Cow<'a, str>>,
        /// The scope that was asked for; of a long one, its digest and how long it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<Cow<'a, Value>>,
        /// Digest of the context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Cow<'a, str>>,
        /// What the agent was told.
        code: Cow<'a, str>,
        /// What only operators are told.
        reason: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<Cow<'a, str>>,
        /// Under which policy: the last `reloaded` record of this epoch has its digest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<u64>,
        /// Whether it is of what breaking the glass gave.
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
        /// Where in a trace it was asked, if the context said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plain: Option<Box<Plain<'a>>>,
    },
    /// Denials that equal some that stand in full: it stands for all numbers from its `from` to its own.
    DeniedAgain(Box<DeniedAgain<'a>>),
    /// Denials that there was no memory to keep one by one. It stands for all numbers from `from` to its own.
    Denials {
        from: u64,
        /// The time of the first; the record's own is that of the last.
        since: Timestamp,
        /// How many there were of each reason: as many in all as numbers it stands for.
        reasons: BTreeMap<Cow<'a, str>, u64>,
    },
    /// One call was permitted. Its own number is what the outcome refers to.
    Permitted {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        serial: u64,
        who: Cow<'a, str>,
        /// For whom the caller acts, the nearest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acts_for: Vec<Cow<'a, str>>,
        tool: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_type: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_id: Option<Cow<'a, str>>,
        /// Digest of the arguments.
        args: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<Cow<'a, str>>,
        /// The questions whose approvals it redeemed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<Cow<'a, str>>,
        /// What it took of limits that span tasks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spent: Vec<Spent<'a>>,
        /// Under which policy: the last `reloaded` record of this epoch has its digest.
        epoch: u64,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
        /// The asks that it was not held up by, where the glass is broken.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed: Vec<Cow<'a, str>>,
        /// Where in a trace it was asked, if the context said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plain: Option<Box<Plain<'a>>>,
    },
    /// A call, or a scope, waits until people agree.
    Asked(Asked<'a>),
    /// Somebody answered a question, or tried to.
    Answered(AnswerGiven<'a>),
    /// A question or its approval ended by something else than an answer.
    Voided {
        task: Cow<'a, str>,
        generation: u64,
        question: Cow<'a, str>,
        /// Where it stands then.
        state: Cow<'a, str>,
        /// What ended it.
        why: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// A call that people agreed to is about to start: kept before its tool has it. Without this record it never ran.
    Starting {
        task: Cow<'a, str>,
        generation: u64,
        /// The number of the `permitted` record.
        of: u64,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// What became of a permitted call.
    Outcome {
        task: Cow<'a, str>,
        generation: u64,
        /// The number of the `permitted` record.
        of: u64,
        outcome: Outcome,
        /// Whether the task had ended before the call did.
        #[serde(default, skip_serializing_if = "is_false")]
        task_over: bool,
        /// How many ids the host noted of what the call gave that the task did not have.
        #[serde(default, skip_serializing_if = "is_zero")]
        noted: u64,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// A secret that the task had used was found in what a call gave, and taken out.
    SecretFound {
        task: Cow<'a, str>,
        generation: u64,
        /// The number of the call's `permitted` record.
        of: u64,
        /// What the catalogue calls what was found.
        credentials: Vec<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// A credential is about to be minted for a grant: written ahead, so that what a crash leaves is found.
    CredentialPlanned {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        /// The number of the `permitted` record of the call that needs it.
        of: u64,
        /// What the catalogue calls it.
        credential: Cow<'a, str>,
        provider: Cow<'a, str>,
        /// What it will be called outside.
        name: Cow<'a, str>,
        /// What the provider needs in addition to find it.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        detail: Cow<'a, str>,
        /// When minting it has to be done.
        lands_by: Timestamp,
        /// When it has to have expired.
        expires: Timestamp,
    },
    /// It was minted.
    CredentialMinted {
        task: Cow<'a, str>,
        generation: u64,
        name: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "str::is_empty")]
        detail: Cow<'a, str>,
        expires: Timestamp,
        /// Why it was not used, if it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Cow<'a, str>>,
    },
    /// It has to go, and could not be withdrawn, or something of it is left.
    CredentialOwed {
        name: Cow<'a, str>,
        /// How often that was tried.
        attempt: u64,
        why: Cow<'a, str>,
        /// Until when it stands, if it can't be withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// It was withdrawn. Whether it is gone is another question.
    CredentialWithdrawn { name: Cow<'a, str> },
    /// It is gone: nothing is owed of it any more.
    CredentialGone { name: Cow<'a, str>, how: GoneHow },
    /// A task ended, and all that hung from it.
    Ended {
        task: Cow<'a, str>,
        generation: u64,
        how: How,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// Numbers of the permits whose calls were already running.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        running: Vec<u64>,
        /// Whether a call ran or a credential had been planned: a `settled` record follows.
        #[serde(default, skip_serializing_if = "is_false")]
        unsettled: bool,
    },
    /// An ended task has nothing left that runs, or that is to be withdrawn.
    Settled(Box<Settled<'a>>),
    /// What is in force limits a grant more tightly than what it was given by: it ends sooner than was recorded.
    GrantShortened(GrantShortened<'a>),
    /// A grant ended before its task did, and all delegated from it.
    GrantEnded {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        /// The reason that its holder is denied for from now on.
        why: Cow<'a, str>,
        /// The at most 1,024 grants delegated from it that were removed in the same step: others are known by `parent`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        below: Vec<Cow<'a, str>>,
        /// Numbers of the permits whose calls were already running.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        running: Vec<u64>,
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// A human broke the glass: the emergency path gave a grant, and owes a review.
    BrokenGlass(BrokenGlass<'a>),
    /// The host's alert of a broken glass was not accepted.
    AlertFailed {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        cause: Cow<'a, str>,
        /// Whether what was given stands all the same. Otherwise nothing was given, and no review is owed.
        given: bool,
    },
    /// What was done when the glass was broken was reviewed, or that was tried.
    DebtClosed {
        task: Cow<'a, str>,
        generation: u64,
        grant: Cow<'a, str>,
        who: Cow<'a, str>,
        /// The other names of who reviewed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        aliases: Vec<Cow<'a, str>>,
        verdict: Cow<'a, str>,
        note: Cow<'a, str>,
        /// Why it does not count, if it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Cow<'a, str>>,
    },
    /// A task of an earlier life of the broker was taken up again by who had opened it: it holds nothing.
    TaskResumed { task: Cow<'a, str>, generation: u64, who: Cow<'a, str> },
    /// A policy was loaded.
    Reloaded { epoch: u64, policy: Cow<'a, str> },
    /// What is attested of a subject was stated anew; without groups and attributes, that was taken back.
    Restated {
        who: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        groups: Option<Vec<Cow<'a, str>>>,
        /// Their names: values may be personal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Vec<Cow<'a, str>>>,
    },
    /// The kill switch was thrown over `what`.
    Halted {
        what: Cow<'a, str>,
        /// When it lapses, if that is not left to operators.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The kill switch over `what` was lifted.
    Resumed { what: Cow<'a, str> },
    /// In the place of a record that the sink refused: what it would have given was not given.
    Withdrawn {
        /// The kind of the refused record.
        was: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<Cow<'a, str>>,
        /// What the sink said.
        cause: Cow<'a, str>,
        /// Whether it is of what breaking the glass gave, or would have given.
        #[serde(default, skip_serializing_if = "is_false")]
        break_glass: bool,
    },
    /// Numbers that were lost with a process that was killed, from `from` to its own: none is used again.
    Void { from: u64 },
    /// A broker goes on with a log on file.
    Reopened {
        /// How many bytes of an incomplete last line were cut off and kept aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        torn: Option<u64>,
        /// Nothing kept elsewhere was compared with it: a cut is not noticed.
        #[serde(default, skip_serializing_if = "is_false")]
        unanchored: bool,
    },
}
