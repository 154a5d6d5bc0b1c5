//! Whether a log is the one that was written.

mod access;
mod approvals;
mod approved_item;
mod break_glass;
mod credentials;
mod fault;
mod settling;

use std::collections::BTreeSet;

use super::chain::ChainKey;
use super::{Anchor, ChainTag, Event, LogId, Origin, Record};
use crate::key::{KeyId, LogKey, LogKeys};
use access::Access;
use approvals::Approvals;
use break_glass::Emergencies;
use credentials::Credentials;
pub use fault::Fault;
use settling::Settling;

/// Checks a whole log, from its first record: lines and tags in the order in which they are kept.
///
/// The log must be one of the broker that `origin` names. Every line must carry the tag that the chain
/// gives it, under the key that the first record or the last `rekeyed` one names, so `keys` are those
/// there have been. Numbers must run 1, 2, 3, … (a sum of denials stands for the range of numbers that it
/// says, and says how many there were of each reason), and an outcome must belong to one permit before it
/// that has no other. A grant is one of an open task, within its time; a permit is its holder's, under a grant
/// that is live with all that it was delegated from, with a tool that each of them names. A permit that redeems an
/// approval comes after a question about that call and answers of
/// others than its asker that made it complete, and within its time; each approval is used once. A credential is planned
/// for a permit whose outcome is not known, minted after that and for no longer, and gone once it was withdrawn. A task is
/// settled once it has ended, no call of it runs, and each of its credentials is gone or can't be withdrawn. What breaking
/// the glass gave is marked in every record, and neither renewed nor delegated; who breaks it owes no review that
/// refuses that, and each review is of something owed, by another person. With an anchor
/// kept elsewhere since, a cut tail and a log rebuilt by somebody who has the key are seen too; an anchor older
/// than the log is fine.
///
/// # Errors
///
/// The first fault, which names its record.
pub fn verify<'a>(
    lines: impl IntoIterator<Item = (&'a str, ChainTag)>,
    keys: &LogKeys,
    origin: &Origin<'_>,
    anchor: Option<&Anchor>,
) -> Result<Verification, Fault> {
    let mut reading = Reading::new(keys, origin);
    for (line, tag) in lines {
        reading.read(line, tag, anchor)?;
    }
    reading.end(anchor)
}

/// A log that is read up to some record.
pub(super) struct Reading<'k> {
    keys: &'k LogKeys,
    origin: &'k Origin<'k>,
    /// Nothing before the first record.
    chain: Option<Chain>,
    last: Anchor,
    permits: Permits,
    approvals: Approvals,
    credentials: Credentials,
    glass: Emergencies,
    settling: Settling,
    /// Nothing where only what was written is looked at, and not what access was had.
    access: Option<Access>,
}

/// What the first record says, and the key that the next one is under.
struct Chain {
    log: LogId,
    key: ChainKey,
}

impl<'k> Reading<'k> {
    pub(super) fn new(keys: &'k LogKeys, origin: &'k Origin<'k>) -> Self {
        let access = Some(Access::default());
        Reading { access, ..Reading::without_access(keys, origin) }
    }

    /// Does not look at what access was had: so a broker opens its log, which has to go on whatever that was.
    pub(super) fn without_access(keys: &'k LogKeys, origin: &'k Origin<'k>) -> Self {
        let (permits, approvals, credentials, glass, settling) = Default::default();
        let (chain, last, access) = (None, Anchor::OF_NOTHING, None);
        Reading {
            keys,
            origin,
            chain,
            last,
            permits,
            approvals,
            credentials,
            glass,
            settling,
            access,
        }
    }

    /// The number of the last record that was read, and its tag if there is one.
    pub(super) fn stands_at(&self) -> (u64, Option<ChainTag>) {
        (self.last.seq, (self.last.seq > 0).then_some(self.last.tag))
    }

