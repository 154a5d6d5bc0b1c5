//! Grants: rows of the table.

mod id;

pub use id::GrantId;
