//! The keys of a log: changed while it is written, across restarts, and what its digests tell.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{ChainTag, Entry, Event, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::key::{KeyError, KeyRing, LogKeys};
use hallpass::prelude::*;
use hallpass::{BrokerBuilder, BrokerError};
use serde_json::json;

use crate::world::{MINUTE, World, broad, call, log_keys, plain, policy, ring, secret, verified};

/// Keeps lines and tags beyond the life of a broker, as a file does.
#[derive(Clone, Default)]
struct OnFile(Arc<Mutex<Vec<(String, ChainTag)>>>);

impl Sink for OnFile {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        let lines = self.0.lock().unwrap();
        let Some((line, tag)) = lines.last() else { return Ok(None) };
        let before = lines.len().checked_sub(2).map(|at| lines[at].1);
        Ok(Some(Tail { before, line: line.clone(), tag: *tag, used: 0 }))
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let records = batch.iter().map(|entry| (entry.line.to_owned(), *entry.tag));
        self.0.lock().unwrap().extend(records);
        Ok(Kept::now(batch.len()))
    }
}

impl OnFile {
    fn lines(&self) -> Vec<(String, ChainTag)> {
        self.0.lock().unwrap().clone()
    }

    fn verify(&self, keys: &LogKeys) -> Result<u64, hallpass::audit::Fault> {
        let lines = self.lines();
        let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
        verified(lines, keys, None).map(|verified| verified.anchor.seq)
    }

    fn kinds(&self) -> Vec<String> {
        let lines = self.lines();
        let kind = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"]
                .as_str()
                .unwrap()
                .into()
        };
        lines.iter().map(|(line, _)| kind(line)).collect()
    }

    /// A broker lives, does something, and is gone.
    fn life(&self, change: impl FnOnce(BrokerBuilder) -> BrokerBuilder, then: impl FnOnce(&World)) {
        let world = World::of(policy([broad()]), |builder| change(builder.log(self.clone())));
        let (task, grant) = world.granted();
        world.run(&grant, plain()).unwrap();
        then(&world);
        world.run(&grant, plain()).unwrap();
        task.complete();
        assert_eq!(world.broker.flush(), 0);
    }
}

fn keys(active: u8, past: &[u8]) -> LogKeys {
    let keys = LogKeys::from_secret(secret(active));
    past.iter().fold(keys, |keys, first| keys.and_past(secret(*first)).unwrap())
}

/// attack 188: lives that follow each other on one log, one of which is over before its last records are written
#[test]
fn a_restart_on_the_same_log_uses_no_number_and_no_generation_twice() {
    let log = OnFile::default();
    for _ in 0..3 {
        log.life(|builder| builder, |_| ());
        let world = World::of(policy([broad()]), |builder| builder.log(log.clone()));
        let (task, grant) = world.granted();
        drop((grant, world));
        drop(task);
    }
    let records: Vec<serde_json::Value> =
        log.lines().iter().map(|(line, _)| serde_json::from_str(line).unwrap()).collect();
    let number = |record: &serde_json::Value, key: &str| record[key].as_u64().unwrap();
    let numbers: Vec<u64> = records.iter().map(|record| number(record, "seq")).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let opened = records.iter().filter(|record| record["kind"] == "opened");
    let generations: Vec<u64> = opened.map(|record| number(record, "generation")).collect();
    assert_eq!(generations.len(), 6);
    assert!(generations.windows(2).all(|pair| pair[1] > pair[0]), "{generations:?}");
    log.verify(&log_keys()).unwrap();
}

/// attack 187: the ring is rotated, and the process starts again with the new key alone
#[test]
fn a_log_survives_the_keys_of_its_tokens() {
    let log = OnFile::default();
    log.life(
        |builder| builder.keys(ring()),
        |world| world.broker.rotate_key(secret(1), MINUTE).unwrap(),
    );
    log.life(|builder| builder.keys(KeyRing::from_secret(secret(1))), |_| ());
    assert_eq!(log.verify(&log_keys()), Ok(log.lines().len() as u64));
    assert!(!log.kinds().contains(&"rekeyed".to_owned()));
    assert_eq!(log.kinds().iter().filter(|kind| *kind == "log_started").count(), 1);
}

/// attack 187: the log's own key changes while it is written, and between two lives
#[test]
fn a_log_survives_its_own_keys() {
    let log = OnFile::default();
    log.life(
        |builder| builder.log_keys(keys(101, &[])),
        |world| {
            world.broker.rotate_log_key(secret(102)).unwrap();
            assert_eq!(world.broker.active_log_key(), secret(102).id());
        },
    );
    log.life(|builder| builder.log_keys(keys(102, &[])), |_| ());
    log.life(|builder| builder.log_keys(keys(103, &[102])), |_| ());
    assert_eq!(log.kinds().iter().filter(|kind| *kind == "rekeyed").count(), 2);
    assert_eq!(log.verify(&keys(103, &[101, 102])), Ok(log.lines().len() as u64));
    for too_few in [keys(103, &[]), keys(103, &[101]), keys(103, &[102]), keys(101, &[102])] {
        assert!(log.verify(&too_few).is_err(), "{too_few:?}");
    }
}

