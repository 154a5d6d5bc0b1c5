//! Grants: the rows of the table, and the limits they are held to.

mod carried;
mod counter;
mod counters;
mod coverage;
mod id;
mod limit_check;
mod nonces;
mod pool;
mod recalled;
mod row;
mod rows;
mod shared_charge;
#[cfg(feature = "fleet")]
mod shared_counter;
mod spanning;
mod spells;
mod stamp;
#[cfg(feature = "fleet")]
mod stored;
mod window;

pub use id::GrantId;
pub(crate) use id::GrantIds;

pub(crate) use carried::{CarriedCharge, CarriedCounters};
pub(crate) use counter::{Cost, Counter};
pub(crate) use counters::{Counters, Reservation, SpanningCharge};
pub(crate) use coverage::{Coverage, stamps_on};
pub(crate) use nonces::{Mark, Once};
pub(crate) use pool::{Pool, Pooled};
pub(crate) use row::{Granted, RareTerms, Row, Terms};
pub(crate) use rows::Rows;
#[cfg_attr(not(feature = "fleet"), allow(unused_imports, reason = "no counter is shared"))]
pub(crate) use shared_charge::{ChargeId, Return, SharedCharge, SharedDemand, WaitingReturns};
#[cfg(feature = "fleet")]
pub(crate) use shared_counter::{SharedCounter, SharedCounters};
pub(crate) use spanning::SpanningCounters;
pub(crate) use spells::Spells;
pub(crate) use stamp::{Stamp, implies};
