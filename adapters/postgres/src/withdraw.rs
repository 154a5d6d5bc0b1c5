//! Taking a role away: each step can be repeated, and what the server has is how far it got.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use hallpass::credential::{Handle, Withdrawn};
use tokio_postgres::{Client, Config};

use crate::provider::Inner;
use crate::server::{Version, oid_in, oid_of, quoted, told};

/// How long one withdrawal may take before it is tried again from its first step.
const LONGEST: Duration = Duration::from_secs(60);

/// When it makes sense to try again.
const LATER: Duration = Duration::from_secs(1);

/// How often sessions are ended before the rest is left to the next attempt.
const ROUNDS: u32 = 20;

/// How long one that is logging in has until the next round.
const PAUSE: Duration = Duration::from_millis(20);

impl Inner {
    pub(crate) async fn withdraw(&self, handle: &Handle) -> Withdrawn {
        match tokio::time::timeout(LONGEST, self.take_away(handle)).await {
            Ok(Ok(withdrawn)) => withdrawn,
            Ok(Err(why)) => Withdrawn::retry(LATER, why),
            Err(_) => Withdrawn::retry(LATER, "the server did not answer in time"),
        }
    }

    async fn take_away(&self, handle: &Handle) -> Result<Withdrawn, String> {
        let client = self.connect(&self.config).await.map_err(|error| told(&error))?;
        let (name, known) = (handle.name(), oid_in(handle.detail()));
        let there = oid_of(&client, name).await.map_err(|error| told(&error))?;
        let Some(oid) = there.or(known) else { return Ok(Withdrawn::Already) };
        if let (Some(there), Some(known)) = (there, known)
            && there != known
        {
            return Err(format!("a role of this name has the number {there}, expected {known}"));
        }
        if there.is_some() {
            let version = Version::of(&client).await?;
            let (role, with) = (quoted(name), version.membership());
            // No login from here on; and a member of it can end its sessions.
            let begin = format!("GRANT {role} TO CURRENT_USER{with}; ALTER ROLE {role} NOLOGIN");
            client.batch_execute(&begin).await.map_err(|error| told(&error))?;
        }
        end_sessions(&client, oid).await?;
        for standby in &self.standbys {
            let standby = self.connect(standby).await.map_err(|error| told(&error))?;
            end_sessions(&standby, oid).await.map_err(|why| format!("on a standby: {why}"))?;
        }
        if there.is_none() {
            return Ok(Withdrawn::Already);
        }
        self.drop_role(&client, name, oid).await?;
        Ok(Withdrawn::Done)
    }

    async fn drop_role(&self, client: &Client, name: &str, oid: u32) -> Result<(), String> {
        let prepared = prepared(client, name).await?;
        if !prepared.is_empty() {
            return Err(format!(
                "it has prepared transactions, which only a superuser can roll back: {}",
                prepared.join(", ")
            ));
        }
        let role = quoted(name);
        for database in self.databases(client, oid).await? {
            let mut config: Config = self.config.clone();
            config.dbname(&database);
            let own = self.connect(&config).await;
            let own = own.map_err(|error| format!("in {database}: {}", told(&error)))?;
            // Never `REASSIGN OWNED`: its functions would run as who got them.
            let dropped = own.batch_execute(&format!("DROP OWNED BY {role}")).await;
            dropped.map_err(|error| format!("in {database}: {}", told(&error)))?;
        }
        let dropped = client.batch_execute(&format!("DROP ROLE {role}")).await;
        dropped.map_err(|error| told(&error))
    }

    /// The databases in which the role owns something or was granted a right, and the one that all share.
    async fn databases(&self, client: &Client, oid: u32) -> Result<BTreeSet<String>, String> {
        let rows = client
            .query(
                "SELECT datname::text FROM pg_database WHERE datname = current_database() OR oid IN \
                 (SELECT dbid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1)",
                &[&oid],
            )
            .await;
        let rows = rows.map_err(|error| told(&error))?;
        rows.iter().map(|row| row.try_get(0).map_err(|error| told(&error))).collect()
    }
}

/// Ends the sessions of a role by its number, which they keep whatever they set, until there are none.
async fn end_sessions(client: &Client, oid: u32) -> Result<(), String> {
    const END: &str =
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usesysid = $1";
    until_none(move || async move {
        let ended = client.query(END, &[&oid]).await;
        ended.map(|ended| ended.len()).map_err(|error| told(&error))
    })
    .await
}

/// Asks how many were ended until there are none, and once more for one that was logging in.
async fn until_none<F>(mut end: impl FnMut() -> F) -> Result<(), String>
where
    F: Future<Output = Result<usize, String>>,
{
    let mut none = 0;
    for _ in 0..ROUNDS {
        none = if end().await? == 0 { none + 1 } else { 0 };
        if none == 2 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err("its sessions are ended and come again".to_owned())
}

/// The transactions that a role has prepared, and in which databases.
pub(crate) async fn prepared(client: &Client, name: &str) -> Result<Vec<String>, String> {
    let rows = client
        .query("SELECT gid, database::text FROM pg_prepared_xacts WHERE owner::text = $1", &[&name])
        .await;
    let rows = rows.map_err(|error| told(&error))?;
    let one = |row: &tokio_postgres::Row| {
        let (gid, database): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(format!("{gid} in {database}"))
    };
    rows.iter().map(|row| one(row).map_err(|error: tokio_postgres::Error| told(&error))).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// How it ends where each round ends this many sessions, how many rounds there were, and how long they took.
    async fn rounds(mut ended: impl FnMut(u32) -> usize) -> (Result<(), String>, u32, Duration) {
        let from = tokio::time::Instant::now();
        let rounds = RefCell::new(0);
        let result = until_none(|| {
            *rounds.borrow_mut() += 1;
            std::future::ready(Ok(ended(*rounds.borrow())))
        });
        (result.await, rounds.take(), from.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_are_ended_until_two_rounds_in_a_row_have_found_none() {
        let found = |all: &'static [usize]| rounds(move |round| all[round as usize - 1]);
        assert_eq!(found(&[0, 0]).await, (Ok(()), 2, PAUSE));
        assert_eq!(found(&[3, 0, 0]).await, (Ok(()), 3, 2 * PAUSE));
        assert_eq!(found(&[0, 1, 0, 1, 0, 0]).await, (Ok(()), 6, 5 * PAUSE));
        for every in [1, 2] {
            let (result, rounds, took) = rounds(|round| (round % every == 0).into()).await;
            assert!(result.is_err(), "every {every} rounds one comes");
            assert_eq!((rounds, took), (ROUNDS, ROUNDS * PAUSE));
        }
        let asked = until_none(|| std::future::ready(Err("it is down".to_owned()))).await;
        assert_eq!(asked, Err("it is down".to_owned()));
    }
}
