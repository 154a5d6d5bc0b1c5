//! What operators do to a fleet from outside of it: with its key, and without a lease.

mod act;
mod remove;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use act::OperatorAct;
pub use remove::Removal;
pub use view::{FleetView, NodeSaid, NodeView};

use super::act::Act;
use super::calls::Transport;
use super::entry::Entry;
use super::error::FleetError;
use super::keys::FleetKeys;
use super::mark::Mark;
use super::name::check_name;
use super::neighbours::Neighbours;
use super::progress::Progress;
use super::store::{Snapshot, Store, StoreError};
use super::terms::Terms;
use super::wait::Wait;
use crate::clock::{Clock, SystemClock};
use crate::key::SecretKey;
use crate::random;
use crate::task::{Halt, HaltError};

/// How often an act is tried to be put after entries that others put first.
const TRIES: usize = 256;

/// Who stops, lets go on and looks at a fleet without being one of its nodes: a command of an operator's. It has the
/// fleet's secret and reaches its store; it has no lease, gates nothing, and no node waits for it.
///
/// ```
/// use std::time::Duration;
/// use hallpass::Halt;
/// use hallpass::fleet::{MemoryStore, Operator};
/// use hallpass::key::SecretKey;
///
/// let (secret, store) = (SecretKey::generate()?, MemoryStore::new());
/// let mut operator = Operator::new("acme", &secret, store)?;
/// let done = operator.halt(&Halt::identity("agent-7")?)?.wait(Duration::from_secs(5))?;
/// assert_eq!(done.number, 1);
/// assert_eq!(*operator.look()?.halts, ["identity agent-7".into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Operator {
    pub(super) keys: FleetKeys,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    terms: Terms,
    past: Option<Mark>,
    /// Up to where the mark was read, and verified.
    mark: Mark,
    epoch: u64,
    halts: BTreeSet<Box<str>>,
    neighbours: Neighbours,
    /// How it asks nodes, and under which name.
    pub(super) link: Option<(Arc<dyn Transport>, Box<str>)>,
}

/// Why an operator's command came to nothing, or is not known to have come to something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The store did not answer: nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not answer when an act was written. It may be there: look at it before it is tried again.
    #[error("whether the act is in the store is not known: {0}")]
    Unknown(StoreError),
    /// An entry that no member made, one that this version does not know, or a store that is not the one it was.
    #[error("{0}")]
    Fault(Box<str>),
    /// The fleet has no such node.
    #[error("the fleet has no node `{}`", .0.escape_debug())]
    NoNode(Box<str>),
    /// What nothing can be named.
    #[error(transparent)]
    Halt(#[from] HaltError),
    /// Others put entries first, again and again.
    #[error("other acts came first {TRIES} times: try again")]
    Busy,
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] random::RandomError),
}

impl Operator {
    /// An operator of the fleet of this name, whose secret every node has.
    ///
    /// # Errors
    /// [`FleetError`] of a name.
    pub fn new(
        fleet: &str,
        secret: &SecretKey,
        store: impl Store + 'static,
    ) -> Result<Operator, FleetError> {
        let fleet = check_name("fleet", fleet)?;
        Ok(Operator {
            keys: FleetKeys::of(secret, &fleet),
            store: Arc::new(store),
            clock: Arc::new(SystemClock::new()),
            terms: Terms::DEFAULT,
            past: None,
            mark: Mark::START,
            epoch: 0,
            halts: BTreeSet::new(),
            neighbours: Neighbours::default(),
            link: None,
        })
    }

    /// How long leases are, and by how many parts in a hundred clocks may differ in rate, as all nodes were built: an act is waited for as
    /// long as a node that is not heard may have a lease.
    ///
    /// # Errors
    /// [`FleetError::Setting`].
    pub fn terms(mut self, lease: Duration, drift: u32) -> Result<Operator, FleetError> {
        self.terms = Terms { lease, drift };
        self.terms.check()?;
        Ok(self)
    }

    /// A place that the mark has to have passed, as for a node that joins: see [`FleetBuilder::past`](super::FleetBuilder::past).
    #[must_use]
    pub fn past(mut self, mark: Mark) -> Operator {
        self.past = Some(mark);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Operator {
        self.clock = Arc::new(clock);
        self
    }

    /// What there is: the mark, verified from its first entry on, what is halted by it, and the nodes.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn look(&mut self) -> Result<FleetView, OperatorError> {
        let snapshot = self.follow(|_| {})?;
        Ok(FleetView::of(self, &snapshot))
    }

