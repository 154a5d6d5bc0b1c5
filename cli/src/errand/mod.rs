//! Who asks, for what, under which policy: what the commands that stand between two programs begin with, and the broker's
//! side of them.

mod gatekeeper;
mod options;
mod task;

pub(crate) use self::gatekeeper::{Gatekeeper, Outcome, Started};
pub(crate) use self::options::ErrandOptions;
pub(crate) use self::task::Errand;
