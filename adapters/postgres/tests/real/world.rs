//! A broker whose tools run with roles of a real server.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::prelude::*;
use hallpass_postgres::{BlockingPostgres, Postgres};
use serde_json::json;
use tokio_postgres::config::TargetSessionAttrs;

use crate::server::{PASSWORD, Server, Session};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const POLICY: &str = r#"
    version = 1
    tool = [{ name = "db.query", credential = "orders-db" }]
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" } }]
"#;

/// What a host makes beforehand; its groups may do more than they should, so that there is something to attack.
const SETUP: &str = "
    CREATE ROLE hp_broker LOGIN CREATEROLE PASSWORD 'of-this-test-alone';
    CREATE ROLE hp_reader NOLOGIN;
    CREATE TABLE orders (id int, what text);
    INSERT INTO orders VALUES (1, 'bread');
    GRANT SELECT ON orders TO hp_reader;
    GRANT CREATE ON SCHEMA public TO hp_reader;
";

/// What versions that say so need to let the broker grant its group.
const SETUP_FROM_16: &str =
    "GRANT hp_reader TO hp_broker WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) superuser: Session,
    pub(crate) broker: Broker,
    agent: Identity,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(|_, postgres| postgres)
    }

    pub(crate) fn with(settings: impl FnOnce(&Server, Postgres) -> Postgres) -> World {
        let (server, superuser) = prepared();
        let postgres = settings(&server, postgres(&server));
        let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
            .name("orders")
            .provider("orders-db", BlockingPostgres::new(postgres))
            .tended_by_host()
            .build()
            .unwrap();
        World::of(server, superuser, broker)
    }

    pub(crate) fn of(server: Server, superuser: Session, broker: Broker) -> World {
        let agent = broker.assert_identity("agent-7").unwrap();
        World { server, superuser, broker, agent }
    }

    pub(crate) fn open(&self) -> (Task, Grant) {
        let task = self.broker.open(&self.agent, Purpose::new("errand")).unwrap();
        let scope = Scope::tool("db.query").any_args();
        let grant = task.request(scope, &Context::new()).unwrap();
        (task, grant)
    }

    /// Runs a tool with a role of its own: its name and its password.
    pub(crate) fn lent(&self, grant: &Grant) -> (String, String) {
        let call = Call::new("db.query", json!({})).unwrap();
        let permit =
            self.broker.gate().authorize(grant, &self.agent, call, &Context::new()).unwrap();
        let ran = permit.run_with(|_, secrets| {
            let user = secrets.user("orders-db").unwrap().to_owned();
            let password = secrets.get("orders-db").unwrap().expose_text().unwrap().to_owned();
            Ok::<_, String>((user, password))
        });
        ran.unwrap_or_else(|error| panic!("{error}: {}", self.broker.obligations().len())).raw()
    }

    /// A session of a minted role.
    pub(crate) fn session(&self, (user, password): &(String, String), database: &str) -> Session {
        Session::open(&self.server.config(user, password, database)).unwrap()
    }

    /// Withdraws what is owed, which has to be gone then.
    pub(crate) fn tend(&self) {
        let tended = self.broker.tend(60 * SECOND);
        assert_eq!((tended.gone, tended.owed), (1, 0), "{:?}", self.broker.obligations());
    }

    pub(crate) fn catalogue(&self) -> Vec<String> {
        catalogue(&self.superuser)
    }
}

/// All that the server's catalogue says of roles and rights.
pub(crate) fn catalogue(superuser: &Session) -> Vec<String> {
    let questions = [
        "SELECT rolname FROM pg_roles ORDER BY 1",
        "SELECT pg_auth_members::text FROM pg_auth_members ORDER BY 1",
        "SELECT pg_shdepend::text FROM pg_shdepend ORDER BY 1",
        "SELECT relname || coalesce(relacl::text, '') FROM pg_class ORDER BY 1",
        "SELECT proname FROM pg_proc WHERE oid > 16384 ORDER BY 1",
        "SELECT oid FROM pg_largeobject_metadata ORDER BY 1",
        "SELECT pg_default_acl::text FROM pg_default_acl ORDER BY 1",
        "SELECT nspname || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1",
        "SELECT datname || coalesce(datacl::text, '') FROM pg_database ORDER BY 1",
        // The broker's own session ends when the server has read that it is closed.
        "SELECT usesysid FROM pg_stat_activity WHERE usename ~ '^hp_' AND usename <> 'hp_broker' OR usename IS NULL AND usesysid IS NOT NULL",
    ];
    questions.iter().flat_map(|question| superuser.ask(question)).collect()
}

/// A server with what a host makes beforehand.
pub(crate) fn prepared() -> (Server, Session) {
    let server = Server::start();
    let superuser = server.superuser();
    superuser.run(SETUP).unwrap();
    superuser.run("CREATE DATABASE other").unwrap();
    if is_16(&superuser) {
        superuser.run(SETUP_FROM_16).unwrap();
    }
    let other = Session::open(&server.config("super", PASSWORD, "other")).unwrap();
    other.run("GRANT CREATE ON SCHEMA public TO hp_reader").unwrap();
    (server, superuser)
}

/// What mints readers there.
pub(crate) fn postgres(server: &Server) -> Postgres {
    postgres_of(&[server])
}

/// What mints readers on that one of several which takes writes.
pub(crate) fn postgres_of(servers: &[&Server]) -> Postgres {
    let mut config = tokio_postgres::Config::new();
    config.user("hp_broker").password(PASSWORD).dbname("postgres");
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    for server in servers {
        config.host("127.0.0.1").port(server.port);
    }
    Postgres::new(config).unwrap().group("hp_reader").connections(4)
}

/// The statement that waits until then: the server's clock tells the time, and tests have no other.
pub(crate) fn until(due: Timestamp) -> String {
    format!(
        "SELECT pg_sleep(greatest(0, extract(epoch FROM '{due}'::timestamptz - clock_timestamp()))::float8 + 0.01)"
    )
}

pub(crate) fn is_16(session: &Session) -> bool {
    session.ask("SELECT current_setting('server_version_num')::int >= 160000") == ["t"]
}
