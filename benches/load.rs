//! What many rules take to be read, kept, linted and asked for.
//!
//! `cargo bench -p hallpass-benches --bench load` prints the table of `docs/scale.md`. Without `--bench` it runs in small
//! and checks the bounds that do not depend on the machine.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement: it counts what is allocated, reads the clock and prints"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hallpass::clock::Timestamp;
use hallpass::policy::LintOptions;
use hallpass::prelude::*;

/// Counts the bytes that are held, and the most that were.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn take(bytes: usize) {
    MOST.fetch_max(HELD.fetch_add(bytes, Ordering::Relaxed) + bytes, Ordering::Relaxed);
}

// SAFETY: everything is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it is moved, both are there.
        take(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let (rules, permits, misspelt) =
        if full { (100_000, 50_000, 10_000) } else { (2_000, 1_000, 100) };
    println!("| figure | value |\n|---|---|");
    loading(rules);
    for permits in [permits / 10, permits] {
        requesting(permits);
    }
    for misspelt in [misspelt / 10, misspelt] {
        linting(misspelt);
    }
    for rules in [rules / 10, rules] {
        proving(rules);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}

/// The permits of W3, table by table.
fn text(rules: usize) -> String {
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
    text
}

fn loading(rules: usize) {
    let text = text(rules);
    let mut best = Duration::MAX;
    for _ in 0..3 {
        best = best.min(timed(|| Policy::from_toml(&text).unwrap()).1);
    }
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let policy = Policy::from_toml(&text).unwrap();
    let kept = HELD.load(Ordering::Relaxed) - before;
    let most = MOST.load(Ordering::Relaxed) - before;
    assert_eq!(policy.len(), rules);
    println!("| TOML of {rules} permits of W3, bytes | {} |", text.len());
    println!("| reading it, best of three | {best:.2?} |");
    println!("| the most held meanwhile, beyond the text | {:.0} MB |", most as f64 / 1e6);
    println!("| kept of each rule, bytes | {} |", kept / rules);
    // Of few rules, what a policy takes without any counts for more.
    let bound = if rules < 10_000 { 420 } else { 400 };
    assert!(kept / rules <= bound && most / rules <= 1000, "{kept} and {most} of {rules}");
}

/// A request that each of many permits covers on its own.
fn requesting(permits: usize) {
    let rules = (0..permits).map(|n| Rule::permit(format!("p{n:06}")).tool("t"));
    let broker = Broker::new(Policy::builder().rules(rules).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let (grant, took) = timed(|| task.request(Scope::tool("t"), &Context::new()).unwrap());
    println!("| a request covered by {permits} permits | {took:.2?} |");
    drop(grant);
}

/// Rules of which each misspells the name of an argument.
fn linting(misspelt: usize) {
    let rules = (0..misspelt).flat_map(|n| {
        let right = Rule::permit(format!("a{n}"))
            .tool("t")
            .arg(&format!("customer{n}"), hallpass::scope::eq("x"));
        let wrong = Rule::forbid(format!("b{n}"))
            .tool("t")
            .arg(&format!("custmer{n}"), hallpass::scope::eq("x"));
        [right, wrong]
    });
    let policy = Policy::builder().rules(rules).build().unwrap();
    let (warnings, took) = timed(|| policy.lint(Timestamp::MIN).len());
    println!(
        "| lint of {misspelt} names that each misspell another | {took:.2?}, {warnings} warnings |"
    );
}

/// Ten rules of each tool, as teams write them: permits of groups up to an amount, with conditions on the context, and
/// forbids and asks that take some of what these give.
fn mixed(rules: usize) -> String {
    let mut text = "version = 1\n".to_owned();
    for i in 0..rules {
        let (tool, limit) = (i / 10, 100 + i % 10);
        let own = match i % 10 {
            0..6 => format!(
                r#"effect = "permit"
who    = {{ groups = {{ has_any = ["g{i}"] }} }}
what   = {{ tool = "tool{tool}", args = {{ amount = {{ above = 0, max = {limit} }}, to = {{ prefix = "acct-{i}-" }} }} }}
when   = {{ env = "prod", risk = {{ below = 50 }} }}"#
            ),
            6..9 => format!(
                r#"effect = "forbid"
who    = {{ groups = {{ has_any = ["g{}"] }} }}
what   = {{ tool = "tool{tool}", args = {{ amount = {{ above = {} }} }} }}"#,
                i - 6,
                limit - 50
            ),
            _ => format!(
                r#"effect = "ask"
what   = {{ tool = "tool{tool}", args = {{ amount = {{ above = 90 }} }} }}
approval = {{ review = [{{ groups = {{ has_any = ["owners"] }}, count = 1 }}] }}"#
            ),
        };
        write!(text, "\n[[rule]]\nid     = \"r{i}\"\n{own}\n").unwrap();
    }
    text
}

/// Loading and lint that proves, with the most that both hold.
fn proving(rules: usize) {
    let text = mixed(rules);
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let (policy, loading) = timed(|| Policy::from_toml(&text).unwrap());
    let now = Timestamp::from_unix_millis(1_767_268_800_000).unwrap();
    let (report, proving) = timed(|| policy.lint_with(LintOptions::at(now)));
    let most = MOST.load(Ordering::Relaxed) - before;
    println!(
        "| loading {rules} rules of {} tools, and lint that proves | {:.2?} = {loading:.2?} + {proving:.2?}, {} findings, {:.0} MB at most |",
        rules / 10,
        loading + proving,
        report.warnings().len() + report.more(),
        most as f64 / 1e6,
    );
}
