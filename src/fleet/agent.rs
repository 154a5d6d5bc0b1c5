//! A node of a fleet, as far as it can be said without a store or a clock at hand: what to ask next, at which reading,
//! and what an answer means. The handle drives it with a real store, the simulation with one that loses and delays.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::act::Act;
use super::entry::Entry;
use super::keys::FleetKeys;
use super::mark::Mark;
use super::neighbours::Neighbours;
use super::progress::{Progress, Stage as ActStage};
use super::row::{NodeRow, NodeState, RowVersion, Said};
use super::status::Renewals;
use super::store::{Snapshot, Store, StoreError};
use super::terms::Terms;
use super::wait::Wait;
use crate::clock::Reading;
use crate::random::RandomError;

/// Of how many acts a node's row tells how many calls were running.
const TOLD: usize = 8;

/// How long a node that has nothing to do rests.
const REST: Duration = Duration::from_secs(60);

/// Where random bytes come from.
pub(super) type Random = Box<dyn FnMut(&mut [u8]) -> Result<(), RandomError> + Send>;

/// What applies acts: the node's broker.
pub(super) trait Applies {
    /// Applies an act, through every lock that it concerns, before it returns; how many calls were running that it
    /// stops.
    ///
    /// # Errors
    /// Why this node can't. It gives nothing then.
    fn apply(&self, act: &Act, number: u64) -> Result<u32, Box<str>>;

    /// The fleet gave the node up: its tasks are over.
    fn lost(&self);

    /// Everything that was there at joining is applied.
    fn has_caught_up(&self) {}

    /// Everything up to this number is applied: calls of other nodes' tasks that were permitted before don't start.
    fn note_applied(&self, number: u64);

    /// Records what no member wrote into the store, or that it is another.
    fn note_foreign(&self, _why: &str) {}

    /// An act that had taken effect here before has its number.
    fn is_numbered(&self, act: &Act);

    /// Takes the lease as good from that reading on, for its length.
    fn extend_lease(&self, asked: &Reading);

    fn end_lease(&self);
}

/// A question to the store.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Read { after: u64 },
    Append { entry: Entry, over: Mark },
    Write { row: NodeRow, over: Option<RowVersion>, after: u64 },
}

#[derive(Debug)]
pub(super) enum Reply {
    Read(Snapshot),
    Appended(bool),
    Written(bool, Snapshot),
}

pub(super) enum Next {
    Ask(Ask),
    /// Nothing is due for this long.
    Rest(Duration),
}

/// Why the store is asked.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// To learn what there is, before joining.
    Look,
    /// To make the node's row visible. It gives no lease.
    Enter,
    Renew {
        /// What the row replaces is live: the fleet has known of this node since before it was asked.
        gives: bool,
    },
    /// To see what is new, and who has applied what.
    Rows,
    Append,
    /// To mark another node silent or gone.
    MarkOther(Box<str>),
    Leave,
}

/// Where a node is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It reads the mark from its start.
    Looking,
    /// Its name is another's, which is watched: taken if it stands still for longer than a lease can last.
    Watching {
        other: RowVersion,
        since: Duration,
    },
    /// Its row is to become visible.
    Entering {
        incarnation: [u8; 16],
        over: Option<RowVersion>,
    },
    In,
    Leaving,
    /// Given up by the fleet, or left.
    Over(NodeState),
}

/// An act of this node's that the store is not known to have.
pub(super) struct Owed {
    /// The same at each try.
    pub(super) id: Option<[u8; 16]>,
    pub(super) act: Act,
    /// How many calls were running, of an act that has taken effect here already.
    pub(super) in_effect: Option<u32>,
    pub(super) progress: Arc<Progress>,
}

impl Owed {
    pub(super) fn new(act: Act, in_effect: Option<u32>) -> Self {
        Owed { id: None, act, in_effect, progress: Arc::new(Progress::new()) }
    }
}

