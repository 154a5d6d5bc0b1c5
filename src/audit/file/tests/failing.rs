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
    // What is given back when it goes is given back to the same disk.
    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(open)));
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
