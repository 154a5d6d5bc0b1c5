//! What keeping a log costs beyond writing it: syncing it on a disk that takes its time, and the tree of its checkpoints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use hallpass::audit::{
    Durability, Durable, Entry, FileLog, FileLogOptions, Kept, LogSigner, Origin, Sink, SinkError,
    Tail, WhenFull,
};
use hallpass::clock::Timestamp;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::eq;
use workload::{Rules, context, floor, member, table, table_call, tool};

const ORIGIN: Origin<'static> = Origin::new("acme", "payments");
/// How long a sync takes.
const SYNC: Duration = Duration::from_millis(1);
/// A new log after as many calls.
const CALLS: u64 = 20_000;

fn main() {
    let mut c = workload::criterion();
    floor(&mut c);
    synced(&mut c);
    tree(&mut c);
    beside_a_tree(&mut c);
    c.final_summary();
}

/// A log whose every write takes as long as the sync of a disk, after which all of it is kept: as many callers as wait
/// share one.
struct SlowDisk(FileLog);

impl Sink for SlowDisk {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.0.open()
    }

    fn report_to(&self, durable: Durable) {
        self.0.report_to(durable);
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let kept = self.0.append(batch);
        std::thread::sleep(SYNC);
        kept
    }

    fn maintain(&self, now: Timestamp) {
        self.0.maintain(now);
    }

    fn closed(&self, through: u64) {
        self.0.closed(through);
    }
}

/// Callers who each wait until the record of their permit is synced, reported per call of all of them together.
fn synced(c: &mut Criterion) {
    let rules = Rules::of(100);
    let mut group = c.benchmark_group("keeping/synced");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for callers in [1_u64, 64] {
        group.bench_function(format!("{callers}thr"), |b| {
            b.iter_custom(|calls| {
                let kept = KeptLog::new(Durability::Synced, |options| options);
                let broker = kept.broker(&rules, Some(SlowDisk(kept.log.clone())));
                let each = calls.div_ceil(callers);
                let took = timed_span(|| side_by_side(&broker, &rules, callers, each));
                // Reported as if just as many calls as were asked for had been made.
                took.mul_f64(calls as f64 / (each * callers) as f64)
            });
        });
    }
}

/// The tree over the records that there are, and its checkpoint: reported per record.
fn tree(c: &mut Criterion) {
    let rules = Rules::of(100);
    let mut group = c.benchmark_group("keeping/tree");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    group.throughput(Throughput::Elements(written(&rules).log.checkpoint().unwrap().size()));
    group.bench_function("checkpoint", |b| {
        b.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let kept = written(&rules);
                took += timed_span(|| drop(kept.log.checkpoint().unwrap()));
            }
            took
        });
    });
}

/// A log without a checkpoint.
fn written(rules: &Rules) -> KeptLog {
    let kept = KeptLog::new(Durability::Buffered, |options| options.checkpoints(signer()));
    let broker = kept.broker(rules, None::<FileLog>);
    side_by_side(&broker, rules, 1, CALLS / 4);
    broker.flush();
    drop(broker);
    kept
}

/// Calls of one thread and of two, with a log that makes checkpoints meanwhile and one that makes none.
fn beside_a_tree(c: &mut Criterion) {
    let rules = Rules::of(100);
    let mut group = c.benchmark_group("keeping/calls");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(4));
    for threads in [1_u64, 2] {
        for with_tree in [false, true] {
            let name = if with_tree { "with-tree" } else { "without-tree" };
            group.bench_function(format!("{threads}thr-{name}"), |b| {
                b.iter_custom(|calls| {
                    let mut took = Duration::ZERO;
                    let mut left = calls;
                    while left > 0 {
                        let here = left.min(CALLS * 4);
                        left -= here;
                        let kept = KeptLog::new(Durability::Buffered, |options| match with_tree {
                            true => options
                                .checkpoints(signer())
                                .checkpoint_every(Duration::from_secs(1), 10_000),
                            false => options,
                        });
                        let broker = kept.broker(&rules, None::<FileLog>);
                        let reaper = broker.start_reaper(Duration::from_millis(10)).unwrap();
                        let each = here.div_ceil(threads);
                        let own = timed_span(|| side_by_side(&broker, &rules, threads, each));
                        took += own.mul_f64(here as f64 / (each * threads) as f64);
                        drop(reaper);
                    }
                    took
                });
            });
        }
    }
}

/// Threads with a task each: every call from its token to its outcome.
fn side_by_side(broker: &Broker, rules: &Rules, threads: u64, calls: u64) {
    let m = rules.middle();
    let (tool, table) = (&tool(m), &table(m));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                let (agent, context) = (member(broker, m), context("prod", 20));
                let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
                let asked = Scope::tool(tool).arg("table", eq(&**table));
                let grant = task.request(asked, &context).unwrap();
                let gate = broker.gate();
                for _ in 0..calls {
                    let call = table_call(tool, table);
                    let permit = gate.authorize(&grant, &agent, call, &context).unwrap();
                    permit.run(|_| Ok::<_, ()>(())).unwrap();
                }
            });
        }
    });
}

/// A log in a folder of its own, which is removed with it.
struct KeptLog {
    log: FileLog,
    _folder: Folder,
}

impl KeptLog {
    fn new(durability: Durability, set: impl FnOnce(FileLogOptions) -> FileLogOptions) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hallpass-keeping-{}-{number}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        let options = set(FileLog::options(durability, WhenFull::Owe));
        let log = options.open(&folder.0, &keys(), &ORIGIN).unwrap();
        KeptLog { log, _folder: folder }
    }

    fn broker(&self, rules: &Rules, sink: Option<impl Sink + 'static>) -> Broker {
        let builder = Broker::builder(rules.policy()).issuer("acme").audience("payments");
        let builder = builder.log_keys(keys());
        let builder = match sink {
            Some(sink) => builder.log(sink),
            None => builder,
        };
        builder.resume_from(&self.log).build().unwrap()
    }
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn signer() -> LogSigner {
    LogSigner::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed_span(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
