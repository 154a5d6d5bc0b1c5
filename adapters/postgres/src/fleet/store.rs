//! A fleet's store on a server.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::fleet::{
    CounterKey, CounterRow, Entry, Mark, News, NodeRow, RowVersion, Snapshot, Store, StoreError,
};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use super::counters::count;
use super::line::{CONNECT, Line};
use super::names::{StoreNameError, check_name};
use super::settings::{Settings, connecting_over};
use super::verb::{Answer, Verb, another_answer};
use crate::server::is_here;

/// For how long an answer is waited for, unless it is said: as long as a lease, unless that is said.
const WITHIN: Duration = Duration::from_secs(2);

/// What an answer may be waited for, at the least and at the most.
const LIMITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));

/// A [`Store`] of one fleet of one tenant on a server of PostgreSQL. Clones share it, and its connection.
///
/// A thread of its own keeps the connection, and makes it again when it is lost, until the last clone is dropped. The owner of
/// the schema has run [`FLEET_SCHEMA`](crate::FLEET_SCHEMA) and `hallpass.create_fleet` before.
///
/// ```no_run
/// use hallpass::fleet::Fleet;
/// use hallpass::key::SecretKey;
/// use hallpass::prelude::*;
/// use hallpass_postgres::PostgresStore;
///
/// # fn run(policy: Policy, secret: SecretKey) -> Result<(), Box<dyn std::error::Error>> {
/// // On another machine: `tls` says whom to trust there.
/// let server = "host=/run/postgresql user=hp_node dbname=hallpass".parse()?;
/// let store = PostgresStore::builder(server, "acme-eu", "tools").open()?;
/// let broker = Broker::new(policy)?;
/// let fleet = Fleet::builder("tools", "n1").join(&broker, &secret, store.clone())?;
/// let _tending = fleet.start_tending()?;
/// // Why it has no lease, if it has none.
/// let trouble = store.trouble();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Lines>);

struct Lines {
    /// What renews leases.
    node: Line,
    /// What counts, on a connection of its own from the first counter on: no renewal waits for it.
    counting: Mutex<Option<Arc<Line>>>,
    settings: Settings,
}

/// What a [`PostgresStore`] is opened with.
#[must_use = "a builder does nothing until `open` is called"]
pub struct PostgresStoreBuilder {
    settings: Settings,
}

/// Why a store is not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Of the tenant, or of the fleet.
    Name(StoreNameError),
    /// The configuration names no user: the name of the process's would be taken.
    User,
    /// The configuration leads to another machine, and nothing makes TLS: who is between could leave out what was halted.
    InTheClear,
    /// How long an answer is waited for.
    Within(Duration),
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Name(error) => error.fmt(f),
            OpenError::User => f.write_str(
                "the configuration names no user, expected the nodes' role as in `user=hp_node`",
            ),
            OpenError::InTheClear => f.write_str(
                "the server may be on another machine, expected `tls`, or a socket or an address of the loopback as in \
                 `host=/run/postgresql`",
            ),
            OpenError::Within(time) => {
                write!(f, "`within` is {time:?}, expected 50 milliseconds to a minute")
            }
            OpenError::Thread(error) => write!(f, "the system gave no thread: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Name(error) => Some(error),
            OpenError::Thread(error) => Some(error),
            OpenError::User | OpenError::InTheClear | OpenError::Within(_) => None,
        }
    }
}

impl From<StoreNameError> for OpenError {
    fn from(error: StoreNameError) -> OpenError {
        OpenError::Name(error)
    }
}

impl PostgresStore {
    /// Starts opening the store of this fleet of this tenant, on the server that a configuration says, as the role that it says:
    /// the nodes'. Where the configuration names several hosts, the one that takes writes is used.
    pub fn builder(config: Config, tenant: &str, fleet: &str) -> PostgresStoreBuilder {
        let settings = Settings {
            config,
            tenant: tenant.into(),
            fleet: fleet.into(),
            within: WITHIN,
            listens: true,
            replicated: false,
            has_tls: false,
            connect: connecting_over(NoTls),
        };
        PostgresStoreBuilder { settings }
    }

    /// What went wrong last, if nothing went right since: a server that can't be reached, a schema that is missing, a setting
    /// under which what is committed could be lost. For operators: a node that gets no lease does not say why.
    pub fn trouble(&self) -> Option<String> {
        let counting = self.0.counting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.0.node.trouble().or_else(|| counting?.trouble())
    }

