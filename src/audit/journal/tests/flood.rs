//! Equal denials: the first stand in full, the rest are counted, and none is lost.

use proptest::prelude::*;

use super::outage::{denial, fill};
use super::*;
use crate::audit::{DeniedAgain, Stage};
use crate::value::Value;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

impl Journal {
    fn deny(&self, millis: i64, event: &Event<'_>) {
        self.note_denial(at(millis), event, None);
    }

    /// Has all written that was denied up to now.
    fn write_all(&self) {
        self.sum_up();
        assert_eq!(self.retry(), 0);
    }
}

fn sums(log: &MemoryLog) -> Vec<(u64, u64, DeniedAgain<'static>)> {
    let sum = |record: Record| match record.event {
        Event::DeniedAgain(own) => Some((own.from, record.seq, *own)),
        _ => None,
    };
    log.records().into_iter().filter_map(sum).collect()
}

#[test]
fn ten_equal_denials_stand_in_full_and_one_record_counts_the_rest() {
    let (log, _, journal) = journal();
    for n in 0..1000 {
        journal.deny(n, &denial("no_permit"));
        if n == 500 {
            journal.note(ended("between"));
        }
    }
    assert_eq!(journal.debts(), 11, "what is only counted has no number yet");
    journal.write_all();
    let [(from, last, sum)] = &sums(&log)[..] else { panic!("{:?}", log.records()) };
    assert_eq!((*from, *last, sum.count), (12, 1001, 990));
    assert_eq!((sum.since, log.records().last().unwrap().at), (at(10), at(999)));
    assert_eq!(sum.task.as_deref(), Some("t\",\"reason\":\"forged"));
    assert_eq!((&*sum.code, &*sum.reason), ("denied", "no_permit"));
    assert_eq!(log.len(), 12);
    // The numbers go on, and what is denied within the minute is counted on.
    journal.deny(59_999, &denial("no_permit"));
    journal.write_all();
    assert_eq!(sums(&log)[1].2.count, 1);
    assert_eq!(journal.settle(journal.place(opened("b")).unwrap()), Ok(1003));
    story(&log, &journal);
}

