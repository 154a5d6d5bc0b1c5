//! A log to look at, in which everything stands that has happened.

use std::ops::Deref;

use hallpass::Broker;
use hallpass::audit::MemoryLog;

/// The log in memory of a broker, which writes what it owes whenever the log is looked at.
pub struct FlushedLog {
    broker: Broker,
    log: MemoryLog,
}

impl FlushedLog {
    /// The log that `broker` writes to, through whatever other sink.
    pub fn of(broker: &Broker, log: MemoryLog) -> Self {
        FlushedLog { broker: broker.clone(), log }
    }

    /// The log as it is: what is owed to it is not there.
    pub fn unflushed(&self) -> &MemoryLog {
        &self.log
    }
}

impl Deref for FlushedLog {
    type Target = MemoryLog;

    fn deref(&self) -> &MemoryLog {
        self.broker.flush();
        &self.log
    }
}
