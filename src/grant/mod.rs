//! Grants: the rows of the table, and the tasks they live and end with.

mod counter;
mod counters;
mod history;
mod id;
mod nonces;
mod pool;
mod row;
mod rows;
mod spanning;
mod table;
mod task;

pub use id::GrantId;

pub(crate) use counters::{Reservation, Stamp};
pub(crate) use pool::Pool;
pub(crate) use row::{Granted, Row, Terms};
pub(crate) use rows::Rows;
pub(crate) use spanning::SpanningCounters;
pub(crate) use table::Table;
pub(crate) use task::{EndedGrant, Life, OpenPermit, TaskCell};
