//! What holds of the repository as a text: which rooms import which, and that pages and tests agree.
//!
//! A test that compares a page with what it should say rewrites the page where `HALLPASS_WRITE=1` is
//! set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "tests, and modules of which the table uses the rest"
)]

mod attacks;
mod controls;
mod files;
mod found;
mod imports;
mod lengths;
mod links;
mod page;
mod picture;
mod rooms;
mod rust;
mod types;
