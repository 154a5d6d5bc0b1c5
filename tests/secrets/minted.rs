//! P2, P8 and P11 of what is minted: one credential for each grant, which ends with it.

use hallpass::audit::Event;
use hallpass::prelude::*;
use hallpass::testing::ScriptedProvider;
use hallpass::vault::{Secret, Vault};
use hallpass::{BrokerError, Halt, ProviderError, ReloadError};

use crate::minting::*;

#[test]
fn a_credential_is_minted_when_a_tool_first_runs_and_calls_of_its_grant_share_it() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    assert_eq!(world.provider.minted(), 0, "nothing is minted before it is needed");
    let first = world.run(&grant, "db.read").unwrap();
    assert_eq!(world.run(&grant, "db.write").unwrap(), first);
    world.permit(&grant, "ping").run_with(|_, _| Ok::<_, ()>(())).unwrap();
    assert_eq!(world.provider.minted(), 1);
    let live = world.provider.live();
    let id = live[0].strip_prefix("hp_orders_").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}

/// attack 178: what one grant was given is never another's
#[test]
fn no_two_grants_share_a_credential() {
    let world = Mint::new();
    let (task, grant) = world.open();
    let second = world.grant(&task);
    let worker = world.broker.assert_identity("worker").unwrap();
    let child =
        task.delegate(&grant, &worker, Scope::tool("db.read").any_args(), &Context::new()).unwrap();
    let (_other_task, other) = world.open();
    let secrets = [&grant, &second, &child, &other].map(|own| world.run(own, "db.read").unwrap());
    let distinct: std::collections::BTreeSet<_> = secrets.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(world.provider.live().len(), 4);
}

/// P2, P11
#[test]
fn every_end_takes_the_credential_along_and_waits_for_no_provider() {
    type End = fn(&Mint, Task, Grant);
    let ends: [(&str, End); 9] = [
        ("complete", |_, task, _| drop(task.complete())),
        ("fail", |_, task, _| drop(task.fail("it broke"))),
        ("drop", |_, task, _| drop(task)),
        ("revoke the task", |_, task, _| drop(task.revoke())),
        ("panic", |_, task, _| {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _task = task;
                std::panic::resume_unwind(Box::new("the errand panics"));
            }));
            assert!(panicked.is_err());
        }),
        ("revoke the grant", |_, task, grant| {
            let _ = grant.revoke();
            std::mem::forget(task);
        }),
        ("drift", |world, task, _| {
            let other = POLICY.replace(r#"what = { tool = "any""#, r#"what = { tool = "ping""#);
            world.broker.reload(&Policy::from_toml(&other).unwrap()).unwrap().finish();
            std::mem::forget(task);
        }),
        ("expiry", |world, task, _| {
            world.clock.advance(301 * SECOND);
            std::mem::forget(task);
        }),
        ("halt", |world, task, _| {
            world.broker.control().halt(Halt::tool("db.read").unwrap());
            std::mem::forget(task);
        }),
    ];
    for (how, end) in ends {
        let world = Mint::new();
        let (task, grant) = world.open();
        world.run(&grant, "db.read").unwrap();
        world.provider.hang();
        end(&world, task, grant);
        assert_eq!(world.provider.live().len(), 1, "{how}: the end called the provider");
        world.provider.release();
        assert_eq!(world.tend(), (1, 1, 0), "{how}");
        assert_eq!(world.provider.live(), [] as [Box<str>; 0], "{how}");
        assert_eq!(world.unsettled(), [] as [Box<str>; 0], "{how}");
    }
}

/// P2
#[test]
fn what_stands_here_and_what_stands_outside_are_told_apart() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let standing = world.broker.standing();
    let outside = &standing.downstream[0];
    assert!(!standing.is_empty() && !outside.owed);
    assert_eq!((&*outside.credential, &*outside.provider), ("orders-db", "database"));
    assert_eq!(outside.until, grant.expires());
    assert!(world.broker.obligations().is_empty(), "a live grant owes nothing");

    task.complete();
    let standing = world.broker.standing();
    assert!(standing.is_empty(), "nothing stands here");
    assert!(standing.downstream[0].owed);
    let owed = world.broker.obligations();
    assert_eq!((owed[0].since, owed[0].attempts), (standing_since(&world), 0));
    world.tend();
    assert!(world.broker.standing().downstream.is_empty());
}

