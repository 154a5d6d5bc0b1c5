//! What the nodes' role can do, and what it can't.

use hallpass::fleet::{Mark, NodeState, Store as _};
use hallpass_postgres::{FLEET_SCHEMA, PostgresStore};

use crate::contract::{entry, row};
use crate::database::{Database, PATIENCE};
use crate::server::{PASSWORD, Session};

/// attack: a stolen password of a node's role takes a halt back
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_nodes_role_writes_no_table_and_reads_none() {
    let database = Database::start();
    let node = Session::open(&database.config()).unwrap();
    for table in ["fleet", "entry", "node", "counter", "version"] {
        for statement in [
            format!("SELECT FROM hallpass.{table}"),
            format!("DELETE FROM hallpass.{table}"),
            format!("TRUNCATE hallpass.{table}"),
            format!("INSERT INTO hallpass.{table} SELECT * FROM hallpass.{table}"),
            format!("DROP TABLE hallpass.{table}"),
        ] {
            assert!(node.run(&statement).is_err(), "{statement}");
        }
    }
    for statement in [
        "UPDATE hallpass.fleet SET number = 0",
        "SELECT hallpass.create_fleet('acme', 'other', 'hp_node')",
        "SELECT hallpass.admit('acme', 'acme')",
        "SELECT hallpass.check_durability()",
        "SELECT hallpass.grant_use('hp_node')",
        "SELECT nextval('hallpass.counter_version')",
        "SELECT hallpass.news('acme', 'acme', 0)",
        "CREATE TABLE hallpass.more ()",
        "CREATE OR REPLACE FUNCTION hallpass.admit(in_tenant text, in_fleet text) RETURNS void LANGUAGE sql AS ''",
    ] {
        assert!(node.run(statement).is_err(), "{statement}");
    }
    // What it looks in first for names is its own choice, and changes nothing of what the owner's functions find.
    let shadow = "CREATE TEMP TABLE fleet (LIKE pg_class); SET search_path = pg_temp, hallpass";
    node.run(shadow).unwrap();
    assert_eq!(node.ask("SELECT number FROM hallpass.read('acme', 'acme', 0)"), ["0"]);
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_node_of_one_fleet_reaches_no_other() {
    let database = Database::start();
    let owner = &database.owner;
    owner.run(&format!("CREATE ROLE hp_other LOGIN PASSWORD '{PASSWORD}'")).unwrap();
    owner.ask("SELECT hallpass.create_fleet('acme', 'beta', 'hp_other')");
    owner.ask("SELECT hallpass.create_fleet('other', 'acme', 'hp_other')");
    for (tenant, fleet) in [("acme", "beta"), ("other", "acme"), ("acme", "nowhere")] {
        let builder = PostgresStore::builder(database.config(), tenant, fleet).within(PATIENCE);
        let store = builder.open().unwrap();
        let first = entry(&Mark::START, 1);
        let own = row("n1", 1, 0, NodeState::Live);
        let told = [
            store.read(0).unwrap_err().to_string(),
            store.append(&first, &Mark::START).unwrap_err().to_string(),
            store.write(&own, None, 0).unwrap_err().to_string(),
            store.count(&[[1; 32]], &mut |_, _| ()).unwrap_err().to_string(),
            store.trouble().unwrap(),
        ];
        let why =
            format!("there is no fleet `{fleet}` of tenant `{tenant}` that role `hp_node` may use");
        assert!(told.iter().all(|told| told.contains(&why)), "{told:?}");
    }
    // A member of the role that a fleet was made for may use it.
    owner.run(&format!("CREATE ROLE hp_n1 LOGIN IN ROLE hp_other PASSWORD '{PASSWORD}'")).unwrap();
    let config = database.server.config("hp_n1", PASSWORD, "postgres");
    let builder = PostgresStore::builder(config, "acme", "beta").within(PATIENCE);
    assert_eq!(builder.open().unwrap().read(0).unwrap().head, Mark::START);
    assert_eq!(owner.ask("SELECT count(*) FROM hallpass.entry"), ["0"]);
}

/// Fleets of one name, and of one tenant, are as apart as servers are.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn what_one_fleet_writes_is_not_in_another() {
    let database = Database::start();
    let others = [("acme", "beta"), ("other", "acme")];
    others.iter().for_each(|(tenant, fleet)| database.create(tenant, fleet));
    let store = database.store();
    assert!(store.append(&entry(&Mark::START, 1), &Mark::START).unwrap());
    assert!(store.write(&row("n1", 1, 0, NodeState::Live), None, 0).unwrap().0);
    for (tenant, fleet) in others {
        let builder = PostgresStore::builder(database.config(), tenant, fleet).within(PATIENCE);
        let other = builder.open().unwrap();
        let found = other.read(0).unwrap();
        assert_eq!((found.head, found.entries, found.rows), (Mark::START, vec![], vec![]));
        // The same id, number and name are free there.
        assert!(other.append(&entry(&Mark::START, 1), &Mark::START).unwrap());
        let (done, found) = other.write(&row("n1", 2, 0, NodeState::Live), None, 0).unwrap();
        assert_eq!((done, found.rows.len()), (true, 1));
    }
    assert_eq!(store.read(0).unwrap().rows[0].incarnation, [1; 16]);
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn the_schema_that_is_run_again_changes_nothing() {
    let database = Database::start();
    let store = database.store();
    assert!(store.append(&entry(&Mark::START, 1), &Mark::START).unwrap());
    let before = store.read(0).unwrap();
    database.owner.run(FLEET_SCHEMA).unwrap();
    assert_eq!(store.read(0).unwrap(), before);
    assert_eq!(database.store().read(0).unwrap(), before, "a new connection has its rights still");
    assert_eq!(database.owner.ask("SELECT number FROM hallpass.version ORDER BY 1"), ["1", "2"]);
}

/// Nodes of the old version go on, and nodes of the new one find what they call.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_schema_of_the_first_version_is_brought_to_this_one_with_what_it_has() {
    let database = Database::start();
    let store = database.store();
    assert!(store.append(&entry(&Mark::START, 1), &Mark::START).unwrap());
    let before = store.read(0).unwrap();
    // What the first version had not.
    let older = "DROP TABLE hallpass.counter; DROP SEQUENCE hallpass.counter_version; \
        DROP FUNCTION hallpass.counters; DROP FUNCTION hallpass.count; DELETE FROM hallpass.version WHERE number > 1";
    database.owner.run(older).unwrap();
    assert!(database.builder().open().unwrap().read(0).is_err(), "it is told to be older");
    assert_eq!(store.read(0).unwrap(), before, "a node that is connected goes on");
    database.owner.run(FLEET_SCHEMA).unwrap();
    assert_eq!(database.owner.ask("SELECT number FROM hallpass.version ORDER BY 1"), ["1", "2"]);
    let store = database.store();
    assert_eq!(store.read(0).unwrap(), before);
    store.count(&[[1; 32]], &mut |_, rows| rows[0].bytes = vec![1]).unwrap();
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_schema_that_is_missing_or_older_is_told() {
    let database = Database::start();
    database.owner.run("UPDATE hallpass.version SET number = 0 WHERE number <= 2").unwrap();
    let store = database.builder().open().unwrap();
    let error = store.read(0).unwrap_err().to_string();
    assert!(error.contains("version 0, expected 2 or later"), "{error}");
    database.owner.run("DROP SCHEMA hallpass CASCADE").unwrap();
    let store = database.builder().open().unwrap();
    let error = store.read(0).unwrap_err().to_string();
    assert!(error.contains("3F000") && store.trouble().is_some(), "{error}");
}
