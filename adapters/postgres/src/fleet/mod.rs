//! The store of a fleet on PostgreSQL.

mod backoff;
mod counters;
mod line;
mod names;
mod rows;
mod session;
mod settings;
mod store;
mod verb;

pub use names::StoreNameError;
pub use store::{OpenError, PostgresStore, PostgresStoreBuilder};

/// What makes and changes the schema that a [`PostgresStore`] asks: statements for the role that is to own it.
pub const FLEET_SCHEMA: &str = include_str!("schema.sql");
