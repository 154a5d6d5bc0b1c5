//! The whole gate: a presented token and a call become a permit that is in the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use hallpass::audit::{Durability, Entry, FileLog, Kept, Origin, Sink, SinkError, Tail, WhenFull};
use hallpass::identity::Identity;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::eq;
use workload::{Rules, context, floor, forged, member, table, table_call, tool};

/// A new broker, and so a new log, after a number of calls: the log in memory forgets nothing.
const CALLS: u64 = 20_000;
/// As many equal denials stand in full in the log; those after them are counted.
const IN_FULL: u64 = 10;

/// Permits that are open at the same time while one is timed; a task rarely has more.
const OPEN: u64 = 8;

fn main() {
    let mut c = workload::criterion();
    floor(&mut c);
    for size in [10, 100, 1000, 10_000] {
        permit(&mut c, size);
    }
    permit_prebuilt(&mut c);
    outcome(&mut c);
    denied(&mut c);
    throughput(&mut c);
    c.final_summary();
}

/// One task with one grant under the rules of W3, and the log in memory.
struct Errand {
    broker: Broker,
    gate: Gate,
    agent: Identity,
    grant: Grant,
    context: Context,
    tool: String,
    table: String,
    _task: Task,
}

impl Errand {
    fn new(policy: &Policy, rules: &Rules) -> Self {
        Errand::at(&Broker::new(policy.clone()).unwrap(), rules)
    }

    fn at(broker: &Broker, rules: &Rules) -> Self {
        let broker = broker.clone();
        let m = rules.middle();
        let (tool, table) = (tool(m), table(m));
        let agent = member(&broker, m);
        let context = context("prod", 20);
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let scope = Scope::tool(&tool).arg("table", eq(&*table));
        let grant = task.request(scope, &context).unwrap();
        let gate = broker.gate();
        Errand { broker, gate, agent, grant, context, tool, table, _task: task }
    }

    fn call(&self) -> Call {
        table_call(&self.tool, &self.table)
    }

    fn authorize(&self, call: Call) -> Result<Permit, Denial> {
        self.gate.authorize(self.grant.token(), &self.agent, call, &self.context)
    }

    /// One call from its token to its outcome.
    fn errand(&self) {
        self.authorize(self.call()).unwrap().run(|_| Ok::<_, ()>(())).unwrap();
    }
}

/// Times `iterations` of `timed`, which leaves its result in the given place: it is dropped untimed,
/// a few at a time, and there is a fresh errand every [`CALLS`] calls.
fn time<T>(
    iterations: u64,
    new: impl Fn() -> Errand,
    timed: impl Fn(&Errand, &mut Vec<T>),
) -> Duration {
    time_with(CALLS, iterations, new, timed)
}