    fn counting(&self) -> Result<Arc<Line>, StoreError> {
        let mut counting = self.0.counting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = &*counting {
            return Ok(line.clone());
        }
        let settings = Settings { listens: false, ..self.0.settings.clone() };
        let line = Arc::new(Line::start(settings).map_err(StoreError::new)?);
        *counting = Some(line.clone());
        Ok(line)
    }
}

impl PostgresStoreBuilder {
    /// For how long a node waits for an answer, 50 milliseconds to a minute. Then it takes nothing as known, and connects anew.
    /// Two seconds, unless this is said; longer than a lease is of no use.
    pub fn within(mut self, time: Duration) -> Self {
        self.settings.within = time;
        self
    }

    /// Says that another server takes over when this one fails: it gives leases only while `synchronous_standby_names` names
    /// a standby, without which what was acknowledged could be lost with the server.
    pub fn with_standby(mut self) -> Self {
        self.settings.replicated = true;
        self
    }

    /// Connects over TLS, or over what else is given, whatever `sslmode` says: a server that does not offer it is not connected to.
    /// Without this there is none: that is for sockets and addresses of the loopback alone.
    pub fn tls<T>(mut self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        self.settings.has_tls = true;
        self.settings.connect = connecting_over(tls);
        self
    }

    /// Opens it: what connects is started, and not waited for. A server that is away is tried again until it is there.
    ///
    /// # Errors
    /// [`OpenError`] of a name, of a configuration without a user, of another machine without TLS, and of a time.
    pub fn open(self) -> Result<PostgresStore, OpenError> {
        let mut settings = self.settings;
        check_name("tenant", &settings.tenant)?;
        check_name("fleet", &settings.fleet)?;
        if settings.config.get_user().is_none() {
            return Err(OpenError::User);
        }
        if !(LIMITS.0..=LIMITS.1).contains(&settings.within) {
            return Err(OpenError::Within(settings.within));
        }
        match settings.has_tls {
            // What is preferred alone is given up for who says that there is none.
            true => drop(settings.config.ssl_mode(SslMode::Require)),
            false if is_here(&settings.config) => {}
            false => return Err(OpenError::InTheClear),
        }
        settings
            .config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(settings.within)
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .application_name("hallpass");
        let node = Line::start(settings.clone()).map_err(OpenError::Thread)?;
        Ok(PostgresStore(Arc::new(Lines { node, counting: Mutex::new(None), settings })))
    }
}

impl Store for PostgresStore {
    fn on_news(&self, news: News) {
        self.0.node.add_news(news);
    }

    fn read(&self, after: u64) -> Result<Snapshot, StoreError> {
        match self.0.node.ask(Verb::Read { after })? {
            Answer::Read(snapshot) => Ok(snapshot),
            _ => Err(another_answer()),
        }
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        match self.0.node.ask(Verb::Append { entry: entry.clone(), over: *over })? {
            Answer::Appended(done) => Ok(done),
            _ => Err(another_answer()),
        }
    }

    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        match self.0.node.ask(Verb::Write { row: row.clone(), over: over.copied(), after })? {
            Answer::Written(done, snapshot) => Ok((done, snapshot)),
            _ => Err(another_answer()),
        }
    }

    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        count(&*self.counting()?, keys, change)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("trouble", &self.trouble()).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("tenant", &self.settings.tenant)
            .field("fleet", &self.settings.fleet)
            .field("within", &self.settings.within)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn builder(config: &str) -> PostgresStoreBuilder {
        PostgresStore::builder(config.parse().unwrap(), "acme", "acme")
    }

    #[test]
    fn a_server_of_another_machine_is_not_connected_to_in_the_clear() {
        for host in ["db.acme.test", "10.0.0.1", "localhost", "127.0.0.1 hostaddr=10.0.0.1"] {
            let opened = builder(&format!("host={host} user=hp_node")).open();
            assert!(matches!(opened, Err(OpenError::InTheClear)), "{host}");
        }
        assert!(builder("host=127.0.0.1 port=1 user=hp_node").open().is_ok());
    }

    /// Who is between could say that the server has no TLS.
    #[test]
    fn tls_is_not_given_up_for_a_server_that_says_it_has_none() {
        for mode in ["disable", "prefer", "require"] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let config = format!("host=127.0.0.1 port={port} user=hp_node sslmode={mode}");
            let _store = builder(&config).tls(NoTls).open().unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 8];
            stream.read_exact(&mut asked).unwrap();
            assert_eq!(
                asked,
                [0, 0, 0, 8, 4, 210, 22, 47],
                "it asks for TLS before it says who it is"
            );
            stream.write_all(b"N").unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert!(rest.is_empty(), "{mode}");
        }
    }
}
