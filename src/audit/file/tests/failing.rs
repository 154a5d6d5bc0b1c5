//! A disk that fails, or is full.

use super::*;

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
                for left in [disk.after_kill(), disk.after_power_failure()] {
                    let again =
                        Life::begin(&left, &small(durability)).map(|open| open.permit("again"));
                    assert!(
                        matches!(again, Ok(Some(_))),
                        "{durability:?}, {fault:?} at act {act}: {again:?}"
                    );
                }
                // A log that was not opened has given nothing.
                let (given, refused) = said.unwrap_or_default();
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
    // What is given back when it goes is given back to the same disk.
    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(open)));
    Some((given, refused))
}

#[test]
fn a_disk_that_failed_to_sync_is_not_believed_again() {
    // The two writes, of the values next to the record and of the record, and then the syncs of each.
    for sync in [2, 3] {
        let disk = FaultyDisk::default();
        let open = Life::begin(&disk, &options(Durability::Synced)).unwrap();
        open.permit("a").unwrap();
        disk.fail_after(sync, DiskFault::Fails);
        assert_eq!(open.permit("b"), None, "{sync}");
        assert_eq!(open.permit("c"), None, "{sync}");
        open.kill();
        let disk = disk.after_power_failure();
        let open = Life::begin(&disk, &options(Durability::Synced)).unwrap();
        open.permit("d").unwrap();
        open.kill();
        let records = read(&disk).unwrap();
        let tasks: Vec<_> = permits(&records).into_iter().map(|(_, task)| task).collect();
        assert_eq!(tasks, ["a", "d"], "{sync}");
    }
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

/// Whatever act goes wrong, and whenever the process or the machine dies after that: before it does anything
/// else, most of all.
#[test]
fn an_honest_log_opens_again_after_a_refusal_and_a_kill() {
    let small = |durability| options(durability).rotate_at(4096);
    for durability in ALL {
        for fault in [DiskFault::Fails, DiskFault::Half, DiskFault::Panics] {
            let (mut act, mut is_waiting) = (0, false);
            while !is_waiting {
                let disk = FaultyDisk::default();
                disk.fail_after(act, fault);
                let begin = || Life::begin(&disk, &small(durability));
                let mut given = Vec::new();
                if let Ok(Ok(open)) = std::panic::catch_unwind(AssertUnwindSafe(begin)) {
                    let tasks = (0..40).map(|n| format!("t{n}"));
                    given.extend(tasks.map_while(|task| Some((open.permit(&task)?, task))));
                    open.kill();
                }
                for (how, left) in
                    [("kill", disk.after_kill()), ("power", disk.after_power_failure())]
                {
                    let case = format!("{durability:?}, {fault:?} at act {act}, {how}");
                    let again = Life::begin(&left, &small(durability));
                    let again = again.unwrap_or_else(|error| panic!("{case}: {error}"));
                    let seq = again.permit("again").unwrap_or_else(|| panic!("{case}: nothing"));
                    assert!(given.iter().all(|(own, _)| *own != seq), "{case}: {seq} again");
                }
                is_waiting = disk.is_waiting();
                act += 1;
            }
            assert!(act > 20, "{durability:?}, {fault:?}: {act}");
        }
    }
}

/// A next file that was begun and not finished stands behind the last one.
#[test]
fn a_rotation_that_failed_is_finished_before_anything_else_is_written() {
    let hour = 3_600_000;
    for fault in [DiskFault::Fails, DiskFault::Half, DiskFault::Panics] {
        // The sync of the full file, and the five acts that begin the next one.
        for act in 0..6 {
            let disk = FaultyDisk::default();
            let hourly = options(Durability::Flushed).rotate_after(Duration::from_secs(3600));
            let open = Life::begin(&disk, &hourly).unwrap();
            open.permit("a").unwrap();
            disk.fail_after(act, fault);
            let note = |millis| open.journal.note(Body::new(at(millis), &halted()).unwrap());
            note(1_000 + hour);
            assert!(!open.flush() && !disk.is_waiting(), "{fault:?} at act {act}");
            open.kill();
            let disk = disk.after_kill();
            let open = Life::begin(&disk, &hourly).unwrap();
            open.permit("b").unwrap();
            assert_eq!(permits(&read(&disk).unwrap()).len(), 2, "{fault:?} at act {act}");
        }
    }
}

/// Numbers that are reserved of a log without records are those of one that was deleted.
#[test]
fn a_log_whose_first_record_was_refused_reserves_nothing_however_it_ends() {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Flushed)).unwrap();
    disk.fail_after(0, DiskFault::Fails);
    assert_eq!(open.permit("a"), None);
    open.log.closed(2);
    drop(open);
    assert!(!disk.is_waiting() && !disk.names().unwrap().contains(&"reserved".to_owned()));
    assert!(Life::begin(&disk, &options(Durability::Flushed)).unwrap().permit("b").is_some());
}
