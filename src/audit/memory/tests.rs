use super::*;

const TAG: ChainTag = ChainTag::from_bytes([0; 32]);

fn entry(seq: u64, line: &str) -> Entry<'_> {
    Entry { first: seq, seq, gives_access: false, tag: &TAG, line, plain: None }
}

fn keep(log: &MemoryLog, entry: Entry<'_>) {
    assert_eq!(log.append(&[entry]), Ok(Kept::now(1)));
}

/// attack 136
#[test]
fn a_second_writer_is_refused() {
    let log = MemoryLog::new();
    assert_eq!(log.open(), Ok(None));
    assert!(log.clone().open().is_err());
}

/// attack 136, attack 133: a writer without a claim cannot repeat or skip a number
#[test]
fn a_record_that_does_not_follow_the_last_is_refused() {
    let log = MemoryLog::new();
    assert!(log.append(&[entry(0, "{}")]).is_err());
    assert!(log.append(&[entry(2, "{}")]).is_err());
    keep(&log, entry(1, "{}"));
    assert!(log.append(&[entry(1, "{}")]).is_err());
    assert!(log.append(&[entry(3, "{}")]).is_err());
    assert_eq!(log.len(), 1);
}

/// attack 135
#[test]
fn a_full_log_refuses_and_forgets_nothing() {
    let log = MemoryLog::with_limit(1);
    keep(&log, entry(1, "a"));
    assert!(log.append(&[entry(2, "b")]).is_err());
    assert_eq!(log.lines(), ["a"]);
    assert!(MemoryLog::with_limit(0).append(&[entry(1, "a")]).is_err());
}

/// attack 137
#[test]
fn a_snapshot_is_a_copy() {
    let log = MemoryLog::new();
    keep(&log, entry(1, "a"));
    let before = log.snapshot();
    keep(&log, entry(2, "b"));
    assert_eq!(before.entries().count(), 1);
    assert_eq!(log.snapshot().entries().count(), 2);
}

/// A snapshot shares what it can, so what is written after it must go elsewhere.
#[test]
fn snapshots_at_any_moment_hold_what_was_there() {
    let log = MemoryLog::new();
    let mut snapshots = Vec::new();
    for seq in 1..=3000_u64 {
        keep(&log, entry(seq, &format!("{seq:0>200}")));
        if seq % 7 == 0 || seq > 2900 {
            snapshots.push((seq, log.snapshot()));
        }
    }
    for (seq, snapshot) in snapshots {
        let mut entries = snapshot.entries();
        for at in 1..=seq {
            let own = entries.next().unwrap();
            assert_eq!((own.seq, own.line), (at, &*format!("{at:0>200}")));
        }
        assert!(entries.next().is_none());
    }
    let state = log.state.lock();
    assert!(state.kept.blocks.len() < 3000 * 200 / FEW_BYTES + 2, "few blocks were closed");
    assert!(state.kept.pages.len() < 3000 / FEW_LINES + 2, "few pages were closed");
}

#[test]
fn a_snapshot_of_a_long_log_copies_no_text() {
    let log = MemoryLog::new();
    for seq in 1..=2000_u64 {
        keep(&log, entry(seq, &"x".repeat(1000)));
    }
    let before = log.snapshot();
    let again = log.snapshot();
    let text =
        |snapshot: &Snapshot| snapshot.entries().map(|e| e.line.as_ptr()).collect::<Vec<_>>();
    let (before, again) = (text(&before), text(&again));
    assert!(before == again, "text was copied");
}

#[test]
fn a_record_that_stands_for_many_numbers_comes_back_as_such() {
    let log = MemoryLog::new();
    let sum = Entry { first: 2, seq: 9, gives_access: false, tag: &TAG, line: "sum", plain: None };
    assert_eq!(log.append(&[entry(1, "a"), sum, entry(10, "b")]), Ok(Kept::now(3)));
    let numbers: Vec<_> = log.snapshot().entries().map(|e| (e.first, e.seq)).collect();
    assert_eq!((numbers, log.len()), (vec![(1, 1), (2, 9), (10, 10)], 3));
}

/// attack 135
#[test]
fn a_batch_is_kept_up_to_where_the_log_is_full() {
    let log = MemoryLog::with_limit(2);
    let batch = [entry(1, "a"), entry(2, "b"), entry(3, "c")];
    assert_eq!(log.append(&batch), Ok(Kept::now(2)));
    assert!(log.append(&batch[2..]).is_err());
}

/// attack 133
#[test]
fn lines_of_any_length_come_back_in_order() {
    let log = MemoryLog::new();
    let lines: Vec<String> =
        [0, 1, BLOCK, BLOCK + 1, 3, BLOCK - 3, 0, 700_000, 700_000].map(|n| "x".repeat(n)).into();
    for (seq, line) in (1..).zip(&lines) {
        keep(&log, entry(seq, line));
    }
    assert_eq!(log.lines(), lines);
    let numbers: Vec<u64> = log.snapshot().entries().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
}

/// attack 133: each thread has text of its own, and the order is one for all
#[test]
fn lines_of_threads_that_take_turns_come_back_in_order() {
    let log = MemoryLog::new();
    let lines: Vec<String> = (0..3 * PAGE).map(|n| format!("{n:0>60}")).collect();
    let turn = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for own in 0..2 {
            let (log, lines, turn) = (&log, &lines, &turn);
            scope.spawn(move || {
                for (round, some) in lines.chunks(1000).enumerate() {
                    for (line, at) in some.iter().zip(round * 1000 + 1..) {
                        if round % 2 == own {
                            keep(log, entry(at as u64, line));
                        }
                    }
                    turn.wait();
                }
            });
        }
    });
    assert_eq!(log.lines(), lines);
    assert!(log.state.lock().kept.blocks.len() > 1);
}
