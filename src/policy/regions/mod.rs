//! Rules as regions of questions, and a search for a question inside of some and outside of others.
//!
//! What is found is asked of the policies themselves before anything is said of it; that there is nothing is said
//! only where it is shown.

#[cfg(test)]
pub(crate) mod model;
mod prepared;
mod question;
mod residual;
mod search;
mod tools;

pub(crate) use prepared::{Fixed, OfTool, Prepared};
pub(crate) use question::{FoundQuestion, Standing, found_call, put_call, write_call};
pub(crate) use residual::known_domain;
pub(crate) use search::{Outcome, ToolSearch};
pub(crate) use tools::{RulesByTool, named_tools};
