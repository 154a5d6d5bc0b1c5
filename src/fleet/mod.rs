//! Many processes, one end: halts, ends, reloads and facts that mean the same at every node of a fleet.
//!
//! A node is a [`Broker`](crate::Broker) that has joined with [`Fleet::builder`]. It gives access only while it has a
//! good **lease**, which its fleet's [`Store`] renews and which is counted on the node's own clocks. What concerns all
//! nodes is an **act**: an entry of the store's **mark**, with the next number. An act is [`Done`] when every node has
//! applied it, or can't have a lease any more that was given without it. [The page on fleets][page] says what is
//! promised, and what is not there yet.
//!
//! ```
//! use std::time::Duration;
//! use hallpass::fleet::{Fleet, MemoryStore};
//! use hallpass::key::SecretKey;
//! use hallpass::prelude::*;
//! use hallpass::Halt;
//!
//! let policy = Policy::builder().rule(Rule::permit("all").any_tool().any_args()).build()?;
//! let (secret, store) = (SecretKey::generate()?, MemoryStore::new());
//! let node = |name: &str| {
//!     let broker = Broker::new(policy.clone())?;
//!     let builder = Fleet::builder("acme", name).lease(Duration::from_millis(300));
//!     let fleet = builder.join(&broker, &secret, store.clone())?;
//!     let tending = fleet.start_tending()?;
//!     while fleet.status().lease.is_none() {
//!         std::thread::yield_now();
//!     }
//!     Ok::<_, Box<dyn std::error::Error>>((broker, fleet, tending))
//! };
//! let (_here, fleet, _tending) = node("n1")?;
//! let (there, _fleet, _its_tending) = node("n2")?;
//!
//! // At one node, an agent has a permit that it has not started.
//! let agent = there.assert_identity("agent-7")?;
//! let task = there.open(&agent, Purpose::new("report"))?;
//! let grant = task.request(Scope::tool("read").any_args(), &Context::new())?;
//! let call = Call::new("read", serde_json::json!({}))?;
//! let permit = there.gate().authorize(&grant, &agent, call, &Context::new())?;
//!
//! // An operator halts the agent at the other. When that is done, it is final everywhere.
//! let done = fleet.halt(Halt::identity("agent-7")?).wait(Duration::from_secs(5))?;
//! assert_eq!((done.number, done.unheard.len()), (1, 0));
//! assert_eq!(permit.start().unwrap_err().reason(), Reason::Halted);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [page]: crate::_documentation::fleet

mod act;
mod acting;
mod agent;
mod answers;
mod apply;
mod authorize;
mod builder;
mod calls;
mod counting;
mod drain;
mod entry;
mod error;
mod handle;
mod hint;
mod join;
mod keys;
mod mark;
mod memory;
mod name;
mod neighbours;
mod news;
mod node;
mod operator;
mod progress;
mod refused;
mod row;
mod status;
mod store;
mod tending;
mod terms;
#[cfg(feature = "tracing")]
mod traced;
mod wait;
mod whole;

#[cfg(test)]
mod simulation;

pub use acting::{ActError, Acting, NotYet};
pub use builder::FleetBuilder;
pub use calls::{
    AsyncTransport, CredentialThere, FleetPermit, FleetRunError, FleetRunning, GrantThere,
    MAX_MESSAGE, ObligationThere, OwedThere, QuestionThere, Sending, StandingThere, TaskThere,
    Transport, TransportError, WaitingThere,
};
pub use drain::Drained;
pub use entry::Entry;
pub use error::FleetError;
pub use handle::Fleet;
pub use hint::home_hint;
pub use mark::Mark;
pub use memory::MemoryStore;
pub use name::NameError;
pub use news::News;
pub use operator::{FleetView, NodeSaid, NodeView, Operator, OperatorAct, OperatorError, Removal};
pub use progress::Done;
pub use refused::Refused;
pub use row::{NodeRow, NodeState, RowVersion};
pub use status::{FleetStatus, Renewals};
pub use store::{CounterKey, CounterRow, Snapshot, Store, StoreError};
pub use tending::Tending;
pub use whole::FleetWide;
