//! The tool's name, asked about by itself.

use crate::meter::Meter;
use crate::scope::{Constraint, Fact, Facts, Stance, Truth};
use crate::value::Value;

/// What a constraint says of a tool's name.
pub(super) fn tool_holds(
    constraint: &Constraint,
    tool: &str,
    stance: Stance,
    meter: &Meter,
) -> Truth {
    constraint.holds(&Fact::Tool, stance, &ToolAlone(Value::from(tool)), meter)
}

/// A question of which only the tool's name is asked.
struct ToolAlone(Value);

impl<'q> Facts<'q> for &'q ToolAlone {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        matches!(fact, Fact::Tool).then_some(&self.0)
    }
}
