// The README names its links for a page of files; the first definition of a name is the one that holds,
// and here it is of an item.
//! [`Broker::resume`]: Broker::resume
//! [`Broker::standing`]: Broker::standing
//! [`Broker::verify_log`]: Broker::verify_log
//! [`Call`]: Call
//! [`Context`]: context::Context
//! [`Control::halt`]: Control::halt
//! [`Control::revoke_task`]: Control::revoke_task
//! [`Denial`]: denial::Denial
//! [`Denial::explain`]: denial::Denial::explain
//! [`Gate::authorize`]: Gate::authorize
//! [`Gate::tools`]: Gate::tools
//! [`Identity`]: identity::Identity
//! [`Permit`]: Permit
//! [`Permit::run`]: Permit::run
//! [`Permit::run_with`]: Permit::run_with
//! [`Policy::from_toml`]: policy::Policy::from_toml
//! [`Policy::diff`]: policy::Policy::diff
//! [`Policy::search`]: policy::Policy::search
//! [`Policy::lint`]: policy::Policy::lint
//! [`Purpose`]: purpose::Purpose
//! [`Resource`]: resource::Resource
//! [`Scope`]: scope::Scope
//! [`Task`]: Task
//! [`Task::delegate`]: Task::delegate
//! [`Session`]: Session
//! [`Task::request`]: Task::request
//! [`Token::attenuate`]: token::Token::attenuate
//! [`Verifier`]: token::Verifier
//! [`assert_denied!`]: macro@assert_denied
//! [`assert_nothing_stands!`]: macro@assert_nothing_stands
//! [`assert_permitted!`]: macro@assert_permitted
//! [`testing`]: mod@testing
//! [policies]: mod@policy
//! [tokens]: mod@token
//! [acp]: _documentation::acp
//! [approvals]: _documentation::approvals
//! [architecture]: _documentation::architecture
//! [audit]: _documentation::audit
//! [authzen]: _documentation::authzen
//! [axum]: _documentation::axum
//! [break-glass]: _documentation::break_glass
//! [denials]: _documentation::denials
//! [identity]: _documentation::identity
//! [index]: _documentation::index
//! [mcp]: _documentation::mcp
//! [performance]: _documentation::performance
//! [policy]: _documentation::policy
//! [replay]: _documentation::replay
//! [rig]: _documentation::rig
//! [rmcp]: _documentation::rmcp
//! [tonic]: _documentation::tonic
//! [envoy]: _documentation::envoy
//! [secrets]: _documentation::secrets
//! [token-format]: _documentation::token_format
//! [changelog]: _documentation::changelog
//! [cookbook]: _documentation::cookbook
//! [security]: _documentation::security
//! [trace]: _documentation::replay
//! [rules]: _documentation::replay
#![cfg_attr(feature = "fleet", doc = "[fleet]: _documentation::fleet")]
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Where documentation is built for publishing, what needs a feature says so.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod _documentation;
mod approval;
pub mod args;
pub mod audit;
mod base64;
mod broker;
mod call;
pub mod clock;
mod contained;
pub mod context;
pub mod credential;
pub mod denial;
mod document;
#[cfg(feature = "fleet")]
pub mod fleet;
mod form;
pub mod grant;
pub mod identity;
pub mod key;
#[cfg(feature = "fleet")]
mod membership;
mod meter;
pub mod policy;
mod process;
pub mod purpose;
mod random;
pub mod resource;
pub mod scope;
pub mod scrub;
mod spelling;
mod spread;
mod sync;
mod task;
pub mod testing;
mod tick;
pub mod token;
pub mod tool;
pub mod value;
pub mod vault;
mod visible;
mod word;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use approval::fuzzing as approval_fuzzing;
pub use broker::{
    Broker, BrokerBuilder, BrokerError, BrokerStats, Control, Cut, Debt, Drift, DriftScan, Drifted,
    DryRun, Ended, FlushError, Gate, Grant, Halt, HaltError, LateCall, NotCounted, NoteError,
    Obligation, Pending, Permit, ProviderError, Question, QuestionState, Reaper, Receipt,
    ReloadError, Requestable, ReviewEvent, ReviewEvents, Reviews, RunError, Running, Session,
    Standing, StandingCredential, StandingGrant, StandingTask, Tally, Task, Tended, ToolError,
    View, ViewLine,
};
pub use call::{Call, CallError};
pub use context::Context;
pub use denial::{Code, Denial, Reason};
pub use policy::Policy;
pub use purpose::Purpose;
pub use random::RandomError;
pub use resource::Resource;
pub use scope::Scope;

/// What a host's code usually names.
pub mod prelude {
    pub use crate::args::Args;
    pub use crate::context::Context;
    pub use crate::denial::{Code, Denial, Reason};
    pub use crate::identity::{Assertion, Identity, Kind};
    pub use crate::policy::{Policy, Rule, Tool};
    pub use crate::purpose::Purpose;
    pub use crate::resource::Resource;
    pub use crate::scope::Scope;
    pub use crate::token::Token;
    pub use crate::{Broker, Call, Control, Gate, Grant, Permit, Session, Task};
}
