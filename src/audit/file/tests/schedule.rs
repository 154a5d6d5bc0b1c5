//! Checkpoints that a log makes by itself.

use std::sync::atomic::{AtomicBool, Ordering};

use super::checkpoints::{signed, signer};
use super::*;
use crate::audit::{LogSigner, Signer, SignerError};

const MINUTE: Duration = Duration::from_secs(60);

fn scheduled(records: u64) -> FileLogOptions {
    signed(Durability::Buffered).checkpoint_every(MINUTE, records)
}

/// The size of the checkpoint that is made at this second, if one is.
fn made(life: &Life, second: i64) -> Option<u64> {
    let made = life.log.checkpoint_if_due(at(second * 1000))?;
    Some(made.unwrap().size())
}

#[test]
fn a_checkpoint_is_made_a_minute_after_there_was_news_and_not_without() {
    let life = Life::begin(&FaultyDisk::default(), &scheduled(1_000)).unwrap();
    life.permit("a").unwrap();
    assert_eq!(made(&life, 10), None, "this is when news is seen first");
    assert_eq!(made(&life, 69), None);
    life.permit("b").unwrap();
    let size = made(&life, 70).unwrap();
    assert_eq!(made(&life, 71), None);
    assert_eq!(made(&life, 10_000), None, "there is no news");
    life.permit("c").unwrap();
    assert_eq!(made(&life, 10_001), None);
    assert_eq!(made(&life, 10_060), None);
    assert_eq!(made(&life, 10_061), Some(size + 1));
    // A clock that is set back makes nothing wait for longer than a minute from there.
    life.permit("d").unwrap();
    assert_eq!((made(&life, 10_100), made(&life, 5)), (None, None));
    assert_eq!(made(&life, 65), Some(size + 2));
}

#[test]
fn a_checkpoint_is_made_once_there_are_so_many_records() {
    let life = Life::begin(&FaultyDisk::default(), &scheduled(50)).unwrap();
    life.permit("a").unwrap();
    let first = (0..).find_map(|_| {
        life.permit("b").unwrap();
        made(&life, 1)
    });
    assert_eq!(first, Some(50));
    (0..49).for_each(|_| _ = life.permit("c").unwrap());
    assert_eq!(made(&life, 1), None);
    life.permit("c").unwrap();
    assert_eq!(made(&life, 1), Some(100));
}

/// A log that no schedule was set for makes none by itself, and one that is opened again is looked at anew.
#[test]
fn without_a_schedule_none_is_due_and_after_a_restart_what_was_not_covered_is() {
    let disk = FaultyDisk::default();
    let life = Life::begin(&disk, &signed(Durability::Flushed)).unwrap();
    life.permit("a").unwrap();
    assert!(life.log.checkpoint_if_due(at(1)).is_none());
    assert!(life.log.checkpoint_if_due(at(1_000_000)).is_none());
    life.kill();
    let life = Life::begin(&disk.after_kill(), &scheduled(1_000_000)).unwrap();
    assert_eq!(made(&life, 10), None);
    assert!(made(&life, 70).is_some());
}

/// A signer that fails on cue.
struct Failing(Arc<AtomicBool>, LogSigner);

impl Signer for Failing {
    fn public_key(&self) -> [u8; 32] {
        self.1.public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(SignerError::new("on cue")),
            false => self.1.sign(message),
        }
    }
}

#[test]
fn a_checkpoint_that_failed_is_said_and_tried_again_after_ten_seconds() {
    let fails = Arc::new(AtomicBool::new(true));
    let options = options(Durability::Synced)
        .checkpoints(Failing(fails.clone(), signer()))
        .checkpoint_every(MINUTE, 1);
    let life = Life::begin(&FaultyDisk::default(), &options).unwrap();
    life.permit("a").unwrap();
    assert_eq!(life.log.checkpoint_failure(), None);
    assert!(life.log.checkpoint_if_due(at(1_000)).unwrap().is_err());
    assert!(life.log.checkpoint_failure().unwrap().contains("on cue"));
    fails.store(false, Ordering::Relaxed);
    assert_eq!(made(&life, 10), None, "ten seconds are not over");
    assert!(made(&life, 11).is_some());
    assert_eq!(life.log.checkpoint_failure(), None);
    life.permit("b").unwrap();
    assert!(made(&life, 12).is_some());
}

/// A clock that is set back makes what failed wait no longer either.
#[test]
fn what_failed_is_tried_again_after_ten_seconds_of_a_clock_that_was_set_back() {
    let fails = Arc::new(AtomicBool::new(true));
    let options = options(Durability::Synced)
        .checkpoints(Failing(fails.clone(), signer()))
        .checkpoint_every(MINUTE, 1);
    let life = Life::begin(&FaultyDisk::default(), &options).unwrap();
    life.permit("a").unwrap();
    assert!(life.log.checkpoint_if_due(at(1_000_000)).unwrap().is_err());
    fails.store(false, Ordering::Relaxed);
    assert!(made(&life, 900).is_some());
}

/// A signer that panics, and does not answer while it is held.
struct Odd(Arc<Mutex<u64>>, LogSigner);

impl Signer for Odd {
    fn public_key(&self) -> [u8; 32] {
        self.1.public_key()
    }
    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignerError> {
        *self.0.lock() += 1;
        panic!("on cue")
    }
}

/// A panic of the signer is a failure like others: it is said, and not tried again at once.
#[test]
fn a_signer_that_panics_has_failed() {
    let asked = Arc::new(Mutex::new(0));
    let options = options(Durability::Synced)
        .checkpoints(Odd(asked.clone(), signer()))
        .checkpoint_every(MINUTE, 1);
    let life = Life::begin(&FaultyDisk::default(), &options).unwrap();
    life.permit("a").unwrap();
    life.log.maintain(at(1_000));
    assert!(life.log.checkpoint_failure().unwrap().contains("panicked"));
    life.log.maintain(at(2_000));
    assert_eq!(*asked.lock(), 1);
}

/// Why there is no checkpoint can be asked while a signer hangs: that is when it is asked.
#[test]
fn what_failed_last_is_told_while_the_signer_hangs() {
    let held = Arc::new(Mutex::new(0));
    let options = options(Durability::Synced)
        .checkpoints(Odd(held.clone(), signer()))
        .checkpoint_every(MINUTE, 1);
    let life = Life::begin(&FaultyDisk::default(), &options).unwrap();
    life.permit("a").unwrap();
    life.log.maintain(at(1_000));
    let holds = held.lock();
    std::thread::scope(|scope| {
        let maintaining = scope.spawn(|| while life.log.checkpoint_if_due(at(11_000)).is_none() {});
        while life.log.schedule.as_ref().is_some_and(|own| own.is_free()) {
            std::thread::yield_now();
        }
        let (told, hears) = std::sync::mpsc::channel();
        scope.spawn(|| {
            let told = told;
            let _ = told.send(life.log.checkpoint_failure());
        });
        let heard = hears.recv_timeout(Duration::from_secs(5));
        drop(holds);
        assert!(heard.unwrap().unwrap().contains("panicked"));
        maintaining.join().unwrap();
    });
}

#[test]
fn schedules_that_make_no_sense_are_refused() {
    let second = Duration::from_secs(1);
    for (options, said) in [
        (options(Durability::Synced).checkpoint_every(MINUTE, 1), "needs a signer"),
        (signed(Durability::Synced).checkpoint_every(second / 2, 1), "too often"),
        (signed(Durability::Synced).checkpoint_every(second, 0), "too often"),
    ] {
        let origin = Origin::new("acme", "payments");
        let error = options.open(std::env::temp_dir(), &keys(), &origin).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
