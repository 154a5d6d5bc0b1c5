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
    ledger.fail(&key(), first);
    assert!(matches!(ledger.find(&key(), 1, (at(1), at(300))), Found::InFlight));
    assert_eq!(ledger.plan(&key(), second, entry("hp_a_2")), Some(second));
}

#[test]
fn what_is_owed_is_taken_up_by_one_at_a_time_and_not_before_it_is_due() {
    let ledger = Ledger::new().unwrap();
    ledger.adopt(Entry { in_flight: false, ..entry("hp_a_1") }, at(5));
    let [ticket] = ledger.due(at(5), |_| true)[..] else { panic!("one is due") };
    assert!(ledger.take_up(ticket, at(4)).is_none(), "it is not due");
    let job = ledger.take_up(ticket, at(5)).unwrap();
    assert_eq!(job.debt, Debt::Owed);
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