pub(super) struct Agent {
    pub(super) keys: Arc<FleetKeys>,
    pub(super) name: Box<str>,
    /// Where it answers other nodes, if it does.
    pub(super) address: Box<str>,
    pub(super) terms: Terms,
    /// A place that the mark has to have passed, given by an operator or a live node.
    pub(super) past: Option<Mark>,
    pub(super) random: Random,
    pub(super) stage: Stage,
    pub(super) applied: Mark,
    /// The number of the reload in force; zero before the first.
    pub(super) epoch: u64,
    /// The newest reload of those read while joining: no other is ever in force here.
    pub(super) newest_reload: Option<(u64, Act)>,
    pub(super) running: VecDeque<(u64, u32)>,
    /// The node's own row, as it was last known to be.
    pub(super) row: Option<RowVersion>,
    /// When to renew, or to look while joining.
    pub(super) due: Duration,
    /// When to look at rows, for acts that wait.
    pub(super) look_due: Duration,
    /// When to read what is new, if something is known to be.
    pub(super) reread: Option<Duration>,
    /// Until when nothing more is made of what is heard of new entries.
    pub(super) heard: Duration,
    /// When the rows were read last, and when to read them again, if somebody asked for them.
    pub(super) rows_read: Duration,
    pub(super) rows_due: Option<Duration>,
    pub(super) owed: VecDeque<Owed>,
    pub(super) waits: Vec<Wait>,
    pub(super) neighbours: Neighbours,
    pub(super) renewals: Renewals,
    /// What was asked last and is not answered.
    pub(super) asked: Option<(Ask, Why)>,
    /// Why this node gives nothing though the store answers.
    pub(super) trouble: Option<Box<str>>,
}

impl Ask {
    pub(super) fn of(&self, store: &dyn Store) -> Result<Reply, StoreError> {
        match self {
            Ask::Read { after } => store.read(*after).map(Reply::Read),
            Ask::Append { entry, over } => store.append(entry, over).map(Reply::Appended),
            Ask::Write { row, over, after } => {
                let written = store.write(row, over.as_ref(), *after);
                written.map(|(done, snapshot)| Reply::Written(done, snapshot))
            }
        }
    }
}

impl Agent {
    pub(super) fn new(
        keys: Arc<FleetKeys>,
        name: Box<str>,
        address: Box<str>,
        terms: Terms,
        past: Option<Mark>,
        random: Random,
    ) -> Self {
        Agent {
            keys,
            name,
            address,
            terms,
            past,
            random,
            stage: Stage::Looking,
            applied: Mark::START,
            epoch: 0,
            newest_reload: None,
            running: VecDeque::new(),
            row: None,
            due: Duration::ZERO,
            look_due: Duration::ZERO,
            reread: None,
            heard: Duration::ZERO,
            rows_read: Duration::ZERO,
            rows_due: None,
            owed: VecDeque::new(),
            waits: Vec::new(),
            neighbours: Neighbours::default(),
            renewals: Renewals::default(),
            asked: None,
            trouble: None,
        }
    }

    /// Stops being a node, once the store knows. The lease has ended.
    pub(super) fn leave(&mut self) {
        if !matches!(self.stage, Stage::Over(_)) {
            self.stage = Stage::Leaving;
            self.due = Duration::ZERO;
        }
    }

    /// Has the rows read soon: a node was asked for that is not known. After all else, and not more often than acts
    /// look, so that who asks again and again holds up nothing.
    pub(super) fn want_rows(&mut self) {
        self.rows_due = self.rows_due.or(Some(self.rows_read + self.terms.between_looks()));
    }

    /// What to ask the store, at this reading, which is made before the store is asked.
    pub(super) fn next(&mut self, at: &Reading) -> Next {
        let now = at.monotonic;
        self.finish_waits(now);
        match self.plan(now) {
            Ok((ask, why)) => {
                self.asked = Some((ask.clone(), why));
                Next::Ask(ask)
            }
            Err(due) => Next::Rest(due.saturating_sub(now).min(REST)),
        }
    }

    /// What is to be asked, or when something is due.
    fn plan(&mut self, now: Duration) -> Result<(Ask, Why), Duration> {
        let after = self.applied.number;
        match self.stage.clone() {
            Stage::Over(_) => self.plan_outside(now),
            _ if self.stage != Stage::In && self.due > now => Err(self.due),
            Stage::Looking | Stage::Watching { .. } => Ok((Ask::Read { after }, Why::Look)),
            Stage::Entering { incarnation, over } => {
                let version = RowVersion { incarnation, counter: 0, state: NodeState::Live };
                let row = self.own_row(version);
                Ok((Ask::Write { row, over, after }, Why::Enter))
            }
            // What was stopped here is known to the others before it has left.
            Stage::Leaving if !self.owed.is_empty() && self.trouble.is_none() => {
                self.plan_outside(now)
            }
            Stage::Leaving => match self.row {
                Some(over) => Ok((self.raise(over, NodeState::Left), Why::Leave)),
                None => {
                    self.stage = Stage::Over(NodeState::Left);
                    Err(Duration::MAX)
                }
            },
            Stage::In => self.plan_inside(now),
        }
    }

