mod faulty;

use std::collections::BTreeSet;
use std::mem;
use std::panic::AssertUnwindSafe;

use self::faulty::{Fault as DiskFault, FaultyDisk};
use super::layout::number_of;
use super::*;
use crate::audit::ChainTag;
use crate::audit::{Body, Event, Journal, Outcome, Record};
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
        tool: "bank.pay".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec![],
        epoch: 1,
    }
}

fn body(event: &Event<'_>) -> Body {
    Body::new(at(1_000), event).unwrap()
}

/// A journal that goes on with a log.
struct Life {
    journal: Journal,
    log: FileLog,
}

impl Life {
    fn begin(disk: &FaultyDisk, options: &FileLogOptions) -> Result<Self, OpenError> {
        let log = options.open_on(Arc::new(disk.clone()), &keys(), &ORIGIN)?;
        log.take_resumption().unwrap();
        let journal =
            Journal::open(Arc::new(log.clone()), &keys(), &ORIGIN, at(1_000), WAIT).unwrap();
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
    let mut records = Vec::new();
    walk(
        disk,
        |_| Ok(()),
        |line, _| {
            records.push(Record::from_line(line).unwrap());
            Ok(())
        },
    )?;
    Content::read(disk, &keys(), &ORIGIN, None)?;
    Ok(records)
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

fn halted() -> Event<'static> {
    Event::Halted { what: "tool x".into(), until: None }
}

/// attack 182: half a last line is cut off, kept aside and said
#[test]
fn an_incomplete_last_line_is_cut_off_and_kept_aside() {
    let whole = FaultyDisk::default();
    let open = Life::begin(&whole, &options(Durability::Flushed)).unwrap();
    open.permit("a").unwrap();
    open.permit("b").unwrap();
    open.kill();
    let name = name_of(1);
    let bytes = whole.bytes(&name);
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last + 1..bytes.len() {
        let disk = whole.after_kill();
        disk.put(&name, &bytes[..end]);
        let log =
            options(Durability::Flushed).open_on(Arc::new(disk.clone()), &keys(), &ORIGIN).unwrap();
        let (resumption, _) = log.take_resumption().unwrap();
        assert_eq!(resumption.torn(), Some((end - last) as u64));
        assert_eq!(disk.bytes(&name), bytes[..last]);
        assert_eq!(disk.bytes("torn-3"), bytes[last..end]);
        assert_eq!(permits(&read(&disk).unwrap()), [(2, "a".to_owned())]);
    }
}

/// attacks 183 and 186: whatever byte is changed, wherever a line is taken out, doubled or moved
#[test]
fn a_log_that_was_changed_is_refused_and_left_as_it_is() {
    let whole = FaultyDisk::default();
    let open = Life::begin(&whole, &options(Durability::Flushed)).unwrap();
    for task in ["a", "b", "c"] {
        open.permit(task).unwrap();
    }
    open.close();
    let name = name_of(1);
    let bytes = whole.bytes(&name);
    let refused = |changed: &[u8]| {
        let disk = whole.after_kill();
        disk.put(&name, changed);
        let opened = options(Durability::Flushed).open_on(Arc::new(disk.clone()), &keys(), &ORIGIN);
        assert_eq!(disk.bytes(&name), changed, "it is left as it is");
        opened.err().map(|error| error.to_string())
    };
    // The end of the last line apart: without it, the line is incomplete.
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let said = refused(&changed).unwrap_or_else(|| panic!("byte {at}"));
        assert!(said.contains(&name), "{said}");
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let (mut without, mut twice, mut swapped) = (lines.clone(), lines.clone(), lines.clone());
        without.remove(at);
        twice.insert(at, lines[at]);
        swapped.swap(at, at + 1);
        for changed in [without, twice, swapped] {
            let said = refused(&changed.concat()).unwrap();
            assert!(said.contains("record") || said.contains("line"), "{said}");
        }
    }
    // A record without its tag.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let tag = text.lines().nth(2).unwrap().split_once(r#","tag""#).unwrap();
    let without = text.replacen(&format!(r#","tag"{}"#, tag.1), "}", 1);
    let expected = format!("line 3 of `{name}` does not end in a tag");
    assert_eq!(refused(without.as_bytes()).unwrap(), expected);
}

#[test]
fn files_follow_one_another_and_none_can_go() {
    let disk = FaultyDisk::default();
    let small = options(Durability::Flushed).rotate_at(4096);
    for _ in 0..2 {
        let open = Life::begin(&disk, &small).unwrap();
        (0..30).for_each(|n| _ = open.permit(&format!("t{n}")).unwrap());
        open.close();
    }
    let files = disk.names().unwrap().iter().filter(|name| number_of(name).is_some()).count();
    assert!(files >= 4, "{files}");
    assert_eq!(permits(&read(&disk).unwrap()).len(), 60);
    for file in 1..files as u64 {
        // attack 184: one file is gone, two are swapped, one stands twice
        let gone = disk.after_kill();
        gone.remove(&name_of(file));
        let error = Life::begin(&gone, &small).err().unwrap();
        assert!(matches!(&error, OpenError::Missing { file: name } if *name == name_of(file)));
        let swapped = disk.after_kill();
        swapped.put(&name_of(file), &disk.bytes(&name_of(file + 1)));
        swapped.put(&name_of(file + 1), &disk.bytes(&name_of(file)));
        assert!(Life::begin(&swapped, &small).is_err());
        let renumbered = String::from_utf8(disk.bytes(&name_of(file + 1))).unwrap().replacen(
            &format!(r#""file":{}"#, file + 1),
            &format!(r#""file":{file}"#),
            1,
        );
        let put_in = disk.after_kill();
        put_in.put(&name_of(file), renumbered.as_bytes());
        let error = Life::begin(&put_in, &small).err().unwrap().to_string();
        assert!(error.contains("begins at record"), "{error}");
        // An incomplete line is only ever the last one.
        let bytes = disk.bytes(&name_of(file));
        let torn = disk.after_kill();
        torn.put(&name_of(file), &bytes[..bytes.len() - 5]);
        let error = Life::begin(&torn, &small).err().unwrap().to_string();
        assert!(error.ends_with("has no end"), "{error}");
    }
    // attack 181: the right number, and the tag of another log
    let other = ChainTag::from_bytes([7; 32]);
    let anchor = Content::read(&disk, &keys(), &ORIGIN, None).unwrap().verification.anchor;
    let error =
        Life::begin(&disk.after_kill(), &small.clone().anchor(Anchor { tag: other, ..anchor }));
    let error = error.err().unwrap();
    assert!(matches!(error.fault(), Some(Fault::Rebuilt { .. })), "{error}");
    // The last file is gone as a whole: only an anchor tells.
    disk.remove(&name_of(files as u64));
    assert!(Life::begin(&disk.after_kill(), &small).is_ok());
    let error = Life::begin(&disk, &small.clone().anchor(anchor)).err().unwrap();
    assert!(matches!(error.fault(), Some(Fault::Cut { .. })), "{error}");
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

/// attack 186, and P9: whatever act of the disk goes wrong in which way, a record that was acknowledged
/// is there once, and one that was refused gives nothing.
#[test]
fn whatever_goes_wrong_with_the_disk_no_record_is_lost_doubled_or_given_without_one() {
    let small = |durability| options(durability).rotate_at(4096);
    for durability in ALL {
        let acts = {
            let disk = FaultyDisk::default();
            errand(&disk, &small(durability));
            disk.acts()
        };
        assert!(acts > 10);
        for fault in [DiskFault::Fails, DiskFault::Half, DiskFault::Panics] {
            for act in 0..acts {
                let disk = FaultyDisk::default();
                disk.fail_after(act, fault);
                let said = errand(&disk, &small(durability));
                assert!(!disk.is_waiting(), "act {act} of {acts}");
                let Some((given, refused)) = said else { continue };
                let kept = permits(&read(&disk.after_kill()).unwrap());
                let case = format!("{durability:?}, {fault:?} at act {act}");
                let is_kept = |task: &String| kept.iter().filter(|(_, own)| own == task).count();
                assert!(
                    given.iter().all(|task| is_kept(task) == 1),
                    "{case}: {given:?} of {kept:?}"
                );
                assert!(refused.iter().all(|task| is_kept(task) == 0), "{case}");
                assert_eq!(kept.len(), given.len(), "{case}");
            }
        }
    }
}

/// Thirty permits, and what became of each. `None` if the log was not opened.
fn errand(disk: &FaultyDisk, options: &FileLogOptions) -> Option<(Vec<String>, Vec<String>)> {
    let begun = std::panic::catch_unwind(AssertUnwindSafe(|| Life::begin(disk, options)));
    let open = begun.ok()?.ok()?;
    let (mut given, mut refused) = (Vec::new(), Vec::new());
    for n in 0..30 {
        let task = format!("t{n}");
        match open.permit(&task) {
            Some(seq) => {
                open.outcome(seq);
                given.push(task);
            }
            None => refused.push(task),
        }
    }
    // A disk that failed once is well again, unless it lost what it was to keep.
    let _ = open.flush();
    open.journal.tell_closed();
    Some((given, refused))
}

#[test]
fn a_disk_that_failed_to_sync_is_not_believed_again() {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Synced)).unwrap();
    open.permit("a").unwrap();
    // The write, and then the sync.
    disk.fail_after(1, DiskFault::Fails);
    assert_eq!(open.permit("b"), None);
    assert_eq!(open.permit("c"), None);
    open.kill();
    let disk = disk.after_power_failure();
    let open = Life::begin(&disk, &options(Durability::Synced)).unwrap();
    open.permit("d").unwrap();
    open.kill();
    let tasks: Vec<_> = permits(&read(&disk).unwrap()).into_iter().map(|(_, task)| task).collect();
    assert_eq!(tasks, ["a", "d"]);
}

#[test]
fn a_full_log_gives_nothing_and_keeps_room_for_what_ends() {
    let disk = FaultyDisk::default();
    let when_full = WhenFull::StopAt { bytes: 8192, kept_for_ends: 4096 };
    let full = FileLog::options(Durability::Flushed, when_full);
    let open = Life::begin(&disk, &full).unwrap();
    let given: Vec<u64> = (0..100).map_while(|n| open.permit(&format!("t{n}"))).collect();
    assert!((5..20).contains(&given.len()), "{}", given.len());
    given.iter().for_each(|of| open.outcome(*of));
    assert!(open.flush(), "outcomes have room");
    assert_eq!(open.permit("more"), None);
    assert!(disk.bytes(&name_of(1)).len() <= 8192);
    // At the very end, what ends is owed.
    while open.flush() {
        open.journal.note(body(&halted()));
    }
    assert!(disk.bytes(&name_of(1)).len() <= 8192);
    assert!(open.journal.debts() > 0);
}

/// attack 188: what was lost of the folder
#[test]
fn a_log_whose_records_or_reservation_are_gone_repeats_no_number() {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Buffered)).unwrap();
    let used: Vec<u64> = (0..3).map(|_| open.permit("a").unwrap()).collect();
    open.kill();
    let emptied = disk.after_kill();
    emptied.remove(&name_of(1));
    let error = Life::begin(&emptied, &options(Durability::Buffered)).err().unwrap();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    let unreserved = disk.after_kill();
    unreserved.remove("reserved");
    for disk in [disk.after_kill(), unreserved] {
        let open = Life::begin(&disk, &options(Durability::Buffered)).unwrap();
        assert!(open.journal.earlier() >= *used.last().unwrap());
        assert!(!used.contains(&open.permit("b").unwrap()));
    }
    let unclear = disk.after_kill();
    unclear.put("reserved", b"{}");
    let error = Life::begin(&unclear, &options(Durability::Buffered)).err().unwrap();
    assert!(matches!(error, OpenError::Reserved), "{error}");
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
    let unread = Journal::open(Arc::new(log.clone()), &keys(), &ORIGIN, at(1), WAIT);
    assert!(unread.unwrap_err().to_string().contains("resume_from"));
    let (resumption, begins) = log.take_resumption().unwrap();
    assert_eq!((resumption.permits().count(), begins), (1, false));
    assert!(log.take_resumption().is_none());
    assert!(Journal::open(Arc::new(log), &keys(), &ORIGIN, at(1), WAIT).is_ok());
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
    let entry = |first, seq| Entry { first, seq, gives_access: false, tag: &tag, line: "{}" };
    for batch in [&[entry(2, 2)][..], &[entry(4, 4)], &[entry(3, 3), entry(5, 5)]] {
        assert!(open.log.append(batch).is_err());
    }
    assert_eq!(disk.bytes(&name_of(1)), before);
}
