//! Checkpoints of a log, and what they show of one that is not what it was.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::audit::checkpoint::{Checkpoint, CheckpointFailure, CheckpointFault, SignedCheckpoint};
use crate::audit::file::public::examine;
use crate::audit::{LogSigner, PublicExamination, TreeHash, VerifierKey};

pub(super) fn signer() -> LogSigner {
    LogSigner::from_secret(SecretKey::from_bytes(&(64..96).collect::<Vec<u8>>()).unwrap())
}

pub(super) fn signed(durability: Durability) -> FileLogOptions {
    options(durability).checkpoints(signer())
}

/// As those of a host that flushes.
pub(super) fn options_with_signer() -> FileLogOptions {
    signed(Durability::Flushed)
}

/// A log of some permits in files of four thousand bytes, and where it stands.
pub(super) fn written(permits: usize) -> (FaultyDisk, Life) {
    let disk = FaultyDisk::default();
    let life = Life::begin(&disk, &signed(Durability::Flushed).rotate_at(4096)).unwrap();
    for n in 0..permits {
        life.permit(&format!("t{n}")).unwrap();
    }
    (disk, life)
}

fn look(
    disk: &FaultyDisk,
    key: &VerifierKey,
    seen: &[SignedCheckpoint],
) -> Result<PublicExamination, OpenError> {
    examine(disk, key, seen, &mut |_, _| {})
}

fn fault(disk: &FaultyDisk, key: &VerifierKey, seen: &[SignedCheckpoint]) -> CheckpointFault {
    match look(disk, key, seen).unwrap_err() {
        OpenError::Checkpoint(fault) => fault,
        other => panic!("{other}"),
    }
}

/// Changes the lines of a file.
fn edit(disk: &FaultyDisk, file: u64, change: impl FnOnce(&mut Vec<String>)) {
    let text = String::from_utf8(disk.bytes(&name_of(file))).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    disk.put(&name_of(file), (lines.join("\n") + "\n").as_bytes());
}

#[test]
fn a_checkpoint_covers_all_that_was_accepted_and_grows_with_it() {
    for durability in ALL {
        let disk = FaultyDisk::default();
        let life = Life::begin(&disk, &signed(durability).rotate_at(4096)).unwrap();
        assert!(life.log.verifier_key().is_none());
        let mut before: Option<SignedCheckpoint> = None;
        for n in 0..40 {
            let seq = life.permit(&format!("t{n}")).unwrap();
            let checkpoint = life.log.checkpoint().unwrap();
            assert_eq!(checkpoint.size(), seq);
            assert_eq!(life.log.checkpoint().unwrap(), checkpoint, "nothing is new");
            let key = life.log.verifier_key().unwrap();
            assert!(SignedCheckpoint::verify(&checkpoint.to_string(), &key).is_ok());
            let seen: Vec<_> = before.into_iter().chain([checkpoint.clone()]).collect();
            let found = look(&disk, &key, &seen).unwrap();
            assert_eq!((found.covered, found.last), (seq, seq));
            before = Some(checkpoint);
        }
        assert!(disk.names().unwrap().contains(&name_of(3)), "{durability:?}");
    }
}

#[test]
fn a_log_that_is_closed_is_covered_to_its_end_and_one_without_a_signer_has_none() {
    let (disk, life) = written(3);
    let key = life.log.verifier_key().unwrap();
    life.close();
    assert_eq!(look(&disk, &key, &[]).unwrap().covered, 4);
    let disk = FaultyDisk::default();
    let life = Life::begin(&disk, &options(Durability::Flushed)).unwrap();
    assert!(matches!(life.log.checkpoint(), Err(CheckpointFailure::NoSigner)));
    life.permit("a").unwrap();
    life.close();
    let mut names = disk.names().unwrap();
    names.retain(|name| !name.starts_with("plain-"));
    assert_eq!(names, [name_of(1), "reserved".to_owned()]);
}

