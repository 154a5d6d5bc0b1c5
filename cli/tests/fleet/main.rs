//! `hallpass fleet`, and nodes that are commands: run as people run them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod page;
mod postgres;
mod reach;
mod wrong;
