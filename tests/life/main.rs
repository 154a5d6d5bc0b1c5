//! The life of a task: what it may spend, what it remembers, and every way in which it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod askable;
mod asked_time;
mod compared;
mod context_source;
mod could_request;
mod delegation;
mod drift;
mod ending;
mod ending_running;
mod expired;
mod explained;
mod first_call;
mod folded;
mod halt;
mod handles;
mod history;
mod idle;
mod limits;
mod lineage;
mod listing;
mod looking;
mod noting;
mod per_identity;
mod preview;
mod recorded;
mod reload;
mod renewal;
mod requests;
mod restate;
mod running;
mod spells;
mod stamps;
mod sweep;
mod tripwire;
mod waiting;
mod windowed;
mod world;
