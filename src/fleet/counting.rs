//! Limits that span tasks, counted in the store: what a call is charged, and what comes back of it.

use std::sync::Arc;
use std::time::Duration;

use super::keys::FleetKeys;
use super::store::{CounterKey, CounterRow, Store, StoreError};
use crate::args::Args;
use crate::clock::Timestamp;
use crate::contained::contained;
use crate::denial::{Denial, Reason};
use crate::grant::{
    ChargeId, Return, SharedCharge, SharedCounter, SharedCounters, SharedDemand, WaitingReturns,
};
use crate::membership::CountsShared;
use crate::random;
use crate::sync::Deadline;

/// How often the store is asked for one call whose answer is lost.
const TRIES: u32 = 3;

/// For how long a counter knows a charge beyond the time in which its call may start.
const MARGIN: Duration = Duration::from_secs(300);

const TAG: usize = 32;

/// The version of the form in which counters are written.
const VERSION: u8 = 1;

/// What counts the calls of a node in its fleet's store.
pub(super) struct Counting {
    store: Arc<dyn Store>,
    keys: Arc<FleetKeys>,
    waiting: Arc<WaitingReturns>,
    /// For how long the store is asked again.
    patience: Duration,
    /// For how long a counter knows a charge.
    keep: Duration,
}

/// The counters of one transaction: the keys in rising order, each with its place in the demand.
type Keyed = Vec<(CounterKey, usize)>;

impl Counting {
    /// What counts in this store calls that may start for so long, and asks again within that time.
    pub(super) fn new(
        store: Arc<dyn Store>,
        keys: Arc<FleetKeys>,
        patience: Duration,
        startable: Duration,
    ) -> Self {
        let keep = startable.saturating_add(MARGIN);
        Counting { store, keys, waiting: Arc::default(), patience, keep }
    }

    pub(super) fn waiting(&self) -> &WaitingReturns {
        &self.waiting
    }

    /// Tells the store what comes back: how much is left, which is told the next time.
    pub(super) fn give_back(&self) -> usize {
        for _ in 0..self.waiting.coming_back() {
            let returns = self.waiting.take_next();
            let Some(first) = returns.first() else { break };
            let keyed = vec![(Self::key(&self.keys, first.counter()), 0)];
            let told = self.change(&keyed, &[first.counter()], &returns, |_| Ok(Some(())));
            if !matches!(told, Ok(Ok(_))) {
                self.waiting.put_back(returns);
                break;
            }
        }
        self.waiting.coming_back()
    }

    /// Charges a call under this id.
    ///
    /// # Errors
    /// [`StoreError`]: whether it was charged is not known.
    pub(super) fn charge_as(
        &self,
        id: ChargeId,
        demand: &SharedDemand,
        args: &Args,
        returns: &[Return],
    ) -> Result<Result<SharedCharge, Denial>, StoreError> {
        let (names, keyed) = self.keyed(demand);
        let charged = self.change(&keyed, &names, returns, |counters| {
            let mut own = SharedCounters { demand, counters: std::mem::take(counters) };
            let charged = own.charge(id, args, self.keep, &self.waiting);
            *counters = own.counters;
            charged.map(Some)
        })?;
        Ok(charged.and_then(|own| own.ok_or_else(|| unknown("nothing was charged"))))
    }