/// Each of these is told apart from the flood, and stands in full.
#[test]
fn a_denial_that_differs_in_anything_that_is_told_is_none_of_the_flood() {
    type Change = fn(&mut Event<'_>);
    let changes: [Change; 13] = [
        |event| {
            if let Event::Denied { stage, .. } = event {
                *stage = Stage::Run
            }
        },
        |event| {
            if let Event::Denied { task, .. } = event {
                *task = Some("u".into())
            }
        },
        |event| {
            if let Event::Denied { generation, .. } = event {
                *generation = Some(1)
            }
        },
        |event| {
            if let Event::Denied { who, .. } = event {
                *who = Some("a".into())
            }
        },
        |event| {
            if let Event::Denied { tool, .. } = event {
                *tool = Some("a".into())
            }
        },
        |event| {
            if let Event::Denied { resource_type, .. } = event {
                *resource_type = Some("a".into())
            }
        },
        |event| {
            if let Event::Denied { resource_id, .. } = event {
                *resource_id = Some("a".into())
            }
        },
        |event| {
            if let Event::Denied { args, .. } = event {
                *args = Some("a".into())
            }
        },
        |event| {
            if let Event::Denied { scope, .. } = event {
                *scope = Some(std::borrow::Cow::Owned(Value::Null))
            }
        },
        |event| {
            if let Event::Denied { reason, .. } = event {
                *reason = "expired".into()
            }
        },
        |event| {
            if let Event::Denied { rules, .. } = event {
                rules.push("r".into())
            }
        },
        |event| {
            if let Event::Denied { epoch, .. } = event {
                *epoch = Some(1)
            }
        },
        |event| {
            if let Event::Denied { break_glass, .. } = event {
                *break_glass = true
            }
        },
    ];
    let (log, _, journal) = journal();
    (0..20).for_each(|_| journal.deny(0, &denial("no_permit")));
    for change in changes {
        let mut other = denial("no_permit");
        change(&mut other);
        journal.deny(0, &other);
    }
    journal.write_all();
    assert_eq!(sums(&log).len(), 1);
    assert_eq!(sums(&log)[0].2.count, 10);
    assert_eq!(log.len(), 10 + changes.len() + 1);
}

/// What only says more of the same denial does not make it another: who floods could change it at will.
#[test]
fn grants_and_contexts_make_no_denial_another() {
    let (log, _, journal) = journal();
    for n in 0..20 {
        let mut event = denial("no_permit");
        if let Event::Denied { grant, context, .. } = &mut event {
            (*grant, *context) = (Some(n.to_string().into()), Some(n.to_string().into()));
        }
        journal.deny(0, &event);
    }
    journal.write_all();
    assert_eq!((sums(&log)[0].2.count, log.len()), (10, 11));
}

#[test]
fn a_sum_is_noted_once_its_minute_is_over_and_the_next_begins_in_full() {
    let (log, _, journal) = journal();
    (0..15).for_each(|_| journal.deny(1_000, &denial("no_permit")));
    journal.sum_up_past(at(60_999));
    assert_eq!(journal.last_seq(), 10, "the minute is not over");
    journal.sum_up_past(at(61_000));
    assert_eq!(journal.last_seq(), 15);
    (0..15).for_each(|_| journal.deny(61_000, &denial("no_permit")));
    assert_eq!(journal.last_seq(), 25);
    // A denial of any kind finds that the minute is over.
    journal.deny(121_000, &denial("expired"));
    assert_eq!(journal.last_seq(), 31);
    journal.write_all();
    let counts: Vec<_> = sums(&log).iter().map(|(from, _, sum)| (*from, sum.count)).collect();
    assert_eq!(counts, [(11, 5), (26, 5)]);
    assert_eq!(log.records().last().unwrap().event.kind(), "denied");
    story(&log, &journal);
}

/// Where no other denial comes, and no sweep, what is permitted or noted after that minute brings the count along.
#[test]
fn a_sum_whose_minute_is_over_comes_before_whatever_is_recorded_next() {
    let (log, _, journal) = journal();
    let opened_at = |millis| Body::new(at(millis), &opened_event("b")).unwrap();
    (0..15).for_each(|_| journal.deny(0, &denial("no_permit")));
    journal.settle(journal.place(opened_at(59_999)).unwrap()).unwrap();
    assert!(sums(&log).is_empty(), "the minute is not over");
    journal.settle(journal.place(opened_at(60_000)).unwrap()).unwrap();
    assert_eq!((sums(&log)[0].0, sums(&log)[0].2.count), (12, 5));
    assert_eq!(log.records().last().unwrap().event.kind(), "opened");
    (0..15).for_each(|_| journal.deny(60_001, &denial("no_permit")));
    journal.note(Body::new(at(120_000), &ended_event("b")).unwrap());
    assert_eq!(journal.retry(), 0);
    assert_eq!(sums(&log)[1].2.count, 5);
    story(&log, &journal);
}

/// As many different ones as are told apart; the next ones stand in full, and those known are counted on.
#[test]
fn more_different_denials_than_are_told_apart_stand_in_full() {
    let (log, _, journal) = journal();
    for n in 0..4100 {
        (0..11).for_each(|_| journal.deny(0, &denial(&format!("reason-{n}"))));
    }
    journal.write_all();
    let alone = log.len() - sums(&log).len();
    assert_eq!((sums(&log).len(), alone), (4096, 4096 * 10 + 4 * 11));
    story(&log, &journal);
}

#[test]
fn what_is_counted_when_the_journal_is_dropped_goes_to_the_hook() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let own = got.clone();
    let mut journal = on(Arc::new(MemoryLog::new()));
    journal.hand_unwritten_to(Arc::new(move |entries: &[Entry<'_>]| {
        own.lock().extend(entries.iter().map(|entry| (entry.first, entry.seq)));
    }));
    (0..30).for_each(|_| journal.deny(0, &denial("no_permit")));
    drop(journal);
    assert_eq!(got.lock().last(), Some(&(11, 30)));
}

