//! Grants: the rows of the table, and the limits they are held to.

mod carried;
mod counter;
mod counters;
mod coverage;
mod id;
mod nonces;
mod pool;
mod recalled;
mod row;
mod rows;
mod spanning;
mod spells;
mod window;

pub use id::GrantId;
pub(crate) use id::GrantIds;

pub(crate) use carried::{CarriedCharge, CarriedCounters};
pub(crate) use counter::{Cost, Counter};
pub(crate) use counters::{Counters, Reservation, SpanningCharge, Stamp, implies};
pub(crate) use coverage::{Coverage, stamps_on};
pub(crate) use nonces::{Mark, Once};
pub(crate) use pool::Pool;
pub(crate) use row::{Granted, RareTerms, Row, Terms};
pub(crate) use rows::Rows;
pub(crate) use spanning::SpanningCounters;
pub(crate) use spells::Spells;
