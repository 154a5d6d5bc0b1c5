//! Renewals as events of the host's `tracing`: a lease that is given, a renewal without an answer, and why a node gives nothing.

use tracing::{Level, event};

use super::status::FleetStatus;
use crate::contained::contained;

/// Tells what has changed between two steps of a node. A subscriber that panics takes nothing from it.
pub(super) fn tell(before: &FleetStatus, after: &FleetStatus) {
    let (node, was, is) = (&*after.node, &before.renewals, &after.renewals);
    if is.given > was.given {
        let took = is.took.map(|took| took.as_secs_f64());
        contained(|| event!(target: "hallpass::fleet", Level::DEBUG, node, took, "lease renewed"));
    }
    if is.missed > was.missed {
        let missed = is.missed;
        contained(
            || event!(target: "hallpass::fleet", Level::WARN, node, missed, "no answer to a renewal"),
        );
    }
    if after.trouble != before.trouble {
        match &after.trouble {
            Some(why) => {
                let why = &**why;
                contained(
                    || event!(target: "hallpass::fleet", Level::WARN, node, why, "the node gives nothing"),
                );
            }
            None => contained(
                || event!(target: "hallpass::fleet", Level::INFO, node, "the trouble is over"),
            ),
        }
    }
}
