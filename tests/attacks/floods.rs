//! Floods of equal denials: the log stays short, and says how many there were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::{Entry, Event, Kept, MemoryLog, Sink, SinkError, Tail, explain, review};
use hallpass::clock::ManualClock;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::{MINUTE, SECOND, World, broad, call, plain, policy, start};

fn sums(world: &World) -> Vec<(u64, u64)> {
    let sum = |event| match event {
        Event::DeniedAgain(own) => Some((own.from, own.count)),
        _ => None,
    };
    world.events().into_iter().filter_map(sum).collect()
}

/// attack 135: one who is denied ten thousand times within a minute fills no log, and hides nothing
#[test]
fn a_flood_of_equal_denials_is_ten_records_and_their_sum() {
    let narrow = Rule::permit("narrow").tool("t").arg("x", hallpass::scope::max(5));
    let told = Arc::new(AtomicU64::new(0));
    let own = told.clone();
    let world = World::of(policy([narrow]), |builder| {
        builder.on_denial(move |_, _| _ = own.fetch_add(1, Ordering::Relaxed))
    });
    let task = world.open();
    let small = Scope::tool("t").arg("x", hallpass::scope::max(5));
    let grant = task.request(small, &world.context).unwrap();
    let other = world.open();
    for n in 0..10_000 {
        assert_eq!(world.attempt(&grant, call(json!({ "x": 6 }))), Err(Reason::OutOfScope));
        if n == 5000 {
            // Who asks for something else meanwhile is told apart.
            assert_eq!(world.attempt(&grant, call(json!({ "x": 7 }))), Err(Reason::OutOfScope));
        }
    }
    drop(other.complete());
    assert!(world.broker.stats().denials.contains(&(Reason::OutOfScope, 10_001)));
    assert_eq!(told.load(Ordering::Relaxed), 10_001, "the hook is told of each");
    let records = world.records();
    let denied = records.iter().filter(|record| record.event.kind() == "denied").count();
    assert_eq!((denied, sums(&world).len()), (11, 1));
    assert_eq!(sums(&world)[0].1, 9_990);
    world.verify().unwrap();

    let [cluster] = &review(&records).denials[..] else { panic!("one cluster") };
    assert_eq!((&*cluster.who, cluster.count, cluster.different_args), ("agent-7", 10_001, 2));
    let stories = explain(&records, task.name());
    assert_eq!(stories[0].denied, 10_001);
}

/// Requests, openings and texts that are no tokens are floods as calls are.
#[test]
fn a_flood_is_counted_at_every_stage() {
    let world = World::new([broad()]);
    let task = world.open();
    for _ in 0..20 {
        let _ = task.request(Scope::tool("u"), &world.context).unwrap_err();
        let _ = world.broker.open(&world.agent, Purpose::new("")).map(drop).unwrap_err();
        let _ = world.present("no token").unwrap_err();
        let _ = world.gate.give_up("no token", &world.agent).unwrap_err();
    }
    let counts: Vec<_> = sums(&world).into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [10; 4]);
    let scopes = world.events().into_iter().filter_map(|event| match event {
        Event::DeniedAgain(own) => own.scope.map(|scope| scope.into_owned().to_json()),
        _ => None,
    });
    assert_eq!(scopes.collect::<Vec<_>>(), [r#"[{"args":{},"tool":"u"}]"#]);
    world.verify().unwrap();
}

/// A sweep writes the sums whose minute is over, and a close all.
#[test]
fn a_sum_is_in_the_log_after_its_minute_and_when_the_broker_is_closed() {
    let world = World::new([broad()]);
    let (_task, grant) = world.granted();
    world.control.halt(Halt::tool("t").unwrap());
    let deny = || (0..12).for_each(|_| _ = world.attempt(&grant, plain()).unwrap_err());
    let debts = || world.broker.record_debts();
    deny();
    let before = debts();
    world.clock.advance(MINUTE - SECOND);
    world.broker.sweep(1);
    assert_eq!(debts(), before, "within its minute it is counted on");
    world.clock.advance(SECOND);
    world.broker.sweep(1);
    assert_eq!(debts(), before + 2);
    deny();
    let ended = world.broker.close(SECOND);
    assert_eq!(ended.tasks, 1);
    assert_eq!(debts(), 0);
    assert_eq!(sums(&world).iter().map(|(_, count)| count).sum::<u64>(), 4);
    world.verify().unwrap();
}

/// attack 135: what was counted does not wait for the next denial, where nothing is open and a reaper runs
#[test]
fn the_reaper_writes_a_sum_where_no_task_is_open() {
    let ((told, sums), clock) = (mpsc::channel(), ManualClock::new(start()));
    let log = Telling(MemoryLog::new(), told);
    let broker = Broker::builder(policy([broad()])).log(log).clock(clock.clone());
    let broker = broker.build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    (0..15).for_each(|_| _ = broker.open(&agent, Purpose::new("")).map(drop).unwrap_err());
    clock.advance(MINUTE);
    let reaper = broker.start_reaper(Duration::from_millis(1)).unwrap();
    // Looked at as it is: a flush would write it.
    assert_eq!(sums.recv_timeout(MINUTE), Ok(()));
    drop(reaper);
}

/// Tells of each sum that the log is given.
struct Telling(MemoryLog, mpsc::Sender<()>);

impl Sink for Telling {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.0.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let kept = self.0.append(batch)?;
        let sums = batch.iter().filter(|own| own.line.contains(r#""kind":"denied_again""#));
        sums.for_each(|_| _ = self.1.send(()));
        Ok(kept)
    }
}

/// Who waits until all is written that happened has the counts written, too.
#[test]
fn a_sum_is_written_for_who_waits_in_a_future() {
    let log = MemoryLog::new();
    let broker = Broker::builder(policy([broad()])).log(log.clone()).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    (0..15).for_each(|_| _ = broker.open(&agent, Purpose::new("")).map(drop).unwrap_err());
    let mut flushed = std::pin::pin!(broker.flushed());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while flushed.as_mut().poll(&mut context).is_pending() {
        std::thread::yield_now();
    }
    assert_eq!(log.records().last().unwrap().event.kind(), "denied_again");
}
