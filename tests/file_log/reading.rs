//! Reading a log record by record, with its key and without.

use std::time::Duration;

use hallpass::audit::{Durability, Fault, FileLog, Record};

use super::world::{Folder, ORIGIN, keys, open, pay};

fn written() -> Folder {
    let folder = Folder::new();
    let broker = open(folder.path(), Durability::Flushed).unwrap();
    (0..60).for_each(|_| _ = pay(&broker).0.complete());
    broker.close(Duration::from_secs(5));
    folder
}

#[test]
fn each_record_is_handed_over_in_its_order_with_how_far_the_log_is_read() {
    let folder = written();
    let (mut with_key, mut without) = (Vec::new(), Vec::new());
    let mut note = |record: &Record, bytes| with_key.push((record.clone(), bytes));
    let (verified, _) =
        FileLog::read_each(folder.path(), &keys(), &ORIGIN, None, &mut note).unwrap();
    FileLog::read_unverified(folder.path(), |record, bytes| without.push((record.clone(), bytes)))
        .unwrap();
    assert_eq!(with_key, without);
    assert!(with_key.iter().map(|(record, _)| record.seq).eq(1..=verified.anchor.seq));
    assert!(with_key.is_sorted_by(|(_, one), (_, other)| one < other));
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let logs = files.filter(|entry| entry.file_name().to_str().unwrap().starts_with("log-"));
    let (count, bytes) = logs
        .fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.metadata().unwrap().len()));
    assert!(count > 1, "a log of several files");
    let read = with_key.last().unwrap().1;
    assert!(read < bytes && read + 200 * count > bytes, "all but the heads of files");
}

#[test]
fn nothing_of_a_changed_record_is_handed_over() {
    let folder = written();
    let first = folder.path().join("log-0000000001.jsonl");
    let text = std::fs::read_to_string(&first).unwrap();
    let at = text.match_indices("bank.pay").nth(3).unwrap().0;
    let (before, after) = text.split_at(at);
    std::fs::write(&first, format!("{before}{}", after.replacen("bank.pay", "bank.say", 1)))
        .unwrap();
    let mut last = 0;
    let read = FileLog::read_each(folder.path(), &keys(), &ORIGIN, None, |own, _| last = own.seq);
    let error = read.unwrap_err();
    assert_eq!(error.fault(), Some(&Fault::Changed { seq: last + 1 }));
}

/// Without its key nothing shows that a record was changed; that one is missing shows.
#[test]
fn without_its_key_a_log_that_lacks_a_record_is_refused() {
    let folder = written();
    let first = folder.path().join("log-0000000001.jsonl");
    let text = std::fs::read_to_string(&first).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(4);
    std::fs::write(&first, lines.join("\n") + "\n").unwrap();
    let read = FileLog::read_unverified(folder.path(), |_, _| {});
    assert_eq!(read.unwrap_err().fault(), Some(&Fault::Missing { seq: 4, found: 5 }));
}

#[test]
fn the_first_record_says_whose_log_it_claims_to_be() {
    let folder = written();
    let claims = FileLog::claims(folder.path()).unwrap().unwrap();
    assert_eq!((&*claims.issuer, &*claims.audience), ("acme", "payments"));
    assert_eq!(claims.key, keys().active().to_string());
    let (verified, _) = FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
    assert_eq!(claims.log, verified.log.unwrap().to_string());
    let empty = Folder::new();
    assert_eq!(FileLog::claims(empty.path()).unwrap(), None);
    assert_eq!(FileLog::claims(empty.path().join("not-there")).unwrap(), None);
    std::fs::write(empty.path().join("log-0000000001.jsonl"), "{}\n").unwrap();
    let error = FileLog::claims(empty.path()).unwrap_err().to_string();
    assert_eq!(error, "line 1 of `log-0000000001.jsonl` is not the first line of a log file");
}
