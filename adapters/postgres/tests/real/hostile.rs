//! SQL that would make a role, or what it can do, outlive its grant.

use crate::server::Session;
use crate::world::*;

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_role_can_do_what_its_group_can_and_is_gone_with_its_task() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    assert_eq!(world.session(&role, "postgres").ask("SELECT what FROM orders"), ["bread"]);
    task.complete();
    world.tend();
    assert_eq!(world.catalogue(), before);
    assert!(Session::open(&world.server.config(&role.0, &role.1, "postgres")).is_err());
}

/// attack 175
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn nothing_that_a_role_has_made_is_left_and_nothing_runs_as_another() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    let name = &role.0;
    for statement in [
        &*format!("ALTER ROLE {name} PASSWORD 'my own from now on'"),
        "CREATE FUNCTION escalate() RETURNS text SECURITY DEFINER LANGUAGE sql AS 'SELECT current_user::text'",
        "GRANT EXECUTE ON FUNCTION escalate() TO PUBLIC",
        "SELECT lo_create(424242)",
        "GRANT SELECT ON LARGE OBJECT 424242 TO PUBLIC",
        &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {name} GRANT ALL ON TABLES TO PUBLIC"),
        "CREATE TABLE mine (id int)",
        "GRANT ALL ON mine TO hp_reader",
        "CREATE TYPE my_type AS ENUM ('a')",
        "CREATE TEMP TABLE held (id int)",
    ] {
        session.run(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    // In another database, too.
    let other = Session::open(&world.server.config(name, "my own from now on", "other")).unwrap();
    other.run("CREATE TABLE elsewhere (id int); SELECT lo_create(424243)").unwrap();
    task.complete();
    world.tend();
    assert!(!session.is_open() && !other.is_open());
    assert_eq!(world.catalogue(), before);
    let elsewhere = world.server.config("super", crate::server::PASSWORD, "other");
    let elsewhere = Session::open(&elsewhere).unwrap();
    let left = elsewhere.ask("SELECT relname::text FROM pg_class WHERE relname = 'elsewhere' UNION SELECT oid::text FROM pg_largeobject_metadata");
    assert_eq!(left, [] as [String; 0]);
}

/// attack 175
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_role_makes_no_other_and_gives_itself_nothing() {
    let world = World::new();
    let (_task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    let name = &role.0;
    for statement in [
        "CREATE ROLE another LOGIN".to_owned(),
        "CREATE DATABASE mine".to_owned(),
        format!("ALTER ROLE {name} VALID UNTIL 'infinity'"),
        format!("ALTER ROLE {name} CONNECTION LIMIT 100"),
        "SET ROLE hp_broker".to_owned(),
        "GRANT hp_broker TO PUBLIC".to_owned(),
        "DELETE FROM orders".to_owned(),
        "SELECT pg_read_file('/etc/passwd')".to_owned(),
    ] {
        assert!(session.run(&statement).is_err(), "{statement}");
    }
}

/// A session that has set another role keeps the number of its own.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_session_that_has_set_its_group_as_its_role_is_ended_as_well() {
    let world = World::new();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    let set = session.run("SET ROLE hp_reader");
    // From 16 on a membership says that it can't be set; before, nothing can.
    assert_eq!(set.is_ok(), !is_16(&world.superuser));
    if set.is_ok() {
        session.run("CREATE TABLE of_the_group (id int)").unwrap();
    }
    task.complete();
    world.tend();
    assert!(!session.is_open());
    // What it made as its group is the group's: a limit that the documentation states.
    let owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'of_the_group'";
    let left: &[&str] = if set.is_ok() { &["hp_reader"] } else { &[] };
    assert_eq!(world.superuser.ask(owner), left);
}

/// attack 175
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_prepared_transaction_is_named_and_owed_until_somebody_has_rolled_it_back() {
    let world = World::new();
    let before = world.catalogue();
    let (task, grant) = world.open();
    let role = world.lent(&grant);
    let session = world.session(&role, "postgres");
    session.run("BEGIN; CREATE TABLE later (id int); PREPARE TRANSACTION 'sleeper'").unwrap();
    task.complete();
    assert_eq!(world.broker.tend(60 * SECOND).owed, 1);
    let owed = &world.broker.obligations()[0];
    let why = owed.last_error.as_deref().unwrap();
    assert!(why.contains("sleeper in postgres"), "{why}");
    assert!(!session.is_open(), "what can be ended is");
    assert!(Session::open(&world.server.config(&role.0, &role.1, "postgres")).is_err());
    world.superuser.run("ROLLBACK PREPARED 'sleeper'").unwrap();
    wait_until_due(&world);
    world.tend();
    assert_eq!(world.catalogue(), before);
}

/// What failed is due again after a second at most.
pub(crate) fn wait_until_due(world: &World) {
    world.superuser.run(&until(world.broker.obligations()[0].due)).unwrap();
}
