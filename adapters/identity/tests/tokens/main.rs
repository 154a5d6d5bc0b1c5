//! Tokens: what is taken, and the attacks on libraries that take them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod attacks;
mod key_sets;
mod life;
mod many_subjects;
mod page;
mod peer;
mod restarts;
mod signals;
mod world;
