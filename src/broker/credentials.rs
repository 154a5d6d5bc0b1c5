//! Where what tools run with comes from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::reload_error::ReloadError;
use crate::clock::format_duration;
use crate::credential::{Provider, is_broker_name};
use crate::denial::{Denial, Reason};
use crate::grant::Stamp;
use crate::policy::{Catalogue, Policy};
use crate::vault::{Sealed, Secret, Vault};

/// Providers of credentials that a broker can't be built with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// What they mint would have no name.
    #[error(
        "`BrokerBuilder::name` is {}, expected 1 to 24 of `a-z 0-9`: what providers mint carries it",
        given.as_deref().map_or("not said".to_owned(), |name| format!("`{name}`"))
    )]
    Name {
        /// What was given.
        given: Option<Box<str>>,
    },
    /// Nothing would withdraw what they mint.
    #[error(
        "nothing withdraws what providers mint: say `reaped_every`, or `tended_by_host` and call `Broker::tend`"
    )]
    Untended,
    /// The reaper has no runtime to poll its futures on.
    #[error(
        "the provider of `{credential}` is asynchronous, which the reaper can't drive: say `tended_by_host` and \
         await `Broker::tended`"
    )]
    NotByReaper {
        /// What the catalogue calls what it mints.
        credential: Box<str>,
    },
    /// The same name would mean either.
    #[error(
        "the credential `{credential}` has both a provider and a secret in the vault, expected one of them"
    )]
    TwoSources {
        /// What the catalogue calls it.
        credential: Box<str>,
    },
}

/// The sources of credentials that a broker was built with.
#[derive(Default)]
pub(crate) struct Sources {
    pub(super) vault: Option<Vault>,
    /// By what the catalogue calls what they mint.
    pub(super) providers: BTreeMap<Box<str>, Arc<Provider>>,
    /// What the broker is called in the names of what they mint.
    pub(super) name: Option<Box<str>>,
    pub(super) tended: Option<TendedBy>,
}

/// What withdraws what was minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TendedBy {
    Host,
    Reaper(Duration),
}

impl Sources {
    /// Whether there is a source for each credential that the catalogue names.
    pub(super) fn check(&self, policy: &Policy) -> Result<(), ReloadError> {
        let missing = policy.0.catalogue.credentials().filter_map(|(tool, names)| {
            let name = names.iter().find(|name| !self.has(name))?;
            Some((tool, name))
        });
        // Of several always the same: tools are in no order.
        match missing.min() {
            Some((tool, name)) => {
                Err(ReloadError::Credential { tool: tool.into(), name: name.clone() })
            }
            None => Ok(()),
        }
    }

    /// Whether what providers mint can be named and will be withdrawn.
    pub(super) fn check_providers(&self) -> Result<(), ProviderError> {
        if self.providers.is_empty() {
            return Ok(());
        }
        if !self.name.as_deref().is_some_and(is_broker_name) {
            return Err(ProviderError::Name { given: self.name.clone() });
        }
        for (credential, provider) in &self.providers {
            let credential = credential.clone();
            if self.vault.as_ref().is_some_and(|vault| vault.holds(&credential)) {
                return Err(ProviderError::TwoSources { credential });
            }
            if matches!(self.tended, Some(TendedBy::Reaper(_))) && !provider.blocks() {
                return Err(ProviderError::NotByReaper { credential });
            }
        }
        self.tended.map(|_| ()).ok_or(ProviderError::Untended)
    }

    /// Whether any call may run with a secret: where there is no source, no result is searched for one.
    pub(super) fn any(&self) -> bool {
        self.vault.is_some() || !self.providers.is_empty()
    }

    fn has(&self, name: &str) -> bool {
        self.provider(name).is_some() || self.vault.as_ref().is_some_and(|vault| vault.holds(name))
    }

    /// What mints the credential of this name.
    pub(super) fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.get(name)
    }

    /// Whether access to a tool on these stamps, given for `ttl`, ends as soon as they accept: the tightest `tail`
    /// of the rules that cover it, and at once where one says none.
    pub(super) fn check_tail(
        &self,
        catalogue: &Catalogue,
        tool: &str,
        stamps: &[Stamp],
        ttl: Duration,
    ) -> Result<(), Denial> {
        if self.providers.is_empty() {
            return Ok(());
        }
        let accepted = tail_of(stamps);
        for name in catalogue.credentials_of(tool) {
            let Some(provider) = self.provider(name) else { continue };
            let (guarantees, by) = (provider.guarantees(), provider.name());
            let refused = |what: String| {
                let text = format!("`{tool}` runs with `{name}` of the provider `{by}`: {what}");
                Err(Denial::new(Reason::TailTooLong).because(text))
            };
            match guarantees.tail() {
                None => return refused("nothing bounds how long its sessions go on".to_owned()),
                Some(tail) if tail > accepted => {
                    return refused(format!(
                        "it may go on for {} after the end, expected at most {}, which is what \
                         `grant.tail` of the rules accepts",
                        format_duration(tail),
                        format_duration(accepted)
                    ));
                }
                Some(_) => {}
            }
            let life = guarantees.longest_life(accepted).unwrap_or(ttl);
            if guarantees.least_life() > life {
                return refused(format!(
                    "it lives for at least {}, expected at most {}, which is what the rules give",
                    format_duration(guarantees.least_life()),
                    format_duration(life)
                ));
            }
        }
        Ok(())
    }

    /// Unseals what a call is about to run with. Called with no lock held.
    pub(super) fn unseal(&self, name: &str) -> Result<(Arc<Sealed>, Secret), Denial> {
        let sealed = self.vault.as_ref().and_then(|vault| vault.find(name));
        let sealed = sealed.ok_or_else(|| unavailable(name, "it was taken out of the vault"))?;
        let secret = sealed.unseal().ok_or_else(|| unavailable(name, "it can't be unsealed"))?;
        Ok((sealed, secret))
    }
}

/// How long after its end access on these stamps may go on: the tightest of them, and not at all where one does not
/// say.
pub(super) fn tail_of<'s>(stamps: impl IntoIterator<Item = &'s Stamp>) -> Duration {
    let tails = stamps.into_iter().map(|stamp| stamp.limits.tail.unwrap_or_default());
    tails.min().unwrap_or_default()
}

/// A credential can't be had.
pub(super) fn unavailable(name: &str, why: impl std::fmt::Display) -> Denial {
    Denial::new(Reason::CredentialUnavailable).because(format_args!("`{name}`: {why}"))
}

/// The denial of a call that would run without what its tool runs with.
pub(super) fn would_run_without(names: &[Box<str>]) -> Denial {
    Denial::new(Reason::NeedsCredential).because(format_args!(
        "it runs with {}, expected `run_with` or `run_with_async`",
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    ))
}
