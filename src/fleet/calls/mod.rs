//! Calls whose tasks are at home at another node: what a node asks, what a home answers, and what goes between them.

mod ask;
mod asker;
mod desk;
mod errand;
mod inquiry;
mod message;
mod out;
mod permit;
mod seal;
mod seen;
mod session;
mod transport;
mod vouched;
mod wire;

pub(super) use asker::Asker;
pub(super) use desk::Desk;
pub(super) use errand::{Came, Errand};
pub(super) use inquiry::Inquirer;
pub(super) use permit::Leave;
#[cfg(test)]
pub(super) use permit::Started;
pub(super) use seen::{Look, Seen};
pub(super) use transport::Link;
pub(super) use vouched::Vouched;

pub use permit::{FleetPermit, FleetRunError, FleetRunning};
pub use seen::{
    CredentialThere, GrantThere, ObligationThere, OwedThere, QuestionThere, StandingThere,
    TaskThere, WaitingThere,
};
pub use transport::{AsyncTransport, MAX_MESSAGE, Sending, Transport, TransportError};
