//! What tools run with: sealed, lent for one call, and taken out of what they give.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod failing;
mod meanwhile;
mod minted;
mod minted_async;
mod minting;
mod modelled;
mod origins;
mod owed;
mod plain_values;
mod restarted;
mod rogue;
mod scrubbed;
mod settled;
mod swept;
mod tail;
mod tainted;
mod tainted_minted;
mod tainted_on_file;
mod tainted_surfaces;
mod vaulted;
mod world;
