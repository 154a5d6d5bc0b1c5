//! Who can, what can, with what: the rules asked with a part of the question left open.

mod found;
mod search;

pub use found::{Access, Accesses};
pub use search::AccessSearch;

#[cfg(test)]
mod tests;
