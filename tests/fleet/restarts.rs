//! A node whose process ends, and goes on with its log.

use hallpass::Halt;
use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::fleet::Fleet;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;

use crate::world::{ALL, LEASE, World, secret};

/// A log in a folder that is removed with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let name = format!("hallpass-fleet-{test}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

impl World {
    /// A broker that goes on with this log.
    fn broker_under(&self, folder: &Folder, policy: &str) -> Broker {
        let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
        let log = options.open(&folder.0, &keys(), &Origin::new("acme", "tools")).unwrap();
        let builder = Broker::builder(Policy::from_toml(policy).unwrap()).clock(self.clock.clone());
        let builder = builder.issuer("acme").audience("tools").log_keys(keys());
        builder.resume_from(&log).build().unwrap()
    }

    fn join(&self, broker: &Broker, name: &str) -> Fleet {
        let builder = Fleet::builder("acme", name).lease(LEASE);
        let fleet = builder.join(broker, &secret(0), self.store.clone()).unwrap();
        fleet.tend();
        fleet
    }
}

/// What was halted at it and not told is later than all that the fleet has: no resume of before takes it off.
#[test]
fn a_halt_that_was_on_before_a_node_joined_outlives_what_the_fleet_had_resumed() {
    let world = World::of(1);
    let halt = || Halt::tool("read").unwrap();
    world.finish(&world.nodes[0].fleet.halt(halt()));
    world.finish(&world.nodes[0].fleet.resume(&halt()));
    let folder = Folder::new("halted");
    {
        let broker = world.broker_under(&folder, ALL);
        let fleet = world.join(&broker, "n1");
        assert!(fleet.status().lease.is_some() && broker.control().halts().is_empty());
        // Never tended again: the store does not learn of it.
        broker.control().halt(halt());
        assert_eq!(broker.flush(), 0);
    }
    let broker = world.broker_under(&folder, ALL);
    assert_eq!(broker.control().halts(), [halt()]);
    let fleet = world.join(&broker, "n1");
    for _ in 0..400 {
        world.pass(crate::world::STEP);
        fleet.tend();
    }
    assert!(fleet.status().lease.is_some());
    assert_eq!(broker.control().halts(), [halt()], "it was lifted");

    // The next resume is one of it.
    let resumed = world.nodes[0].fleet.resume(&halt());
    for _ in 0..400 {
        world.pass(crate::world::STEP);
        fleet.tend();
    }
    assert!(resumed.look().is_ok() && broker.control().halts().is_empty());
}

/// A reload that changes nothing is a new epoch in a fleet, and its log says of which policy.
#[test]
fn what_was_asked_under_a_reload_that_changed_nothing_waits_again_after_a_restart() {
    const ASK: &str = r#"
        version = 1
        rule = [
            { id = "all", effect = "permit", what = { tool = "any", args = "any" } },
            { id = "two", effect = "ask", what = { tool = "pay" }, approval = { review = [{ groups = { has_any = ["f"] }, count = 1 }], per = "call", expires = "1h" } },
        ]
    "#;
    let world = World::of(1);
    world.finish(&world.nodes[0].fleet.reload(ASK, 0).unwrap());
    let folder = Folder::new("same");
    let text = {
        let broker = world.broker_under(&folder, ASK);
        let fleet = world.join(&broker, "n1");
        assert_eq!(broker.epoch().0, 1);
        assert!(fleet.status().lease.is_some());
        let reloaded = world.nodes[0].fleet.reload(&format!("{ASK}\n"), 1).unwrap();
        for _ in 0..100 {
            world.pass(crate::world::STEP);
            fleet.tend();
        }
        assert!(reloaded.look().is_ok() && broker.epoch().0 == 2);
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open_named("bills", &agent, Purpose::new("errand")).unwrap();
        let all = Scope::tool("read").any_args().and(Scope::tool("pay").any_args());
        let grant = task.request(all, &Context::new()).unwrap();
        let call = |tool| Call::new(tool, serde_json::json!({})).unwrap();
        let gate = broker.gate();
        let read = gate.authorize(&grant, &agent, call("read"), &Context::new()).unwrap();
        read.start().unwrap().succeed();
        let denial = gate.authorize(&grant, &agent, call("pay"), &Context::new()).unwrap_err();
        let text = denial.pending().unwrap().to_text().unwrap();
        assert_eq!(broker.flush(), 0);
        // As a process that is killed: the log is let go, and nothing ends.
        std::mem::forget((task, grant, fleet, broker));
        text
    };
    std::fs::remove_file(folder.0.join("lock")).unwrap();
    let broker = world.broker_under(&folder, ASK);
    assert!(broker.gate().pending(&text).is_some());
}
