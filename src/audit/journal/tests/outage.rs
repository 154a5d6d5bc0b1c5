//! A sink that refuses for long: what is owed is counted, denials are summed, nothing is lost.

use super::*;

fn denied(reason: &str) -> Body {
    body(&denial(reason))
}

pub(super) fn denial(reason: &str) -> Event<'static> {
    Event::Denied {
        stage: crate::audit::Stage::Call,
        task: Some("t\",\"reason\":\"forged".into()),
        generation: None,
        grant: None,
        who: None,
        tool: None,
        resource_type: None,
        resource_id: None,
        args: None,
        context: None,
        scope: None,
        code: "denied".into(),
        reason: reason.to_owned().into(),
        rules: vec![],
        epoch: None,
        break_glass: false,
        trace: None,
        plain: None,
    }
}

pub(super) fn fill(journal: &Journal) {
    let one = ended("a");
    while journal.waiting() < MOST_WAITING {
        journal.note(one.clone());
    }
}

#[test]
fn too_many_debts_stop_what_gives_access_and_nothing_else() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    fill(&journal);
    assert_eq!(journal.debts(), MOST_WAITING);
    assert_eq!(journal.place(opened("b")).unwrap_err(), Refused::TooManyDebts(MOST_WAITING));
    journal.note(ended("c"));
    assert_eq!(journal.debts(), MOST_WAITING + 1);
    sink.recover();
    assert_eq!((journal.retry(), log.len()), (0, MOST_WAITING + 1));
    assert!(journal.place(opened("b")).is_ok());
}

/// A record that gives access is settled through everything before it, batch by batch.
#[test]
fn who_gives_access_next_writes_what_is_owed() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    for _ in 0..1000 {
        journal.note(ended("a"));
    }
    assert!(journal.flush(1000, LONG).is_err());
    sink.recover();
    assert_eq!(journal.settle(journal.place(opened("b")).unwrap()), Ok(1001));
    assert_eq!((journal.debts(), log.len()), (0, 1001));
}

/// One sum of each stretch of denials, between records that stand for themselves.
#[test]
fn denials_are_summed_where_memory_runs_short() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    fill(&journal);
    for n in 0..1000 {
        assert_eq!(
            journal.note(denied(if n % 4 == 0 { "expired" } else { "forbidden" })) as usize,
            MOST_WAITING + n + 1
        );
    }
    journal.note(ended("z"));
    journal.note(denied("expired"));
    assert_eq!(journal.waiting(), MOST_WAITING + 3, "the memory for 1,001 denials is that of two");
    assert_eq!(journal.debts(), MOST_WAITING + 1002, "each of them is counted as owed");
    // A sum that a writer has had is complete; what is denied next begins another.
    assert!(journal.flush(journal.last_seq(), LONG).is_err());
    journal.note(denied("forbidden"));
    sink.recover();
    assert_eq!(journal.retry(), 0);
    let full = MOST_WAITING as u64;
    let records = log.records();
    let [sum, end, last] = &records[MOST_WAITING..] else { panic!("{}", records.len()) };
    let reasons = BTreeMap::from([("expired".into(), 250), ("forbidden".into(), 750)]);
    assert_eq!(sum.seq, full + 1000);
    assert_eq!(sum.event, Event::Denials { from: full + 1, since: Timestamp::MIN, reasons });
    assert_eq!((end.seq, end.event.kind()), (full + 1001, "ended"));
    let reasons = BTreeMap::from([("expired".into(), 1), ("forbidden".into(), 1)]);
    assert_eq!(last.seq, full + 1003);
    assert_eq!(last.event, Event::Denials { from: full + 1002, since: Timestamp::MIN, reasons });
    story(&log, &journal);
    // And the numbers go on.
    assert_eq!(journal.settle(journal.place(opened("b")).unwrap()), Ok(full + 1004));
    story(&log, &journal);
}

/// A sum of one is the record itself.
#[test]
fn a_single_denial_keeps_its_words() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    fill(&journal);
    journal.note(denied("expired"));
    sink.recover();
    assert_eq!(journal.retry(), 0);
    assert_eq!(log.records()[MOST_WAITING].event.kind(), "denied");
    story(&log, &journal);
}

#[test]
fn a_thread_that_is_denied_writes_where_no_other_would() {
    let (log, _, journal) = journal();
    for _ in 0..MANY_WAITING + LOOK_EVERY as usize {
        journal.note(denied("expired"));
        journal.write_if_many();
    }
    assert!(log.len() >= queue::BATCH, "{}", log.len());
    assert!(journal.waiting() <= MANY_WAITING);
}

/// A question that is asked and its denial are two records: from an odd number on, none of them ends at an even one.
#[test]
fn a_thread_that_notes_several_records_at_once_writes_too() {
    for at_once in 1..=NOTED_AT_ONCE {
        for first in 0..NOTED_AT_ONCE {
            let (log, _, journal) = journal();
            let noted = |number: u64| {
                (0..number).for_each(|_| {
                    journal.note(denied("expired"));
                })
            };
            noted(first);
            for _ in 0..(MANY_WAITING as u64 + LOOK_EVERY) / at_once {
                noted(at_once);
                journal.write_if_many();
            }
            assert!(log.len() >= queue::BATCH, "{at_once} at once, after {first}");
        }
    }
}

#[test]
fn what_is_owed_when_the_journal_is_dropped_goes_to_the_hook() {
    let log = MemoryLog::new();
    let (got, sink) = (Arc::new(Mutex::new(Vec::new())), FailingSink::new(log.clone()));
    let own = got.clone();
    let hook = move |entries: &[Entry<'_>]| {
        own.lock().extend(entries.iter().map(|entry| (entry.line.to_owned(), *entry.tag)));
    };
    let mut journal = on(Arc::new(sink.clone()));
    journal.hand_unwritten_to(Arc::new(hook));
    assert_eq!(journal.settle(journal.place(opened("a")).unwrap()), Ok(1));
    (0..600).for_each(|_| _ = journal.note(ended("a")));
    let before = sink.attempts();
    drop(journal);
    assert_eq!((sink.attempts(), log.len()), (before, 1), "no sink is called");
    // What the hook got continues the log, record by record.
    let mut all: Vec<_> =
        log.snapshot().entries().map(|entry| (entry.line.to_owned(), *entry.tag)).collect();
    all.append(&mut got.lock());
    let lines = all.iter().map(|(line, tag)| (line.as_str(), *tag));
    assert_eq!(verify_headless(lines, &chain(), None).unwrap().anchor.seq, 601);
}

#[test]
fn a_journal_with_nothing_owed_calls_no_hook_and_a_panic_of_one_stays_inside() {
    let hook = |_: &[Entry<'_>]| panic!("panicked on cue");
    let open = || {
        let mut journal = on(Arc::new(MemoryLog::new()));
        journal.hand_unwritten_to(Arc::new(hook));
        journal
    };
    drop(open());
    hush();
    let journal = open();
    journal.note(ended("a"));
    drop(journal);
}

#[test]
fn a_closed_journal_gives_nothing_and_notes_what_ends() {
    let (log, _, journal) = journal();
    let before = journal.place(opened("a")).unwrap();
    journal.close();
    assert_eq!(journal.place(opened("b")).unwrap_err(), Refused::Closed);
    assert_eq!(journal.note(ended("a")), 2);
    assert_eq!(journal.settle(before), Ok(1));
    assert_eq!((journal.retry(), log.len()), (0, 2));
}
