//! Whether what was redeemed had been approved: by others than its asker, in time, and once.

use std::collections::BTreeMap;

use super::Fault;
use crate::audit::{Answered, Event, Outcome, Record};
use crate::clock::Timestamp;

/// How often a permit that never started gives its approval back.
const GIVEN_BACK: u8 = 3;

/// Every question so far of tasks that have not ended.
#[derive(Default)]
pub(super) struct Approvals(BTreeMap<String, Asked>);

struct Asked {
    generation: u64,
    /// Who asked, and all others who can't approve it.
    parties: Vec<String>,
    /// Until when its approval is good, if it is approved.
    good_until: Option<Timestamp>,
    /// The permit that redeemed it.
    redeemed: Option<u64>,
    given_back: u8,
}

impl Approvals {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::Asked { generation, question, who, parties, .. } => {
                let parties = parties.iter().chain([who]).map(|own| own.to_string()).collect();
                let (generation, good_until, redeemed) = (*generation, None, None);
                let asked = Asked { generation, parties, good_until, redeemed, given_back: 0 };
                match self.0.insert(question.to_string(), asked) {
                    None => Ok(()),
                    Some(_) => Err(Fault::NoQuestion { seq }),
                }
            }
            Event::Answered { question, who, answer, refused: None, good_until, .. } => {
                let asked = self.0.get_mut(&**question).ok_or(Fault::NoQuestion { seq })?;
                let own =
                    who.as_ref().is_some_and(|who| asked.parties.iter().any(|own| own == who));
                match answer {
                    Answered::Approve if own => return Err(Fault::OwnApproval { seq }),
                    Answered::Approve | Answered::Confirm => {
                        asked.good_until = good_until.or(asked.good_until);
                    }
                    Answered::Deny | Answered::Cancel => asked.good_until = None,
                }
                Ok(())
            }
            Event::Voided { question, .. } => {
                let asked = self.0.get_mut(&**question).ok_or(Fault::NoQuestion { seq })?;
                asked.good_until = None;
                Ok(())
            }
            Event::Permitted { approvals, generation, .. } => {
                approvals.iter().try_for_each(|id| self.redeem(id, *generation, record))
            }
            Event::Outcome { of, outcome: Outcome::Abandoned, .. } => {
                for asked in self.0.values_mut().filter(|own| own.redeemed == Some(*of)) {
                    if asked.given_back < GIVEN_BACK {
                        asked.given_back += 1;
                        asked.redeemed = None;
                    }
                }
                Ok(())
            }
            Event::Ended { generation, .. } => {
                self.0.retain(|_, asked| asked.generation != *generation);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn redeem(&mut self, id: &str, generation: u64, record: &Record) -> Result<(), Fault> {
        let unsound = Fault::NotApproved { seq: record.seq };
        let asked = self.0.get_mut(id).ok_or(unsound)?;
        let is_good = asked.good_until.is_some_and(|until| record.at < until);
        if !is_good || asked.redeemed.is_some() || asked.generation != generation {
            return Err(unsound);
        }
        asked.redeemed = Some(record.seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
