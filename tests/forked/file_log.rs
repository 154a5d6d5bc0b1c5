//! A log on file, whose files and lock a child has open, too.

use std::path::PathBuf;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog, OpenError, Origin, ThreadedSink, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;

use crate::busy::Busy;
use crate::child::in_child;
use crate::{Held, POLICY, same};

const ORIGIN: Origin<'static> = Origin::new("acme", "payments");

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn builder(log: &FileLog) -> hallpass::BrokerBuilder {
    let policy = Policy::from_toml(POLICY).unwrap();
    let builder = Broker::builder(policy).issuer("acme").audience("payments");
    builder.log_keys(keys()).resume_from(log)
}

/// A folder that is removed with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder(name: &str) -> Folder {
    let name = format!("hallpass-forked-{name}-{}", std::process::id());
    Folder(std::env::temp_dir().join(name))
}

/// P9: what is accepted and unwritten is written once, and the log keeps its one writer.
#[test]
fn a_child_that_drops_a_log_writes_nothing_and_leaves_its_lock_on() {
    let folder = folder("dropped");
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let open = || options.open(&folder.0, &keys(), &ORIGIN);
    let mut log = Some(open().unwrap());
    let mut held = Some(Held::of(builder(log.as_ref().unwrap()).build().unwrap()));
    let broker = held.as_ref().unwrap().broker.clone();
    for _ in 0..20 {
        Busy::with(&broker, || {
            in_child(|| {
                let again = builder(log.as_ref().unwrap()).build();
                same("a second broker of the same log", again.is_err(), true)
            });
        });
    }
    let mut copy = Some(broker);
    in_child(|| {
        drop((held.take(), log.take(), copy.take()));
        Ok(())
    });
    let broker = copy.unwrap();
    assert!(matches!(open(), Err(OpenError::HasWriter)));
    drop(held);
    broker.close(Duration::from_secs(60));
    drop((broker, log));
    // No line is there twice: it verifies.
    drop(open().unwrap());
}

#[test]
fn a_log_that_no_broker_has_is_not_gone_on_with_in_a_child() {
    let folder = folder("unclaimed");
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &ORIGIN).unwrap();
    in_child(|| {
        same("a broker of the parent's log", builder(&log).build().is_err(), true)?;
        let policy = Policy::from_toml(POLICY).unwrap();
        let unclaimed =
            Broker::builder(policy).issuer("acme").audience("payments").log(log.clone());
        same("one that does not resume", unclaimed.log_keys(keys()).build().is_err(), true)
    });
    builder(&log).build().unwrap();
}

#[test]
fn a_child_that_drops_a_log_with_a_thread_of_its_own_does_not_wait_for_it() {
    let policy = Policy::from_toml(POLICY).unwrap();
    let sink = ThreadedSink::new(hallpass::audit::MemoryLog::new());
    let mut held = Some(Held::of(Broker::builder(policy).log(sink).build().unwrap()));
    in_child(|| {
        drop(held.take());
        Ok(())
    });
    assert!(held.unwrap().running.is_live());
}
