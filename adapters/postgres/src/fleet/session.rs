//! One session of the server: what is said when it begins, and a question at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Error, Row, Statement};

use super::counters::counters_of;
use super::rows::{snapshot_of, to_bigint, version_of};
use super::settings::{Messages, Settings};
use super::verb::{Answer, Verb};
use crate::server::{quoted, told};

/// The oldest version of the functions that has what is called here.
const VERSION: i32 = 2;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The server refused, and the session goes on.
    Refused(String),
    /// The session is over.
    Over(String),
}

impl Failed {
    pub(super) fn why(self) -> String {
        match self {
            Failed::Refused(why) | Failed::Over(why) => why,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        match error.as_db_error() {
            Some(own) if own.parsed_severity() == Some(Severity::Error) => {
                Failed::Refused(told(&error))
            }
            _ => Failed::Over(told(&error)),
        }
    }
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed::Refused(why)
    }
}

/// Dropping it closes its connection, without a word to a question that is under way.
pub(super) struct Session {
    client: Client,
    tenant: Box<str>,
    fleet: Box<str>,
    read: Statement,
    append: Statement,
    write: Statement,
    counters: Statement,
    count: Statement,
    /// Whether the server has warned of something since the last question began.
    warned: Arc<AtomicBool>,
    _driver: Driver,
}

