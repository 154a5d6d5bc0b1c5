//! Whether anything of a role is left, by the server's own catalogue.

use std::time::Duration;

use hallpass::credential::{Gone, Handle};
use tokio_postgres::Client;

use crate::provider::Inner;
use crate::server::{oid_in, oid_of, told};
use crate::withdraw::prepared;

/// How long looking may take.
const LONGEST: Duration = Duration::from_secs(30);

/// What can hang from a role's number, and how it is asked for.
const LEFT: [(&str, &str); 4] = [
    ("the role is there", "SELECT count(*) FROM pg_roles WHERE oid = $1"),
    (
        "objects or rights are left",
        "SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1",
    ),
    (
        "memberships are left",
        "SELECT count(*) FROM pg_auth_members WHERE roleid = $1 OR member = $1",
    ),
    SESSIONS,
];

const SESSIONS: (&str, &str) =
    ("sessions are open", "SELECT count(*) FROM pg_stat_activity WHERE usesysid = $1");

impl Inner {
    pub(crate) async fn verify(&self, handle: &Handle) -> Gone {
        match tokio::time::timeout(LONGEST, self.look_for(handle)).await {
            Ok(Ok(left)) if left.is_empty() => Gone::Gone,
            Ok(Ok(left)) => Gone::still(left.join(", ")),
            Ok(Err(_)) | Err(_) => Gone::Unknown,
        }
    }

    async fn look_for(&self, handle: &Handle) -> Result<Vec<String>, String> {
        let client = self.connect(&self.config).await.map_err(|error| told(&error))?;
        let mut left = Vec::new();
        if oid_of(&client, handle.name()).await.map_err(|error| told(&error))?.is_some() {
            left.push("a role of its name is there".to_owned());
        }
        left.extend(prepared(&client, handle.name()).await?);
        // One that was never known to be there has no number, and could open no session.
        let Some(oid) = oid_in(handle.detail()) else { return Ok(left) };
        for (what, question) in LEFT {
            if count(&client, question, oid).await? > 0 {
                left.push(what.to_owned());
            }
        }
        for standby in &self.standbys {
            let standby = self.connect(standby).await.map_err(|error| told(&error))?;
            if count(&standby, SESSIONS.1, oid).await? > 0 {
                left.push(format!("on a standby: {}", SESSIONS.0));
            }
        }
        Ok(left)
    }

    /// The roles that brokers have minted, whichever broker it was.
    pub(crate) async fn named(&self) -> Vec<Handle> {
        let Ok(client) = self.connect(&self.config).await else { return Vec::new() };
        let named =
            "SELECT rolname::text, oid FROM pg_roles WHERE starts_with(rolname::text, 'hp_')";
        let rows = client.query(named, &[]).await.unwrap_or_default();
        let found = rows.iter().filter_map(|row| {
            let (name, oid): (String, u32) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
            Some(Handle::new(&name, &format!("oid={oid}")))
        });
        found.collect()
    }
}

async fn count(client: &Client, question: &str, oid: u32) -> Result<i64, String> {
    let row = client.query_one(question, &[&oid]).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| told(&error))
}
