//! What of a call somebody amended.

use super::line::ViewLine;
use super::{argument, resource_value};
use crate::call::Call;

/// One line for each part that is another, is there no more, or was not there before. What it is now stands
/// among the lines of the call; here is what it was.
pub(super) fn changes(before: &Call, after: &Call) -> Vec<ViewLine> {
    let mut lines = Vec::new();
    if before.tool() != after.tool() {
        lines.push(ViewLine::text("before: tool", before.tool()));
    }
    let (old, new) = (before.args(), after.args());
    for (name, value) in old.iter().filter(|(name, value)| new.get(name) != Some(*value)) {
        let line = ViewLine::stated(&format!("before: {}", argument(name)), value);
        let is_gone = new.get(name).is_none();
        lines.push(if is_gone { line.note("removed") } else { line });
    }
    for (name, _) in new.iter().filter(|(name, _)| old.get(name).is_none()) {
        lines.push(ViewLine::said(&format!("before: {}", argument(name)), "not there"));
    }
    let resource = |call: &Call| call.resource().map(resource_value);
    if resource(before) != resource(after) {
        lines.push(match resource(before) {
            Some(resource) => ViewLine::stated("before: resource", &resource),
            None => ViewLine::said("before: resource", "not there"),
        });
    }
    if lines.is_empty() {
        lines.push(ViewLine::said("before", "the same call"));
    }
    lines
}
