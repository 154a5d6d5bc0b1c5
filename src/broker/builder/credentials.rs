//! Settings of what tools run with: the vault, and providers that mint.

use std::time::Duration;

use super::BrokerBuilder;
use crate::broker::credentials::TendedBy;
use crate::broker::downstream::Obligation;
use crate::credential::{AsyncCredentialProvider, CredentialProvider, Provider};
use crate::vault::Vault;

/// What tools run with.
impl BrokerBuilder {
    /// The vault with the secrets that tools of the catalogue run with. The broker shares it: what is sealed in it
    /// later is what calls that start from then on run with. Unless one is given, no tool may run with a credential.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// use hallpass::vault::{Secret, Vault};
    ///
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///     tool = [{ name = "db.query", credential = "orders-db" }]
    /// "#)?;
    /// let vault = Vault::new()?;
    /// assert!(Broker::builder(policy.clone()).vault(&vault).build().is_err()); // nothing of that name in it
    /// vault.seal("orders-db", Secret::new("fD3kW9sLq2-fD3kW9sLq2")?)?;
    /// let broker = Broker::builder(policy).vault(&vault).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn vault(mut self, vault: &Vault) -> Self {
        self.sources.vault = Some(vault.clone());
        self
    }

    /// What the broker is called where it mints: 1 to 24 of `a-z 0-9`. Required where there are [providers](Self::provider):
    /// the names of what they mint are `hp_<name>_<id>`. It stays the same over restarts, and no other broker that mints at
    /// the same places has it.
    pub fn name(mut self, name: &str) -> Self {
        self.sources.name = Some(name.into());
        self
    }

    /// Has the credential that the catalogue calls so minted by a provider, for each grant anew, when a tool of it first
    /// runs: see [`credential`](crate::credential).
    pub fn provider(
        mut self,
        credential: &str,
        provider: impl CredentialProvider + 'static,
    ) -> Self {
        self.sources.providers.insert(credential.into(), Provider::blocking(provider).into());
        self
    }

    /// As [`provider`](Self::provider), of one that is asynchronous: its tools are run with
    /// [`run_with_async`](crate::Permit::run_with_async).
    pub fn async_provider(
        mut self,
        credential: &str,
        provider: impl AsyncCredentialProvider + 'static,
    ) -> Self {
        self.sources.providers.insert(credential.into(), Provider::on_runtime(provider).into());
        self
    }

    /// Says that the host calls [`Broker::tend`](crate::Broker::tend) or awaits
    /// [`Broker::tended`](crate::Broker::tended), again and again, for as long as the broker lives. Where there are
    /// providers, either this or [`reaped_every`](Self::reaped_every) has to be said: what is minted has to be withdrawn.
    pub fn tended_by_host(mut self) -> Self {
        self.sources.tended = Some(TendedBy::Host);
        self
    }

    /// Starts a [reaper](crate::Broker::start_reaper) with the broker, which lives as long as it does.
    pub fn reaped_every(mut self, interval: Duration) -> Self {
        self.sources.tended = Some(TendedBy::Reaper(interval));
        self
    }

    /// How long a call waits for another one of the same grant that is minting what both run with, before it is denied:
    /// from a millisecond to five minutes, ten seconds by default.
    pub fn credential_wait(mut self, most: Duration) -> Self {
        self.settings.credential_wait = most;
        self
    }

    /// What gets the [obligations](crate::Broker::obligations) that are left when the last handle of this broker is
    /// dropped, if there are any. Called on the thread that drops it; dropping calls no provider. A log on file that the
    /// next broker [resumes from](Self::resume_from) has them, too.
    pub fn on_owed(mut self, hook: impl Fn(&[Obligation]) + Send + Sync + 'static) -> Self {
        self.on_owed = Some(Box::new(hook));
        self
    }
}