fn standing_since(world: &Mint) -> hallpass::clock::Timestamp {
    let log = world.log();
    let ended = log.records().into_iter().find(|record| record.event.kind() == "ended");
    ended.unwrap().at
}

#[test]
fn after_a_renewal_the_next_call_has_its_own_and_the_old_one_goes_with_its_last_call() {
    let world = Mint::new();
    let (task, mut grant) = world.open();
    let first = world.run(&grant, "db.read").unwrap();
    let permit = world.permit(&grant, "db.read");
    permit
        .run_with(|_, secrets| {
            task.renew(&mut grant, &world.agent, &Context::new()).unwrap();
            let second = world.run(&grant, "db.write").unwrap();
            assert_ne!(first, second);
            assert_eq!(secrets.get("orders-db").unwrap().expose_text(), Some(&*first));
            assert_eq!(world.tend(), (0, 0, 0), "a call runs with the old one");
            assert_eq!(world.provider.live().len(), 2);
            Ok::<_, ()>(())
        })
        .unwrap();
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.provider.live().len(), 1);
    // What a renewal left behind ends with the task, too, whatever runs.
    let permit = world.permit(&grant, "db.read");
    permit
        .run_with(|_, _| {
            task.renew(&mut grant, &world.agent, &Context::new()).unwrap();
            world.run(&grant, "db.read").unwrap();
            drop(task.complete());
            assert_eq!(world.tend(), (2, 2, 0));
            Ok::<_, ()>(())
        })
        .unwrap();
    assert_eq!(world.provider.live(), [] as [Box<str>; 0]);
}

#[test]
fn a_credential_expires_no_later_than_its_grant_and_a_call_after_that_has_another() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let minted = world.log().records().into_iter().find_map(|record| match record.event {
        Event::CredentialMinted { expires, .. } => Some(expires),
        _ => None,
    });
    assert_eq!(minted, Some(grant.expires()));
}

/// P9: what a crash leaves behind has a name in the log
#[test]
fn each_step_is_in_the_log_before_the_next_is_taken() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    world.tend();
    let story = [
        "credential_planned",
        "credential_minted",
        "ended",
        "credential_withdrawn",
        "credential_gone",
    ];
    assert_eq!(world.story(), story);
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

#[test]
fn a_provider_needs_a_name_for_its_broker_and_somebody_who_tends() {
    let policy = || Policy::from_toml(POLICY).unwrap();
    let builder = || Broker::builder(policy()).provider("orders-db", ScriptedProvider::new("db"));
    let refused = |built: Result<Broker, BrokerError>| match built {
        Err(BrokerError::Provider(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        refused(builder().tended_by_host().build()),
        ProviderError::Name { given: None }
    ));
    for name in ["", "Orders", "or_ders", "orders-api", "a-very-long-name-of-a-broker"] {
        let error = refused(builder().tended_by_host().name(name).build());
        assert_eq!(error, ProviderError::Name { given: Some(name.into()) });
    }
    assert_eq!(refused(builder().name("orders").build()), ProviderError::Untended);
    let vault = Vault::new().unwrap();
    vault.seal("orders-db", Secret::new("a-secret-of-some-length").unwrap()).unwrap();
    let both = builder().name("orders").tended_by_host().vault(&vault).build();
    assert_eq!(refused(both), ProviderError::TwoSources { credential: "orders-db".into() });
    let named = builder().name("orders").reaped_every(60 * SECOND).build();
    assert!(named.is_ok());
    // Without the provider, nothing mints what the catalogue names.
    assert!(matches!(
        Broker::new(policy()),
        Err(BrokerError::Policy(ReloadError::Credential { .. }))
    ));
}

/// P8, attack 180: what was minted is looked for in all that the task gives
#[test]
fn what_was_minted_is_scrubbed_from_every_result_of_its_task() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    let secret = world.run(&grant, "db.read").unwrap();
    let leaks = |_: &hallpass::Running| Ok::<_, ()>(format!("connected with {secret}"));
    let shown = world.permit(&grant, "ping").run(leaks).unwrap().scrubbed();
    assert_eq!(shown, "connected with [redacted]");
    let told = format!("{:?} {:?}", world.broker.standing(), world.broker.obligations());
    assert!(!told.contains(&secret));
}
