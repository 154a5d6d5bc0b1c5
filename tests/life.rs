//! The life of a task: what it may spend, what it remembers, and every way in which it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "life/world.rs"]
mod world;

#[path = "life/delegation.rs"]
mod delegation;
#[path = "life/ending.rs"]
mod ending;
#[path = "life/halt.rs"]
mod halt;
#[path = "life/history.rs"]
mod history;
#[path = "life/limits.rs"]
mod limits;
#[path = "life/listing.rs"]
mod listing;
#[path = "life/per_identity.rs"]
mod per_identity;
#[path = "life/preview.rs"]
mod preview;
#[path = "life/reload.rs"]
mod reload;
#[path = "life/renewal.rs"]
mod renewal;
#[path = "life/stamps.rs"]
mod stamps;
#[path = "life/sweep.rs"]
mod sweep;
