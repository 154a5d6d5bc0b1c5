//! A server on which what is committed could be lost gives no lease.

use hallpass::fleet::{Mark, NodeState, Store as _};
use hallpass_postgres::PostgresStore;

use crate::contract::{entry, row};
use crate::database::{Database, PATIENCE};
use crate::server::{PASSWORD, Session};
use crate::world::{LEASE, World, wait_until};

use hallpass::prelude::Reason;

impl Database {
    /// Changes a setting of the server, until the node's own session knows of it.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        self.owner.run(&format!("ALTER SYSTEM SET {setting} = '{value}'")).unwrap();
        self.owner.ask("SELECT pg_reload_conf()");
        wait_until(|| self.owner.ask(&format!("SHOW {setting}")) == [value]);
    }
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_does_not_sync_gives_no_lease_until_it_does() {
    let database = Database::start_with("");
    let world = World::of(1, &database);
    let node = &world.nodes[0];
    for setting in ["fsync", "full_page_writes"] {
        database.set(setting, "off");
        let told = format!("the setting `{setting}` is `off`, expected `on`");
        wait_until(|| {
            let written = node.store.write(&row("n9", 9, 9, NodeState::Gone), None, 0);
            written.is_err_and(|error| error.to_string().contains(&told))
        });
        let appended = node.store.append(&entry(&Mark::START, 1), &Mark::START);
        assert!(appended.unwrap_err().to_string().contains(&told));
        assert!(node.store.trouble().unwrap().contains(&told));
        world.pass(LEASE + LEASE / 10);
        assert_eq!(node.denied("read"), Some(Reason::NoLease), "{setting}");
        database.owner.run("DELETE FROM hallpass.node WHERE name = 'n9'").unwrap();

        database.set(setting, "on");
        world.wait_for_stores();
        world.pass(LEASE);
        assert_eq!(node.denied("read"), None, "{setting}");
    }
}

/// The role's own default does not count: each session says what it needs, and what it says is read back.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_commit_that_waits_for_no_file_is_asked_for_by_no_node_and_refused() {
    let database = Database::start();
    database.owner.run("ALTER ROLE hp_node SET synchronous_commit = off").unwrap();
    let store = database.store();
    assert!(store.write(&row("n1", 1, 0, NodeState::Live), None, 0).unwrap().0);
    // As one behind a pooler, which has forgotten what was said.
    let node = Session::open(&database.config()).unwrap();
    let write = "SELECT hallpass.write('acme', 'acme', 'n2', repeat('x', 16)::bytea, 0, 'live', '', NULL, NULL, NULL, 0)";
    let append = "SELECT hallpass.append('acme', 'acme', 1, repeat('x', 16)::bytea, repeat('x', 32)::bytea, '', 0, decode(repeat('00', 32), 'hex'))";
    for level in ["off", "local", "remote_write"] {
        node.run(&format!("SET synchronous_commit = {level}")).unwrap();
        for statement in [write, append] {
            let error = node.run(statement).unwrap_err();
            let message = error.as_db_error().unwrap().message().to_owned();
            assert!(message.contains("`synchronous_commit`"), "{message}");
        }
    }
    for level in ["remote_apply", "on"] {
        node.run(&format!("SET synchronous_commit = {level}")).unwrap();
        node.run(write).unwrap();
    }
    node.run(append).unwrap();
    assert_eq!(database.owner.ask("SELECT count(*) FROM hallpass.node"), ["2"]);
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_node_that_counts_on_a_standby_has_no_lease_without_one() {
    let database = Database::start_with("");
    let store = database.builder().with_standby().open().unwrap();
    let own = row("n1", 1, 0, NodeState::Live);
    let error = store.write(&own, None, 0).unwrap_err().to_string();
    assert!(error.contains("`synchronous_standby_names` is empty"), "{error}");
    assert!(store.read(0).unwrap().rows.is_empty());
    assert!(database.store().write(&own, None, 0).unwrap().0, "one that counts on none");
}

/// What a standby has is old, and a lease on it would be a lease without the newest act.
#[test]
#[ignore = "starts two servers of PostgreSQL"]
fn nothing_is_read_from_a_standby() {
    let database = Database::start();
    let store = database.store();
    assert!(store.append(&entry(&Mark::START, 1), &Mark::START).unwrap());
    let standby = database.server.standby();
    let config = standby.config("hp_node", PASSWORD, "postgres");
    wait_until(|| {
        let session = Session::open(&config);
        session.is_ok_and(|session| session.ask("SELECT hallpass.store_version()") == ["2"])
    });
    // Its functions refuse, should anything ask them.
    let session = Session::open(&config).unwrap();
    let error = session.run("SELECT hallpass.read('acme', 'acme', 0)").unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("standby"), "{error:?}");
    let open =
        |config| PostgresStore::builder(config, "acme", "acme").within(PATIENCE).open().unwrap();
    assert!(open(config.clone()).read(0).is_err());
    // Of several hosts, the one that takes writes is asked.
    let mut both = config;
    both.host("127.0.0.1").port(database.server.port);
    assert_eq!(open(both).read(0).unwrap().head.number, 1);
}