/// attack 187: without the key that the log ends under, no broker writes what would not verify
#[test]
fn a_log_is_not_continued_without_the_key_that_it_ends_under() {
    let log = OnFile::default();
    log.life(|builder| builder.log_keys(keys(101, &[])), |_| ());
    let before = log.lines();
    let build = |keys: Option<LogKeys>| {
        let builder = Broker::builder(policy([broad()])).log(log.clone()).keys(ring());
        match keys {
            Some(keys) => builder.log_keys(keys).build(),
            None => builder.build(),
        }
    };
    for without in [None, Some(keys(102, &[])), Some(keys(102, &[103]))] {
        let refused = build(without).unwrap_err();
        assert!(matches!(refused, BrokerError::Log(_)), "{refused}");
        assert!(refused.to_string().contains("under none of the log keys"), "{refused}");
    }
    assert_eq!(log.lines(), before);
    build(Some(keys(101, &[]))).unwrap();
}

/// attack 71: one secret is a ring's or a log's, and none of both twice
#[test]
fn a_key_is_of_the_ring_or_of_the_log() {
    let build = |keys: LogKeys| Broker::builder(policy([])).keys(ring()).log_keys(keys).build();
    for shared in [keys(0, &[]), keys(101, &[0])] {
        let refused = build(shared).unwrap_err();
        assert!(matches!(refused, BrokerError::Key(KeyError::Reused(id)) if id == secret(0).id()));
    }
    let broker = build(keys(101, &[])).unwrap();
    let reused = |first: u8| Err(KeyError::Reused(secret(first).id()));
    assert_eq!(broker.rotate_key(secret(101), Duration::ZERO), reused(101));
    assert_eq!(broker.rotate_log_key(secret(0)), reused(0));
    assert_eq!(broker.rotate_log_key(secret(101)), reused(101));
    broker.rotate_key(secret(1), Duration::ZERO).unwrap();
    assert_eq!(broker.rotate_log_key(secret(0)), reused(0), "nor one that the ring has had");
    broker.rotate_log_key(secret(102)).unwrap();
    broker.verify_log().unwrap();
}

/// attack 187: a broker whose log is its own memory verifies all of it, whatever its keys were
#[test]
fn a_log_in_memory_verifies_after_its_key_has_changed() {
    let broker = Broker::builder(policy([broad()])).log_keys(keys(101, &[])).build().unwrap();
    for first in 102..105 {
        broker.rotate_log_key(secret(first)).unwrap();
        broker.verify_log().unwrap();
    }
    assert_eq!(broker.verify_log().unwrap().key, Some(secret(104).id()));
    assert_eq!(broker.log().unwrap().len(), 5);
}

fn digests(log: &MemoryLog) -> Vec<(String, Option<String>)> {
    let digest = |event: Event<'static>| match event {
        Event::Permitted { args, .. } => Some(("permitted".to_owned(), Some(args.into_owned()))),
        Event::Denied { args, reason, .. } => Some((reason.into_owned(), args.map(Into::into))),
        _ => None,
    };
    log.records().into_iter().filter_map(|record| digest(record.event)).collect()
}

/// attack 146: who may call something and reads the log learns nothing about the arguments of another
#[test]
fn a_digest_of_arguments_is_of_no_use_to_another_caller_or_tool() {
    let world = World::new([broad(), Rule::permit("other").tool("u").any_args()]);
    let other = world.broker.assert_identity("agent-8").unwrap();
    let secret = || json!({ "pin": 1234 });
    let (_task, grant) = world.granted();
    world.run(&grant, call(secret())).unwrap();
    world.run(&grant, call(secret())).unwrap();
    // The same arguments, of another tool and of another caller, and without a token.
    let both = Scope::tool("u").any_args();
    let task = world.broker.open(&other, Purpose::new("test")).unwrap();
    let own = task.request(both, &world.context).unwrap();
    let elsewhere = Call::new("u", secret()).unwrap();
    drop(world.gate.authorize(own.token(), &other, elsewhere, &world.context).unwrap());
    drop(world.gate.authorize(own.token(), &other, call(secret()), &world.context));
    drop(world.gate.authorize(grant.token(), &other, call(secret()), &world.context));
    let told = digests(&world.log);
    assert_eq!(told[0], told[1], "the same call again");
    for (reason, digest) in &told[2..] {
        assert!(digest.is_some(), "{reason}");
        assert_ne!(*digest, told[0].1, "{reason}");
    }
    assert_eq!(told.len(), 5);
}

/// attack 146: without a token no digest is made
#[test]
fn a_denial_before_the_signature_holds_has_no_digest() {
    let world = World::new([broad()]);
    let (_task, grant) = world.granted();
    let text = grant.token().expose();
    let changed = text.replacen("hp1.A", "hp1.B", 1);
    let (body, tag) = text.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}{}", if tag.starts_with('A') { 'B' } else { 'A' }, &tag[1..]);
    let unsigned = ["", "hp1.", "hp2.x", &changed, &forged, &text.replace("hp1.", "hp1c.")];
    for text in unsigned {
        assert!(world.present(text).is_err(), "{text}");
    }
    let foreign = World::new([broad()]);
    let (_other, signed) = foreign.granted();
    assert!(world.present(signed.token().expose()).is_err());
    let told = digests(&world.log);
    let (before, after) = told.split_at(unsigned.len());
    assert!(before.iter().all(|(_, digest)| digest.is_none()), "{before:?}");
    assert!(after.len() == 1 && after[0].1.is_some(), "{after:?}");
}
