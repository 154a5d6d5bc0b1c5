//! What the test binaries share: published corpora and how they are put to a broker, and servers of PostgreSQL.

pub mod corpora;
mod flushed_log;
pub mod postgres;

pub use flushed_log::FlushedLog;