/// attack 185: under every durability, whatever is lost with the machine
#[test]
fn a_checkpoint_covers_nothing_that_a_crash_can_lose() {
    for durability in ALL {
        let mut disk = FaultyDisk::default();
        let mut seen: Vec<SignedCheckpoint> = Vec::new();
        let mut key = None;
        for life in 0..4 {
            let open = Life::begin(&disk, &signed(durability).rotate_at(4096)).unwrap();
            for n in 0..9 {
                open.permit(&format!("t{life}-{n}")).unwrap();
            }
            // The second one is over what the life before has left, if nothing was lost.
            seen.push(open.log.checkpoint().unwrap());
            key = open.log.verifier_key();
            for n in 0..9 {
                open.permit(&format!("u{life}-{n}")).unwrap();
            }
            open.kill();
            disk = disk.after_power_failure();
            let found = look(&disk, key.as_ref().unwrap(), &seen).unwrap();
            assert_eq!(found.checkpoint.as_ref(), seen.last(), "{durability:?}");
            assert!(found.covered <= found.last);
        }
        assert!(seen.iter().zip(&seen[1..]).all(|(one, next)| one.size() < next.size()));
        // What comes before the machine has failed is all under the next one.
        let open = Life::begin(&disk, &signed(durability)).unwrap();
        open.log.checkpoint().unwrap();
        assert!(look(&disk, &key.unwrap(), &seen).is_ok());
    }
}

/// attack 185: each act of the disk fails in turn, by half, or with a panic
#[test]
fn a_checkpoint_that_left_is_one_of_the_log_whatever_fails() {
    for durability in ALL {
        for fault in [DiskFault::Fails, DiskFault::Half, DiskFault::Panics] {
            for act in 0.. {
                let disk = FaultyDisk::default();
                let life = Life::begin(&disk, &signed(durability).rotate_at(4096)).unwrap();
                life.permit("first").unwrap();
                let first = life.log.checkpoint().unwrap();
                let key = life.log.verifier_key().unwrap();
                disk.fail_after(act, fault);
                let mut seen = vec![first];
                for n in 0..12 {
                    let _ = catch_unwind(AssertUnwindSafe(|| life.permit(&format!("t{n}"))));
                    let made = catch_unwind(AssertUnwindSafe(|| life.log.checkpoint()));
                    seen.extend(made.ok().and_then(Result::ok));
                }
                let over = disk.is_waiting();
                life.kill();
                let after = disk.after_power_failure();
                let found = look(&after, &key, &seen).unwrap();
                assert!(found.checkpoint.unwrap().size() >= seen.last().unwrap().size());
                let again = Life::begin(&after, &signed(durability)).unwrap();
                again.permit("again").unwrap();
                seen.push(again.log.checkpoint().unwrap());
                assert!(look(&after, &key, &seen).is_ok(), "{durability:?} {fault:?} {act}");
                if over {
                    break;
                }
            }
        }
    }
}

