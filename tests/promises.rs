//! The promises, as properties: random policies, identities, calls and operations, put to the broker
//! and to a model that knows no index, no table and no shortcut.
//!
//! `PROPTEST_CASES` sets how many cases each property tries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "promises/door.rs"]
mod door;
#[path = "promises/model.rs"]
mod model;
#[path = "promises/universe.rs"]
mod universe;

#[path = "promises/p05_forbid_beats_ask_beats_permit.rs"]
mod p05_forbid_beats_ask_beats_permit;
#[path = "promises/p05_index.rs"]
mod p05_index;
