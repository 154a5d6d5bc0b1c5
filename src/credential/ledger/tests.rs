//! What the ledger refuses by itself, whichever threads come between.

use super::*;
use crate::credential::Debt;
use crate::vault::Secret;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1000).unwrap()
}

fn key() -> Key {
    Key { generation: 1, grant: GrantId::from_bytes([7; 16]), credential: "orders-db".into() }
}

fn entry(name: &str) -> Entry {
    Entry {
        handle: Handle::new(name, ""),
        credential: "orders-db".into(),
        by: "database".into(),
        provider: None,
        task: "errand".into(),
        generation: 1,
        grant: key().grant.to_string().into(),
        tool: "db.read".into(),
        lands_by: at(10),
        expires: at(300),
        in_flight: true,
        minted: false,
        sealed: None,
        users: 0,
        superseded: false,
        owed: None,
    }
}

fn begun(ledger: &Ledger) -> u64 {
    match ledger.find(&key(), 1, (at(0), at(300))) {
        Found::Begun(ticket) => ticket,
        Found::Ready(_) | Found::InFlight => panic!("it was begun before"),
    }
}

/// A halt ends what is being minted, and once it is over another call mints anew: the first has no part in that.
#[test]
fn a_mint_whose_lease_was_ended_neither_plans_into_nor_ends_the_next_one() {
    let ledger = Ledger::new().unwrap();
    let first = begun(&ledger);
    ledger.end_one(&key(), at(1));
    let second = begun(&ledger);
    assert_eq!(ledger.plan(&key(), first, entry("hp_a_1")), None);
    assert!(!ledger.lend(&key(), first, 1, at(1)));
    ledger.fail(&key(), first);
    assert!(matches!(ledger.find(&key(), 1, (at(1), at(300))), Found::InFlight));
    assert_eq!(ledger.plan(&key(), second, entry("hp_a_2")), Some(second));
}

#[test]
fn what_is_owed_is_taken_up_by_one_at_a_time_and_not_before_it_is_due() {
    let ledger = Ledger::new().unwrap();
    ledger.adopt(Entry { in_flight: false, ..entry("hp_a_1") }, at(5));
    assert_eq!(ledger.due(at(4), |_| true), [0_u64; 0]);
    let [ticket] = ledger.due(at(5), |_| true)[..] else { panic!("one is due") };
    assert!(ledger.take_up(ticket, at(4)).is_none(), "it is not due");
    let job = ledger.take_up(ticket, at(5)).unwrap();
    assert_eq!(job.debt, Debt::Owed);
    assert_eq!(ledger.due(at(5), |_| true), [0_u64; 0], "somebody is at it");
    assert!(ledger.take_up(ticket, at(5)).is_none(), "somebody is at it");
}

/// Once its grant has ended nothing is to run with it, and this provider withdraws without it.
#[test]
fn the_secret_of_what_is_owed_is_let_go_of() {
    let ledger = Ledger::new().unwrap();
    let secret = Secret::new("a-secret-of-some-length").unwrap();
    let sealed = Arc::new(ledger.seal("orders-db", &secret).unwrap());
    let ticket = begun(&ledger);
    ledger.plan(&key(), ticket, entry("hp_a_1")).unwrap();
    ledger.keep(ticket, &sealed);
    ledger.landed(ticket, Handle::new("hp_a_1", ""), at(300));
    assert!(ledger.lend(&key(), ticket, 1, at(1)));
    assert!(Arc::strong_count(&sealed) > 1);
    ledger.end_one(&key(), at(2));
    assert_eq!(Arc::strong_count(&sealed), 1);
}

/// A halt ends it while it is minted, and another call mints anew: what the first one made is not what calls get.
#[test]
fn what_a_mint_made_whose_lease_was_ended_is_lent_to_no_call() {
    let ledger = Ledger::new().unwrap();
    let secret = Secret::new("a-secret-of-some-length").unwrap();
    let sealed = Arc::new(ledger.seal("orders-db", &secret).unwrap());
    let first = begun(&ledger);
    ledger.plan(&key(), first, entry("hp_a_1")).unwrap();
    ledger.keep(first, &sealed);
    ledger.end_one(&key(), at(1));
    begun(&ledger);
    ledger.keep(first, &sealed);
    assert!(!ledger.lend(&key(), first, 1, at(1)));
    assert!(matches!(ledger.find(&key(), 1, (at(1), at(300))), Found::InFlight));
}

/// It can't be withdrawn before it is there.
#[test]
fn what_is_ended_while_it_is_minted_is_due_when_it_has_landed_at_the_latest() {
    for (ended, due) in [(2, 10), (12, 12)] {
        let ledger = Ledger::new().unwrap();
        let ticket = begun(&ledger);
        ledger.plan(&key(), ticket, entry("hp_a_1")).unwrap();
        assert!(ledger.end(1, None, at(ended)));
        let owed = ledger.each(|entry| entry.owed.as_ref().map(|owed| (owed.since, owed.due)));
        assert_eq!(owed, [(at(ended), at(due))]);
        // Once it has, it is due at once.
        ledger.landed(ticket, Handle::new("hp_a_1", ""), at(300));
        ledger.owe(ticket, at(ended + 1));
        assert_eq!(ledger.due(at(ended + 1), |_| true), [ticket]);
    }
}

/// An end wakes the threads that wait for what will not be lent any more.
#[test]
fn a_thread_that_waits_for_a_mint_waits_no_longer_than_its_grant_lives() {
    const HOUR: Duration = Duration::from_secs(3600);
    for _ in 0..20 {
        let ledger = Arc::new(Ledger::new().unwrap());
        begun(&ledger);
        let (waiting, (told, done)) = (Arc::clone(&ledger), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            told.send(None).unwrap();
            told.send(Some(waiting.wait(&key(), HOUR))).unwrap();
        });
        assert_eq!(done.recv(), Ok(None));
        // Mostly it waits by then; where it does not, it finds that there is nothing to wait for.
        (0..1000).for_each(|_| std::thread::yield_now());
        assert!(!ledger.end(1, None, at(1)));
        assert_eq!(done.recv_timeout(HOUR / 60), Ok(Some(true)));
    }
}
