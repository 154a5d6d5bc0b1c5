//! What is owed survives a restart with the log on file.

use std::path::PathBuf;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::{Debt, NotCounted};

use crate::ward::{incident, policy, scope, terms};

const ORIGIN: Origin<'static> = Origin::new("hallpass", "hallpass");

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

/// A broker that goes on with the log where an earlier one ended.
fn live(folder: &Folder, hour: u64, policy: Policy) -> Broker {
    let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let clock = ManualClock::new(start.checked_add(Duration::from_secs(hour * 3600)).unwrap());
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &ORIGIN).unwrap();
    Broker::builder(policy)
        .clock(clock)
        .log_keys(keys())
        .resume_from(&log)
        .break_glass_alert(|_| Ok(()), Duration::from_secs(60))
        .build()
        .unwrap()
}

fn person(broker: &Broker, who: Assertion, group: &str) -> Identity {
    broker.assert_identity(who.group(group)).unwrap()
}

fn breaks(broker: &Broker, who: &Identity) -> Result<(), Reason> {
    let task = broker.open(who, Purpose::new("incident")).unwrap();
    let grant = task.break_glass(scope(), "orders are down", &Context::new());
    grant.map(drop).map_err(|denial| denial.reason())
}

fn folder(name: &str) -> Folder {
    let path = std::env::temp_dir().join(format!("hallpass-{name}-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    Folder(path)
}

/// attack 188: what refused while it was open refuses after a restart, whatever the rule says by then
#[test]
fn an_open_review_that_refuses_the_next_use_refuses_it_after_a_restart() {
    let folder = folder("break-glass-refusing");
    let ada = |broker: &Broker| person(broker, Assertion::human("ada"), "sre");
    let strict = policy([incident().break_glass(terms().refuse_while_open())]);
    let broker = live(&folder, 0, strict);
    assert_eq!(breaks(&broker, &ada(&broker)), Ok(()));
    assert!(broker.close(Duration::from_secs(5)).running.is_empty());
    drop(broker);
    let broker = live(&folder, 1, policy([incident()]));
    assert!(broker.reviews().debts().iter().all(|debt| !debt.is_overdue()));
    assert_eq!(breaks(&broker, &ada(&broker)), Err(Reason::ReviewOwed));
}

/// attack 188, for debts
#[test]
fn a_debt_is_owed_after_a_restart_until_somebody_else_has_closed_it() {
    let folder = folder("break-glass");
    let ada = || Assertion::human("ada").alias("a.smith");
    let rules = || policy([incident()]);

    let broker = live(&folder, 0, rules());
    assert_eq!(breaks(&broker, &person(&broker, ada(), "sre")), Ok(()));
    assert_eq!(breaks(&broker, &person(&broker, Assertion::human("bob"), "sre")), Ok(()));
    let eve = person(&broker, Assertion::human("eve"), "security");
    let debts = broker.reviews().debts();
    assert_eq!(debts.iter().map(Debt::who).collect::<Vec<_>>(), ["ada", "bob"]);
    let first = (debts[0].grant(), debts[0].task().to_owned(), debts[0].since(), debts[0].due());
    broker.reviews().close_debt(&debts[1], &eve, "justified", "fine").unwrap();
    assert!(broker.close(Duration::from_secs(5)).running.is_empty());
    drop((debts, broker));

    let broker = live(&folder, 25, rules());
    let reviews = broker.reviews();
    let debts = reviews.debts();
    let [debt] = &debts[..] else { panic!("{debts:?}") };
    assert_eq!((debt.grant(), debt.task().to_owned(), debt.since(), debt.due()), first);
    assert_eq!(debt.who(), "ada");
    assert_eq!(debt.justification(), "orders are down");
    assert!(debt.is_overdue() && debt.rules().eq(["incident"]));
    for name in [ada(), Assertion::human("A.SMITH")] {
        assert_eq!(breaks(&broker, &person(&broker, name, "sre")), Err(Reason::ReviewOwed));
    }
    assert_eq!(breaks(&broker, &person(&broker, Assertion::human("bob"), "sre")), Ok(()));
    // Its own person does not close it.
    let close = |debt, who: Assertion| {
        let who = person(&broker, who, "security");
        reviews.close_debt(debt, &who, "justified", "fine")
    };
    assert_eq!(close(debt, Assertion::human("a.smith")), Err(NotCounted::NotEligible));
    // Where its rule is gone, no one is known to be who may.
    broker.reload(&policy([])).unwrap().finish();
    assert_eq!(close(debt, Assertion::human("eve")), Err(NotCounted::NotEligible));
    broker.reload(&policy([incident().break_glass(terms())])).unwrap().finish();
    assert_eq!(close(debt, Assertion::human("eve")), Ok(()));
    assert!(broker.close(Duration::from_secs(5)).running.is_empty());
    drop((debts, reviews, broker));

    let broker = live(&folder, 26, rules());
    let owed: Vec<Debt> = broker.reviews().debts();
    assert_eq!(owed.iter().map(Debt::who).collect::<Vec<_>>(), ["bob"]);
    drop(broker);
    FileLog::read(&folder.0, &keys(), &ORIGIN, None).unwrap();
}
