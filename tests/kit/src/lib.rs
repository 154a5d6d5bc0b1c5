//! What the test binaries share: published corpora and how they are put to a broker, servers of PostgreSQL, and what the memory
//! of a process holds.

pub mod corpora;
mod flushed_log;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod postgres;

pub use flushed_log::FlushedLog;
