//! Policy: rules as data.

mod approval;
mod limits;
mod rule;

pub use approval::{ApprovalTerms, Per, Reviewers};
pub use rule::{Effect, Moment, Rule};
