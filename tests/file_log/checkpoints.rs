//! Checkpoints of a log on file, as hosts and strangers use them.

use std::time::Duration;

use hallpass::audit::{
    Durability, FileLog, LogSigner, OpenError, SignedCheckpoint, Signer, VerifierKey,
};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::SecretKey;

use super::readers::vector;
use super::world::{Folder, ORIGIN, builder, keys, options, pay};

pub(crate) fn signer() -> LogSigner {
    LogSigner::from_secret(SecretKey::from_bytes(&(64..96).collect::<Vec<u8>>()).unwrap())
}

/// The checkpoint on the page.
fn on_page() -> String {
    let page = include_str!("../../docs/receipts.md");
    let (_, rest) = page.split_once("<!-- checkpoint -->\n```text\n").unwrap();
    rest.split_once("```\n").unwrap().0.to_owned()
}

#[test]
fn the_checkpoint_of_the_vector_is_the_one_on_the_page() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("log-0000000001.jsonl"), vector()).unwrap();
    let options = options(Durability::Flushed).checkpoints(signer());
    let log = options.open(folder.path(), &keys(), &ORIGIN).unwrap();
    assert_eq!(log.checkpoint().unwrap().to_string(), on_page());
    let key: VerifierKey = log.verifier_key().unwrap().to_string().parse().unwrap();
    let read = SignedCheckpoint::verify(&on_page(), &key).unwrap();
    assert_eq!((read.size(), *key.public_key()), (6, signer().public_key()));
    assert_eq!(
        FileLog::examine_public(folder.path(), &key, &[read], |_, _| {}).unwrap().covered,
        6
    );
}

/// attack 185: what is bought with a checkpoint that somebody else has
#[test]
fn a_log_that_was_put_back_to_an_older_state_is_found_by_who_kept_a_checkpoint() {
    let folder = Folder::new();
    let options = options(Durability::Buffered).checkpoints(signer());
    let open = || {
        let log = options.open(folder.path(), &keys(), &ORIGIN).unwrap();
        (builder().log_keys(keys()).resume_from(&log).build().unwrap(), log)
    };
    let (broker, log) = open();
    drop(pay(&broker));
    broker.close(Duration::from_secs(5));
    let key = log.verifier_key().unwrap();
    drop((broker, log));
    let names = ["log-0000000001.jsonl", "checkpoint", "tree", "reserved"];
    let older = names.map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let (broker, log) = open();
    let (task, permit) = pay(&broker);
    drop((task, permit));
    broker.flush();
    let kept = log.checkpoint().unwrap();
    drop((broker, log));
    for (name, bytes) in names.iter().zip(older) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let examine =
        |seen: &[SignedCheckpoint]| FileLog::examine_public(folder.path(), &key, seen, |_, _| {});
    assert!(examine(&[]).is_ok(), "in itself it is whole");
    let refused = examine(&[kept]).unwrap_err();
    assert!(matches!(refused, OpenError::Checkpoint(_)), "{refused}");
    assert!(refused.to_string().starts_with("the log was cut"), "{refused}");
}

/// Time is the broker's: a checkpoint is made by who flushes, and by the reaper, once one is due.
#[test]
fn checkpoints_are_made_by_flushes_and_by_the_reaper_as_time_passes() {
    let folder = Folder::new();
    let minute = Duration::from_secs(60);
    let options = options(Durability::Buffered).checkpoints(signer());
    let log =
        options.checkpoint_every(minute, 1_000).open(folder.path(), &keys(), &ORIGIN).unwrap();
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let builder = builder().log_keys(keys()).clock(clock.clone());
    let broker = builder.resume_from(&log).build().unwrap();
    let covered = || std::fs::read_to_string(folder.path().join("checkpoint")).ok();
    drop(pay(&broker));
    broker.flush();
    assert_eq!(covered(), None, "there is news, and it is not a minute old");
    clock.advance(minute);
    broker.flush_within(minute).unwrap();
    let first = covered().unwrap();
    drop(pay(&broker));
    broker.flush();
    clock.advance(minute);
    let reaper = broker.start_reaper(Duration::from_millis(1)).unwrap();
    while covered().unwrap() == first {
        std::thread::yield_now();
    }
    drop(reaper);
    let key = log.verifier_key().unwrap();
    let size = |text: &str| SignedCheckpoint::verify(text, &key).unwrap().size();
    assert!(size(&covered().unwrap()) > size(&first));
}
