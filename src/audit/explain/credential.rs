//! A credential that was minted for a grant.

use serde::Serialize;

use crate::audit::{Event, GoneHow, Record};
use crate::clock::Timestamp;

/// A credential that was planned for a call, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedCredential {
    /// What it is called outside.
    pub name: String,
    /// What the catalogue calls it.
    pub credential: String,
    /// Who was to mint it.
    pub provider: String,
    /// The number of the permit that needed it.
    pub of: u64,
    /// The grant that it was for.
    pub grant: String,
    /// When it was planned.
    pub planned: Timestamp,
    /// When the log says that it was minted.
    pub minted: Option<Timestamp>,
    /// When and how it was gone; nothing where it is owed when the log ends.
    pub gone: Option<(Timestamp, GoneHow)>,
}

impl ExplainedCredential {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::CredentialPlanned { grant, of, credential, provider, name, .. } = &record.event
        else {
            return None;
        };
        Some(ExplainedCredential {
            name: name.to_string(),
            credential: credential.to_string(),
            provider: provider.to_string(),
            of: *of,
            grant: grant.to_string(),
            planned: record.at,
            minted: None,
            gone: None,
        })
    }

    /// Follows it by a record that names it.
    pub(super) fn note(&mut self, record: &Record) {
        match &record.event {
            Event::CredentialMinted { .. } => self.minted = Some(record.at),
            Event::CredentialGone { how, .. } => self.gone = Some((record.at, *how)),
            _ => {}
        }
    }
}

/// The name that a record gives a credential by, after it was planned.
pub(super) fn name_of<'r>(event: &'r Event<'_>) -> Option<&'r str> {
    match event {
        Event::CredentialMinted { name, .. }
        | Event::CredentialOwed { name, .. }
        | Event::CredentialWithdrawn { name }
        | Event::CredentialGone { name, .. } => Some(name),
        _ => None,
    }
}
