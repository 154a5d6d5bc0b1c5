//! What the log's records do not bear out leaves a question void. Only who has its key could write such records, so they
//! are made by hand here.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::LeftOpen;
use crate::audit::{
    Durability, Event, FileLog, LeftAnswer, LeftQuestion, MemoryLog, Origin, SinceAsked, WhenFull,
};
use crate::clock::{ManualClock, Timestamp};
use crate::key::{LogKeys, SecretKey};
use crate::policy::{ApprovalTerms, Per, Reviewers, Width};
use crate::prelude::*;
use crate::scope::{eq, has_any};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let own = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("hallpass-take-up-{own}"));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn policy(per: Per) -> Policy {
    let pay = Rule::permit("pay").tool("pay").any_args();
    let terms = ApprovalTerms::per(per).review(Reviewers::in_groups(has_any(["finance"])));
    Policy::builder().rules([pay, Rule::ask("ask").tool("pay").approval(terms)]).build().unwrap()
}

/// A question is answered, and the process dies. Why it is void for the next one, where what the log says of it is
/// changed so.
fn void(per: Per, approved: bool, change: impl FnOnce(&mut LeftQuestion)) -> Option<String> {
    let folder = Folder::new();
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let origin = Origin::new("acme", "till");
    let builder = || {
        let own = Broker::builder(policy(per)).issuer("acme").audience("till").log_keys(keys());
        own.clock(clock.clone())
    };
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &origin).unwrap();
    let first = builder().resume_from(&log).build().unwrap();
    let attest = |who: Assertion| first.assert_identity(who).unwrap();
    let payer = attest(Assertion::agent("payer"));
    let task = first.open_named("bills", &payer, Purpose::new("pay")).unwrap();
    let item = |to: &str| Scope::tool("pay").arg("to", eq(to));
    let pending = match per {
        Per::Task => task.request(item("a").and(item("b")), &Context::new()).map(drop).unwrap_err(),
        Per::Call => {
            let grant = task.request(Scope::tool("pay").any_args(), &Context::new()).unwrap();
            let call = Call::new("pay", json!({ "to": "a" })).unwrap();
            first.gate().authorize(&grant, &payer, call, &Context::new()).map(drop).unwrap_err()
        }
    };
    let reviews = first.reviews();
    let question = reviews.open(&pending.pending().unwrap().id()).unwrap();
    let (ada, shown) = (attest(Assertion::human("ada").group("finance")), question.view().digest());
    match per {
        _ if !approved => {}
        Per::Task => drop(reviews.approve_items(&question, &ada, &shown, &[1]).unwrap()),
        Per::Call => drop(reviews.approve(&question, &ada, &shown, Width::CALL).unwrap()),
    }
    assert_eq!(first.flush(), 0);
    let (_, resumption) = FileLog::read(&folder.0, &keys(), &origin, None).unwrap();
    // The process is killed: nothing of it ends.
    std::mem::forget((first.clone(), task));

    let memory = MemoryLog::new();
    let second = builder().log(memory.clone()).build().unwrap();
    let mut questions: Vec<(String, LeftQuestion)> =
        resumption.questions().map(|(id, own)| (id.to_owned(), own.clone())).collect();
    let [(id, own)] = &mut questions[..] else { panic!("{questions:?}") };
    change(own);
    let shared = &second.shared;
    let (generation, left) = resumption.left_tasks().next().unwrap();
    let at = shared.now().unwrap();
    let left = LeftOpen {
        shared,
        resumption: &resumption,
        generation,
        task: left,
        questions: &[(id, own)],
        at,
    };
    let stands = left.take_up();
    assert_eq!(second.flush(), 0);
    let why = memory.records().into_iter().find_map(|record| match record.event {
        Event::Voided { why, .. } => Some(why.into_owned()),
        _ => None,
    });
    assert_eq!(stands, why.is_none());
    why
}

fn answer(own: &mut LeftQuestion) -> &mut LeftAnswer {
    match &mut own.since[..] {
        [SinceAsked::Answered(answer)] => answer,
        since => panic!("{since:?}"),
    }
}

fn later(at: Timestamp) -> Timestamp {
    at.checked_add(Duration::from_millis(1)).unwrap()
}

#[test]
fn what_the_records_bear_out_waits_again() {
    for (per, approved) in
        [(Per::Call, false), (Per::Call, true), (Per::Task, false), (Per::Task, true)]
    {
        assert_eq!(void(per, approved, |_| {}), None, "{per:?} {approved}");
    }
}

/// Where a later version of this crate shows it otherwise.
#[test]
fn a_yes_to_another_view_than_that_of_today_is_none() {
    for shown in [None, Some("AAAA".to_owned())] {
        for per in [Per::Call, Per::Task] {
            let why = void(per, true, |own| answer(own).shown = shown.clone());
            assert_eq!(why.as_deref(), Some("view"), "{shown:?} {per:?}");
        }
    }
}

#[test]
fn a_yes_that_is_said_to_be_good_for_another_time_than_it_was_is_none() {
    for per in [Per::Call, Per::Task] {
        let why = void(per, true, |own| {
            let until = &mut answer(own).good_until;
            *until = until.map(later);
        });
        assert_eq!(why.as_deref(), Some("restart"), "{per:?}");
    }
}

#[test]
fn a_yes_that_is_said_to_complete_what_it_can_not_is_none() {
    // Nothing was complete, and an item is given all the same; and an item is given that waits no more.
    let why = void(Per::Task, true, |own| answer(own).good_until = None);
    assert_eq!(why.as_deref(), Some("restart"));
    let why = void(Per::Task, true, |own| {
        let again = answer(own).clone();
        own.since.push(SinceAsked::Answered(again));
    });
    assert_eq!(why.as_deref(), Some("restart"));
}