/// What drives a connection: left to itself, it would wait until everything that was asked is answered.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// Begins one, which calls `news` with the number of each new entry that it is told of, and `lost` once it is over.
    pub(super) async fn begin(
        settings: &Settings,
        news: impl Fn(u64) + Send + 'static,
        lost: impl FnOnce() + Send + 'static,
    ) -> Result<Session, Failed> {
        let (client, messages) = (settings.connect)(settings.config.clone()).await?;
        let warned = Arc::new(AtomicBool::new(false));
        let driver = Driver(tokio::spawn(drive(messages, warned.clone(), news, lost)));
        // What takes too long is stopped before it commits: a commit is under no such limit.
        let limit = settings.within.as_millis();
        let replicated = if settings.replicated { "on" } else { "off" };
        client
            .batch_execute(&format!(
                "SET statement_timeout = {limit}; SET synchronous_commit = 'on'; \
                 SET default_transaction_isolation = 'read committed'; \
                 SET hallpass.replicated = '{replicated}'"
            ))
            .await?;
        let version: Option<i32> = one(&client, "SELECT hallpass.store_version()", &[]).await?;
        if version.is_none_or(|version| version < VERSION) {
            let found = version.unwrap_or_default();
            return Err(Failed::Over(format!(
                "the store's schema has version {found}, expected {VERSION} or later: run `FLEET_SCHEMA`"
            )));
        }
        let (tenant, fleet) = (settings.tenant.clone(), settings.fleet.clone());
        if settings.listens {
            let channel = "SELECT hallpass.channel($1, $2)";
            let channel: String = one(&client, channel, &[&&*tenant, &&*fleet]).await?;
            client.batch_execute(&format!("LISTEN {}", quoted(&channel))).await?;
        }
        let read = client.prepare("SELECT * FROM hallpass.read($1, $2, $3)").await?;
        let append = "SELECT hallpass.append($1, $2, $3, $4, $5, $6, $7, $8)";
        let append = client.prepare(append).await?;
        let write = "SELECT * FROM hallpass.write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let write = client.prepare(write).await?;
        let counters = client.prepare("SELECT * FROM hallpass.counters($1, $2, $3)").await?;
        let count = client.prepare("SELECT hallpass.count($1, $2, $3, $4, $5, $6)").await?;
        let _driver = driver;
        Ok(Session { client, tenant, fleet, read, append, write, counters, count, warned, _driver })
    }

    /// Asks one question. The answer is whole once the server is ready for the next one, which is after the commit.
    pub(super) async fn ask(&self, verb: &Verb) -> Result<Answer, Failed> {
        self.warned.store(false, Ordering::SeqCst);
        let answer = match verb {
            Verb::Read { after } => {
                let rows = self.query(&self.read, &[&to_bigint(*after)?]).await?;
                Answer::Read(snapshot_of(&rows)?.1)
            }
            Verb::Append { entry, over } => {
                let (number, over_number) = (to_bigint(entry.number)?, to_bigint(over.number)?);
                let (id, digest) = (&entry.id[..], &entry.digest[..]);
                let (bytes, over_digest) = (&*entry.bytes, &over.digest[..]);
                let values: [&(dyn ToSql + Sync); 6] =
                    [&number, &id, &digest, &bytes, &over_number, &over_digest];
                match self.query(&self.append, &values).await {
                    Ok(rows) => Answer::Appended(the_only::<bool>(&rows)?),
                    // An entry of this id, or of this number, is there already.
                    Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                        Answer::Appended(false)
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Verb::Write { row, over, after } => {
                let (name, incarnation) = (&*row.name, &row.incarnation[..]);
                let (counter, state, bytes) =
                    (to_bigint(row.counter)?, row.state.as_str(), &*row.bytes);
                let (over_incarnation, over_counter, over_state) = version_of(over.as_ref())?;
                let after = to_bigint(*after)?;
                let values: [&(dyn ToSql + Sync); 9] = [
                    &name,
                    &incarnation,
                    &counter,
                    &state,
                    &bytes,
                    &over_incarnation,
                    &over_counter,
                    &over_state,
                    &after,
                ];
                let rows = self.query(&self.write, &values).await?;
                let (written, mut snapshot) = snapshot_of(&rows)?;
                let written = written.ok_or_else(|| "the answer tells nothing of it".to_owned())?;
                if written {
                    snapshot.rows = vec![row.clone()];
                }
                Answer::Written(written, snapshot)
            }
            Verb::Counters { keys } => {
                let bytes: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                let rows = self.query(&self.counters, &[&bytes]).await?;
                let (now, counters) = counters_of(&rows, keys)?;
                Answer::Counters(now, counters)
            }
            Verb::Count { changes } => {
                let keys: Vec<&[u8]> = changes.iter().map(|change| &change.key[..]).collect();
                let versions: Vec<Option<i64>> =
                    changes.iter().map(|change| change.version).collect();
                let rows = || changes.iter().map(|change| change.row.as_ref());
                let bytes: Vec<Option<&[u8]>> =
                    rows().map(|row| row.map(|row| &*row.bytes)).collect();
                let past: Vec<Option<i64>> =
                    rows().map(|row| Some(row?.past?.unix_millis())).collect();
                let values: [&(dyn ToSql + Sync); 4] = [&keys, &versions, &bytes, &past];
                match self.query(&self.count, &values).await {
                    Ok(_) => Answer::Counted(true),
                    // Rolled back for certain: another was faster.
                    Err(error) if error.code().is_some_and(is_conflict) => Answer::Counted(false),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        // A warning at a commit says that it may not be on the standby: it may be undone.
        match self.warned.load(Ordering::SeqCst) {
            true => Err(Failed::Refused("the server warned while it committed".into())),
            false => Ok(answer),
        }
    }

    /// Rows up to the end: the last word of the server's, not the first, is the commit's.
    async fn query(
        &self,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let (tenant, fleet) = (&*self.tenant, &*self.fleet);
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &fleet];
        all.extend_from_slice(values);
        self.client.query(statement, &all).await
    }
}

/// Drives a connection until it is over, and takes what the server says by itself.
async fn drive(
    mut messages: Messages,
    warned: Arc<AtomicBool>,
    news: impl Fn(u64),
    lost: impl FnOnce(),
) {
    while let Some(Ok(message)) = std::future::poll_fn(|context| messages(context)).await {
        match message {
            AsyncMessage::Notice(notice) if is_warning(notice.parsed_severity()) => {
                warned.store(true, Ordering::SeqCst);
            }
            AsyncMessage::Notification(told) => {
                if let Ok(number) = told.payload().parse() {
                    news(number);
                }
            }
            _ => {}
        }
    }
    lost();
}

fn is_conflict(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
}

/// A severity in words that are not known may be one.
fn is_warning(severity: Option<Severity>) -> bool {
    let harmless = [Severity::Debug, Severity::Info, Severity::Log, Severity::Notice];
    severity.is_none_or(|severity| !harmless.contains(&severity))
}

async fn one<T: for<'r> tokio_postgres::types::FromSql<'r>>(
    client: &Client,
    question: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<T, Failed> {
    let rows = client.query(question, values).await?;
    Ok(the_only(&rows)?)
}

fn the_only<T: for<'r> tokio_postgres::types::FromSql<'r>>(rows: &[Row]) -> Result<T, String> {
    let [row] = rows else { return Err(format!("{} rows, expected one", rows.len())) };
    row.try_get(0).map_err(|error| error.to_string())
}
