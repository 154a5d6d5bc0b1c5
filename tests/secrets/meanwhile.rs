//! What happens to a grant while its credential is planned, minted or used: nothing is made, or lent, on what was so before.

use std::sync::{Arc, Mutex};

use hallpass::Halt;
use hallpass::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use hallpass::prelude::*;
use hallpass::testing::ScriptedProvider;
use hallpass::vault::Secret;

use crate::minting::*;

type Act = Box<dyn FnOnce() + Send>;

/// What is done, once, before it plans and before it has minted.
#[derive(Clone, Default)]
struct Meanwhile {
    plan: Arc<Mutex<Option<Act>>>,
    mint: Arc<Mutex<Option<Act>>>,
}

/// Answers as a scripted one, and lets other things happen meanwhile.
struct Interrupted(ScriptedProvider, Meanwhile);

fn act(at: &Mutex<Option<Act>>) {
    let act = at.lock().unwrap().take();
    if let Some(act) = act {
        act();
    }
}

impl CredentialProvider for Interrupted {
    fn name(&self) -> &str {
        "database"
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        act(&self.1.plan);
        self.0.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let minted = self.0.mint(plan);
        act(&self.1.mint);
        minted
    }

    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        self.0.withdraw(handle, secret)
    }

    fn verify(&self, handle: &Handle) -> Gone {
        self.0.verify(handle)
    }
}

fn interrupted() -> (Mint, Meanwhile) {
    let (provider, meanwhile) = (ScriptedProvider::new("database"), Meanwhile::default());
    let interrupted = Interrupted(provider.clone(), meanwhile.clone());
    (Mint::with(provider, |builder| builder.provider("orders-db", interrupted)), meanwhile)
}

