//! Opening against ending by name, what stands against both, and a log that hangs against all of it.

use hallpass::Broker;
use hallpass::audit::{Event, MemoryLog};
use hallpass::prelude::*;
use hallpass::testing::HangingSink;

use crate::schedule::explore;
use crate::world::{World, here, ping, pings, policy, to_ping};

/// attack 195: a task that is revoked by its name while it opens was opened before it ended, in the log,
/// too, and is not handed out.
#[test]
fn a_task_that_is_revoked_while_it_opens_is_opened_first_and_not_handed_out() {
    let policy = policy([pings("p")]);
    explore(3000, move || {
        let world = World::new(&policy);
        let agent = world.agent("a");
        let (opened, revoked) = shuttle::thread::scope(|scope| {
            let revoked = scope.spawn(|| world.control.revoke_task("nightly").unwrap());
            let opened = world.broker.open_named("nightly", &agent, Purpose::new("errand"));
            (opened, revoked.join().unwrap())
        });
        if let Ok(task) = &opened {
            let stands = !world.broker.standing().is_empty();
            assert_eq!(stands, revoked.is_empty(), "a task that was revoked stands");
            assert_eq!(task.request(to_ping(), &here()).is_ok(), stands);
        }
        drop(opened);
        let mut begun = false;
        for record in world.records() {
            match record.event {
                Event::Opened { .. } => begun = true,
                Event::Ended { .. } => assert!(begun, "it ended before it was opened"),
                _ => {}
            }
        }
    });
}

/// attack 195: something stands at every moment, so every look sees something; and nothing is seen that
/// had ended when what is seen with it began.
#[test]
fn what_stands_is_of_one_moment() {
    let policy = policy([pings("p")]);
    explore(4000, move || {
        let world = World::new(&policy);
        let agent = world.agent("a");
        let open =
            |name: &str| world.broker.open_named(name, &agent, Purpose::new("errand")).unwrap();
        let first = open("first");
        let grant = first.request(to_ping(), &here()).unwrap();
        let (looks, last) = shuttle::thread::scope(|scope| {
            let looks = scope.spawn(|| [0, 1].map(|_| world.broker.standing()));
            let other = first.request(to_ping(), &here()).unwrap();
            assert!(!first.revoke_grant(&grant).is_empty());
            let second = open("second");
            first.complete();
            let third = open("third");
            second.complete();
            drop(other);
            (looks.join().unwrap(), third)
        });
        for look in looks {
            let names: Vec<&str> = look.tasks.iter().map(|task| &*task.name).collect();
            let stood: [&[&str]; 5] =
                [&["first"], &["first", "second"], &["second"], &["second", "third"], &["third"]];
            assert!(stood.contains(&&*names), "{names:?}");
            let grants = look.grants.len();
            let of_first = names.contains(&"first");
            assert!(if of_first { (1..=2).contains(&grants) } else { grants == 0 }, "{look:?}");
        }
        drop(last);
        assert!(world.broker.standing().is_empty());
        world.records();
    });
}

/// attack 193: while one thread is inside a sink that hangs, everything else goes on, and all of it is in
/// the log once the sink is back.
#[test]
fn a_log_that_hangs_holds_up_no_end_and_tells_all_of_it() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let log = MemoryLog::new();
        let sink = HangingSink::new(log.clone());
        let wait = std::time::Duration::from_millis(1);
        let broker = Broker::builder(policy.clone()).log(sink.clone()).log_timeout(wait);
        let broker = broker.build().unwrap();
        let agent = broker.assert_identity("a").unwrap();
        let open = || broker.open(&agent, Purpose::new("errand"));
        let Ok(task) = open() else { return };
        let Ok(grant) = task.request(to_ping(), &here()) else { return };
        let permit = broker.gate().authorize(&grant, &agent, ping(), &here());
        sink.hang();
        shuttle::thread::scope(|scope| {
            let inside = scope.spawn(|| drop(open()));
            let asking = scope.spawn(|| {
                drop(broker.gate().authorize(&grant, &agent, ping(), &here()));
            });
            drop(permit);
            broker.control().revoke_identity("a").unwrap();
            assert!(broker.standing().grants.is_empty());
            drop(task);
            sink.release();
            inside.join().unwrap();
            asking.join().unwrap();
        });
        assert_eq!(broker.flush_within(std::time::Duration::from_secs(60)), Ok(()));
        let verified = broker.verify(&log).unwrap();
        assert_eq!(verified.without_outcome, Vec::<u64>::new());
        crate::record::agree(&log.records());
        let told = |what: fn(&Event<'_>) -> bool| {
            log.records().iter().filter(|record| what(&record.event)).count()
        };
        let opened = told(|event| matches!(event, Event::Opened { .. }));
        // One that was revoked while it opened may have been withdrawn since.
        assert!(opened <= told(|event| matches!(event, Event::Ended { .. })));
    });
}
