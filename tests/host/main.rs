//! What a host does not have to write: the ways from its own data, frameworks' data and text to calls, and
//! the handles that do the rest.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod denials;
mod exactly;
mod identities;
mod logged;
mod presented;
mod replayed;
mod sessions;
mod sessions_shared;
