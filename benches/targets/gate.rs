//! W4: the whole gate, next to one HMAC; and two threads next to one.
//!
//! The rules of W3, for a call of three arguments; call and context are built inside. A permit is dropped outside of
//! what counts, for its call is run by the host.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::{any, below, eq, has_any, min};
use hallpass::value::{Object, Value};
use ring::hmac;

use crate::Table;
use crate::measure::{Work, leaving, timed, whole};
use crate::workload::{Rules, context, member, table as table_of, tool as tool_of};

/// A new log after so many calls: one in memory forgets nothing.
const CALLS: u64 = 20_000;

pub(crate) fn rows(table: &Table) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let message = [0x5a; 256];
    let tag = hmac::sign(&key, &message);
    let verify = || hmac::verify(&key, black_box(&message), black_box(tag.as_ref())).is_ok();
    assert!(verify());
    let (memory, file) = (Renewed::new(in_memory), Renewed::new(on_file));
    let rounds = table.effort().in_turn([
        &mut whole(verify),
        &mut |n| memory.of(n, |errand, n| leaving(|| errand.permit())(n)),
        &mut |n| file.of(n, |errand, n| leaving(|| errand.permit())(n)),
        &mut |n| memory.of(n, |errand, n| whole(|| errand.run())(n)),
    ]);
    // The record is the complete one: 4.5 and 5 were aimed at for the one before it.
    table.row("whole gate ÷ HMAC, log in memory", rounds.ratio(1, 0), 5.0, "×");
    table.row("whole gate ÷ HMAC, log on file", rounds.ratio(2, 0), 5.6, "×");
    table.aside("one HMAC-SHA256 of 256 bytes", rounds.fastest(0), "ns");
    table.aside("whole gate, log in memory", rounds.fastest(1), "ns");
    table.aside("whole gate, log on file", rounds.fastest(2), "ns");
    table.aside(
        "and its call run, to the record of its outcome, in memory",
        rounds.fastest(3),
        "ns",
    );
    threads(table, "memory", in_memory, 1.7);
    threads(table, "file", on_file, 1.6);
}

/// Two threads with a task each at one broker, from token to outcome: how much more they do than one.
fn threads(table: &Table, kept: &str, broker: fn(Policy) -> Logged, least: f64) {
    let calls = table.size(4000, 10) as u64;
    let policy = policy(&Rules::of(100));
    let run = |threads: u64, n: u64| {
        let logged = broker(policy.clone());
        let errands: Vec<_> = (0..threads).map(|_| Errand::at(&logged.broker)).collect();
        timed(|| {
            std::thread::scope(|scope| {
                for errand in &errands {
                    scope.spawn(move || (0..n / threads).for_each(|_| errand.run()));
                }
            });
        })
    };
    let works: [Work<'_>; 2] =
        [&mut |n| run(1, n.max(calls)) * n as u32 / n.max(calls) as u32, &mut |n| {
            run(2, n.max(calls)) * n as u32 / n.max(calls) as u32
        }];
    let mut effort = table.effort();
    effort.rounds = effort.rounds.div_ceil(8);
    effort.turn *= 64;
    let rounds = effort.in_turn(works);
    let gain = rounds.ratio(0, 1);
    table.row_at_least(&format!("two threads ÷ one, log in {kept}"), gain, least, "×");
    let best = rounds.fastest(0) / rounds.fastest(1);
    table.aside(&format!("the same of the fastest rounds, {kept}"), best, "×");
}

/// The rules of W3, of calls that have two arguments more.
fn policy(rules: &Rules) -> Policy {
    let permits = (0..rules.permits).map(|i| {
        Rule::permit(format!("p{i}"))
            .who_groups(has_any([format!("g{i}")]))
            .tool(&tool_of(i))
            .arg("table", eq(table_of(i)))
            .arg("limit", any())
            .arg("path", any())
            .when("env", eq("prod"))
            .when("risk", below(50))
    });
    let forbids = (0..rules.forbids).map(|j| {
        Rule::forbid(format!("f{j}"))
            .tool(&tool_of(j))
            .arg("table", eq(table_of(j)))
            .when("risk", min(40))
    });
    Policy::builder().rules(forbids).rules(permits).build().unwrap()
}

struct Errand {
    gate: Gate,
    agent: Identity,
    grant: Grant,
    tool: String,
    table: String,
    _task: Task,
}

impl Errand {
    fn at(broker: &Broker) -> Self {
        let m = Rules::of(100).middle();
        let (agent, tool, table) = (member(broker, m), tool_of(m), table_of(m));
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let scope = Scope::tool(&tool).arg("table", eq(&*table));
        let scope = scope.arg("limit", any()).arg("path", any());
        let grant = task.request(scope, &context("prod", 20)).unwrap();
        let errand = Errand { gate: broker.gate(), agent, grant, tool, table, _task: task };
        let denied = errand.authorize("dev").map(drop).unwrap_err();
        assert_eq!(denied.reason(), Reason::NoPermit);
        errand
    }

    fn authorize(&self, env: &str) -> Result<Permit, Denial> {
        let args = [
            ("limit", Value::from(black_box(100))),
            ("path", Value::from(black_box("/data/reports/q3.csv"))),
            ("table", Value::from(black_box(&*self.table))),
        ];
        let call = Call::new(black_box(&*self.tool), Object::from_pairs(args).unwrap()).unwrap();
        let context = context(black_box(env), black_box(20));
        self.gate.authorize(black_box(self.grant.token()), &self.agent, call, &context)
    }

    fn permit(&self) -> Permit {
        self.authorize("prod").unwrap()
    }

    fn run(&self) {
        self.permit().run(|_| Ok::<_, ()>(())).unwrap();
    }
}

/// A broker, and the folder of its log, which is removed once both are dropped.
struct Logged {
    broker: Broker,
    _folder: Option<Folder>,
}

/// An errand at a broker that is made anew after a number of calls.
struct Renewed {
    broker: fn(Policy) -> Logged,
    policy: Policy,
    at: std::cell::RefCell<(u64, Option<(Errand, Logged)>)>,
}

impl Renewed {
    fn new(broker: fn(Policy) -> Logged) -> Self {
        Renewed { broker, policy: policy(&Rules::of(100)), at: Default::default() }
    }

    fn of(&self, n: u64, work: impl FnOnce(&Errand, u64) -> Duration) -> Duration {
        let mut at = self.at.borrow_mut();
        let (done, errand) = &mut *at;
        if *done + n > CALLS || errand.is_none() {
            let logged = (self.broker)(self.policy.clone());
            *errand = Some((Errand::at(&logged.broker), logged));
            *done = 0;
        }
        *done += n;
        errand.as_ref().map_or(Duration::ZERO, |(errand, _)| work(errand, n))
    }
}

fn in_memory(policy: Policy) -> Logged {
    Logged { broker: Broker::new(policy).unwrap(), _folder: None }
}

fn on_file(policy: Policy) -> Logged {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("hallpass-targets-{}-{number}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let keys =
        || LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap());
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &Origin::new("acme", "payments")).unwrap();
    let builder = Broker::builder(policy).issuer("acme").audience("payments").log_keys(keys());
    Logged { broker: builder.resume_from(&log).build().unwrap(), _folder: Some(folder) }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