/// P2, attack 178: it would be good for longer than its grant
#[test]
fn a_grant_that_ends_earlier_by_the_time_its_credential_is_planned_has_nothing_minted() {
    let (world, meanwhile) = interrupted();
    let (_task, grant) = world.open();
    let broker = world.broker.clone();
    *meanwhile.plan.lock().unwrap() = Some(Box::new(move || {
        let less = Policy::from_toml(&POLICY.replace(r#"ttl = "5m""#, r#"ttl = "1m""#)).unwrap();
        drop(broker.reload(&less).unwrap().finish());
    }));
    assert_eq!(world.run(&grant, "db.read"), Err(Reason::CredentialUnavailable));
    assert_eq!((world.provider.minted(), world.story()), (0, vec![]));
    // Asked for again, it is good as long as the grant is now.
    world.run(&grant, "db.read").unwrap();
    let standing = world.broker.standing();
    let until = standing.downstream[0].until;
    assert_eq!(until, standing.grants[0].expires);
    assert!(until < grant.expires());
}

/// P11: a halt ended it, was lifted, and has left the grant as it was
#[test]
fn a_credential_that_was_ended_while_it_was_minted_is_lent_to_no_call() {
    let (world, meanwhile) = interrupted();
    let (_task, grant) = world.open();
    let broker = world.broker.clone();
    *meanwhile.mint.lock().unwrap() = Some(Box::new(move || {
        let halt = Halt::tool("db.read").unwrap();
        broker.control().halt(halt.clone());
        let _ = broker.tend(SECOND);
        broker.control().resume(&halt);
    }));
    assert_eq!(world.run(&grant, "db.read"), Err(Reason::CredentialUnavailable));
    let first = world.provider.live();
    assert_eq!((first.len(), world.broker.obligations().len()), (1, 1));
    world.run(&grant, "db.read").unwrap();
    assert_eq!(world.tend(), (1, 1, 0));
    assert!(world.provider.live().len() == 1 && world.provider.live() != first);
}

/// P11
#[test]
fn a_permit_that_has_lapsed_has_nothing_minted_for_it() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    let permit = world.permit(&grant, "db.read");
    world.clock.advance(30 * SECOND);
    assert_eq!(ran(permit), Err(Reason::PermitLapsed));
    assert_eq!((world.provider.minted(), world.story()), (0, vec![]));
}

/// The one that minted it is the first of the calls that run with it.
#[test]
fn what_a_renewal_leaves_behind_stands_until_the_last_call_that_runs_with_it_is_done() {
    let world = Mint::new();
    let (task, mut grant) = world.open();
    let (first, second) = (world.permit(&grant, "db.read"), world.permit(&grant, "db.read"));
    let outer = first.run_with(|_, _| {
        let inner = second.run_with(|_, _| {
            task.renew(&mut grant, &world.agent, &Context::new()).unwrap();
            world.run(&grant, "db.write").unwrap();
            assert_eq!(world.broker.obligations(), [], "two calls run with the old one");
            Ok::<_, ()>(())
        });
        inner.unwrap();
        assert_eq!(world.broker.obligations(), [], "one still does");
        Ok::<_, ()>(())
    });
    outer.unwrap();
    assert_eq!((world.broker.obligations().len(), world.provider.live().len()), (1, 2));
    assert_eq!(world.tend(), (1, 1, 0));
}

/// What is tried again later is not tried at once because something else has come to an end.
#[test]
fn no_later_end_hurries_what_is_owed_already() {
    let world = Mint::new();
    let (task, mut grant) = world.open();
    let due = |world: &Mint| -> Vec<_> {
        world.broker.obligations().into_iter().map(|own| (own.name, own.due)).collect()
    };
    world.provider.next_withdrawals(hallpass::testing::Withdraw::Fails, 9);
    let permit = world.permit(&grant, "db.read");
    let mut failed = Vec::new();
    let ran = permit.run_with(|_, _| {
        task.renew(&mut grant, &world.agent, &Context::new()).unwrap();
        world.run(&grant, "db.write").unwrap();
        let _ = task.revoke_grant(&grant);
        world.tend();
        failed = due(&world);
        assert!(failed.iter().all(|(_, due)| *due > world.now()), "{failed:?}");
        Ok::<_, ()>(())
    });
    ran.unwrap();
    assert_eq!((failed.len(), due(&world)), (2, failed), "the call's end");

    let mut other = world.grant(&task);
    world.run(&other, "db.read").unwrap();
    task.renew(&mut other, &world.agent, &Context::new()).unwrap();
    world.run(&other, "db.read").unwrap();
    world.tend();
    let failed = due(&world);
    assert!(failed.len() == 3 && failed.iter().all(|(_, due)| *due > world.now()), "{failed:?}");
    task.complete();
    let still: Vec<_> = due(&world).into_iter().filter(|own| failed.contains(own)).collect();
    assert_eq!(still, failed, "the task's end");
}

/// P2: what is running keeps the old one, which is its grant's all the same
#[test]
fn the_end_of_a_grant_takes_what_was_minted_for_it_and_nothing_else() {
    let world = Mint::new();
    let (task, one) = world.open();
    let two = world.grant(&task);
    let (elsewhere, three) = world.open();
    let mut grants = [one, two, three];
    let permits = grants.each_ref().map(|grant| world.permit(grant, "db.read"));
    let [first, second, third] = permits;
    let run = first.run_with(|_, _| {
        let run = second.run_with(|_, _| {
            let run = third.run_with(|_, _| {
                for (task, grant) in [&task, &task, &elsewhere].into_iter().zip(&mut grants) {
                    task.renew(grant, &world.agent, &Context::new()).unwrap();
                    world.run(grant, "db.read").unwrap();
                }
                let of = |grants: &[&Grant]| world.minted_for(grants);
                let owed = || world.owed();
                assert_eq!(owed(), of(&[]));
                let [one, two, three] = &grants;
                let _ = task.revoke_grant(one);
                assert_eq!((owed().len(), owed()), (2, of(&[one])));
                let _ = elsewhere.revoke();
                assert_eq!((owed().len(), owed()), (4, of(&[one, three])));
                let _ = task.revoke_grant(two);
                assert_eq!((owed().len(), owed()), (6, of(&[one, two, three])));
                Ok::<_, ()>(())
            });
            run.unwrap();
            Ok::<_, ()>(())
        });
        run.unwrap();
        Ok::<_, ()>(())
    });
    run.unwrap();
}

impl Mint {
    fn now(&self) -> hallpass::clock::Timestamp {
        use hallpass::clock::Clock as _;
        self.clock.read().unwrap().wall
    }

    fn owed(&self) -> Vec<String> {
        let mut owed: Vec<_> =
            self.broker.obligations().into_iter().map(|own| own.name.into()).collect();
        owed.sort();
        owed
    }

    /// The names of what was minted for these grants.
    fn minted_for(&self, grants: &[&Grant]) -> Vec<String> {
        let of = |id: &str| grants.iter().any(|grant| grant.id().to_string() == id);
        let planned = self.log().records().into_iter().filter_map(|record| match record.event {
            hallpass::audit::Event::CredentialPlanned { grant, name, .. } if of(&grant) => {
                Some(name.into_owned())
            }
            _ => None,
        });
        let mut names: Vec<_> = planned.collect();
        names.sort();
        names
    }
}

/// A child's grant may end later than the one that it was delegated from, where a reload has shortened both.
#[test]
fn a_credential_expires_no_later_than_any_grant_that_its_own_hangs_from() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.clock.advance(30 * SECOND);
    let worker = world.broker.assert_identity("worker").unwrap();
    let scope = Scope::tool("db.read").any_args();
    let child = task.delegate(&grant, &worker, scope, &Context::new()).unwrap();
    let less = Policy::from_toml(&POLICY.replace(r#"ttl = "5m""#, r#"ttl = "1m""#)).unwrap();
    drop(world.broker.reload(&less).unwrap().finish());
    world.run(&child, "db.read").unwrap();
    let ends = world.now().checked_add(30 * SECOND).unwrap();
    assert_eq!(world.broker.standing().downstream[0].until, ends);
}
