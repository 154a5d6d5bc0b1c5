//! A node's own reasoning, without a broker: what each answer of the store gives.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::Timestamp;
use crate::fleet::agent::Next;
use crate::fleet::keys::FleetKeys;
use crate::fleet::mark::Mark;
use crate::fleet::memory::MemoryStore;
use crate::fleet::store::Store;
use crate::fleet::terms::Terms;
use crate::key::SecretKey;

/// What is applied, and how often the lease was extended.
#[derive(Default)]
struct Told {
    applied: RefCell<Vec<u64>>,
    leases: Cell<u32>,
}

impl Applies for Told {
    fn apply(&self, _: &Act, number: u64) -> Result<u32, Box<str>> {
        self.applied.borrow_mut().push(number);
        Ok(0)
    }

    fn lost(&self) {}

    fn note_applied(&self, _: u64) {}

    fn is_numbered(&self, _: &Act) {}

    fn extend_lease(&self, _: &Reading) {
        self.leases.set(self.leases.get() + 1);
    }

    fn end_lease(&self) {}
}

struct Desk {
    agent: Agent,
    store: MemoryStore,
    told: Told,
}

fn keys() -> Arc<FleetKeys> {
    let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
    Arc::new(FleetKeys::of(&secret, "acme"))
}

fn at(millis: u64) -> Reading {
    let wall = Timestamp::from_unix_millis(1_767_225_600_000 + millis as i64).unwrap();
    Reading { wall, monotonic: Duration::from_millis(millis) }
}

impl Desk {
    /// A node that has joined, at the time 0.
    fn joined() -> Desk {
        let mut drawn = 0;
        let random = Box::new(move |bytes: &mut [u8]| {
            drawn += 1;
            bytes.fill(drawn);
            Ok(())
        });
        let terms = Terms::DEFAULT;
        let agent = Agent::new(keys(), "n0".into(), "".into(), terms, None, random);
        let mut own = Desk { agent, store: MemoryStore::new(), told: Told::default() };
        own.drive(0);
        assert_eq!(own.told.leases.get(), 1);
        own
    }

    /// Asks what is due at this time, until nothing is; how many leases there were after each answer.
    fn drive(&mut self, millis: u64) -> Vec<u32> {
        let mut leases = Vec::new();
        while let Next::Ask(ask) = self.agent.next(&at(millis)) {
            let reply = ask.of(&self.store);
            let (asked, now) = (at(millis), at(millis));
            self.agent.answer(reply, &Answer { asked, now, target: &self.told });
            leases.push(self.told.leases.get());
            assert!(leases.len() < 20, "it asks again and again");
        }
        leases
    }
}

/// An act that has returned meanwhile did not wait for it.
#[test]
fn the_first_renewal_after_silence_gives_no_lease() {
    let mut own = Desk::joined();
    let row = own.store.read(0).unwrap().rows.remove(0);
    let said = row.open(&keys()).unwrap();
    let silent = RowVersion { state: NodeState::Silent, ..row.version() };
    let marked = NodeRow::seal(&keys(), "n0", silent, &said);
    assert!(own.store.write(&marked, Some(&row.version()), 0).unwrap().0);
    // Its own row is not the one it knew; it is silent, and made live; it was live before it was asked.
    assert_eq!(own.drive(1_000), [1, 1, 2]);
}

/// Two reloads of one epoch: the second is void at every node.
#[test]
fn a_reload_of_an_epoch_that_is_not_in_force_is_void() {
    let mut own = Desk::joined();
    let reload = |replaces| {
        let (digest, policy) = ("d".into(), "p".into());
        Act::Reload { replaces, digest, policy }
    };
    let mut head = Mark::START;
    for (number, replaces) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
        let entry = Entry::seal(&keys(), &head, [number; 16], &reload(replaces)).unwrap();
        assert!(own.store.append(&entry, &head).unwrap());
        head = entry.mark();
    }
    own.drive(1_000);
    assert_eq!((own.agent.applied, own.agent.epoch), (head, 3));
    assert_eq!(*own.told.applied.borrow(), [1, 3]);
}
