//! attack 176, and the rows that are about ending sessions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hallpass::credential::{CredentialProvider as _, Gone, Handle};
use hallpass_postgres::BlockingPostgres;

use crate::hostile::wait_until_due;
use crate::server::{PASSWORD, Session};
use crate::world::*;

/// The broker's role may end a role's sessions and drop what it owns only as a member of it.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_membership_that_was_taken_from_the_broker_is_taken_back_by_the_withdrawal() {
    let world = World::new();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    world.superuser.run(&format!("REVOKE {} FROM hp_broker CASCADE", role.0)).unwrap();
    if is_16(&world.superuser) {
        // There its creator is the one who can grant it.
        world.superuser.run(&format!("GRANT {} TO hp_broker WITH ADMIN TRUE", role.0)).unwrap();
    }
    task.complete();
    world.tend();
    assert!(!session.is_open());
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn sessions_that_come_again_and_again_while_they_are_ended_are_ended() {
    let world = World::new();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let config = world.server.config(&role.0, &role.1, "postgres");
    let (stop, opened) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut held = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if let Ok(session) = Session::open(&config) {
                        opened.fetch_add(1, Ordering::Relaxed);
                        held.push(session);
                    }
                    held.retain(Session::is_open);
                }
                assert!(held.iter().all(|session| !session.is_open()));
            });
        }
        while opened.load(Ordering::Relaxed) < 4 {
            thread::yield_now();
        }
        task.complete();
        let tended = world.broker.tend(60 * SECOND);
        stop.store(true, Ordering::Relaxed);
        assert_eq!((tended.gone, tended.owed), (1, 0), "{:?}", world.broker.obligations());
    });
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_is_down_is_waited_for_and_the_end_waits_for_nothing() {
    let mut world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    world.server.down();
    task.complete();
    assert!(world.broker.standing().is_empty());
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    let owed = &world.broker.obligations()[0];
    assert_eq!((&*owed.name, owed.attempts), (&*role.0, 1));
    world.server.up();
    world.superuser = world.server.superuser();
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// The server crashes while the withdrawal is at its last steps but two: what was done is not done again, and the rest is.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_goes_down_in_the_middle_of_a_withdrawal_is_waited_for() {
    let mut world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    world.session(&role, "postgres").run("CREATE TABLE mine (id int)").unwrap();
    // Held up where what the role owns is dropped.
    let holder = world.server.superuser();
    holder.run("BEGIN; LOCK TABLE mine").unwrap();
    task.complete();
    let waits =
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'hp_broker' AND wait_event_type = 'Lock'";
    thread::scope(|scope| {
        let tending = scope.spawn(|| world.broker.tend(60 * SECOND));
        while world.superuser.ask(waits).is_empty() {
            thread::yield_now();
        }
        world.server.down();
        let tended = tending.join().unwrap();
        assert_eq!((tended.withdrawn, tended.owed), (0, 1));
    });
    world.server.up();
    world.superuser = world.server.superuser();
    let login = format!("SELECT rolcanlogin FROM pg_roles WHERE rolname = '{}'", role.0);
    assert_eq!(world.superuser.ask(&login), ["f"], "no login since the first step");
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// A session outlives its role, and no one who is not a superuser can end it then: it is named, and owed until it is gone.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_session_whose_role_another_has_dropped_is_owed_until_it_is_closed() {
    let world = World::new();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    world.superuser.run(&format!("DROP OWNED BY {0}; DROP ROLE {0}", role.0)).unwrap();
    task.complete();
    let tended = world.broker.tend(60 * SECOND);
    assert_eq!((tended.withdrawn, tended.gone, tended.owed), (0, 0, 1));
    assert!(session.is_open(), "what is owed of it is there");
    drop(session);
    let open = "SELECT 1 FROM pg_stat_activity WHERE usename IS NULL AND usesysid IS NOT NULL";
    while !world.superuser.ask(open).is_empty() {
        thread::yield_now();
    }
    wait_until_due(&world);
    world.tend();
}

/// A mint on a server that is down is denied, and what may have been made is looked for.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_is_down_mints_nothing() {
    let world = World::new();
    let (_task, grant) = world.open();
    world.server.down();
    let call = hallpass::Call::new("db.query", serde_json::json!({})).unwrap();
    let context = hallpass::Context::new();
    let permit = world.broker.gate().authorize(&grant, grant.holder(), call, &context).unwrap();
    let ran = permit.run_with(|_, _| Ok::<_, String>(()));
    assert!(matches!(ran, Err(hallpass::RunError::Denied(_))));
    assert_eq!(world.broker.obligations(), []);
}

/// A hot standby goes on serving a session whose role is gone.
#[test]
#[ignore = "starts two servers of PostgreSQL"]
fn a_session_on_a_hot_standby_is_ended_as_well() {
    let mut standby = None;
    let world = World::with(|server, postgres| {
        let second = server.standby();
        let config = second.config("hp_broker", PASSWORD, "postgres");
        standby = Some(second);
        postgres.standby(config)
    });
    let standby = standby.unwrap();
    let (task, grant) = world.open();
    let (user, password) = world.lent(&grant);
    let config = standby.config(&user, &password, "postgres");
    let session = loop {
        // Until the role has come over.
        match Session::open(&config) {
            Ok(session) => break session,
            Err(_) => thread::yield_now(),
        }
    };
    assert_eq!(session.ask("SELECT pg_is_in_recovery()"), ["t"]);
    let known = format!("SELECT oid FROM pg_roles WHERE rolname = '{user}'");
    let known = Handle::new(&user, &format!("oid={}", world.superuser.ask(&known)[0]));
    let looking = BlockingPostgres::new(postgres(&world.server).standby(standby.config(
        "hp_broker",
        PASSWORD,
        "postgres",
    )));
    match looking.verify(&known) {
        Gone::Still(what) => assert!(what.ends_with(", on a standby: sessions are open"), "{what}"),
        other => panic!("{other:?}"),
    }
    task.complete();
    world.tend();
    assert!(!session.is_open());
}
