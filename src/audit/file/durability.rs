//! What a record outlives.

/// What a record that was accepted outlives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As fast as memory: a record holds while the process lives, and those of the last moments are lost
    /// with one that is killed.
    Buffered,
    /// A record that was accepted survives the process, however it ends.
    Flushed,
    /// A record that was accepted survives the machine. Threads that wait at the same time share one
    /// `fsync`.
    Synced,
}
