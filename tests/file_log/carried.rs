//! Limits that span tasks go on after a restart as if there had been none.

use std::path::Path;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog, MemoryLog};
use hallpass::clock::Timestamp;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::ManualClock;
use serde_json::json;

use super::world::{Folder, ORIGIN, keys, options};

const POLICY: &str = r#"
version = 1
rule = [
  { id = "few", effect = "permit", what = { tool = "few", args = "any" }, grant = { uses = 4, per = "identity" } },
  { id = "kept", effect = "permit", what = { tool = "kept", args = "any" }, grant = { uses = 4, per = "identity", refund = false } },
  { id = "slow", effect = "permit", what = { tool = "slow", args = "any" }, grant = { rate = "2/1m", per = "identity" } },
  { id = "dear", effect = "permit", what = { tool = "dear", args = "any" }, grant = { budget = { "args.amount" = 10.5 }, per = "identity" } },
  { id = "tide", effect = "permit", what = { tool = "tide", args = "any" }, grant = { uses = "2/1m", budget = { "args.amount" = "7/90s" }, per = "identity" } },
  { id = "own", effect = "permit", what = { tool = "own", args = "any" }, grant = { uses = 1 } },
]
"#;
const TOOLS: [&str; 6] = ["few", "kept", "slow", "dear", "tide", "own"];

/// A broker, and what it is restarted with.
struct Office<'a> {
    broker: Option<Broker>,
    clock: ManualClock,
    folder: Option<&'a Path>,
}

impl Office<'_> {
    fn open(&mut self) {
        let policy = Policy::from_toml(POLICY).unwrap();
        let builder = Broker::builder(policy).clock(self.clock.clone());
        let builder = builder.issuer("acme").audience("payments").log_keys(keys());
        let builder = match self.folder {
            None => builder.log(MemoryLog::new()),
            Some(folder) => {
                let options = options(Durability::Flushed).rotate_at(4096);
                builder.resume_from(&options.open(folder, &keys(), &ORIGIN).unwrap())
            }
        };
        self.broker = Some(builder.build().unwrap());
    }

    /// Opens another broker, of this policy, on the log.
    fn go_on(&mut self, policy: Policy) {
        let log = options(Durability::Flushed);
        let log = log.open(self.folder.unwrap(), &keys(), &ORIGIN).unwrap();
        let builder = Broker::builder(policy).clock(self.clock.clone());
        let builder = builder.issuer("acme").audience("payments").log_keys(keys());
        self.broker = Some(builder.resume_from(&log).build().unwrap());
    }

    /// Calls once, in a task of its own, and says why not.
    fn call(
        &self,
        who: &str,
        tool: &str,
        amount: &serde_json::Value,
        starts: bool,
    ) -> Option<Reason> {
        let broker = self.broker.as_ref().unwrap();
        let who = broker.assert_identity(who).unwrap();
        let task = broker.open(&who, Purpose::new("p")).unwrap();
        let scope = Scope::tool(tool).any_args();
        let grant = match task.request(scope, &Context::new()) {
            Ok(grant) => grant,
            Err(denial) => return Some(denial.reason()),
        };
        let call = Call::new(tool, json!({ "amount": amount })).unwrap();
        match broker.gate().authorize(&grant, &who, call, &Context::new()) {
            Ok(permit) if starts => permit.start().unwrap().succeed(),
            Ok(permit) => drop(permit),
            Err(denial) => return Some(denial.reason()),
        };
        None
    }
}

/// attack 188: uses, what is kept of what never started, rates, budgets and windows of each identity
#[test]
fn a_broker_that_is_restarted_answers_as_one_that_never_was() {
    let mut denied = 0;
    for seed in 1..12_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let folder = Folder::new();
        let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
        let mut steady = Office { broker: None, clock: clock.clone(), folder: None };
        let mut restarted =
            Office { broker: None, clock: clock.clone(), folder: Some(folder.path()) };
        steady.open();
        restarted.open();
        for step in 0..80 {
            if next(6) == 0 {
                clock.advance(Duration::from_secs(next(50)));
            }
            if next(5) == 0 {
                let broker = restarted.broker.take().unwrap();
                assert_eq!(broker.flush(), 0);
                if next(2) == 0 {
                    broker.close(Duration::from_secs(5));
                }
                drop(broker);
                restarted.open();
            }
            let (who, tool) = (["ada", "bob"][next(2) as usize], TOOLS[next(6) as usize]);
            let amount = [json!(0.5), json!(3), json!(4)][next(3) as usize].clone();
            let starts = next(3) > 0;
            let answer = |office: &Office<'_>| office.call(who, tool, &amount, starts);
            let (one, other) = (answer(&steady), answer(&restarted));
            assert_eq!(one, other, "seed {seed}, step {step}: {who} calls {tool} with {amount}");
            denied += u32::from(one.is_some());
        }
    }
    assert!(denied > 50, "limits were met: {denied}");
}

/// What became of a permit is not known, so it stays spent.
#[test]
fn a_use_of_a_process_that_was_killed_stays_spent() {
    let folder = Folder::new();
    let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
    let mut office = Office { broker: None, clock, folder: Some(folder.path()) };
    for life in 0..5 {
        office.open();
        let answer = office.call("ada", "few", &json!(1), false);
        assert_eq!(answer, (life == 4).then_some(Reason::UsesSpent), "life {life}");
        // The permit was dropped, and its outcome is in memory alone.
        drop(office.broker.take());
    }
    FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
}

