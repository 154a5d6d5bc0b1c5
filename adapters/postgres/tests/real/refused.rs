//! What a mint that comes to nothing leaves, and what is found of roles that are not known.

use std::process::Command;

use hallpass::RunError;
use hallpass::credential::{AsyncCredentialProvider as _, CredentialProvider as _, Handle};
use hallpass::prelude::*;
use hallpass_postgres::BlockingPostgres;
use serde_json::json;

use crate::world::*;

/// What is told of a mint that fails.
fn told(world: &World, grant: &Grant) -> String {
    let call = Call::new("db.query", json!({})).unwrap();
    let permit =
        world.broker.gate().authorize(grant, grant.holder(), call, &Context::new()).unwrap();
    match permit.run_with(|_, _| Ok::<_, String>(())) {
        Err(RunError::Denied(denial)) => denial.explain().to_string(),
        _ => panic!("it ran"),
    }
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_role_that_the_server_refuses_to_make_was_not_made_and_is_not_owed() {
    let world = World::with(|_, postgres| postgres.group("missing"));
    let before = world.catalogue();
    let (_task, grant) = world.open();
    let told = told(&world, &grant);
    assert!(told.contains("missing"), "{told}");
    assert_eq!(world.broker.obligations(), []);
    assert_eq!(world.catalogue(), before, "all or nothing");
}

/// attack 177: the answer may have been lost after the role was made
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_mint_whose_session_is_ended_is_looked_for() {
    for is_told in [true, false] {
        let world = World::new();
        let (_task, grant) = world.open();
        // Roles can be read, and none made.
        let holder = world.server.superuser();
        holder.run("BEGIN; LOCK TABLE pg_authid IN SHARE MODE").unwrap();
        let waits = "SELECT pid FROM pg_stat_activity WHERE usename = 'hp_broker' AND wait_event_type = 'Lock'";
        std::thread::scope(|scope| {
            let minting = scope.spawn(|| told(&world, &grant));
            let pid = loop {
                match &*world.superuser.ask(waits) {
                    [pid] => break pid.clone(),
                    _ => std::thread::yield_now(),
                }
            };
            if is_told {
                world.superuser.ask(&format!("SELECT pg_terminate_backend({pid})"));
            } else {
                let killed = Command::new("kill").args(["-KILL", &pid]).status();
                assert!(killed.unwrap().success());
            }
            let told = minting.join().unwrap();
            assert_eq!(told.contains("(57P01)"), is_told, "{told}");
            assert_eq!(world.broker.obligations().len(), 1, "{told}");
        });
    }
}

/// attack 177: other brokers mint there, too
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_sweep_finds_the_roles_that_are_asked_for_and_their_numbers() {
    let world = World::new();
    world
        .superuser
        .run("CREATE ROLE hp_orders_1; CREATE ROLE hp_other_1; CREATE ROLE hpx_1")
        .unwrap();
    let number = |name: &str| {
        let asked = format!("SELECT oid FROM pg_roles WHERE rolname = '{name}'");
        Handle::new(name, &format!("oid={}", world.superuser.ask(&asked)[0]))
    };
    let blocking = BlockingPostgres::new(postgres(&world.server));
    let asynchronous = postgres(&world.server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let is_mine = |name: &str| name.starts_with("hp_orders_");
    for found in [blocking.sweep(&is_mine), runtime.block_on(asynchronous.sweep(&is_mine))] {
        assert_eq!(found, [number("hp_orders_1")]);
    }
    let mut all = blocking.sweep(&|_| true);
    all.sort_by(|a, b| a.name().cmp(b.name()));
    assert_eq!(all, ["hp_broker", "hp_orders_1", "hp_other_1", "hp_reader"].map(number));
}

/// A server that is busy holds up no withdrawal for ever.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn no_statement_waits_for_ever() {
    let world = World::new();
    world.superuser.run("ALTER ROLE hp_broker SET log_statement = 'all'").unwrap();
    let provider = BlockingPostgres::new(postgres(&world.server));
    assert!(!provider.sweep(&|_| true).is_empty());
    let told = world.server.told();
    for limit in ["SET lock_timeout = '5s'", "SET statement_timeout = '20s'"] {
        assert!(told.contains(limit), "{limit}");
    }
}
