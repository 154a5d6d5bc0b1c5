//! Following a log while it is written.

use super::super::followed::Follows;
use super::super::reading::Order;
use super::*;
use crate::audit::Unlawful;

fn follow<'k>(disk: &FaultyDisk, keys: &'k LogKeys, anchor: Option<&'k Anchor>) -> FollowedLog<'k> {
    FollowedLog::verified(Box::new(disk.clone()), keys, &ORIGIN, anchor)
}

/// What was added since it was last asked for.
fn added(log: &mut FollowedLog<'_>) -> Result<Vec<u64>, String> {
    let mut seqs = Vec::new();
    log.read(|record| seqs.push(record.seq)).map_err(|error| error.to_string())?;
    Ok(seqs)
}

/// A log of several files, one permit in each but the first, which has the beginning, too.
fn several() -> FaultyDisk {
    let disk = FaultyDisk::default();
    let open = Life::begin(&disk, &options(Durability::Flushed).rotate_at(1)).unwrap();
    for task in ["a", "b", "c", "d"] {
        open.permit(task).unwrap();
    }
    open.close();
    assert!(disk.names().unwrap().contains(&name_of(3)));
    disk
}

fn files(disk: &FaultyDisk) -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = disk.names().unwrap();
    names.retain(|name| number_of(name).is_some());
    names.sort();
    names.into_iter().map(|name| (name.clone(), disk.bytes(&name))).collect()
}

/// However the bytes of a log come, each record is handed over once, in order, and once it is whole.
#[test]
fn a_log_that_grows_byte_by_byte_is_followed_through_all_its_files() {
    let (whole, keys) = (several(), keys());
    let disk = FaultyDisk::default();
    let (mut verified, mut unverified) = (
        follow(&disk, &keys, None),
        FollowedLog::from_start(Box::new(disk.clone()), Follows::Order(Order::default()), None),
    );
    let mut seen = Vec::new();
    for (name, bytes) in files(&whole) {
        for end in 0..=bytes.len() {
            disk.put(&name, &bytes[..end]);
            let new = added(&mut verified).unwrap();
            assert_eq!(added(&mut unverified).unwrap(), new);
            let is_line = end > 0 && bytes[end - 1] == b'\n';
            assert!(new.is_empty() || (is_line && new.len() == 1), "{name}, {end}: {new:?}");
            seen.extend(new);
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(verified.unlawful().map(Unlawful::count), Some(4), "permits under no grant");
    assert!(unverified.unlawful().is_none());
}

/// A disk that is full takes a part of a batch: the writer cuts it off again.
#[test]
fn what_is_taken_back_is_an_error_and_a_new_reading_knows_the_difference() {
    let (disk, keys) = (several(), keys());
    let (name, bytes) = files(&disk).pop().unwrap();
    let head = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut log = follow(&disk, &keys, None);
    assert_eq!(added(&mut log).unwrap(), [1, 2, 3, 4, 5]);
    disk.put(&name, &bytes[..head]);
    let said = added(&mut log).unwrap_err();
    assert!(said.contains(&name) && said.contains("was there before"), "{said}");
    assert_eq!(added(&mut follow(&disk, &keys, None)).unwrap(), [1, 2, 3, 4]);
    // Something else of the same length stands there.
    disk.put(&name, &bytes);
    let mut log = follow(&disk, &keys, None);
    added(&mut log).unwrap();
    let mut other = bytes.clone();
    *other.last_mut().unwrap() = b' ';
    disk.put(&name, &other);
    assert!(added(&mut log).unwrap_err().contains("was there before"));
}

/// attacks 130 to 132
#[test]
fn what_is_not_as_it_was_written_is_named_as_soon_as_it_is_read() {
    let keys = keys();
    let whole = several();
    let all = files(&whole);
    let changed = |file: usize, from: &str, to: &str| {
        let disk = whole.after_kill();
        let (name, bytes) = &all[file];
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        disk.put(name, text.replacen(from, to, 1).as_bytes());
        let said = added(&mut follow(&disk, &keys, None)).unwrap_err();
        assert!(said.contains(name), "{said}");
        said
    };
    assert!(changed(1, "agent-7", "agent-8").contains("changed or put in"));
    assert!(changed(1, "\"file\":2", "\"file\":3").contains("is that of file 3"));
    assert!(changed(1, "\"first\":2", "\"first\":4").contains("begins at record 4, expected 2"));
    assert!(changed(1, "\"tag\"", "\"tog\"").contains("does not end in a tag"));
    assert!(changed(1, "hallpass_log\":1", "hallpass_log\":2").contains("has format 2"));

    let read = |disk: &FaultyDisk| added(&mut follow(disk, &keys, None)).unwrap_err();
    let disk = whole.after_kill();
    disk.remove(&name_of(2));
    assert!(read(&disk).contains("`log-0000000002.jsonl` is missing"));
    disk.remove(&name_of(1));
    assert!(read(&disk).contains("`log-0000000001.jsonl` is missing"));
    // A file that is followed by another one is whole.
    let disk = whole.after_kill();
    let (name, bytes) = &all[1];
    disk.put(name, &bytes[..bytes.len() - 1]);
    assert!(read(&disk).contains("has no end"));
    disk.put(name, &[]);
    assert!(read(&disk).contains("line 1 of `log-0000000002.jsonl` is missing"));
    disk.put(name, &[&bytes[..], b"\xff\n"].concat());
    assert!(read(&disk).contains("is not UTF-8"));
}

/// attacks 181 and 182
#[test]
fn a_log_that_is_followed_has_what_its_anchor_has_seen() {
    let (disk, keys) = (several(), keys());
    let content = Content::read(&disk, &keys, &ORIGIN, None).unwrap();
    let anchor = content.verification.anchor;
    assert_eq!(added(&mut follow(&disk, &keys, Some(&anchor))).unwrap().len(), 5);
    let later = Anchor { seq: 6, ..anchor };
    let said = added(&mut follow(&disk, &keys, Some(&later))).unwrap_err();
    assert!(said.contains("the log was cut"), "{said}");
    let other = Anchor { seq: 4, ..anchor };
    let said = added(&mut follow(&disk, &keys, Some(&other))).unwrap_err();
    assert!(said.contains("the log was rebuilt"), "{said}");
}

#[test]
fn without_the_key_the_order_of_records_is_looked_at() {
    let disk = several();
    let (name, bytes) = files(&disk).swap_remove(1);
    let text = String::from_utf8(bytes).unwrap();
    let read = || {
        let order = Follows::Order(Order::default());
        added(&mut FollowedLog::from_start(Box::new(disk.clone()), order, None))
    };
    disk.put(&name, text.replace("agent-7", "agent-8").as_bytes());
    assert_eq!(read().unwrap().len(), 5, "what a record says is not known to be what was written");
    disk.put(&name, text.replace("\"seq\":2", "\"seq\":3").as_bytes());
    assert!(read().unwrap_err().contains("record 2 is missing"));
    disk.put(&name, text.replace("\"first\":2", "\"first\":3").as_bytes());
    assert!(read().unwrap_err().contains("begins at record 3, expected 2"));
}
