//! `hallpass fleet`: what operators do to a fleet; and how other commands join one.

mod file;
mod join;
mod operate;
mod report;
mod store_tls;
mod whole;
mod wire;

pub(crate) use self::join::{FleetOption, Joined};
pub(crate) use self::operate::FleetCommand;