/// attack 187: digests of arguments are under the key that the log is under
#[test]
fn what_is_counted_is_noted_before_the_key_changes() {
    let (log, _, journal) = journal();
    (0..12).for_each(|_| journal.deny(0, &denial("no_permit")));
    journal.note(Body::rekeying(Timestamp::MIN, Arc::new(ChainKey::of(next_keys().active_key()))));
    journal.write_all();
    let kinds: Vec<_> = log.records().iter().map(|record| record.event.kind()).collect();
    assert_eq!(kinds[10..], ["denied_again", "rekeyed"]);
    story(&log, &journal);
}

/// While the sink refuses, what is counted takes no more memory than other denials do.
#[test]
fn counted_denials_join_the_sum_of_an_outage() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    fill(&journal);
    let full = MOST_WAITING as u64;
    (0..30).for_each(|_| journal.deny(0, &denial("no_permit")));
    journal.sum_up();
    (0..12).for_each(|_| journal.deny(5, &denial("expired")));
    journal.sum_up();
    assert_eq!(journal.waiting(), MOST_WAITING + 1);
    sink.recover();
    journal.write_all();
    let last = log.records().pop().unwrap();
    let reasons = BTreeMap::from([("no_permit".into(), 30), ("expired".into(), 12)]);
    assert_eq!(last.event, Event::Denials { from: full + 1, since: at(0), reasons });
    assert_eq!((last.seq, last.at), (full + 42, at(5)));
    // One that begins with a sum is that sum, if nothing follows.
    sink.fail_after(0);
    (0..MOST_WAITING).for_each(|_| _ = journal.note(ended("a")));
    (0..3).for_each(|_| journal.deny(6, &denial("expired")));
    journal.sum_up();
    sink.recover();
    journal.write_all();
    let (from, _, sum) = sums(&log).pop().unwrap();
    assert_eq!((from, sum.count), (2 * full + 43, 3));
    story(&log, &journal);
}

proptest! {
    /// Against a list of what was denied: each minute's first ten of each kind stand in full, sums say how many the
    /// rest are, and numbers run without a gap.
    #[test]
    fn nothing_that_was_denied_is_told_twice_or_never(
        steps in proptest::collection::vec((0..3_usize, 0..9_000_i64, 0..12_u8), 1..400),
    ) {
        let (log, _, journal) = journal();
        let kinds = ["no_permit", "expired", "forbidden"];
        let (mut now, mut begun, mut in_full) = (0, None, [0_u64; 3]);
        let (mut alone, mut all) = ([0_u64; 3], [0_u64; 3]);
        for (kind, passes, act) in steps {
            now += passes / 30;
            match act {
                0 => journal.write_all(),
                1 => _ = journal.note(ended("a")),
                _ => {
                    journal.deny(now, &denial(kinds[kind]));
                    if begun.is_none_or(|begun| now >= begun + 60_000) {
                        (begun, in_full) = (Some(now), [0; 3]);
                    }
                    all[kind] += 1;
                    if in_full[kind] < 10 {
                        in_full[kind] += 1;
                        alone[kind] += 1;
                    }
                }
            }
        }
        journal.write_all();
        let (mut told, mut told_alone) = ([0_u64; 3], [0_u64; 3]);
        for record in log.records() {
            let (reason, count) = match &record.event {
                Event::Denied { reason, .. } => (&**reason, 1),
                Event::DeniedAgain(sum) => {
                    prop_assert!(sum.since <= record.at);
                    (&*sum.reason, sum.count)
                }
                _ => continue,
            };
            let kind = kinds.iter().position(|own| *own == reason).unwrap();
            told[kind] += count;
            told_alone[kind] += u64::from(record.event.kind() == "denied");
        }
        prop_assert_eq!((told, told_alone), (all, alone));
        story(&log, &journal);
    }
}