/// attacks 130, 131 and 185: with the public key alone
#[test]
fn what_is_changed_put_in_taken_out_swapped_or_cut_is_named_by_who_has_the_public_key() {
    let original = || {
        let (disk, life) = written(30);
        let checkpoint = life.log.checkpoint().unwrap();
        let key = life.log.verifier_key().unwrap();
        life.kill();
        (disk, key, checkpoint)
    };
    let (disk, key, checkpoint) = original();
    assert_eq!(look(&disk, &key, &[checkpoint]).unwrap().covered, 31);
    type Edit = fn(&mut Vec<String>);
    // Of the first file, whose line with the index n is that of record n.
    let content: [(&str, Edit, u64); 4] = [
        ("changed", |lines| lines[4] = lines[4].replace("agent-7", "agent-8"), 4),
        (
            "its tag",
            |lines| {
                let at = lines[4].len() - 3;
                let other = if lines[4].as_bytes()[at] == b'0' { "1" } else { "0" };
                lines[4].replace_range(at..=at, other);
            },
            4,
        ),
        (
            "the last one of the file",
            |lines| {
                let last = lines.len() - 1;
                lines[last] = lines[last].replace("bank.pay", "bank.pax");
            },
            0,
        ),
        (
            "told of another time",
            |lines| lines[2] = lines[2].replace("\"at\":1000", "\"at\":1001"),
            2,
        ),
    ];
    for (what, change, seq) in content {
        let (disk, key, checkpoint) = original();
        edit(&disk, 1, change);
        for seen in [&[][..], &[checkpoint]] {
            match fault(&disk, &key, seen) {
                CheckpointFault::Changed { seq: found, size: 31 } => {
                    assert!(seq == 0 || found == seq, "{what}: {found}");
                }
                other => panic!("{what}: {other}"),
            }
        }
        // Without the hashes on file it is known that it is one of them.
        disk.remove("tree");
        let within = CheckpointFault::ChangedWithin { from: 1, to: 31, size: 31 };
        assert_eq!(fault(&disk, &key, &[]), within, "{what}");
    }
    let order: [(&str, Edit, &str); 4] = [
        ("removed", |lines| drop(lines.remove(5)), "record 5 is missing"),
        ("swapped", |lines| lines.swap(5, 6), "record 5 is missing: record 6"),
        ("repeated", |lines| lines.insert(5, lines[5].clone()), "record 5 stands a second time"),
        ("emptied", |lines| drop(lines.drain(2..)), "begins at record"),
    ];
    for (what, change, why) in order {
        let (disk, key, _) = original();
        edit(&disk, 1, change);
        let error = look(&disk, &key, &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{what}: {error}");
    }
    // Numbers made good, as one would who has no key: what was put in is named.
    let (disk, key, _) = original();
    edit(&disk, 1, |lines| {
        lines[5] = lines[4].replace("\"seq\":4", "\"seq\":5");
    });
    assert_eq!(fault(&disk, &key, &[]), CheckpointFault::Changed { seq: 5, size: 31 });
}

/// attacks 131, 182 and 184
#[test]
fn a_log_that_ends_before_its_checkpoint_is_said_to_be_cut_and_is_not_opened() {
    let (disk, life) = written(30);
    life.log.checkpoint().unwrap();
    let key = life.log.verifier_key().unwrap();
    life.kill();
    let last = disk.names().unwrap().iter().filter_map(|name| number_of(name)).max().unwrap();
    edit(&disk, last, |lines| drop(lines.pop()));
    let cut = CheckpointFault::Cut { records: 30, size: 31 };
    assert_eq!(fault(&disk, &key, &[]), cut);
    let refused = Life::begin(&disk, &signed(Durability::Flushed)).err().unwrap();
    assert_eq!(refused.to_string(), cut.to_string());
    // Without looking at checkpoints the log verifies.
    assert!(read(&disk).is_ok());
    // All of it gone.
    (1..=last).for_each(|file| disk.remove(&name_of(file)));
    disk.remove("reserved");
    let refused = Life::begin(&disk, &signed(Durability::Flushed)).err().unwrap();
    assert!(matches!(refused, OpenError::Missing { .. }), "{refused}");
}

/// attack 185: what who has the log's key, and its signer's, can't show after a checkpoint has left
#[test]
fn a_log_that_was_written_anew_from_some_record_on_is_not_the_one_that_was_seen() {
    let (one, life) = written(9);
    life.kill();
    let other = one.after_kill();
    let branch = |disk: &FaultyDisk, task: &str| {
        let open = Life::begin(disk, &signed(Durability::Flushed)).unwrap();
        for _ in 0..9 {
            open.permit(task).unwrap();
        }
        let checkpoint = open.log.checkpoint().unwrap();
        let key = open.log.verifier_key().unwrap();
        open.kill();
        (checkpoint, key)
    };
    let ((a, key), (b, same)) = (branch(&one, "a"), branch(&other, "b"));
    assert_eq!((key.to_string(), a.size()), (same.to_string(), b.size()));
    assert!(look(&one, &key, std::slice::from_ref(&a)).is_ok());
    assert_eq!(
        fault(&one, &key, std::slice::from_ref(&b)),
        CheckpointFault::Split { size: a.size() }
    );
    one.put("checkpoint", b.to_string().as_bytes());
    let found = fault(&one, &key, &[]);
    assert!(matches!(found, CheckpointFault::ChangedWithin { from: 1, .. }), "{found}");
    let refused = Life::begin(&one, &signed(Durability::Flushed)).err().unwrap();
    assert_eq!(refused.to_string(), found.to_string());
    assert!(read(&one).is_ok(), "the chain shows nothing of it");
    // Another log of the same broker.
    let (foreign, life) = written(30);
    life.kill();
    assert!(matches!(fault(&foreign, &key, &[a]), CheckpointFault::Foreign { .. }));
    foreign.put("checkpoint", b.to_string().as_bytes());
    let refused = Life::begin(&foreign, &signed(Durability::Flushed)).err().unwrap();
    assert!(matches!(refused, OpenError::Checkpoint(CheckpointFault::Unverified(_))), "{refused}");
}

#[test]
fn the_hashes_on_file_are_made_again_where_they_are_not_those_of_the_log() {
    let (disk, life) = written(20);
    let first = life.log.checkpoint().unwrap();
    let key = life.log.verifier_key().unwrap();
    life.kill();
    let right = disk.bytes("tree");
    assert_eq!(right.len(), 32 * (21 + 10 + 5 + 2 + 1));
    let spoil: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(500),
        |bytes| bytes[700] ^= 1,
        |bytes| bytes.extend_from_slice(&[7; 100]),
        |_| {},
    ];
    for (case, spoil) in spoil.into_iter().enumerate() {
        let mut bytes = right.clone();
        spoil(&mut bytes);
        disk.put("tree", &bytes);
        let again = disk.after_kill();
        let open = Life::begin(&again, &signed(Durability::Flushed)).unwrap();
        // The broker of this life has said that numbers were lost.
        let checkpoint = open.log.checkpoint().unwrap();
        assert_eq!(checkpoint.size(), first.size());
        open.permit("more").unwrap();
        let more = open.log.checkpoint().unwrap();
        assert!(look(&again, &key, &[first.clone(), checkpoint, more]).is_ok());
        assert_eq!(again.bytes("tree")[..right.len()], right, "{case}");
        assert_eq!(
            again.bytes("tree").len() as u64,
            32 * crate::audit::tree::stored_count(23),
            "{case}"
        );
    }
}

