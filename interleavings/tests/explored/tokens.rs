//! Two holders of one presentation that is bound to a call.

use hallpass::clock::Clock as _;
use hallpass::prelude::*;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy};

/// attack 76
#[test]
fn of_three_who_present_the_same_exactly_one_gets_a_permit() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let now = world.clock.read().unwrap().wall;
        let presented = grant.token().present(&ping(), now).unwrap();
        let calls = Watch::default();
        shuttle::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let agent = grant.holder();
                    match world.gate.authorize(&presented, agent, ping(), &here()) {
                        Ok(permit) => assert!(calls.run(permit)),
                        Err(denial) => assert_eq!(denial.reason(), Reason::Replayed),
                    }
                });
            }
        });
        assert_eq!(calls.ran(), 1);
        calls.agrees(&[], &world.records());
    });
}
