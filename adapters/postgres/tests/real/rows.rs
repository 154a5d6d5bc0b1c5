//! What a server keeps of a role, one question at a time: what it may do while it is there, what its end and its verification look at,
//! and what both leave to others.

use hallpass::credential::{CredentialProvider as _, Gone, Handle};
use hallpass_postgres::BlockingPostgres;

use crate::hostile::wait_until_due;
use crate::server::Session;
use crate::world::*;

/// What the provider says of a role that is known by its name and number.
fn verified(world: &World, name: &str, number: &str) -> Gone {
    let provider = BlockingPostgres::new(postgres(&world.server));
    provider.verify(&Handle::new(name, &format!("oid={number}")))
}

fn number_of(world: &World, name: &str) -> String {
    let asked = format!("SELECT oid FROM pg_roles WHERE rolname = '{name}'");
    world.superuser.ask(&asked).remove(0)
}

fn why(world: &World) -> String {
    world.broker.obligations()[0].last_error.as_deref().unwrap_or_default().to_owned()
}

/// What it can do is its groups' doing, for as long as its grant lasts.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_role_can_log_in_until_its_grant_ends_and_do_nothing_else_by_itself() {
    let world = World::with(|_, postgres| postgres.connections(2));
    let (_task, grant) = world.open();
    let role = world.lent(&grant);
    let can = format!(
        "SELECT concat_ws(' ', rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit) \
         FROM pg_roles WHERE rolname = '{}' AND rolvaliduntil = '{}'",
        role.0,
        grant.expires()
    );
    assert_eq!(world.superuser.ask(&can), ["t f f f f f 2"]);
    // From 16 on each membership says so, and what another grants it, too, is not inherited.
    let inherits = format!("SELECT rolinherit FROM pg_roles WHERE rolname = '{}'", role.0);
    let by_itself = if is_16(&world.superuser) { "f" } else { "t" };
    assert_eq!(world.superuser.ask(&inherits), [by_itself]);
    let groups = format!(
        "SELECT concat_ws(' ', pg_get_userbyid(roleid), pg_get_userbyid(member), admin_option) \
         FROM pg_auth_members WHERE '{}' IN (pg_get_userbyid(roleid), pg_get_userbyid(member)) \
         AND NOT admin_option ORDER BY 1",
        role.0
    );
    let memberships = [format!("{} hp_broker f", role.0), format!("hp_reader {} f", role.0)];
    assert_eq!(world.superuser.ask(&groups), memberships);
    let open = [world.session(&role, "postgres"), world.session(&role, "other")];
    let config = world.server.config(&role.0, &role.1, "postgres");
    assert!(Session::open(&config).is_err(), "a third connection");
    drop(open);
}

/// Neither the end of a role's time nor the loss of its login ends a session.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_session_that_outlives_its_roles_time_and_login_is_ended() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    let over = format!("ALTER ROLE {} NOLOGIN VALID UNTIL '2020-01-01'", role.0);
    world.superuser.run(&over).unwrap();
    assert!(Session::open(&world.server.config(&role.0, &role.1, "postgres")).is_err());
    assert!(session.is_open(), "the server ends none");
    task.complete();
    world.tend();
    assert!(!session.is_open());
    assert_eq!(world.catalogue(), before);
}

/// Each question of a verification has an answer that no other gives.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn what_is_left_of_a_role_is_named_one_by_one() {
    let world = World::new();
    let (task, grant) = world.open();
    let (name, password) = world.lent(&grant);
    let number = number_of(&world, &name);
    let still = |name: &str| match verified(&world, name, &number) {
        Gone::Still(what) => what.to_string(),
        other => panic!("{other:?}"),
    };
    let whole = "a role of its name is there, the role is there, memberships are left";
    assert_eq!(still(&name), whole);
    let session = world.session(&(name.clone(), password), "postgres");
    session.run("CREATE TABLE mine (id int)").unwrap();
    let whole = "a role of its name is there, the role is there, objects or rights are left, memberships are left, sessions are open";
    assert_eq!(still(&name), whole);
    session.run("BEGIN; CREATE TABLE later (id int); PREPARE TRANSACTION 'sleeper'").unwrap();
    assert!(still(&name).contains("sleeper in postgres"), "{}", still(&name));
    world.superuser.run("ROLLBACK PREPARED 'sleeper'").unwrap();

    // Under another name it is the same role.
    let elsewhere =
        "the role is there, objects or rights are left, memberships are left, sessions are open";
    assert_eq!(still("hp_orders_00000000000000000000000000000000"), elsewhere);
    world.superuser.run("DROP TABLE mine").unwrap();
    // From 16 on each membership is its grantor's, and a creator is a member besides.
    let revoke = match is_16(&world.superuser) {
        true => format!(
            "REVOKE hp_reader FROM {name} GRANTED BY hp_broker; REVOKE {name} FROM hp_broker CASCADE"
        ),
        false => format!("REVOKE hp_reader FROM {name}; REVOKE {name} FROM hp_broker"),
    };
    world.superuser.run(&revoke).unwrap();
    assert!(!still(&name).contains("memberships") && !still(&name).contains("objects"));
    // A session outlives its role.
    world.superuser.run(&format!("DROP ROLE {name}")).unwrap();
    assert_eq!(still(&name), "sessions are open");
    drop(session);
    while verified(&world, &name, &number) != Gone::Gone {
        std::thread::yield_now();
    }
    task.complete();
    world.tend();
}