    fn plan_inside(&mut self, now: Duration) -> Result<(Ask, Why), Duration> {
        let after = self.applied.number;
        let read = || Ask::Read { after };
        if self.due <= now {
            // A node in trouble does not raise its counter: acts would wait for it, each anew.
            return match (self.row, &self.trouble) {
                (Some(over), None) => {
                    let gives = over.state == NodeState::Live;
                    Ok((self.raise(over, NodeState::Live), Why::Renew { gives }))
                }
                _ => Ok((read(), Why::Rows)),
            };
        }
        if let Some(telling) = self.plan_telling(now) {
            return Ok(telling);
        }
        if let Some((name, found, said)) = self.neighbours.to_mark(&self.terms) {
            let state = match found.state {
                NodeState::Live => NodeState::Silent,
                _ => NodeState::Gone,
            };
            let row = NodeRow::seal(&self.keys, &name, RowVersion { state, ..found }, &said);
            let ask = Ask::Write { row, over: Some(found), after };
            return Ok((ask, Why::MarkOther(name)));
        }
        let look = (!self.waits.is_empty()).then_some(self.look_due);
        if [look, self.rows_due].into_iter().flatten().any(|due| due <= now) {
            return Ok((read(), Why::Rows));
        }
        let next =
            [self.reread, look, self.rows_due].into_iter().flatten().fold(self.due, Duration::min);
        Err(next)
    }

    /// A node that gives nothing any more still tells the others what was stopped at it, for as long as its process is
    /// there: for that it needs no row.
    fn plan_outside(&mut self, now: Duration) -> Result<(Ask, Why), Duration> {
        if self.owed.is_empty() && self.waits.is_empty() {
            return Err(Duration::MAX);
        }
        let read = || (Ask::Read { after: self.applied.number }, Why::Rows);
        if self.trouble.is_some() {
            return if self.due <= now { Ok(read()) } else { Err(self.due) };
        }
        if !self.waits.is_empty() && self.look_due <= now {
            return Ok(read());
        }
        let look = (!self.waits.is_empty()).then_some(self.look_due);
        self.plan_telling(now)
            .ok_or_else(|| [self.reread, look].into_iter().flatten().min().unwrap_or(Duration::MAX))
    }

    /// What is new is read, where something is known to be, and what is owed is told.
    fn plan_telling(&mut self, now: Duration) -> Option<(Ask, Why)> {
        if self.reread.is_some_and(|due| due <= now) {
            return Some((Ask::Read { after: self.applied.number }, Why::Rows));
        }
        if self.reread.is_some() || self.trouble.is_some() {
            return None;
        }
        let (entry, over) = self.next_entry()?;
        Some((Ask::Append { entry, over }, Why::Append))
    }

    /// The entry of the act that is owed first, over everything that is applied.
    fn next_entry(&mut self) -> Option<(Entry, Mark)> {
        loop {
            let Owed { id, act, progress, .. } = self.owed.front_mut()?;
            if let Act::Reload { replaces, .. } = act
                && *replaces != self.epoch
            {
                progress.set(ActStage::Conflict { epoch: self.epoch });
                self.owed.pop_front();
                continue;
            }
            let id = match id {
                Some(id) => *id,
                None => {
                    let mut fresh = [0; 16];
                    (self.random)(&mut fresh).ok()?;
                    *id = Some(fresh);
                    fresh
                }
            };
            match Entry::seal(&self.keys, &self.applied, id, act) {
                Some(entry) => return Some((entry, self.applied)),
                // Longer than any that was let in.
                None => drop(self.owed.pop_front()),
            }
        }
    }

    fn raise(&self, over: RowVersion, state: NodeState) -> Ask {
        let counter = over.counter.saturating_add(1);
        let row = self.own_row(RowVersion { counter, state, ..over });
        Ask::Write { row, over: Some(over), after: self.applied.number }
    }

    fn own_row(&self, version: RowVersion) -> NodeRow {
        let running = self.running.iter().copied().collect();
        let (applied, address) = (self.applied, self.address.clone());
        NodeRow::seal(&self.keys, &self.name, version, &Said { applied, running, address })
    }

    /// Notes how many calls were running that an entry stops here.
    pub(super) fn tell_running(&mut self, number: u64, running: u32) {
        if self.running.len() == TOLD {
            self.running.pop_front();
        }
        self.running.push_back((number, running));
    }

    pub(super) fn random_byte(&mut self) -> u8 {
        let mut byte = [0; 1];
        // Without randomness all ask at once: slower, and no less safe.
        let _ = (self.random)(&mut byte);
        let [byte] = byte;
        byte
    }
}
