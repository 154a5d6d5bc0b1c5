//! A log on file: gone on with after a restart, read by a script in another language, and left by
//! processes that are killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod approved;
mod bank;
mod carried;
mod checkpoints;
mod killed;
mod known_anew;
mod lives;
mod not_given_back;
mod outliving;
mod outliving_void;
mod outside;
mod peer;
mod people;
mod plain;
mod readers;
mod reading;
mod restarted;
mod resumed;
mod twins;
mod world;
