//! Roles of PostgreSQL, minted for a grant and gone with it: providers of credentials for hallpass.
//!
//! [`Postgres`] runs on a tokio runtime; [`BlockingPostgres`] does the same on a thread that may wait. Both make a login
//! role for each grant, a member of groups that hold the rights, with a password that is sent as a SCRAM verifier, and
//! withdraw it: no login, no session, nothing owned or granted in any database, no role.
//!
//! ```no_run
//! use hallpass::prelude::*;
//! use hallpass_postgres::{BlockingPostgres, Postgres};
//!
//! # fn run(policy: Policy, permit: Permit) -> Result<(), Box<dyn std::error::Error>> {
//! let database = Postgres::new("host=db.acme.test user=hp_broker dbname=orders".parse()?)?.group("hp_reader");
//! let broker = Broker::builder(policy)
//!     .name("orders")
//!     .provider("orders-db", BlockingPostgres::new(database))
//!     .reaped_every(std::time::Duration::from_secs(1))
//!     .build()?;
//! permit.run_with(|running, secrets| {
//!     let (user, password) = (secrets.user("orders-db"), secrets.get("orders-db"));
//!     // connect as this user, with this password
//! #   let _ = (running, user, password);
//!     Ok::<_, String>(())
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! # What the server has to have
//!
//! PostgreSQL 15 or later; a role for the broker that is not a superuser and can create roles and connect to every database that a
//! minted role can; and groups, made beforehand, that hold the rights:
//!
//! ```sql
//! CREATE ROLE hp_broker LOGIN CREATEROLE PASSWORD '…';
//! CREATE ROLE hp_reader NOLOGIN;
//! GRANT SELECT ON orders TO hp_reader;
//! -- from version 16 on
//! GRANT hp_reader TO hp_broker WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
//! ```
//!
//! Rights are granted to groups alone: rights for each role would grow the lists of rights of a table until no role can be
//! granted any.
//!
//! # What it does not do
//!
//! - While a role lives, the broker's role is a member of it and inherits what its groups hold: else it could end
//!   neither its sessions nor what it owns.
//! - A transaction that the role has prepared outlives it, and only the role itself or a superuser can roll it back. It is named in
//!   the obligation, which stays until somebody has. Servers have none unless `max_prepared_transactions` says so.
//! - Up to version 15 a role can `SET ROLE` to its groups, and what it makes as one of them is the group's. From 16 on it can't.
//! - Group roles that may create objects let a session make what others call. Refuse DDL in the tool, or to the group.
//! - Sessions on a hot standby are ended where [`standby`](Postgres::standby) names it.
//!
//! # A fleet's store
//!
//! With the feature `fleet` there is `PostgresStore`, which keeps what the nodes of a fleet share. The page on fleets says how
//! it is set up.

mod blocking;
#[cfg(feature = "fleet")]
mod fleet;
mod mint;
mod provider;
mod server;
mod verify;
mod withdraw;

pub use blocking::BlockingPostgres;
#[cfg(feature = "fleet")]
pub use fleet::{FLEET_SCHEMA, OpenError, PostgresStore, PostgresStoreBuilder, StoreNameError};
pub use provider::{Connecting, GroupError, Postgres};