/// An amount is the value of an argument, which is in the log as a digest alone.
#[test]
fn what_was_spent_of_a_budget_does_not_stand_in_plain_and_counts_on_after_a_change_of_keys() {
    let folder = Folder::new();
    let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
    let mut office = Office { broker: None, clock: clock.clone(), folder: Some(folder.path()) };
    office.open();
    let secret = |first: u8| SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>());
    assert_eq!(office.call("ada", "dear", &json!(4.0625), true), None);
    office.broker.as_ref().unwrap().rotate_log_key(secret(200).unwrap()).unwrap();
    assert_eq!(office.call("ada", "dear", &json!(5.0625), true), None);
    assert_eq!(office.broker.take().unwrap().flush(), 0);

    let keys = || {
        let keys = LogKeys::from_secret(secret(200).unwrap());
        keys.and_past(secret(0).unwrap()).unwrap()
    };
    let log = options(Durability::Flushed).open(folder.path(), &keys(), &ORIGIN).unwrap();
    let mut sums = 0;
    FileLog::read_each(folder.path(), &keys(), &ORIGIN, None, |record, _| {
        let line = format!("{:?}", record.event);
        assert!(!line.contains("0625"), "{line}");
        sums += usize::from(line.contains("sums: {\"args.amount\":"));
    })
    .unwrap();
    assert_eq!(sums, 2);
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).clock(clock);
    let builder = builder.issuer("acme").audience("payments").log_keys(keys());
    office.broker = Some(builder.resume_from(&log).build().unwrap());
    assert_eq!(office.call("ada", "dear", &json!(2), true), Some(Reason::BudgetSpent));
    assert_eq!(office.call("ada", "dear", &json!(1.375), true), None);
    assert_eq!(office.call("ada", "dear", &json!(0.0625), true), Some(Reason::BudgetSpent));
}

/// attack 188: what counts on under today's rule after a reload counts on after a restart, too.
#[test]
fn what_a_reload_made_count_for_longer_counts_so_after_a_restart() {
    let folder = Folder::new();
    let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
    let mut office = Office { broker: None, clock, folder: Some(folder.path()) };
    office.open();
    for _ in 0..2 {
        assert_eq!(office.call("ada", "slow", &json!(1), true), None);
        assert_eq!(office.call("ada", "tide", &json!(1), true), None);
    }
    let longer = POLICY.replace("2/1m", "2/1h");
    office.clock.advance(Duration::from_secs(30));
    let longer = Policy::from_toml(&longer).unwrap();
    drop(office.broker.as_ref().unwrap().reload(&longer).unwrap());
    assert_eq!(office.broker.take().unwrap().flush(), 0);
    office.clock.advance(Duration::from_secs(100));
    office.go_on(longer);
    assert_eq!(office.call("ada", "slow", &json!(1), true), Some(Reason::RateExceeded));
    assert_eq!(office.call("ada", "tide", &json!(1), true), Some(Reason::UsesSpent));
}

const FOLDING: &str = "\n[identity]\nfold = \"ascii\"";

/// Goes on as a broker of a policy that folds names.
fn fold(office: &mut Office<'_>) {
    office.go_on(Policy::from_toml(&format!("{POLICY}{FOLDING}")).unwrap());
}

/// attack 188: who was counted under several spellings is counted as one from then on, with all that was spent under any.
#[test]
fn what_was_spent_under_several_spellings_counts_together_once_names_are_folded() {
    let used = |names: &[&str], restarts: usize, tool: &str| {
        let folder = Folder::new();
        let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
        let mut office = Office { broker: None, clock, folder: Some(folder.path()) };
        office.open();
        for name in names {
            // What never started comes back under either.
            assert_eq!(office.call(name, tool, &json!(1), false), None);
            assert_eq!(office.call(name, tool, &json!(1), true), None);
        }
        assert_eq!(office.broker.take().unwrap().flush(), 0);
        fold(&mut office);
        let first = office.call("aDA", tool, &json!(1), true);
        for _ in 0..restarts {
            assert_eq!(office.broker.take().unwrap().flush(), 0);
            fold(&mut office);
        }
        let more = (0..9).take_while(|_| office.call("Ada", tool, &json!(1), true).is_none());
        more.count() + usize::from(first.is_none())
    };
    for restarts in 0..3 {
        assert_eq!(used(&["Ada", "Ada", "bob"], restarts, "few"), 2, "{restarts}");
        assert_eq!(used(&["ada", "Ada"], restarts, "few"), 2, "{restarts}");
        assert_eq!(used(&["Ada", "ada", "ADA"], restarts, "few"), 1, "{restarts}");
        assert_eq!(used(&["ada", "Ada"], restarts, "tide"), 0, "{restarts}");
    }
}

/// A halt of another life is on in the spelling of today, and is taken off for good.
#[test]
fn a_halt_over_a_name_in_capitals_is_kept_and_taken_off_once_names_are_folded() {
    let folder = Folder::new();
    let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
    let mut office = Office { broker: None, clock, folder: Some(folder.path()) };
    office.open();
    let halt = |name: &str| hallpass::Halt::identity(name).unwrap();
    office.broker.as_ref().unwrap().control().halt(halt("Ada"));
    assert_eq!(office.broker.take().unwrap().flush(), 0);
    for _ in 0..2 {
        fold(&mut office);
        assert_eq!(office.broker.as_ref().unwrap().control().halts(), [halt("ada")]);
        assert_eq!(office.broker.take().unwrap().flush(), 0);
    }
    fold(&mut office);
    assert!(office.broker.as_ref().unwrap().control().resume(&halt("ADA")));
    assert_eq!(office.broker.take().unwrap().flush(), 0);
    fold(&mut office);
    assert_eq!(office.broker.as_ref().unwrap().control().halts(), []);
}
