//! What is kept in memory of rules and grants, and what reading many rules takes.
#![allow(unsafe_code, reason = "it counts what is allocated")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::time::Duration;

use hallpass::audit::{Entry, Kept, Sink, SinkError, Tail};
use hallpass::prelude::*;
use hallpass::scope::{eq, max, min, one_of, under};

use crate::Table;
use crate::measure::timed;

/// Counts the bytes that are held and the most that were, once it is told to: rows that are timed pay one look.
pub(crate) struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: isize) {
    if COUNTS.load(Ordering::Relaxed) {
        let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if bytes > 0 {
            MOST.fetch_max(held, Ordering::Relaxed);
        }
    }
}

// SAFETY: everything is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it is moved, both are there.
        count(size as isize);
        count(-(layout.size() as isize));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// From here on, to the end.
pub(crate) fn start_counting() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// What work leaves behind, and the most that it holds on its way.
pub(crate) fn held<T>(work: impl FnOnce() -> T) -> (T, isize, isize) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let done = work();
    (done, HELD.load(Ordering::Relaxed) - before, MOST.load(Ordering::Relaxed) - before)
}

pub(crate) fn rows(table: &Table) {
    loading(table);
    let one = own_scope(|n| Scope::tool(&format!("t{n}")));
    let w1 = own_scope(|n| {
        Scope::tool("db.query")
            .arg("table", one_of(["orders", "customers"]))
            .arg("limit", min(0).and(max(n as u64)))
            .arg("path", under("/data/reports"))
    });
    let three = own_scope(|n| {
        let x = || eq(n as u64);
        Scope::tool("a").arg("x", x()).and_tool("b").arg("x", x()).and_tool("c")
    });
    table.row("a grant with a scope of its own, one tool", one, 600.0, "B");
    table.row("the scope of W1", w1, 800.0, "B");
    table.row("three tools", three, 1000.0, "B");
    shared_scope(table);
}

/// The permits of W3, table by table.
fn loading(table: &Table) {
    let rules = table.size(100_000, 2000);
    let mut text = "version = 1\n".to_owned();
    for i in 0..rules {
        let tool = i % 64;
        write!(
            text,
            r#"
[[rule]]
id     = "p{i}"
effect = "permit"
who    = {{ groups = {{ has_any = ["g{i}"] }} }}
what   = {{ tool = "tool{tool}", args = {{ table = "tab{i}" }} }}
when   = {{ env = "prod", risk = {{ below = 50 }} }}
"#
        )
        .unwrap();
    }
    let read = || timed(|| drop(Policy::from_toml(&text).unwrap()));
    let best = (0..table.size(3, 1)).map(|_| read()).min().unwrap_or(Duration::MAX);
    // From here on, to the end.
    start_counting();
    let (policy, kept, most) = held(|| Policy::from_toml(&text).unwrap());
    assert_eq!(policy.len(), rules);
    table.row("TOML of 100,000 rules: read and dropped", best.as_secs_f64(), 2.0, "s");
    table.row("the most held, beyond the text", most as f64 / 1e6, 250.0, "MB");
    table.row("kept of a rule", kept as f64 / rules as f64, 400.0, "B");
}

/// Keeps nothing of the log.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
}

fn anything() -> Broker {
    let policy = Policy::builder().rule(Rule::permit("p").any_tool().any_args().any_resource());
    Broker::builder(policy.build().unwrap()).log(Nowhere).build().unwrap()
}

/// What a grant keeps that shares its scope with no other, its handle dropped.
fn own_scope(scope: impl Fn(usize) -> Scope) -> f64 {
    const GRANTS: usize = 1000;
    let broker = anything();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let ask = |n: usize| drop(task.request(scope(n), &Context::new()).unwrap());
    (0..100).for_each(ask);
    let (_, kept, _) = held(|| (100..100 + GRANTS).for_each(ask));
    kept as f64 / GRANTS as f64
}

/// A task, and a grant of it, of a scope that all share; handles of tasks are kept by the host.
fn shared_scope(table: &Table) {
    let grants = table.size(1_000_000, 1000);
    let broker = anything();
    let mut tasks = Vec::with_capacity(grants);
    let scope = || {
        let scope = Scope::tool("db.query").any_args().and_tool("db.write").any_args();
        scope.and_tool("mail.send").any_args()
    };
    let (_agents, kept, _) = held(|| {
        let agents: Vec<_> = (0..grants.min(50_000))
            .map(|n| broker.assert_identity(format!("agent-{n:06}").as_str()).unwrap())
            .collect();
        for n in 0..grants {
            let agent = &agents[n % agents.len()];
            let name = format!("task-{n:08}");
            let task = broker.open_named(&name, agent, Purpose::new("reporting")).unwrap();
            drop(task.request(scope(), &Context::new()).unwrap());
            tasks.push(task);
        }
        agents
    });
    table.row("a grant of a scope that many share", kept as f64 / grants as f64, 300.0, "B");
}
