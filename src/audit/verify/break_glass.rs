//! Whether what breaking the glass gave was used and reviewed as it may be: by one who owes no review that
//! refuses it, marked, neither renewed nor delegated, and looked at by somebody else, once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use crate::approval::name::Names;
use crate::audit::{BrokenGlass, Event, GrantShortened, Record};
use crate::clock::Timestamp;

/// The uses of the emergency path so far, as far as anything can still be said of them.
#[derive(Default)]
pub(super) struct Emergencies {
    /// The grants of tasks that have not ended, with their tasks.
    grants: BTreeMap<String, u64>,
    /// Permits on them without an outcome.
    permits: BTreeSet<u64>,
    /// The reviews that are owed, by grant.
    debts: BTreeMap<String, Debt>,
}

struct Debt {
    names: Names,
    due: Timestamp,
    refuses_while_open: bool,
}

impl Emergencies {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::BrokenGlass(BrokenGlass {
                grant,
                generation,
                who,
                aliases,
                due,
                refuses_while_open,
                ..
            }) => {
                let names = folded(who, aliases);
                let (due, refuses_while_open) = (*due, *refuses_while_open);
                let refuses = |own: &Debt| {
                    own.refuses_while_open || refuses_while_open || record.at >= own.due
                };
                let person = names.clone().linked_by(self.debts.values().map(|own| &own.names));
                let theirs = |own: &Debt| own.names.meet(&person);
                if self.debts.values().any(|own| theirs(own) && refuses(own)) {
                    return Err(Fault::ReviewOwed { seq });
                }
                if self.grants.insert(grant.to_string(), *generation).is_some() {
                    return Err(Fault::GlassUnmarked { seq });
                }
                self.debts.insert(grant.to_string(), Debt { names, due, refuses_while_open });
            }
            Event::AlertFailed { grant, given: false, .. } => {
                self.debts.remove(&**grant);
            }
            Event::DebtClosed { grant, who, aliases, refused: None, .. } => {
                let debt = self.debts.remove(&**grant).ok_or(Fault::NoDebt { seq })?;
                if folded(who, aliases).meet(&debt.names) {
                    return Err(Fault::OwnReview { seq });
                }
            }
            Event::Granted { grant, parent, .. } => {
                let of_glass = |id: &Cow<'_, str>| self.grants.contains_key(&**id);
                if of_glass(grant) || parent.as_ref().is_some_and(of_glass) {
                    return Err(Fault::GlassUnmarked { seq });
                }
            }
            Event::Permitted { grant, break_glass, .. } => {
                if self.grants.contains_key(&**grant) != *break_glass {
                    return Err(Fault::GlassUnmarked { seq });
                }
                if *break_glass {
                    self.permits.insert(seq);
                }
            }
            Event::Starting { of, break_glass, .. }
                if self.permits.contains(of) != *break_glass =>
            {
                return Err(Fault::GlassUnmarked { seq });
            }
            Event::Outcome { of, break_glass, .. } if self.permits.remove(of) != *break_glass => {
                return Err(Fault::GlassUnmarked { seq });
            }
            Event::GrantEnded { grant, break_glass, .. }
            | Event::GrantShortened(GrantShortened { grant, break_glass, .. })
                if self.grants.contains_key(&**grant) != *break_glass =>
            {
                return Err(Fault::GlassUnmarked { seq });
            }
            Event::Ended { generation, .. } => self.grants.retain(|_, own| own != generation),
            _ => {}
        }
        Ok(())
    }
}

fn folded(who: &str, aliases: &[Cow<'_, str>]) -> Names {
    Names::of(aliases.iter().map(|alias| &**alias).chain([who]))
}

#[cfg(test)]
mod tests;
