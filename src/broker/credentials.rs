//! Where what tools run with comes from.

use std::sync::Arc;

use crate::denial::{Denial, Reason};
use crate::policy::Policy;
use crate::vault::{Sealed, Secret, Secrets, Vault};

/// A tool of the catalogue runs with a credential that the broker has no source for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tool `{tool}` runs with the credential `{name}`, which this broker has no source for: seal it in the \
     vault given to `BrokerBuilder::vault`"
)]
#[non_exhaustive]
pub struct MissingCredential {
    /// The tool.
    pub tool: Box<str>,
    /// The credential.
    pub name: Box<str>,
}

/// The sources of credentials that a broker was built with.
#[derive(Default)]
pub(crate) struct Sources {
    pub(super) vault: Option<Vault>,
}

/// What one call is to run with: sealed as the task keeps it, and in the clear for the tool.
pub(super) struct Unsealed {
    pub(super) secrets: Secrets,
    pub(super) sealed: Vec<Arc<Sealed>>,
}

impl Sources {
    /// Whether there is a source for each credential that the catalogue names.
    pub(super) fn check(&self, policy: &Policy) -> Result<(), MissingCredential> {
        let missing = policy.0.catalogue.credentials().filter_map(|(tool, names)| {
            let name = names.iter().find(|name| !self.has(name))?;
            Some((tool, name))
        });
        // Of several always the same: tools are in no order.
        match missing.min() {
            Some((tool, name)) => Err(MissingCredential { tool: tool.into(), name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Whether any call may run with a secret: where there is no source, no result is searched for one.
    pub(super) fn any(&self) -> bool {
        self.vault.is_some()
    }

    fn has(&self, name: &str) -> bool {
        self.vault.as_ref().is_some_and(|vault| vault.holds(name))
    }

    /// Unseals what a call is about to run with. Called with no lock held.
    pub(super) fn unseal(&self, names: &[Box<str>]) -> Result<Unsealed, Denial> {
        let mut secrets = Vec::with_capacity(names.len());
        let mut kept = Vec::with_capacity(names.len());
        for name in names {
            let (sealed, secret) = self.unseal_one(name)?;
            secrets.push((sealed.name().clone(), secret));
            kept.push(sealed);
        }
        Ok(Unsealed { secrets: Secrets::new(secrets), sealed: kept })
    }

    fn unseal_one(&self, name: &str) -> Result<(Arc<Sealed>, Secret), Denial> {
        let unavailable = |why| {
            Denial::new(Reason::CredentialUnavailable).because(format_args!("`{name}`: {why}"))
        };
        let sealed = self.vault.as_ref().and_then(|vault| vault.find(name));
        let sealed = sealed.ok_or_else(|| unavailable("it was taken out of the vault"))?;
        let secret = sealed.unseal().ok_or_else(|| unavailable("it can't be unsealed"))?;
        Ok((sealed, secret))
    }
}

/// The denial of a call that would run without what its tool runs with.
pub(super) fn would_run_without(names: &[Box<str>]) -> Denial {
    Denial::new(Reason::NeedsCredential).because(format_args!(
        "it runs with {}, expected `run_with` or `run_with_async`",
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    ))
}
