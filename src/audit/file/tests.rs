mod changed;
mod checkpoints;
mod failing;
mod faulty;
mod followed;
mod receipts;
mod schedule;
mod unsigned;
mod witnesses;

use std::collections::BTreeSet;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use self::faulty::{Fault as DiskFault, FaultyDisk};
use super::layout::number_of;
use super::*;
use crate::audit::ChainTag;
use crate::audit::{Body, ChainKey, Event, Journal, Outcome, Record};
use crate::clock::Timestamp;
use crate::key::SecretKey;

const ORIGIN: Origin<'_> = Origin::new("acme", "gate");
const ALL: [Durability; 3] = [Durability::Buffered, Durability::Flushed, Durability::Synced];
const WAIT: Duration = Duration::from_secs(5);

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn options(durability: Durability) -> FileLogOptions {
    FileLog::options(durability, WhenFull::Owe)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn permitted(task: &str) -> Event<'_> {
    Event::Permitted {
        task: task.into(),
        generation: 1,
        grant: "g".into(),
        serial: 1,
        who: "agent-7".into(),
        acts_for: vec![],
        tool: "bank.pay".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec![],
        spent: vec![],
        epoch: 1,
        break_glass: false,
        passed: vec![],
        trace: None,
        plain: None,
    }
}

fn body(event: &Event<'_>) -> Body {
    let plain = matches!(event, Event::Permitted { .. }).then(|| r#"{"args.to":7}"#.into());
    Body::new(at(1_000), event).unwrap().with_plain(plain)
}

/// A journal that goes on with a log.
struct Life {
    journal: Journal,
    log: FileLog,
}

impl Life {
    fn begin(disk: &FaultyDisk, options: &FileLogOptions) -> Result<Self, OpenError> {
        let log = options.open_on(Arc::new(disk.clone()), &keys(), &ORIGIN)?;
        let resuming = log.resume().unwrap();
        let journal =
            Journal::open(Arc::new(log.clone()), &keys(), &ORIGIN, at(1_000), WAIT).unwrap();
        resuming.keep().unwrap();
        Ok(Life { journal, log })
    }

    /// Whether a permit is recorded, and its number.
    fn permit(&self, task: &str) -> Option<u64> {
        let place = self.journal.place(body(&permitted(task))).ok()?;
        self.journal.settle(place).ok()
    }

    fn outcome(&self, of: u64) {
        let event = Event::Outcome {
            task: "t".into(),
            generation: 1,
            of,
            outcome: Outcome::Ok,
            task_over: false,
            noted: 0,
            break_glass: false,
        };
        self.journal.note(body(&event));
    }

    fn flush(&self) -> bool {
        self.journal.flush(self.journal.last_seq(), WAIT).is_ok()
    }

    /// The process is killed: nothing of it runs any more.
    fn kill(self) {
        mem::forget(self);
    }

    fn close(self) {
        assert!(self.flush());
        self.journal.close();
        self.journal.tell_closed();
    }
}

fn read(disk: &FaultyDisk) -> Result<Vec<Record>, OpenError> {
    let mut records = Records(Vec::new());
    walk(disk, &mut records)?;
    Content::read(disk, &keys(), &ORIGIN, None)?;
    let names = disk.names().unwrap();
    let plain = names.iter().filter(|name| name.starts_with("plain-"));
    let plain: String =
        plain.map(|name| String::from_utf8_lossy(&disk.bytes(name)).into_owned()).collect();
    for (seq, _) in permits(&records.0) {
        // The first member of each is the number, so that no other line has the same beginning.
        let line = format!("{{\"seq\":{seq},\"plain\":{{\"args.to\":7}}}}\n");
        assert_eq!(plain.matches(&line).count(), 1, "{seq}: {plain}");
    }
    Ok(records.0)
}

struct Records(Vec<Record>);

impl Visitor for Records {
    fn head(&mut self, _: &Head) -> Result<(), String> {
        Ok(())
    }

    fn record(&mut self, line: &str, _: ChainTag) -> Result<(), Fault> {
        self.0.push(Record::from_line(line).unwrap());
        Ok(())
    }
}

fn permits(records: &[Record]) -> Vec<(u64, String)> {
    let permit = |record: &Record| match &record.event {
        Event::Permitted { task, .. } => Some((record.seq, task.to_string())),
        _ => None,
    };
    records.iter().filter_map(permit).collect()
}

#[test]
fn a_log_that_was_closed_goes_on_right_after_its_last_record() {
    for durability in ALL {
        let disk = FaultyDisk::default();
        for life in 0..3 {
            let open = Life::begin(&disk, &options(durability)).unwrap();
            open.permit(&format!("t{life}")).unwrap();
            open.close();
        }
        let seqs: Vec<u64> = read(&disk).unwrap().iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4], "{durability:?}");
    }
}

