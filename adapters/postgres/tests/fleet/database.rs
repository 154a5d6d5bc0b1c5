//! A server with the schema of fleets, and a role for nodes that can do nothing else.

use std::time::Duration;

use hallpass::fleet::Store as _;
use hallpass_postgres::{FLEET_SCHEMA, PostgresStore, PostgresStoreBuilder};
use tokio_postgres::Config;

use crate::server::{PASSWORD, Server, Session};

/// As long as a test waits for a server of a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Database {
    pub(crate) server: Server,
    /// The owner's: what an attacker who can write the database can do.
    pub(crate) owner: Session,
    /// The fleet that a test uses.
    pub(crate) fleet: String,
}

impl Database {
    pub(crate) fn start() -> Database {
        Database::start_with("-c fsync=on")
    }

    pub(crate) fn start_with(settings: &'static str) -> Database {
        let server = Server::start_with(settings);
        let owner = server.superuser();
        owner.run(FLEET_SCHEMA).unwrap();
        owner.run(&format!("CREATE ROLE hp_node LOGIN PASSWORD '{PASSWORD}'")).unwrap();
        let database = Database { server, owner, fleet: "acme".to_owned() };
        database.create("acme", "acme");
        database
    }

    /// Goes on with another fleet, which is empty.
    pub(crate) fn turn_to(&mut self, fleet: &str) {
        self.create("acme", fleet);
        self.fleet = fleet.to_owned();
    }

    /// A fleet of a tenant, for the nodes' role.
    pub(crate) fn create(&self, tenant: &str, fleet: &str) {
        self.owner.ask(&format!("SELECT hallpass.create_fleet('{tenant}', '{fleet}', 'hp_node')"));
    }

    pub(crate) fn config(&self) -> Config {
        self.server.config("hp_node", PASSWORD, "postgres")
    }

    pub(crate) fn builder(&self) -> PostgresStoreBuilder {
        PostgresStore::builder(self.config(), "acme", &self.fleet).within(PATIENCE)
    }

    /// A store with a connection.
    pub(crate) fn store(&self) -> PostgresStore {
        let store = self.builder().open().unwrap();
        store.read(0).unwrap();
        store
    }
}