    /// The key that the next record is under; nothing before the first.
    pub(super) fn key(&self) -> Option<&'k LogKey> {
        self.keys.find(self.chain.as_ref()?.key.id())
    }

    /// Reads the next record, and looks whether it is the one that was written, and lawful.
    pub(super) fn read(
        &mut self,
        line: &str,
        tag: ChainTag,
        anchor: Option<&Anchor>,
    ) -> Result<Record, Fault> {
        let record = self.read_intact(line, tag, anchor)?;
        self.judge(&record).map(|()| record)
    }

    /// Whether what a record says was lawful after all before it.
    pub(super) fn judge(&mut self, record: &Record) -> Result<(), Fault> {
        // Each follows the record, whatever another finds.
        let found = [
            self.permits.note(record),
            self.approvals.note(record),
            self.credentials.note(record),
            self.glass.note(record),
            self.settling.note(record),
            self.access.as_mut().map_or(Ok(()), |access| access.note(record)),
        ];
        found.into_iter().collect()
    }

    /// Reads the next record, and looks whether it is the one that was written.
    pub(super) fn read_intact(
        &mut self,
        line: &str,
        tag: ChainTag,
        anchor: Option<&Anchor>,
    ) -> Result<Record, Fault> {
        let seq = self.last.seq + 1;
        if self.chain.is_none() {
            let (chain, genesis) = self.begin(line)?;
            self.chain = Some(chain);
            self.last = genesis;
            check_anchor(self.last, anchor)?;
        }
        let Some(chain) = &mut self.chain else { return Err(Fault::headless(line)) };
        // Before it is decoded as a record: what has no right tag was not written by us.
        if chain.key.next(&self.last.tag, line) != Some(tag) {
            return Err(Fault::suspect(seq, line));
        }
        let record: Record = Record::from_line(line).map_err(|_| Fault::Unreadable { seq })?;
        check_numbers(seq, &record)?;
        match &record.event {
            Event::Rekeyed { key } => chain.key = find(self.keys, key, seq)?,
            Event::LogStarted { .. } if seq > 1 => return Err(Fault::StartedAgain { seq }),
            _ => {}
        }
        self.last = Anchor { seq: record.seq, tag };
        // An anchor is where a record ends. One among the numbers of a sum has seen other records.
        match anchor {
            Some(anchor) if (seq..record.seq).contains(&anchor.seq) => {
                Err(Fault::Rebuilt { seq: anchor.seq })
            }
            anchor => check_anchor(self.last, anchor).map(|()| record),
        }
    }

    /// What was read is all there is.
    pub(super) fn end(self, anchor: Option<&Anchor>) -> Result<Verification, Fault> {
        let Reading { last, chain, permits, credentials, settling, .. } = self;
        match anchor {
            Some(anchor) if anchor.seq > last.seq => {
                Err(Fault::Cut { seq: last.seq + 1, anchored: anchor.seq })
            }
            _ => Ok(Verification {
                log: chain.as_ref().map(|chain| chain.log),
                key: chain.map(|chain| chain.key.id()),
                anchor: last,
                without_outcome: permits.without_outcome(),
                credentials: credentials.standing(),
                unsettled: settling.ended(),
            }),
        }
    }

    /// What the first line claims to begin: its tag, which depends on all of that, says whether it does.
    fn begin(&self, line: &str) -> Result<(Chain, Anchor), Fault> {
        let Ok(Record { seq: 1, event: Event::LogStarted { log, issuer, audience, key }, .. }) =
            serde_json::from_str(line)
        else {
            return Err(Fault::headless(line));
        };
        if (&*issuer, &*audience) != (self.origin.issuer(), self.origin.audience()) {
            return Err(Fault::Foreign);
        }
        let log = log.parse().map_err(|_| Fault::Headless)?;
        let key = find(self.keys, &key, 1)?;
        let genesis = key.genesis(&log, self.origin);
        Ok((Chain { log, key }, genesis))
    }
}

/// The key that record `seq` names.
fn find(keys: &LogKeys, id: &str, seq: u64) -> Result<ChainKey, Fault> {
    let id = KeyId::parse(id).ok_or(Fault::Unreadable { seq })?;
    keys.find(id).map(ChainKey::of).ok_or(Fault::UnknownKey { seq, key: id })
}