/// attack 188
#[test]
fn what_was_acknowledged_is_there_and_no_number_comes_twice_whatever_dies() {
    for durability in ALL {
        for machine in [false, true] {
            let mut disk = FaultyDisk::default();
            let mut used = BTreeSet::new();
            let mut acknowledged = Vec::new();
            for life in 0..4 {
                let open = Life::begin(&disk, &options(durability)).unwrap();
                for n in 0..5 {
                    let task = format!("t{life}-{n}");
                    let seq = open.permit(&task).unwrap();
                    assert!(used.insert(seq), "{durability:?}: {seq} was used before");
                    acknowledged.push((seq, task));
                }
                // Numbers that no record has.
                used.extend((0..3).map(|_| open.journal.note(body(&halted()))));
                open.kill();
                disk = if machine { disk.after_power_failure() } else { disk.after_kill() };
                let kept = permits(&read(&disk).unwrap());
                match (durability, machine) {
                    (Durability::Synced, _) | (Durability::Flushed, false) => {
                        assert_eq!(kept, acknowledged, "{durability:?}, machine: {machine}");
                    }
                    _ => assert!(kept.iter().all(|one| acknowledged.contains(one))),
                }
            }
        }
    }
}

/// A flood that the disk did not take meanwhile is one record, of more numbers than are ever reserved ahead.
#[test]
fn a_sum_of_denials_past_all_reserved_numbers_verifies_and_none_of_them_comes_again() {
    for durability in ALL {
        let disk = FaultyDisk::default();
        let life = Life::begin(&disk, &options(durability)).unwrap();
        life.permit("t").unwrap();
        let before = life.journal.anchor();
        let (first, seq) = (before.seq + 1, before.seq + 2_000_000);
        let sum = |count: u64| {
            let reasons = format!(r#"{{"no_permit":{count}}}"#);
            format!(
                r#"{{"seq":{seq},"at":1000,"kind":"denials","from":{first},"since":900,"reasons":{reasons}}}"#
            )
        };
        let append = |life: &Life, line: &str| {
            let tag =
                ChainKey::of(keys().active_key()).next(&life.journal.anchor().tag, line).unwrap();
            let entry = Entry { first, seq, gives_access: false, tag: &tag, line, plain: None };
            life.log.append(&[entry]).map(Kept::records)
        };
        assert_eq!(append(&life, &sum(2_000_000)), Ok(1));
        life.kill();
        let disk = disk.after_kill();
        let next = Life::begin(&disk, &options(durability)).unwrap();
        assert!(next.permit("after").unwrap() > seq, "{durability:?}");
        next.close();
        let records = read(&disk).unwrap();
        let kept = records.iter().any(|own| own.seq == seq);
        assert_eq!(kept, durability != Durability::Buffered, "{durability:?}");

        let wrong = FaultyDisk::default();
        let life = Life::begin(&wrong, &options(durability)).unwrap();
        life.permit("t").unwrap();
        assert_eq!(append(&life, &sum(1_999_999)), Ok(1));
        drop(life);
        let fault = Fault::WrongSum { seq, summed: 1_999_999 };
        let found = Life::begin(&wrong, &options(durability)).err();
        assert!(
            matches!(&found, Some(OpenError::Fault { fault: own, .. }) if *own == fault),
            "{found:?}"
        );
    }
}

fn halted() -> Event<'static> {
    Event::Halted { what: "tool x".into(), until: None }
}

