//! What the test binaries share: published corpora, and how they are put to a broker.

pub mod corpora;
mod flushed_log;

pub use flushed_log::FlushedLog;
