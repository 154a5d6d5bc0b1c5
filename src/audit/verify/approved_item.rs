//! An item of a plan that people agreed to, as a log has it, against what passed by it.

use crate::audit::review::tools_of;
use crate::meter::Meter;
use crate::scope::{Capability, Scope};
use crate::value::Value;

/// What people were asked about: a capability, or its tool where the log has a digest of it.
pub(super) struct ApprovedItem {
    tool: String,
    /// As it was recorded.
    value: Value,
    /// As it can be compared; nothing of a digest.
    capability: Option<Capability>,
}

/// What passed by it.
pub(super) enum Given<'r> {
    /// A call, of which the log has its tool: of its arguments it has a digest.
    Call(&'r str),
    /// The capabilities of a grant, each as it was recorded and as it can be compared.
    Scope(Vec<(&'r Value, Option<Capability>)>),
    /// The tools of a grant of whose scope the log has a digest.
    Tools(Vec<String>),
}

impl ApprovedItem {
    pub(super) fn of(value: &Value) -> Option<ApprovedItem> {
        let Value::Object(item) = value else { return None };
        let tool = item.get("tool")?.as_text()?.to_owned();
        Some(ApprovedItem { tool, capability: capability(value), value: value.clone() })
    }

    /// Whether this could have let it pass: a call of its tool, or a grant of which something lies within it.
    pub(super) fn lets_pass(&self, given: &Given<'_>) -> bool {
        match given {
            Given::Call(tool) => self.tool == **tool,
            Given::Tools(tools) => tools.contains(&self.tool),
            Given::Scope(capabilities) => capabilities.iter().any(|own| self.holds(own)),
        }
    }

    /// Whether a capability is this item, or within it. What the log has a digest of is compared by its tool.
    fn holds(&self, (value, given): &(&Value, Option<Capability>)) -> bool {
        match (&self.capability, given) {
            (Some(own), Some(given)) => {
                *value == &self.value || {
                    let meter = Meter::of_question(own.size().saturating_add(given.size()));
                    given.is_within(own, &meter)
                }
            }
            _ => tool_of(value) == Some(&*self.tool),
        }
    }
}

impl Given<'_> {
    pub(super) fn of_scope(scope: &Value) -> Given<'_> {
        match scope {
            Value::List(all) => {
                Given::Scope(all.iter().map(|own| (own, capability(own))).collect())
            }
            _ => Given::Tools(tools_of(scope)),
        }
    }
}

fn tool_of(value: &Value) -> Option<&str> {
    match value {
        Value::Object(own) => own.get("tool")?.as_text(),
        _ => None,
    }
}

/// The one capability that a record writes so.
fn capability(value: &Value) -> Option<Capability> {
    let scope = Scope::from_value(&Value::List(vec![value.clone()])).ok()?;
    let [one] = <[Capability; 1]>::try_from(scope.capabilities().ok()?).ok()?;
    Some(one)
}