    /// Halts at every node: see [`Fleet::halt`](super::Fleet::halt).
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn halt(&mut self, what: &Halt) -> Result<OperatorAct<'_>, OperatorError> {
        self.act(&Act::Halt { what: what.to_string().into(), until: None })
    }

    /// Lets go on at every node: see [`Fleet::resume`](super::Fleet::resume).
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn resume(&mut self, what: &Halt) -> Result<OperatorAct<'_>, OperatorError> {
        self.act(&Act::Resume { what: what.to_string().into() })
    }

    /// Ends at every node what an identity holds, or what gives a tool, and keeps it out if `halts`, by the same entry.
    ///
    /// # Errors
    /// [`OperatorError`]; [`OperatorError::Fault`] of a halt of something else.
    pub fn revoke(&mut self, what: &Halt, halts: bool) -> Result<OperatorAct<'_>, OperatorError> {
        let act = match (what, halts) {
            (Halt::Identity { id }, false) => Act::RevokeIdentity { id: id.clone() },
            (Halt::Tool { name }, false) => Act::RevokeTool { name: name.clone() },
            (Halt::Identity { .. } | Halt::Tool { .. }, true) => {
                Act::HaltAndRevoke { what: what.to_string().into() }
            }
            (Halt::Everything | Halt::Task { .. }, _) => {
                let why = format!("`{what}` can't be revoked, expected an identity or a tool");
                return Err(OperatorError::Fault(why.into()));
            }
        };
        self.act(&act)
    }

    /// Ends a task at its home: see [`Fleet::end_task`](super::Fleet::end_task).
    ///
    /// # Errors
    /// [`OperatorError`]; [`OperatorError::NoNode`] of a home that is none: nothing would be ended there.
    pub fn end_task(&mut self, node: &str, task: &str) -> Result<OperatorAct<'_>, OperatorError> {
        Halt::task(task)?;
        if !self.read_rows()?.rows.iter().any(|(row, _)| *row.name == *node) {
            return Err(OperatorError::NoNode(node.into()));
        }
        self.act(&Act::EndTask { node: node.into(), task: task.into() })
    }

    /// Puts an act after everything there is.
    fn act(&mut self, act: &Act) -> Result<OperatorAct<'_>, OperatorError> {
        let mut id = [0; 16];
        random::fill(&mut id)?;
        let mut may_be_there = false;
        for _ in 0..TRIES {
            let mut own = None;
            let found = self.follow(|entry| {
                if entry.id == id {
                    own = Some(entry.number);
                }
            });
            if let Some(number) = own {
                return self.numbered(number);
            }
            match found {
                Err(OperatorError::Store(error)) if may_be_there => {
                    return Err(OperatorError::Unknown(error));
                }
                found => drop(found?),
            }
            let entry = Entry::seal(&self.keys, &self.mark, id, act)
                .ok_or_else(|| OperatorError::Fault("the act is too long for an entry".into()))?;
            // It is there once it is read.
            may_be_there |= !matches!(self.store.append(&entry, &self.mark), Ok(false));
        }
        match may_be_there {
            true => Err(OperatorError::Unknown(StoreError::new("it was not found again"))),
            false => Err(OperatorError::Busy),
        }
    }

    fn numbered(&mut self, number: u64) -> Result<OperatorAct<'_>, OperatorError> {
        let now =
            self.clock.read().map_err(|error| OperatorError::Fault(error.to_string().into()))?;
        let progress = Arc::new(Progress::new());
        let wait = Wait::new(number, now.monotonic, 0, progress.clone());
        Ok(OperatorAct::new(self, wait, progress))
    }

    /// Reads and verifies what is new in the mark, to its end: what the store has now.
    fn follow(&mut self, mut each: impl FnMut(&Entry)) -> Result<Snapshot, OperatorError> {
        loop {
            let snapshot = self.store.read(self.mark.number)?;
            let before = self.mark.number;
            for entry in snapshot.entries.iter().filter(|entry| entry.number > before) {
                self.take(entry)?;
                each(entry);
            }
            if snapshot.head == self.mark {
                if self.past.is_some_and(|past| self.mark.number < past.number) {
                    let why = "the store's mark is behind the one that was given";
                    return Err(OperatorError::Fault(why.into()));
                }
                return Ok(snapshot);
            }
            if self.mark.number == before || snapshot.head.number <= self.mark.number {
                let why = "the store's mark is not the one that was read before";
                return Err(OperatorError::Fault(why.into()));
            }
        }
    }

    fn take(&mut self, entry: &Entry) -> Result<(), OperatorError> {
        let act = entry
            .open(&self.keys, &self.mark)
            .map_err(|fault| OperatorError::Fault(fault.to_string().into()))?;
        let number = entry.number;
        if self.past.is_some_and(|past| past.number == number && past != entry.mark()) {
            let why = "the store's mark is another than the one that was given";
            return Err(OperatorError::Fault(why.into()));
        }
        match act {
            Act::Halt { what, .. } | Act::HaltAndRevoke { what } => {
                self.halts.insert(what);
            }
            Act::Resume { what } => {
                self.halts.remove(&what);
            }
            Act::Reload { replaces, .. } if replaces == self.epoch => self.epoch = number,
            _ => {}
        }
        self.mark = entry.mark();
        Ok(())
    }

    /// The rows of all nodes.
    pub(super) fn rows_now(&mut self) -> Result<Vec<super::row::NodeRow>, OperatorError> {
        Ok(self.follow(|_| {})?.rows)
    }

    /// Reads the rows of all nodes, with what is new in the mark.
    fn read_rows(&mut self) -> Result<Rows, OperatorError> {
        let snapshot = self.follow(|_| {})?;
        let now =
            self.clock.read().map_err(|error| OperatorError::Fault(error.to_string().into()))?;
        let looked = snapshot.rows.into_iter().map(|row| {
            let said = self.neighbours.look(&self.keys, &row, now.monotonic);
            (row, said)
        });
        Ok(Rows { rows: looked.collect(), now: now.monotonic })
    }
}

/// The rows of all nodes, as they were read after this reading of the clock began.
struct Rows {
    rows: Vec<(super::row::NodeRow, Option<super::row::Said>)>,
    now: Duration,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("mark", &self.mark).finish_non_exhaustive()
    }
}
