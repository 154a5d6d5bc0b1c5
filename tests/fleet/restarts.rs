//! A node whose process ends, and goes on with its log.

use hallpass::Halt;
use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::fleet::Fleet;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;

use crate::world::{ALL, LEASE, World, secret};

/// A log in a folder that is removed with it.
struct Folder(std::path::PathBuf);

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
    fn broker_of(&self, folder: &Folder) -> Broker {
        let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
        let log = options.open(&folder.0, &keys(), &Origin::new("acme", "tools")).unwrap();
        let builder = Broker::builder(Policy::from_toml(ALL).unwrap()).clock(self.clock.clone());
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
    let name = format!("hallpass-fleet-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir(&folder.0).unwrap();
    {
        let broker = world.broker_of(&folder);
        let fleet = world.join(&broker, "n1");
        assert!(fleet.status().lease.is_some() && broker.control().halts().is_empty());
        // Never tended again: the store does not learn of it.
        broker.control().halt(halt());
        assert_eq!(broker.flush(), 0);
    }
    let broker = world.broker_of(&folder);
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