/// As [`time`], with a fresh errand after this many calls.
fn time_with<T>(
    calls: u64,
    iterations: u64,
    new: impl Fn() -> Errand,
    timed: impl Fn(&Errand, &mut Vec<T>),
) -> Duration {
    let mut took = Duration::ZERO;
    let mut left = iterations;
    let mut kept = Vec::with_capacity(OPEN as usize);
    while left > 0 {
        let errand = new();
        let mut here = left.min(calls);
        left -= here;
        while here > 0 {
            let now = here.min(OPEN);
            here -= now;
            took += timed_span(|| (0..now).for_each(|_| timed(&errand, &mut kept)));
            kept.clear();
        }
    }
    took
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed_span(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn permit(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let policy = rules.policy();
    let new = || Errand::new(&policy, &rules);
    assert_gates(&new());
    c.bench_function(&format!("gate/permit/{size}"), |b| {
        b.iter_custom(|n| {
            time(n, new, |errand, kept| kept.push(errand.authorize(errand.call()).unwrap()))
        });
    });
}

/// Every kind of answer that is timed below, and that the log verifies.
fn assert_gates(errand: &Errand) {
    let Errand { gate, grant, agent, .. } = errand;
    errand.errand();
    let refused = |token, call, context: &Context| {
        gate.authorize(token, agent, call, context).map(drop).unwrap_err().reason()
    };
    let token = grant.token();
    assert_eq!(refused(token, errand.call(), &context("dev", 20)), Reason::NoPermit);
    assert_eq!(refused(token, errand.call(), &context("prod", 60)), Reason::NoPermit);
    let elsewhere = table_call(&errand.tool, "tabx");
    assert_eq!(refused(token, elsewhere, &errand.context), Reason::OutOfScope);
    let forged = forged(token.expose());
    assert_eq!(refused(&forged, errand.call(), &errand.context), Reason::BadSignature);
    let verified = errand.broker.verify_log().unwrap();
    assert!(verified.without_outcome.is_empty());
}

fn permit_prebuilt(c: &mut Criterion) {
    let rules = Rules::of(100);
    let policy = rules.policy();
    let calls = std::cell::RefCell::new(Vec::new());
    c.bench_function("gate/permit-prebuilt-call/100", |b| {
        b.iter_custom(|n| {
            let call = table_call(&tool(rules.middle()), &table(rules.middle()));
            calls.replace(vec![call; n as usize]);
            let new = || Errand::new(&policy, &rules);
            time(n, new, |errand, kept| {
                let call = calls.borrow_mut().pop().unwrap();
                kept.push(errand.authorize(call).unwrap());
            })
        });
    });
}

fn outcome(c: &mut Criterion) {
    let rules = Rules::of(100);
    let policy = rules.policy();
    let new = || Errand::new(&policy, &rules);
    c.bench_function("gate/permit+run+outcome/100", |b| {
        b.iter_custom(|n| time(n, new, |errand, _: &mut Vec<()>| errand.errand()));
    });
    c.bench_function("gate/outcome/100", |b| {
        b.iter_custom(|n| {
            let mut took = Duration::ZERO;
            let mut errand = new();
            for at in 1..=n {
                if at % CALLS == 0 {
                    errand = new();
                }
                let permit = errand.authorize(errand.call()).unwrap();
                took += timed_span(|| drop(permit.run(|_| Ok::<_, ()>(()))));
            }
            took
        });
    });
}

fn denied(c: &mut Criterion) {
    let rules = Rules::of(100);
    let policy = rules.policy();
    let new = || Errand::new(&policy, &rules);
    let dev = context("dev", 20);
    let deny = |errand: &Errand, kept: &mut Vec<Denial>| {
        let token = errand.grant.token();
        kept.push(errand.gate.authorize(token, &errand.agent, errand.call(), &dev).unwrap_err());
    };
    for (row, calls) in [("gate/denied/100", IN_FULL), ("gate/denied-again/100", CALLS)] {
        c.bench_function(row, |b| b.iter_custom(|n| time_with(calls, n, new, deny)));
    }
    c.bench_function("gate/denied-sig/100", |b| {
        b.iter_custom(|n| {
            let forge = || {
                let errand = new();
                let token = forged(errand.grant.token().expose());
                FORGED.with(|slot| slot.replace(Some(token)));
                errand
            };
            time_with(IN_FULL, n, forge, |errand, kept| {
                FORGED.with_borrow(|token| {
                    let token = token.as_ref().unwrap();
                    let call = errand.call();
                    kept.push(
                        errand
                            .gate
                            .authorize(token, &errand.agent, call, &errand.context)
                            .unwrap_err(),
                    );
                });
            })
        });
    });
}

thread_local!(static FORGED: std::cell::RefCell<Option<Token>> = const { std::cell::RefCell::new(None) });

/// Threads with a task each at one broker: every call from its token to its outcome. Reported per
/// call of all threads together. With the log in memory, which takes new memory with every record, with one
/// that keeps nothing, to see the broker apart from what keeps its log, and with a buffered one on file.
fn throughput(c: &mut Criterion) {
    let rules = Rules::of(100);
    let policy = rules.policy();
    let mut group = c.benchmark_group("gate/throughput");
    group.throughput(Throughput::Elements(1));
    let logs = [
        ("", in_memory as fn(Policy) -> Logged),
        ("-log-not-kept", without_log),
        ("-log-on-file", on_file),
    ];
    for (kept, broker) in logs {
        for threads in [1, 2] {
            group.bench_function(format!("{threads}thr{kept}"), |b| {
                b.iter_custom(|n| {
                    let mut took = Duration::ZERO;
                    let mut left = n;
                    while left > 0 {
                        let here = left.min(CALLS * 4);
                        left -= here;
                        let logged = broker(policy.clone());
                        let errands: Vec<_> =
                            (0..threads).map(|_| Errand::at(&logged.broker, &rules)).collect();
                        took += timed_span(|| side_by_side(&errands, here / threads));
                    }
                    took
                });
            });
        }
    }
}

fn side_by_side(errands: &[Errand], calls: u64) {
    std::thread::scope(|scope| {
        for errand in errands {
            scope.spawn(move || (0..calls).for_each(|_| errand.errand()));
        }
    });
}

/// A broker, and the folder of its log, which is removed once both are dropped.
struct Logged {
    broker: Broker,
    _folder: Option<Folder>,
}

fn in_memory(policy: Policy) -> Logged {
    Logged { broker: Broker::new(policy).unwrap(), _folder: None }
}

fn without_log(policy: Policy) -> Logged {
    let broker = Broker::builder(policy).log(Discarding).build().unwrap();
    Logged { broker, _folder: None }
}

fn on_file(policy: Policy) -> Logged {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name =
        format!("hallpass-gate-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
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

/// Takes every record and keeps none.
struct Discarding;

impl Sink for Discarding {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
}