#[test]
fn a_file_is_followed_by_the_next_once_its_first_record_is_old() {
    let disk = FaultyDisk::default();
    let hourly = options(Durability::Flushed).rotate_after(Duration::from_secs(3600));
    let open = Life::begin(&disk, &hourly).unwrap();
    let hour = 3_600_000;
    for (millis, files) in [(1_000, 1), (hour + 999, 1), (hour + 1_000, 2), (2 * hour, 2)] {
        let event = Event::Halted { what: "everything".into(), until: None };
        open.journal.note(Body::new(at(millis), &event).unwrap());
        assert!(open.flush());
        let there = disk.names().unwrap().iter().filter(|name| number_of(name).is_some()).count();
        assert_eq!(there, files, "{millis}");
    }
}

#[test]
fn a_log_is_gone_on_with_once_and_by_one_who_has_read_it() {
    let disk = FaultyDisk::default();
    let begun = Life::begin(&disk, &options(Durability::Flushed)).unwrap();
    begun.permit("a").unwrap();
    let second = Journal::open(Arc::new(begun.log.clone()), &keys(), &ORIGIN, at(1), WAIT);
    assert!(second.is_err());
    begun.close();
    let log =
        options(Durability::Flushed).open_on(Arc::new(disk.clone()), &keys(), &ORIGIN).unwrap();
    let journal = || Journal::open(Arc::new(log.clone()), &keys(), &ORIGIN, at(1), WAIT);
    assert!(journal().unwrap_err().to_string().contains("resume_from"));
    let resuming = log.resume().unwrap();
    assert_eq!((resuming.resumption().permits().count(), resuming.begins()), (1, false));
    assert!(log.resume().is_err(), "by one at a time");
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| journal().unwrap_err().to_string());
        assert!(elsewhere.join().unwrap().contains("has a writer"), "on the thread that resumes");
    });
    // One that fails hands it back, before and after it has claimed the log.
    drop(resuming);
    assert!(journal().unwrap_err().to_string().contains("resume_from"));
    let resuming = log.resume().unwrap();
    drop((journal().unwrap(), resuming));
    assert!(journal().unwrap_err().to_string().contains("resume_from"));
    let resuming = log.resume().unwrap();
    let journal_that_stays = journal().unwrap();
    assert_eq!(resuming.keep().unwrap().permits().count(), 1);
    assert!(log.resume().is_err() && journal().is_err());
    drop(journal_that_stays);
    assert!(log.resume().is_err() && journal().is_err(), "once for each opening");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = std::env::temp_dir().join("hallpass-never-made");
    let full = WhenFull::StopAt { bytes: 10, kept_for_ends: 10 };
    for options in [
        options(Durability::Flushed).rotate_at(4095),
        options(Durability::Flushed).rotate_after(Duration::from_millis(999)),
        FileLog::options(Durability::Flushed, full),
    ] {
        let error = options.open(&folder, &keys(), &ORIGIN).unwrap_err();
        assert!(matches!(error, OpenError::Setting(_)), "{error}");
    }
    assert!(!folder.exists());
}

#[test]
fn a_record_that_does_not_follow_the_last_one_is_refused() {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Flushed)).unwrap();
    assert_eq!(open.permit("a"), Some(2));
    let before = disk.bytes(&name_of(1));
    let tag = ChainTag::from_bytes([0; 32]);
    let entry =
        |first, seq| Entry { first, seq, gives_access: false, tag: &tag, line: "{}", plain: None };
    for batch in [&[entry(2, 2)][..], &[entry(4, 4)], &[entry(3, 3), entry(5, 5)]] {
        assert!(open.log.append(batch).is_err());
    }
    assert_eq!(disk.bytes(&name_of(1)), before);
}

#[test]
fn a_log_with_a_halt_that_cannot_be_read_is_gone_on_with_by_none() {
    let disk = FaultyDisk::default();
    let begun = Life::begin(&disk, &options(Durability::Flushed)).unwrap();
    begun.journal.note(body(&Event::Halted { what: "moods of x".into(), until: None }));
    begun.close();
    let log = options(Durability::Flushed).open_on(Arc::new(disk), &keys(), &ORIGIN).unwrap();
    let policy = crate::Policy::builder().build().unwrap();
    let builder =
        || crate::Broker::builder(policy.clone()).issuer("acme").audience("gate").log_keys(keys());
    for _ in 0..2 {
        let error = builder().resume_from(&log).build().unwrap_err().to_string();
        assert!(error.contains("`moods of x`, which can't be read"), "{error}");
        let without = builder().log(log.clone()).build().unwrap_err().to_string();
        assert!(without.contains("resume_from"), "{without}");
    }
}