/// What a log that verifies amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// The log's id; `None` where it has no record.
    pub log: Option<LogId>,
    /// The key that its next record is under; `None` where it has no record.
    pub key: Option<KeyId>,
    /// Where the log stands; its number is that of the last record.
    pub anchor: Anchor,
    /// Numbers of the permits that have no outcome: calls still running, or a host that died.
    pub without_outcome: Vec<u64>,
    /// Names of the credentials that were planned and are not known to be gone: in use, or owed.
    pub credentials: Vec<Box<str>>,
    /// Generations of the tasks that have ended and are not settled: a call of theirs runs still, or has no outcome since
    /// its host died, or a credential that was planned for one is owed.
    pub unsettled: Vec<u64>,
}

/// Whether a record that was written by us stands for the number `seq`, and for as many after it as it
/// says.
pub(super) fn check_numbers(seq: u64, record: &Record) -> Result<(), Fault> {
    if let Event::Void { from } = record.event {
        return match from == seq && record.seq >= seq {
            true => Ok(()),
            false => Err(Fault::out_of_order(seq, from)),
        };
    }
    let (from, since, summed) = match &record.event {
        Event::Denials { from, since, reasons } => {
            let summed = reasons.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
            (*from, *since, summed)
        }
        Event::DeniedAgain(denials) => (denials.from, denials.since, denials.count),
        _ if record.seq == seq => return Ok(()),
        _ => return Err(Fault::out_of_order(seq, record.seq)),
    };
    if from != seq {
        return Err(Fault::out_of_order(seq, from));
    }
    match record.seq.checked_sub(seq) {
        Some(more) if more.checked_add(1) == Some(summed) && since <= record.at => Ok(()),
        _ => Err(Fault::WrongSum { seq: record.seq, summed }),
    }
}

fn check_anchor(reached: Anchor, anchor: Option<&Anchor>) -> Result<(), Fault> {
    match anchor {
        Some(anchor) if anchor.seq == reached.seq && anchor.tag != reached.tag => {
            Err(Fault::Rebuilt { seq: reached.seq })
        }
        _ => Ok(()),
    }
}

/// How many permits with an outcome are remembered. A second outcome of one that was forgotten is a fault like
/// any other, and is said to be one of no permit.
const REMEMBERED: usize = 65_536;

/// The permits without an outcome, and the last ones with one: what is held does not grow with the log.
#[derive(Default)]
struct Permits {
    open: BTreeSet<u64>,
    done: BTreeSet<u64>,
}

impl Permits {
    fn note(&mut self, record: &Record) -> Result<(), Fault> {
        match record.event {
            Event::Permitted { .. } => {
                self.open.insert(record.seq);
                Ok(())
            }
            Event::Outcome { of, .. } if self.open.remove(&of) => {
                self.done.insert(of);
                if self.done.len() > REMEMBERED {
                    self.done.pop_first();
                }
                Ok(())
            }
            Event::Outcome { of, .. } => match self.done.contains(&of) {
                true => Err(Fault::SecondOutcome { seq: record.seq, of }),
                false => Err(Fault::OutcomeOfNoPermit { seq: record.seq, of }),
            },
            _ => Ok(()),
        }
    }

    fn without_outcome(self) -> Vec<u64> {
        self.open.into_iter().collect()
    }
}

/// As [`verify`], of a log without a head: what tests of the chain and the journal write.
#[cfg(test)]
pub(crate) fn verify_headless<'a>(
    lines: impl IntoIterator<Item = (&'a str, ChainTag)>,
    key: &ChainKey,
    anchor: Option<&Anchor>,
) -> Result<Verification, Fault> {
    let (keys, origin) = (next_keys(), Origin::new("acme", "gate"));
    let mut reading = Reading::without_access(&keys, &origin);
    reading.last = key.start();
    reading.chain = Some(Chain { log: LogId::from_bytes([0; 16]), key: key.again() });
    check_anchor(reading.last, anchor)?;
    for (line, tag) in lines {
        reading.read(line, tag, anchor)?;
    }
    reading.end(anchor)
}

/// What the key of a log without a head may change to.
#[cfg(test)]
pub(crate) fn next_keys() -> LogKeys {
    LogKeys::from_secret(crate::key::SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

#[cfg(test)]
mod tests;
