//! What every store promises, whatever it is made of: held by the one in memory here, and by others with their adapters.

use std::sync::Barrier;

use hallpass::fleet::{CounterRow, Entry, Mark, NodeRow, NodeState, RowVersion, Store};

/// Opens one more handle of a store that was empty at first.
pub(crate) type Open<'o> = dyn Fn() -> Box<dyn Store> + Sync + 'o;

/// What breaks if a promise does not hold.
type Holds = fn(&Open<'_>);

/// Each promise, as a sentence, with what breaks if it does not hold.
pub(crate) const PROMISES: [(&str, Holds); 16] = [
    ("an empty store is at the start of its mark", empty),
    ("an entry is appended over the mark that it names, and over no other", over_its_mark),
    ("an entry that does not have the next number is not appended", next_number),
    ("an entry of an id that is there is not appended again", once),
    ("entries are read in order, from the one that is asked for, until there is none", in_order),
    ("of two entries over one mark one is appended", one_of_many_entries),
    ("who sees an entry sees all before it", no_gap),
    ("a row is put where there is none of its name", first_row),
    ("a row is replaced over the version that it names, and over no other", over_its_version),
    ("of two rows over one version one is written", one_of_many_rows),
    ("a write tells of the mark as a reading does, and of its own row alone", told_by_a_write),
    ("what was acknowledged is in every later reading, byte for byte", acknowledged),
    ("a counter that was never changed is empty, and one that is left empty is again", emptied),
    ("a counter is what it was left as, and one that was left as it was stays", kept),
    ("counters are changed one after the other", counted),
    ("who changes one of two counters has seen what was changed of the other", no_skew),
];

/// An entry over a mark; a store does not ask whether a member made it.
pub(crate) fn entry(over: &Mark, seed: u8) -> Entry {
    let number = over.number + 1;
    let mut digest = [seed; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let mut id = [seed; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Entry { number, id, digest, bytes: vec![seed; usize::from(seed)].into() }
}

pub(crate) fn row(name: &str, incarnation: u8, counter: u64, state: NodeState) -> NodeRow {
    let bytes = vec![incarnation, 0, 255].into();
    NodeRow { name: name.into(), incarnation: [incarnation; 16], counter, state, bytes }
}

/// Appends this many entries over the newest mark.
fn fill(store: &dyn Store, entries: u8) -> Vec<Entry> {
    let mut head = store.read(0).unwrap().head;
    let mut made = Vec::new();
    for seed in 1..=entries {
        let entry = entry(&head, seed);
        assert!(store.append(&entry, &head).unwrap());
        head = entry.mark();
        made.push(entry);
    }
    made
}

fn empty(open: &Open<'_>) {
    for after in [0, 1, 1 << 40] {
        let found = open().read(after).unwrap();
        assert_eq!((found.head, found.entries, found.rows), (Mark::START, vec![], vec![]));
    }
}

fn over_its_mark(open: &Open<'_>) {
    let store = open();
    let first = entry(&Mark::START, 1);
    assert!(store.append(&first, &Mark::START).unwrap());
    assert_eq!(store.read(0).unwrap().head, first.mark());
    let head = first.mark();
    for over in [Mark::START, Mark { digest: [9; 32], ..head }, Mark { number: 2, ..head }] {
        let entry = entry(&over, 7);
        assert!(!store.append(&entry, &over).unwrap(), "over {over}");
    }
    let found = store.read(0).unwrap();
    assert_eq!((found.head, found.entries), (head, vec![first]));
}

fn next_number(open: &Open<'_>) {
    let store = open();
    let head = fill(&*store, 2)[1].mark();
    for number in [0, 1, 2, 4, 1000] {
        let entry = Entry { number, ..entry(&head, 9) };
        assert!(!store.append(&entry, &head).unwrap(), "number {number}");
    }
    assert_eq!(store.read(0).unwrap().head, head);
    assert!(store.append(&entry(&head, 9), &head).unwrap());
}

/// Who lost the answer tries again, perhaps after others have gone on.
fn once(open: &Open<'_>) {
    let store = open();
    let made = fill(&*store, 3);
    let head = made[2].mark();
    let again = Entry { id: made[0].id, ..entry(&head, 9) };
    assert!(!store.append(&again, &head).unwrap());
    let found = store.read(0).unwrap();
    assert_eq!((found.head, found.entries), (head, made), "nothing of it stays");
}

fn in_order(open: &Open<'_>) {
    let store = open();
    let made = fill(&*store, 250);
    let more = fill(&*store, 30);
    let all: Vec<Entry> = made.into_iter().chain(more).collect();
    for after in [0, 1, 7, 279, 280, 281] {
        let (mut read, mut at) = (Vec::new(), after);
        loop {
            let found = store.read(at).unwrap();
            assert_eq!(found.head, all[279].mark());
            let Some(last) = found.entries.last() else { break };
            at = last.number;
            read.extend(found.entries);
        }
        let expected = all.iter().filter(|entry| entry.number > after).cloned();
        assert_eq!(read, expected.collect::<Vec<_>>(), "after {after}");
    }
}

fn one_of_many_entries(open: &Open<'_>) {
    const THREADS: u8 = 4;
    for _ in 0..8 {
        let head = open().read(0).unwrap().head;
        let barrier = Barrier::new(usize::from(THREADS));
        let appended = std::thread::scope(|scope| {
            let tries: Vec<_> = (1..=THREADS)
                .map(|seed| {
                    let (store, barrier) = (open(), &barrier);
                    scope.spawn(move || {
                        let entry = entry(&head, seed);
                        barrier.wait();
                        store.append(&entry, &head).unwrap().then_some(entry)
                    })
                })
                .collect();
            tries.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        let found = open().read(head.number).unwrap();
        assert_eq!((appended.len(), &found.entries), (1, &appended));
        assert_eq!(found.head, appended[0].mark());
    }
}

fn no_gap(open: &Open<'_>) {
    const EACH: usize = 60;
    let mut seen = Mark::START;
    std::thread::scope(|scope| {
        for seed in 1..=2 {
            let store = open();
            scope.spawn(move || {
                for _ in 0..EACH {
                    let head = store.read(u64::from(u32::MAX)).unwrap().head;
                    let _ = store.append(&entry(&head, seed), &head).unwrap();
                }
            });
        }
        let store = open();
        for _ in 0..EACH {
            seen = follow(&*store, seen);
        }
    });
    let last = follow(&*open(), seen).number;
    assert!(usize::try_from(last).unwrap() >= EACH, "{last}");
}

/// Reads on from a place in the mark, up to the newest: fewer than a page.
fn follow(store: &dyn Store, mut seen: Mark) -> Mark {
    let found = store.read(seen.number).unwrap();
    for entry in &found.entries {
        assert_eq!(entry.number, seen.number + 1, "a gap");
        seen = entry.mark();
    }
    assert_eq!(found.head, seen, "the mark is that of the last entry");
    seen
}

fn first_row(open: &Open<'_>) {
    let store = open();
    let own = row("n1", 1, 0, NodeState::Live);
    let version = own.version();
    let (done, found) = store.write(&own, Some(&version), 0).unwrap();
    assert_eq!((done, found.rows), (false, vec![]), "there is none to replace");
    assert!(store.write(&own, None, 0).unwrap().0);
    let other = row("n1", 2, 0, NodeState::Live);
    let (done, found) = store.write(&other, None, 0).unwrap();
    assert_eq!((done, found.rows), (false, vec![own.clone()]));
    let second = row("n2", 2, 0, NodeState::Live);
    assert!(store.write(&second, None, 0).unwrap().0);
    let mut rows = store.read(0).unwrap().rows;
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(rows, [own, second]);
}

fn over_its_version(open: &Open<'_>) {
    let store = open();
    let mut at = row("n1", 1, 5, NodeState::Live);
    assert!(store.write(&at, None, 0).unwrap().0);
    let version = at.version();
    let others = [
        RowVersion { incarnation: [2; 16], ..version },
        RowVersion { counter: 4, ..version },
        RowVersion { counter: 6, ..version },
        RowVersion { state: NodeState::Silent, ..version },
    ];
    for over in others {
        let (done, found) = store.write(&row("n1", 3, 9, NodeState::Gone), Some(&over), 0).unwrap();
        assert_eq!((done, found.rows), (false, vec![at.clone()]), "over {over:?}");
    }
    // Each state, another life, and a counter that starts again.
    let next = [
        row("n1", 1, 6, NodeState::Silent),
        row("n1", 1, 6, NodeState::Gone),
        row("n1", 2, 0, NodeState::Live),
        row("n1", 2, 1, NodeState::Left),
    ];
    for next in next {
        let (done, found) = store.write(&next, Some(&at.version()), 0).unwrap();
        assert_eq!((done, found.rows), (true, vec![next.clone()]));
        assert!(!store.write(&next, Some(&at.version()), 0).unwrap().0, "a second time");
        at = next;
    }
    assert_eq!(store.read(0).unwrap().rows, [at]);
}

fn one_of_many_rows(open: &Open<'_>) {
    const THREADS: u8 = 4;
    let mut at = row("n1", 0, 0, NodeState::Live);
    assert!(open().write(&at, None, 0).unwrap().0);
    for counter in 1..9 {
        let (over, barrier) = (at.version(), Barrier::new(usize::from(THREADS)));
        let written = std::thread::scope(|scope| {
            let tries: Vec<_> = (1..=THREADS)
                .map(|life| {
                    let (store, barrier) = (open(), &barrier);
                    scope.spawn(move || {
                        let row = row("n1", life, counter, NodeState::Live);
                        barrier.wait();
                        let (done, found) = store.write(&row, Some(&over), 0).unwrap();
                        // What is told of it is as it is afterwards, for who came too late, too.
                        assert_ne!(found.rows[0].version(), over);
                        done.then_some(row)
                    })
                })
                .collect();
            tries.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!((written.len(), &open().read(0).unwrap().rows), (1, &written));
        at = written[0].clone();
    }
}

fn told_by_a_write(open: &Open<'_>) {
    let store = open();
    let made = fill(&*store, 3);
    assert!(store.write(&row("n2", 2, 0, NodeState::Live), None, 0).unwrap().0);
    let own = row("n1", 1, 0, NodeState::Live);
    for (over, after, done) in [(None, 0, true), (None, 2, false), (Some(own.version()), 3, true)] {
        let (written, found) = store.write(&own, over.as_ref(), after).unwrap();
        assert_eq!((written, found.head), (done, made[2].mark()));
        let above: Vec<&Entry> = made.iter().filter(|entry| entry.number > after).collect();
        assert_eq!(found.entries.iter().collect::<Vec<_>>(), above);
        assert_eq!(found.rows, std::slice::from_ref(&own), "another node's is not told of");
    }
}

fn acknowledged(open: &Open<'_>) {
    let every: Vec<u8> = (0..=255).collect();
    let mut head = Mark::START;
    // Of no byte, of each, and a policy that fills an entry: a page has room for the first at least.
    let bodies = [Vec::new(), every.repeat(3), vec![7; (8 << 20) + 33], vec![8; 8 << 20]];
    for (seed, body) in (1..).zip(bodies) {
        let entry = Entry { bytes: body.into(), ..entry(&head, seed) };
        assert!(open().append(&entry, &head).unwrap());
        let found = open().read(head.number).unwrap();
        assert!(found.entries == [entry.clone()], "entry {}", entry.number);
        head = entry.mark();
    }
    let found = open().read(1).unwrap();
    assert!(found.head == head && found.entries.first().is_some_and(|entry| entry.number == 2));
    let name = "n".repeat(64);
    let own = NodeRow {
        bytes: every.repeat(2).into(),
        ..row(&name, 255, u64::from(u32::MAX) << 16, NodeState::Silent)
    };
    assert!(open().write(&own, None, 0).unwrap().0);
    assert_eq!(open().read(head.number).unwrap().rows, [own]);
}

/// What counters have, without a change.
fn peek<const N: usize>(store: &dyn Store, keys: [[u8; 32]; N]) -> [CounterRow; N] {
    let mut found = None;
    store.count(&keys, &mut |_, rows| found = Some(rows.to_vec())).unwrap();
    found.unwrap().try_into().unwrap()
}

fn counter(bytes: &[u8]) -> CounterRow {
    CounterRow { bytes: bytes.into(), past: None }
}

fn emptied(open: &Open<'_>) {
    let store = open();
    assert_eq!(peek(&*store, [[1; 32], [2; 32]]), [counter(b""), counter(b"")]);
    for bytes in [b"one".as_slice(), b"two"] {
        store.count(&[[1; 32]], &mut |_, rows| rows[0] = counter(bytes)).unwrap();
        assert_eq!(peek(&*open(), [[1; 32], [2; 32]]), [counter(bytes), counter(b"")]);
        store.count(&[[1; 32]], &mut |_, rows| rows[0] = CounterRow::default()).unwrap();
        assert_eq!(peek(&*open(), [[1; 32], [2; 32]]), [counter(b""), counter(b"")]);
    }
}

fn kept(open: &Open<'_>) {
    let store = open();
    let every: Vec<u8> = (0..=255).collect();
    // For a day to come, so that no store takes it away.
    let mut time = None;
    store.count(&[[1; 32]], &mut |now, _| time = Some(now)).unwrap();
    let past = time.unwrap().checked_add(std::time::Duration::from_secs(86_400));
    let long = CounterRow { bytes: every.repeat(1200), past };
    store.count(&[[1; 32], [2; 32]], &mut |_, rows| rows[1] = long.clone()).unwrap();
    let keys = [[1; 32], [2; 32], [3; 32]];
    assert_eq!(peek(&*open(), keys), [counter(b""), long.clone(), counter(b"")]);
    store
        .count(&keys, &mut |_, rows| {
            rows[0] = counter(b"one");
            rows[2] = counter(b"three");
        })
        .unwrap();
    assert_eq!(peek(&*open(), keys), [counter(b"one"), long.clone(), counter(b"three")]);
    // What is in one is not in another, and its time may change alone.
    store.count(&[[2; 32]], &mut |_, rows| rows[0].past = None).unwrap();
    let [_, found, _] = peek(&*open(), keys);
    assert_eq!(found, CounterRow { past: None, ..long });
}

fn counted(open: &Open<'_>) {
    const THREADS: u8 = 4;
    const EACH: u8 = 20;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = open();
            scope.spawn(move || {
                for round in 0..EACH {
                    // Its own, one that all have, and one that every other does.
                    let keys = [[1; 32], [2 + round % 2; 32], [10 + thread; 32]];
                    let one_more = &mut |_, rows: &mut [CounterRow]| {
                        for row in rows {
                            let count = row.bytes.first().copied().unwrap_or_default();
                            row.bytes = vec![count + 1];
                        }
                    };
                    store.count(&keys, one_more).unwrap();
                }
            });
        }
    });
    let all = THREADS * EACH;
    let found = peek(&*open(), [[1; 32], [2; 32], [3; 32], [10; 32], [13; 32]]);
    let counts: Vec<u8> = found.iter().map(|row| row.bytes[0]).collect();
    assert_eq!(counts, [all, all / 2, all / 2, EACH, EACH]);
}

/// Two that each take what they may only if the other has not: one of them does.
fn no_skew(open: &Open<'_>) {
    for round in 0..8 {
        let (keys, barrier) = ([[20 + 2 * round; 32], [21 + 2 * round; 32]], Barrier::new(2));
        std::thread::scope(|scope| {
            for own in 0..2 {
                let (store, barrier) = (open(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let take = &mut |_, rows: &mut [CounterRow]| {
                        if rows.iter().all(CounterRow::is_empty) {
                            rows[own] = counter(b"taken");
                        }
                    };
                    store.count(&keys, take).unwrap();
                });
            }
        });
        let taken = peek(&*open(), keys).iter().filter(|row| !row.is_empty()).count();
        assert_eq!(taken, 1, "round {round}");
    }
}
