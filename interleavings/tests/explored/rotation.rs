//! Changes of keys against those who present tokens and are given new ones.

use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

/// The old token is good until its key is retired and not after, whichever thread has verified it before; what is given
/// while the key changes is good under the one or the other.
#[test]
fn a_token_is_good_until_its_key_is_retired_and_not_after() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::with(&policy, |builder| builder.keys(KeyRing::from_secret(secret(0))));
        let old = world.broker.active_key();
        let (task, grant) = world.pinging();
        let before = world.authorize(&grant, &ping()).unwrap();
        let (rotated, retired) = (Watch::default(), Watch::default());
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let (was_rotated, was_retired) = (rotated.is_over(), retired.is_over());
                    match world.authorize(&grant, &ping()) {
                        // It began before the key was retired, and may run on.
                        Ok(permit) => {
                            assert!(!was_retired, "permitted under a key that was retired");
                            permit.run(|_| Ok::<_, ()>(())).unwrap();
                        }
                        Err(denial) => {
                            assert_eq!(denial.code(), Code::InvalidToken);
                            assert!(was_rotated || rotated.is_over(), "{denial:?}");
                        }
                    }
                });
            }
            scope.spawn(|| {
                let was_rotated = rotated.is_over();
                let given = task.request(to_ping(), &here()).unwrap();
                match world.call(&given, &ping()) {
                    Ok(()) => {}
                    // Minted with the old one, just before it was retired.
                    Err(denial) => {
                        assert!(!was_rotated, "{denial:?}");
                        assert_eq!(denial.code(), Code::InvalidToken);
                    }
                }
            });
            world.broker.rotate_key(secret(1), seconds(60)).unwrap();
            rotated.over();
            world.broker.retire_key(old).unwrap();
            retired.over();
        });
        assert_eq!(world.authorize(&grant, &ping()).unwrap_err().code(), Code::InvalidToken);
        // Retiring a key ends no permit.
        before.run(|_| Ok::<_, ()>(())).unwrap();
        drop(task);
        world.records();
    });
}

/// The log changes its key while calls are recorded: every record is under the key that stands before it.
#[test]
fn a_log_whose_key_changes_under_calls_verifies() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let broker = Broker::new(policy.clone()).unwrap();
        let agent = broker.assert_identity("a").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grant = task.request(to_ping(), &here()).unwrap();
        let gate = broker.gate();
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let permit = gate.authorize(&grant, &agent, ping(), &here()).unwrap();
                    permit.run(|_| Ok::<_, ()>(())).unwrap();
                });
            }
            scope.spawn(|| broker.rotate_log_key(secret(2)).unwrap());
            broker.rotate_log_key(secret(1)).unwrap();
        });
        task.complete();
        assert_eq!(broker.flush(), 0);
        assert!(broker.verify_log().unwrap().without_outcome.is_empty());
    });
}
