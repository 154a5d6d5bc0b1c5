#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Where documentation is built for publishing, what needs a feature says so.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc = include_str!("../docs/policy.md")]
pub mod _policy {}

#[doc = include_str!("../docs/history.md")]
pub mod _history {}

pub mod args;
pub mod audit;
mod base64;
mod broker;
mod call;
pub mod clock;
pub mod context;
pub mod denial;
mod document;
mod form;
pub mod grant;
pub mod identity;
pub mod key;
mod meter;
pub mod policy;
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
pub mod token;
pub mod tool;
pub mod value;
mod visible;
mod word;

pub use broker::{
    Broker, BrokerBuilder, BrokerError, BrokerStats, Control, Cut, Drift, DriftScan, Drifted,
    DryRun, Ended, Gate, Grant, Halt, Halted, Permit, Reaper, Receipt, RunError, Running, Standing,
    StandingGrant, StandingTask, Task, ToolError,
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
    pub use crate::{Broker, Call, Control, Gate, Grant, Permit, Task};
}
