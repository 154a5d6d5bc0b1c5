//! The provider itself: which server, which groups.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hallpass::credential::{
    AsyncCredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, ProviderFuture,
    Refused, Want, Withdrawn,
};
use hallpass::vault::Secret;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::server::is_here;

/// What connects.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Client, Error>> + Send>>;

type Connect = dyn Fn(Config) -> Connecting + Send + Sync;

/// For how long an attempt to connect, and each statement, may wait.
const CONNECT: Duration = Duration::from_secs(5);

/// Mints roles on one server. Cloning shares it.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) groups: Vec<String>,
    pub(crate) connections: u16,
    pub(crate) standbys: Vec<Config>,
    within: Duration,
    connect: Arc<Connect>,
}

/// Nothing says which role the broker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupError(());

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the configuration names no user, expected the broker's role as in `user=hp_broker`",
        )
    }
}

impl std::error::Error for GroupError {}

impl Postgres {
    /// Of the server that a configuration says, as the role that it says: the broker's.
    ///
    /// # Errors
    /// [`GroupError`] if it names no user: the name of the process's would be taken.
    pub fn new(mut config: Config) -> Result<Postgres, GroupError> {
        if config.get_user().is_none() {
            return Err(GroupError(()));
        }
        config.connect_timeout(CONNECT).application_name("hallpass");
        let inner = Inner {
            config,
            groups: Vec::new(),
            connections: 2,
            standbys: Vec::new(),
            within: Duration::from_secs(10),
            connect: Arc::new(without_tls),
        };
        Ok(Postgres { inner: Arc::new(inner) })
    }

    fn change(self, how: impl FnOnce(&mut Inner)) -> Postgres {
        let mut inner = Inner::clone(&self.inner);
        how(&mut inner);
        Postgres { inner: Arc::new(inner) }
    }

    /// Makes each role a member of this group, in addition to those said before. Without one a role can do
    /// what everybody can.
    #[must_use]
    pub fn group(self, name: &str) -> Postgres {
        self.change(|inner| inner.groups.push(name.to_owned()))
    }

    /// How many connections a role may have at once. Two, unless this is said.
    #[must_use]
    pub fn connections(self, most: u16) -> Postgres {
        self.change(|inner| inner.connections = most.max(1))
    }

    /// How long minting may take. Ten seconds, unless this is said.
    #[must_use]
    pub fn within(self, time: Duration) -> Postgres {
        self.change(|inner| inner.within = time)
    }

    /// A hot standby on which sessions have to be ended, too.
    #[must_use]
    pub fn standby(self, mut config: Config) -> Postgres {
        config.connect_timeout(CONNECT).application_name("hallpass");
        self.change(|inner| inner.standbys.push(config))
    }

    /// Connects in another way than without TLS: to a socket or an address of the loopback nothing else is needed, and to
    /// another machine it is. What is given spawns the connection's own future.
    #[must_use]
    pub fn connecting(
        self,
        connect: impl Fn(Config) -> Connecting + Send + Sync + 'static,
    ) -> Postgres {
        self.change(|inner| inner.connect = Arc::new(connect))
    }
}

/// In the clear where there is no network between. To another machine this asks for TLS, which it does not have, and fails.
fn without_tls(mut config: Config) -> Connecting {
    if !is_here(&config) {
        config.ssl_mode(SslMode::Require);
    }
    Box::pin(async move {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            // What ends it is what the client's next question says.
            let _ = connection.await;
        });
        Ok(client)
    })
}

impl Inner {
    /// A connection on which no statement waits for ever.
    pub(crate) async fn connect(&self, config: &Config) -> Result<Client, Error> {
        let client = (self.connect)(config.clone()).await?;
        client.batch_execute("SET lock_timeout = '5s'; SET statement_timeout = '20s'").await?;
        Ok(client)
    }
}

impl AsyncCredentialProvider for Postgres {
    fn name(&self) -> &str {
        "postgres"
    }

    /// Sessions are ended before the role is, on the standbys that are named, too.
    fn guarantees(&self) -> Guarantees {
        Guarantees::immediate()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        Ok(want.plan(self.inner.within))
    }

    fn mint<'p>(&'p self, plan: &'p Plan) -> ProviderFuture<'p, Result<Minted, MintError>> {
        Box::pin(self.inner.mint(plan))
    }

    fn withdraw<'p>(
        &'p self,
        handle: &'p Handle,
        _: Option<&'p Secret>,
    ) -> ProviderFuture<'p, Withdrawn> {
        Box::pin(self.inner.withdraw(handle))
    }

    fn verify<'p>(&'p self, handle: &'p Handle) -> ProviderFuture<'p, Gone> {
        Box::pin(self.inner.verify(handle))
    }

    fn sweep<'p>(
        &'p self,
        mine: &'p (dyn Fn(&str) -> bool + Send + Sync),
    ) -> ProviderFuture<'p, Vec<Handle>> {
        Box::pin(async move {
            let found = self.inner.named().await.into_iter();
            found.filter(|handle| mine(handle.name())).collect()
        })
    }
}

/// Shows where, and nothing of the password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("hosts", &self.inner.config.get_hosts())
            .field("user", &self.inner.config.get_user())
            .field("groups", &self.inner.groups)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        text.parse().unwrap()
    }

    #[test]
    fn what_names_no_user_is_refused_and_no_connection_is_waited_for_without_end() {
        assert_eq!(Postgres::new(config("host=127.0.0.1")).err(), Some(GroupError(())));
        let own = Postgres::new(config("host=127.0.0.1 user=hp_broker connect_timeout=600"));
        let own = own.unwrap().standby(config("host=127.0.0.2 user=hp_broker")).connections(0);
        for config in own.inner.standbys.iter().chain([&own.inner.config]) {
            assert_eq!(config.get_connect_timeout(), Some(&CONNECT));
        }
        assert_eq!(own.inner.connections, 1, "with none the role would be of no use");
    }

    #[test]
    fn no_password_is_shown() {
        let own = Postgres::new(config("host=127.0.0.1 user=hp_broker password=s3cret"));
        let shown = format!("{:?}", crate::BlockingPostgres::new(own.unwrap().group("hp_reader")));
        assert!(shown.contains("hp_broker") && shown.contains("hp_reader"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains(&format!("{:?}", b's')), "{shown}");
    }
}
