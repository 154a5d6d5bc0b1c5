//! A revoke against a renewal: whichever comes first, the revoke wins (P7).

use hallpass::grant::GrantId;
use hallpass::prelude::*;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy};

const REVOKES: [fn(&World, GrantId, &str) -> bool; 4] = [
    |world, id, _| !world.control.revoke_grant(id).is_empty(),
    |world, _, task| !world.control.revoke_task(task).unwrap().is_empty(),
    |world, _, _| world.control.revoke_identity("a").unwrap().count() > 0,
    |world, _, _| world.control.revoke_tool("ping").unwrap().count() > 0,
];

type Renew = fn(&Task, &mut Grant, &Identity) -> Result<(), Denial>;

const RENEWALS: [Renew; 2] = [
    |task, grant, holder| task.renew(grant, holder, &here()),
    |task, grant, holder| task.checkpoint(grant, holder, &here()),
];

#[test]
fn a_revoke_that_meets_a_renewal_wins() {
    let policy = policy([pings("p")]);
    for revoke in REVOKES {
        for renew in RENEWALS {
            let policy = policy.clone();
            explore(400, move || {
                let world = World::new(&policy);
                let (task, mut grant) = world.pinging();
                let (id, agent, before) = (grant.id(), world.agent("a"), copy_of(grant.token()));
                let revoked = Watch::default();
                shuttle::thread::scope(|scope| {
                    scope.spawn(|| {
                        let late = revoked.is_over();
                        let renewed = renew(&task, &mut grant, &agent);
                        assert!(!(late && renewed.is_ok()), "renewed after it was revoked");
                        if let Ok(permit) = world.authorize(&grant, &ping()) {
                            revoked.run(permit);
                        }
                    });
                    assert!(revoke(&world, id, task.name()));
                    revoked.over();
                });
                world.nothing_lives([&grant]);
                assert!(world.gate.authorize(&before, &agent, ping(), &here()).is_err());
                drop(task);
                let records = world.records();
                revoked.agrees(&crate::record::running(&records), &records);
            });
        }
    }
}

/// attack 92: of a renewal that confirms what was permitted the permit starts, of a checkpoint none does.
#[test]
fn the_token_before_is_worth_nothing_once_it_is_decided_again() {
    let policy = policy([pings("p")]);
    for (renews, decide) in RENEWALS.into_iter().enumerate().map(|(at, how)| (at == 0, how)) {
        let policy = policy.clone();
        explore(1000, move || {
            let world = World::new(&policy);
            let (task, mut grant) = world.pinging();
            let (agent, before) = (world.agent("a"), copy_of(grant.token()));
            let decided = Watch::default();
            shuttle::thread::scope(|scope| {
                scope.spawn(|| {
                    let late = decided.is_over();
                    let permit = world.gate.authorize(&before, &agent, ping(), &here());
                    assert!(!(late && permit.is_ok()), "a token that was superseded");
                    permit.map(|permit| match renews {
                        true => drop(permit.start().map(hallpass::Running::succeed)),
                        // What it permitted and had not started dies with it.
                        false => drop(decided.run(permit)),
                    })
                });
                decide(&task, &mut grant, &agent).unwrap();
                decided.over();
            });
            world.call(&grant, &ping()).unwrap();
            world.records();
        });
    }
}

fn copy_of(token: &Token) -> Token {
    Token::from_text(token.expose().to_owned())
}
