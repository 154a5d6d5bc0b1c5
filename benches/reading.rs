//! Reading a log back: verifying it, and the access review.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use hallpass::audit::{
    ChainTag, Durability, FileLog, MemoryLog, Origin, Record, Reviewer, WhenFull, review, verify,
};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::eq;
use workload::{Rules, context, floor, member, table, table_call, tool};

/// How many tasks the log tells of, and how many calls of each: about 12 records a task.
const TASKS: usize = 2_500;
const CALLS: usize = 4;

const ORIGIN: Origin<'static> = Origin::new("acme", "payments");

fn main() {
    let mut c = workload::criterion().sample_size(20).measurement_time(Duration::from_secs(4));
    floor(&mut c);
    in_memory(&mut c);
    on_file(&mut c);
    c.final_summary();
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

/// Tasks one after the other: opened, given a grant, permitted four calls, denied one, and ended.
fn live(broker: &Broker, rules: &Rules) {
    let m = rules.middle();
    let (tool, table) = (tool(m), table(m));
    let agent = member(broker, m);
    let (gate, context) = (broker.gate(), context("prod", 20));
    for _ in 0..TASKS {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(Scope::tool(&tool).arg("table", eq(&*table)), &context).unwrap();
        for _ in 0..CALLS {
            let call = table_call(&tool, &table);
            let permit = gate.authorize(&grant, &agent, call, &context).unwrap();
            permit.run(|_| Ok::<_, ()>(())).unwrap();
        }
        gate.authorize(&grant, &agent, table_call(&tool, "tabx"), &context).map(drop).unwrap_err();
        task.complete();
    }
    broker.flush();
}

fn builder(rules: &Rules) -> hallpass::BrokerBuilder {
    Broker::builder(rules.policy()).issuer("acme").audience("payments").log_keys(keys())
}

fn in_memory(c: &mut Criterion) {
    let rules = Rules::of(100);
    let log = MemoryLog::new();
    live(&builder(&rules).log(log.clone()).build().unwrap(), &rules);
    let snapshot = log.snapshot();
    let lines: Vec<(&str, ChainTag)> =
        snapshot.entries().map(|entry| (entry.line, *entry.tag)).collect();
    let records: Vec<Record> = snapshot.records();
    let keys = keys();
    assert_eq!(
        verify(lines.iter().copied(), &keys, &ORIGIN, None).unwrap().anchor.seq as usize,
        lines.len()
    );
    assert_eq!(review(&records).tools[0].calls as usize, TASKS * CALLS);

    let mut group = c.benchmark_group("reading");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("verify", |b| {
        b.iter(|| verify(lines.iter().copied(), &keys, &ORIGIN, None).unwrap());
    });
    group.bench_function("part-records", |b| {
        b.iter(|| lines.iter().filter_map(|(line, _)| Record::from_line(line).ok()).count());
    });
    group.bench_function("part-review", |b| b.iter(|| review(&records)));
}

/// As the commands read: every record is verified, and then looked at.
fn on_file(c: &mut Criterion) {
    let rules = Rules::of(100);
    let folder =
        Folder(std::env::temp_dir().join(format!("hallpass-reading-{}", std::process::id())));
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &ORIGIN).unwrap();
    let broker = builder(&rules).resume_from(&log).build().unwrap();
    live(&broker, &rules);
    broker.close(Duration::from_secs(10));
    drop((broker, log));
    let keys = keys();
    let records = FileLog::read(&folder.0, &keys, &ORIGIN, None).unwrap().0.anchor.seq;

    let mut group = c.benchmark_group("reading");
    group.throughput(Throughput::Elements(records));
    group.bench_function("verify-file", |b| {
        b.iter(|| FileLog::read(&folder.0, &keys, &ORIGIN, None).unwrap());
    });
    group.bench_function("review-file", |b| {
        b.iter(|| {
            let mut reviewer = Reviewer::new();
            FileLog::read_each(&folder.0, &keys, &ORIGIN, None, |record, _| reviewer.note(record))
                .unwrap();
            reviewer.finish()
        });
    });
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
