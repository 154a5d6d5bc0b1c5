//! Tasks: what lives and ends together, and the table of those that live.

mod cell;
mod history;
mod life;
mod open_permit;
mod table;

pub(crate) use cell::TaskCell;
pub(crate) use life::{EndedGrant, Life};
pub(crate) use open_permit::OpenPermit;
pub(crate) use table::Table;