    fn keyed<'d>(&self, demand: &'d SharedDemand) -> (Vec<(&'d str, &'d str)>, Keyed) {
        let names = demand.counters();
        let mut keyed: Keyed =
            names.iter().enumerate().map(|(at, name)| (Self::key(&self.keys, *name), at)).collect();
        keyed.sort_unstable();
        (names, keyed)
    }

    /// By which key a counter is kept. Names of people are not to be read there.
    pub(super) fn key(keys: &FleetKeys, (who, rule): (&str, &str)) -> CounterKey {
        let length = (who.len() as u64).to_be_bytes();
        keys.counter.sign_parts([b"key", &length[..], who.as_bytes(), rule.as_bytes()])
    }

    /// Changes the counters of these names in one transaction, after what came back. Nothing is written where `then`
    /// changes nothing (`None`, or an error), and nothing came back.
    fn change<T>(
        &self,
        keyed: &Keyed,
        names: &[(&str, &str)],
        returns: &[Return],
        mut then: impl FnMut(&mut Vec<SharedCounter>) -> Result<Option<T>, Denial>,
    ) -> Result<Result<Option<T>, Denial>, StoreError> {
        let keys: Vec<CounterKey> = keyed.iter().map(|(key, _)| *key).collect();
        let mut outcome = None;
        let mut change = |clock: Timestamp, rows: &mut [CounterRow]| {
            outcome = Some(self.read(keyed, rows).and_then(|mut counters| {
                for (counter, name) in counters.iter_mut().zip(names) {
                    counter.pass_to(clock);
                    let own = returns.iter().filter(|own| own.counter() == *name);
                    own.for_each(|own| counter.take(own, self.keep));
                }
                let done = then(&mut counters);
                if !returns.is_empty() || matches!(done, Ok(Some(_))) {
                    self.write(keyed, &counters, rows)?;
                }
                Ok(done)
            }));
        };
        let mut reply = Err(StoreError::new("panicked"));
        contained(|| reply = self.store.count(&keys, &mut change));
        reply?;
        outcome.unwrap_or_else(|| Err(StoreError::new("it had nothing changed")))
    }

    /// The counters that rows tell, in the order of the demand.
    fn read(&self, keyed: &Keyed, rows: &[CounterRow]) -> Result<Vec<SharedCounter>, StoreError> {
        if rows.len() != keyed.len() {
            return Err(StoreError::new("it gave other counters than it was asked for"));
        }
        let mut placed = Vec::with_capacity(keyed.len());
        for ((key, at), row) in keyed.iter().zip(rows) {
            let counter = Self::open(&self.keys, key, row);
            let counter = counter.ok_or_else(|| StoreError::new("no member wrote the counter"));
            placed.push((*at, counter?));
        }
        placed.sort_unstable_by_key(|(at, _)| *at);
        Ok(placed.into_iter().map(|(_, counter)| counter).collect())
    }

    fn write(
        &self,
        keyed: &Keyed,
        counters: &[SharedCounter],
        rows: &mut [CounterRow],
    ) -> Result<(), StoreError> {
        let mut written = Vec::with_capacity(keyed.len());
        for (key, at) in keyed {
            let sealed = counters.get(*at).and_then(|counter| Self::seal(&self.keys, key, counter));
            written.push(sealed.ok_or_else(|| StoreError::new("a counter can't be written"))?);
        }
        // All or none.
        for (row, written) in rows.iter_mut().zip(written) {
            *row = written;
        }
        Ok(())
    }

    pub(super) fn seal(
        keys: &FleetKeys,
        key: &CounterKey,
        counter: &SharedCounter,
    ) -> Option<CounterRow> {
        if counter.is_empty() {
            return Some(CounterRow::default());
        }
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, counter).ok()?;
        let tag = keys.counter.sign_parts([b"row", &key[..], &bytes]);
        bytes.extend_from_slice(&tag);
        Some(CounterRow { bytes, past: counter.past_from() })
    }

    /// The counter that a row tells, if a member wrote it for this key.
    pub(super) fn open(
        keys: &FleetKeys,
        key: &CounterKey,
        row: &CounterRow,
    ) -> Option<SharedCounter> {
        if row.is_empty() {
            return Some(SharedCounter::new());
        }
        let (bytes, tag) = row.bytes.split_last_chunk::<TAG>()?;
        if !keys.counter.verify(&[b"row", &key[..], bytes].concat(), tag) {
            return None;
        }
        let (&VERSION, json) = bytes.split_first()? else { return None };
        serde_json::from_slice(json).ok()
    }
}

impl CountsShared for Counting {
    fn charge(&self, demand: &SharedDemand, args: &Args) -> Result<Arc<SharedCharge>, Denial> {
        let mut id = ChargeId::default();
        random::fill(&mut id).map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;
        let (returns, deadline) = (self.waiting.take_of(demand), Deadline::after(self.patience));
        let mut error = None;
        for _ in 0..TRIES {
            match self.charge_as(id, demand, args, &returns) {
                Ok(Ok(charged)) => return Ok(Arc::new(charged)),
                Ok(Err(denial)) => {
                    if error.is_some() {
                        self.waiting.put_back(Return::of_given_up(id, demand));
                    }
                    return Err(denial);
                }
                Err(own) => error = Some(own),
            }
            if deadline.is_over() {
                break;
            }
        }
        // It may have been charged, or may be yet: either way it comes back.
        self.waiting.put_back(returns);
        self.waiting.put_back(Return::of_given_up(id, demand));
        Err(error.map_or_else(|| unknown("the store was not asked"), unknown))
    }

    fn probe(&self, demand: &SharedDemand, args: &Args) -> Result<(), Denial> {
        let returns = self.waiting.take_of(demand);
        let (names, keyed) = self.keyed(demand);
        let probed = self.change(&keyed, &names, &returns, |counters| {
            let own = SharedCounters { demand, counters: std::mem::take(counters) };
            let probed = own.probe(args);
            *counters = own.counters;
            probed.map(|()| None::<()>)
        });
        match probed {
            Ok(probed) => probed.map(drop),
            Err(error) => {
                self.waiting.put_back(returns);
                Err(unknown(error))
            }
        }
    }
}

fn unknown(why: impl std::fmt::Display) -> Denial {
    Denial::new(Reason::LimitUnknown).because(why)
}
