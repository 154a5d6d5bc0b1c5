//! Tasks: what lives and ends together, and the table of those that live.

mod cell;
mod commit;
mod expiry;
mod halt;
mod halt_error;
mod history;
mod life;
mod liveness;
mod name;
mod open_permit;
mod question;
mod question_state;
mod questions;
mod reached;
mod table;

pub(crate) use cell::TaskCell;
pub(crate) use commit::Spend;
pub use halt::Halt;
pub(crate) use halt::Halts;
pub use halt_error::HaltError;
pub(crate) use life::{EndedBy, EndedTask, Life};
pub(crate) use liveness::{Basis, Claim, Liveness};
pub(crate) use name::{MAX_TASK_NAME, check_task_name};
pub(crate) use open_permit::OpenPermit;
pub(crate) use question::{Approval, BoundRule, OpenQuestion, Parked, QuestionId, Vote};
pub use question_state::QuestionState;
pub(crate) use table::Table;