/// attack 182
#[test]
fn an_incomplete_last_line_is_under_no_checkpoint() {
    let (disk, life) = written(3);
    life.log.checkpoint().unwrap();
    let key = life.log.verifier_key().unwrap();
    life.kill();
    let mut bytes = disk.bytes(&name_of(1));
    bytes.extend_from_slice(b"{\"seq\":5,\"at\":10");
    disk.put(&name_of(1), &bytes);
    let found = look(&disk, &key, &[]).unwrap();
    assert_eq!((found.covered, found.last, found.torn), (4, 4, Some(16)));
    let open = Life::begin(&disk, &signed(Durability::Flushed)).unwrap();
    let seq = open.permit("a").unwrap();
    open.log.checkpoint().unwrap();
    assert_eq!(look(&disk, &key, &[]).unwrap().covered, seq);
}

#[test]
fn what_is_not_covered_yet_is_said_and_what_was_changed_there_is_not_found() {
    let (disk, life) = written(3);
    let key = life.log.verifier_key().unwrap();
    assert_eq!(
        (look(&disk, &key, &[]).unwrap().covered, look(&disk, &key, &[]).unwrap().last),
        (0, 4)
    );
    life.log.checkpoint().unwrap();
    life.permit("later").unwrap();
    edit(&disk, 1, |lines| lines[5] = lines[5].replace("later", "never"));
    let found = look(&disk, &key, &[]).unwrap();
    assert_eq!((found.covered, found.last), (4, 5));
    // The tag tells the process that writes only where it is the last one that is another.
    edit(&disk, 1, |lines| {
        let at = lines[5].len() - 3;
        let other = if lines[5].as_bytes()[at] == b'0' { "1" } else { "0" };
        lines[5].replace_range(at..=at, other);
    });
    assert!(life.log.checkpoint().is_err());
    assert!(life.permit("on").is_some(), "the log goes on");
    assert!(life.log.checkpoint().is_err(), "and no checkpoint is made until it is opened again");
}

#[test]
fn a_checkpoint_of_no_records_covers_none() {
    let (disk, life) = written(1);
    let key = life.log.verifier_key().unwrap();
    let nothing = Checkpoint::new(key.name().to_owned(), 0, TreeHash::of_empty_tree());
    let nothing = SignedCheckpoint::sign(&nothing, &signer()).unwrap();
    let looked = look(&disk, &key, &[nothing]).unwrap();
    assert_eq!((looked.covered, looked.last), (0, 2));
}
