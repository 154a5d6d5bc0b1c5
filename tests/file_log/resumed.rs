//! One broker goes on with a log, with all that it says, or none does.

use std::sync::Arc;
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::{Durability, FileLog, MemoryLog, ThreadedSink};
use hallpass::key::{LogKeys, SecretKey};

use super::world::{Folder, ORIGIN, builder, keys, open, options};

/// A log that ended while everything was halted.
fn halted(folder: &Folder) -> FileLog {
    let broker = open(folder.path(), Durability::Flushed).unwrap();
    broker.control().halt(Halt::Everything);
    broker.close(Duration::from_secs(1));
    drop(broker);
    options(Durability::Flushed).open(folder.path(), &keys(), &ORIGIN).unwrap()
}

#[test]
fn a_build_that_failed_can_be_repeated() {
    let folder = Folder::new();
    let log = halted(&folder);
    let wrong = SecretKey::from_bytes(&(7..39).collect::<Vec<u8>>()).unwrap();
    let wrong = builder().log_keys(LogKeys::from_secret(wrong)).resume_from(&log);
    assert!(wrong.build().unwrap_err().to_string().contains("none of the log keys"));
    let foreign = builder().audience("refunds").log_keys(keys()).resume_from(&log);
    foreign.log_timeout(Duration::ZERO).build().unwrap_err();
    let again = builder().log_keys(keys()).resume_from(&log).build().unwrap();
    assert_eq!(again.control().halts(), [Halt::Everything]);
    let second = builder().log_keys(keys()).resume_from(&log).build().unwrap_err();
    assert!(second.to_string().contains("resumed from already"), "{second}");
}

/// Its halts would be on there, and the next broker would go on with the log without them.
#[test]
fn a_log_is_not_resumed_from_by_a_broker_that_writes_elsewhere() {
    let folder = Folder::new();
    let log = halted(&folder);
    let builder = || builder().log_keys(keys());
    let elsewhere = builder().log(Arc::new(MemoryLog::new())).resume_from(&log).build();
    assert!(elsewhere.unwrap_err().to_string().contains("did not claim"));
    let without = builder().log(log.clone()).build().unwrap_err();
    assert!(without.to_string().contains("resume_from"), "{without}");
    let wrapped = builder().log(ThreadedSink::new(log.clone())).resume_from(&log).build().unwrap();
    assert_eq!(wrapped.control().halts(), [Halt::Everything]);
}
