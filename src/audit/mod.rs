//! The log: what was asked, given, refused, done and ended, in one order that can't be rewritten.
//!
//! Every record is one line of JSON, numbered without gaps, and tied to all before it by a keyed
//! hash. What gives access (opening a task, a grant, a permit) takes effect only once the log has
//! accepted its record. What takes access away takes effect first; if the log refuses, its record
//! is a *debt*, kept and tried again. `docs/audit.md` describes the line, the chain, debts and
//! verification.
//!
//! A host gives the broker a [`Sink`]; [`FileLog`] keeps records on
//! disk, [`MemoryLog`] in memory.

mod about;
mod answer_given;
mod asked;
mod broken_glass;
mod chain;
mod checkpoint;
mod denied;
mod denied_again;
mod digest;
mod escaped;
mod event;
mod explain;
#[cfg(any(feature = "cloudevents", feature = "ocsf"))]
mod export;
mod file;
mod hex;
mod journal;
mod left_debt;
mod left_question;
mod left_settlement;
mod left_task;
mod line;
mod log_id;
mod memory;
mod numbered;
mod opening;
mod parked;
mod plain;
mod plain_reader;
mod record;
mod replay;
mod resumption;
mod review;
mod seal;
mod settled;
mod shortened;
mod sink;
mod spent;
mod suggest;
mod threaded;
#[cfg(feature = "tracing")]
mod traced;
mod tree;
mod verify;
mod watch;
mod words;

pub use answer_given::AnswerGiven;
pub use asked::Asked;
pub use broken_glass::BrokenGlass;
pub(crate) use chain::ChainKey;
pub use chain::{Anchor, ChainTag, Origin};
pub use checkpoint::{
    Checkpoint, CheckpointError, CheckpointFailure, CheckpointFault, LogSigner, Receipt,
    ReceiptError, SignedCheckpoint, Signer, SignerError, VerifierKey, Witness, WitnessError,
    WitnessPolicy, WitnessPolicyError, WitnessReply, Witnessed,
};
pub(crate) use denied::DeniedQuestion;
pub use denied_again::DeniedAgain;
pub(crate) use digest::{DigestKey, DigestText};
pub use event::Event;
pub use explain::{
    AccessEnd, Agreement, Answer, CallEnd, ExplainedCall, ExplainedCredential, ExplainedEmergency,
    ExplainedGrant, Explainer, Explanation, Sentence, TaskEnd, TaskSettlement, explain,
};
#[cfg(any(feature = "cloudevents", feature = "ocsf"))]
pub use export::Exporter;
pub(crate) use file::Resuming;
pub use file::{
    Claims, Cosigned, Durability, Examination, FileLog, FileLogOptions, FollowedLog, OpenError,
    PublicExamination, ReceiptFailure, Unlawful, WhenFull,
};
pub use hex::HexError;
pub(crate) use journal::{
    Journal, LogTimer, Place, Refused, Settling, Unsettled, UnwrittenHook, Written,
};
pub use left_debt::LeftDebt;
pub(crate) use left_question::{LeftAnswer, LeftQuestion, SinceAsked, sealed_place};
pub(crate) use left_task::LeftTask;
pub(crate) use line::{Body, Unwritable};
pub use log_id::LogId;
pub use memory::{MemoryLog, Snapshot};
pub use parked::Durable;
pub(crate) use plain::{KeptPlain, PlainDraft};
pub use plain::{Plain, PlainValues};
pub use plain_reader::PlainReader;
pub use record::Record;
pub use replay::{
    Decided, Difference, NotReplayable, Replay, ReplayVerdict, Replayer, Ruled, Ruling, replay,
};
pub(crate) use resumption::LeftCredential;
pub use resumption::Resumption;
pub use review::{AskReview, DenialCluster, Review, Reviewer, RuleReview, ToolReview, review};
pub(crate) use seal::SealKey;
pub use settled::{Lasting, Settled};
pub use shortened::GrantShortened;
pub use sink::{Entry, Kept, Sink, SinkError, Tail};
pub use spent::Spent;
pub use suggest::{LeftPart, SeenValue, Suggester, Suggestion, TightenedPart};
pub use threaded::ThreadedSink;
#[cfg(feature = "tracing")]
pub(crate) use traced::Traced;
pub use tree::{TreeHash, TreeHashError};
pub use verify::{Fault, Verification, verify};
pub use watch::{
    Watched, WatchedCall, WatchedCredential, WatchedDebt, WatchedGrant, WatchedHalt,
    WatchedQuestion, WatchedTask, Watcher,
};
pub use words::{Answered, GoneHow, How, Outcome, Stage};
