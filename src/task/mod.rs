//! Tasks: what lives and ends together, and the table of those that live.

mod approval;
mod cell;
mod commit;
mod ended;
mod expiry;
mod halt;
mod halt_error;
mod halts;
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

pub(crate) use approval::Approval;
pub(crate) use cell::TaskCell;
pub(crate) use commit::Spend;
pub(crate) use ended::{EndedBy, EndedTask};
pub use halt::Halt;
pub use halt_error::HaltError;
pub(crate) use halts::Halts;
pub(crate) use life::Life;
pub(crate) use liveness::{Basis, Claim, Liveness};
pub(crate) use name::{MAX_TASK_NAME, check_task_name};
pub(crate) use open_permit::OpenPermit;
pub(crate) use question::{BoundRule, OpenQuestion, Parked, QuestionId, Vote};
pub use question_state::QuestionState;
pub(crate) use table::Table;
