//! Whether each credential was planned before it was minted, for a call that was permitted, and withdrawn before it
//! was gone.

use std::collections::BTreeMap;

use super::Fault;
use crate::audit::{Event, GoneHow, Record};
use crate::clock::Timestamp;

/// Every credential that is not gone, and the permits that may have some minted.
#[derive(Default)]
pub(super) struct Credentials {
    /// By name.
    standing: BTreeMap<String, Standing>,
    /// Permits without an outcome: of which task, and of which grant.
    permits: BTreeMap<u64, (u64, String)>,
}

struct Standing {
    generation: u64,
    /// When it has to have expired.
    expires: Timestamp,
    stage: Stage,
    /// Until when it was said to stand, if it can't be withdrawn.
    lasts: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Planned,
    Minted,
    Withdrawn,
}

impl Credentials {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::Permitted { generation, grant, .. } => {
                self.permits.insert(seq, (*generation, grant.to_string()));
            }
            Event::Outcome { of, .. } => {
                self.permits.remove(of);
            }
            Event::CredentialPlanned { generation, grant, of, name, expires, .. } => {
                let permit = self.permits.get(of);
                if permit.is_none_or(|own| (own.0, &*own.1) != (*generation, &**grant)) {
                    return Err(Fault::NotPermitted { seq, of: *of });
                }
                let (stage, lasts) = (Stage::Planned, None);
                let standing =
                    Standing { generation: *generation, expires: *expires, stage, lasts };
                if self.standing.insert(name.to_string(), standing).is_some() {
                    return Err(Fault::NoCredential { seq });
                }
            }
            Event::CredentialMinted { generation, name, expires, refused, .. } => {
                let own = self.find(name, seq)?;
                if own.generation != *generation || own.stage == Stage::Minted {
                    return Err(Fault::NoCredential { seq });
                }
                if refused.is_none() && *expires > own.expires {
                    return Err(Fault::LivesTooLong { seq });
                }
                own.stage = Stage::Minted;
            }
            Event::CredentialOwed { name, until, .. } => {
                let own = self.find(name, seq)?;
                own.lasts = until.or(own.lasts);
            }
            Event::CredentialWithdrawn { name } => {
                self.find(name, seq)?.stage = Stage::Withdrawn;
            }
            Event::CredentialGone { name, how } => {
                let own = self.find(name, seq)?;
                let fits = match how {
                    GoneHow::NeverMinted => own.stage == Stage::Planned,
                    GoneHow::Verified => own.stage == Stage::Withdrawn || own.has_lasted(record.at),
                    GoneHow::Expired => own.has_lasted(record.at),
                };
                if !fits {
                    return Err(Fault::NotWithdrawn { seq });
                }
                self.standing.remove(&**name);
            }
            _ => {}
        }
        Ok(())
    }

    fn find(&mut self, name: &str, seq: u64) -> Result<&mut Standing, Fault> {
        self.standing.get_mut(name).ok_or(Fault::NoCredential { seq })
    }

    /// Their names, of those that are not known to be gone.
    pub(super) fn standing(self) -> Vec<Box<str>> {
        self.standing.into_keys().map(Into::into).collect()
    }
}

impl Standing {
    fn has_lasted(&self, at: Timestamp) -> bool {
        self.lasts.is_some_and(|until| at >= until)
    }
}

#[cfg(test)]
mod tests;