/// The number is kept from the minting, so that neither another name nor another role misleads.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_role_that_was_renamed_is_owed_and_one_that_took_its_name_is_left_alone() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    world.superuser.run(&format!("ALTER ROLE {} RENAME TO other_name", role.0)).unwrap();
    task.complete();
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    assert!(!session.is_open(), "sessions are ended by its number");
    assert!(why(&world).contains("the role is there"), "{}", why(&world));

    world.superuser.run(&format!("CREATE ROLE {} LOGIN", role.0)).unwrap();
    wait_until_due(&world);
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    assert!(why(&world).contains("a role of this name has the number"), "{}", why(&world));
    let login = format!("SELECT rolcanlogin FROM pg_roles WHERE rolname = '{}'", role.0);
    assert_eq!(world.superuser.ask(&login), ["t"], "what another has made is as it was");

    world
        .superuser
        .run(&format!("DROP ROLE {0}; ALTER ROLE other_name RENAME TO {0}", role.0))
        .unwrap();
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// attack 175: what is left is named, and where
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_database_that_can_not_be_reached_is_named_and_what_is_there_is_owed() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    world.session(&role, "other").run("CREATE TABLE elsewhere (id int)").unwrap();
    world.superuser.run("ALTER DATABASE other ALLOW_CONNECTIONS false").unwrap();
    task.complete();
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    assert!(why(&world).contains("in other: "), "{}", why(&world));
    world.superuser.run("ALTER DATABASE other ALLOW_CONNECTIONS true").unwrap();
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// attack 176: a server that is slow
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_step_that_does_not_come_to_an_end_is_given_up_and_owed() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    world.session(&role, "postgres").run("CREATE TABLE mine (id int)").unwrap();
    let holder = world.server.superuser();
    holder.run("BEGIN; LOCK TABLE mine").unwrap();
    task.complete();
    assert!(world.broker.standing().is_empty(), "the end waits for no lock");
    let tended = world.broker.tend(60 * SECOND);
    assert_eq!((tended.withdrawn, tended.owed), (0, 1));
    assert!(why(&world).contains("lock timeout"), "{}", why(&world));
    holder.run("ROLLBACK").unwrap();
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// attack 176: the standby that takes over has the role, and it is taken away there
#[test]
#[ignore = "starts two servers of PostgreSQL"]
fn a_withdrawal_goes_on_at_the_standby_that_took_over() {
    let mut standby = None;
    let world = World::with(|server, _| {
        let second = server.standby();
        let provider = postgres_of(&[server, &second]);
        standby = Some(second);
        provider
    });
    let standby = standby.unwrap();
    let (task, grant) = world.open();
    let (user, password) = world.lent(&grant);
    let config = standby.config(&user, &password, "postgres");
    let session = loop {
        // Until the role has come over.
        match Session::open(&config) {
            Ok(session) => break session,
            Err(_) => std::thread::yield_now(),
        }
    };
    world.server.down();
    task.complete();
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1, "{:?}", world.broker.obligations());
    assert!(session.is_open(), "what is owed of it is there");
    standby.promote();
    while world.broker.tend(60 * SECOND).owed > 0 {
        let due = world.broker.obligations()[0].due;
        standby.superuser().run(&until(due)).unwrap();
    }
    assert!(!session.is_open());
    let left = format!("SELECT 1 FROM pg_roles WHERE rolname = '{user}'");
    assert_eq!(standby.superuser().ask(&left), [] as [String; 0]);
}

/// Whether a standby serves a session still is asked of the standby.
#[test]
#[ignore = "starts two servers of PostgreSQL"]
fn a_session_on_a_standby_that_is_not_reached_is_owed() {
    let mut standby = None;
    let world = World::with(|server, postgres| {
        let second = server.standby();
        let config = second.config("hp_broker", crate::server::PASSWORD, "postgres");
        standby = Some(second);
        postgres.standby(config)
    });
    let standby = standby.unwrap();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let (name, _) = world.lent(&grant);
    standby.down();
    task.complete();
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    let there = format!("SELECT 1 FROM pg_roles WHERE rolname = '{name}' AND NOT rolcanlogin");
    assert_eq!(
        world.superuser.ask(&there),
        ["1"],
        "its role stays, by which its sessions can be ended"
    );
    standby.up();
    wait_until_due(&world);
    while world.broker.tend(60 * SECOND).owed > 0 {
        wait_until_due(&world);
    }
    assert_eq!(world.catalogue(), before);
}
