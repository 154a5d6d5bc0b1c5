//! A capability as it is asked for, before it is known that it can be meant.

use super::capability::Part;
use super::constraint_error::ConstraintError;
use super::cover::{Condition, Cover, Openness, ResourceOpenness};
use super::fact::Fact;
use super::glob::MAX_SCOPE_PATTERNS;
use super::scope_error::{MAX_CONDITIONS, MAX_SCOPE_JSON, ScopeError};
use crate::tool::ToolName;
use crate::visible::{SHOWN, escape_for_people};

/// One tool that is asked for, with what was said of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CapabilityDraft {
    pub(super) tool: Box<str>,
    pub(super) conditions: Vec<Condition>,
    pub(super) openness: Openness,
    pub(super) any_args: bool,
}

impl CapabilityDraft {
    pub(super) fn part(&self) -> Part<'_> {
        let cover = Cover { conditions: &self.conditions, openness: &self.openness };
        Part { tool: &self.tool, cover }
    }

    pub(super) fn check(&self) -> Result<ToolName, ScopeError> {
        let tool = ToolName::new(&self.tool)?;
        if self.conditions.len() > MAX_CONDITIONS {
            return Err(ScopeError::TooLarge);
        }
        if self.any_args && self.conditions.iter().any(|c| matches!(c.fact, Fact::Arg(_))) {
            return Err(ScopeError::AnyWithNamed(self.tool.clone()));
        }
        check_resource(&self.tool, &self.conditions, &self.openness)?;
        for condition in &self.conditions {
            if let Some(problem) = condition.name_fault() {
                return Err(ScopeError::Name { tool: self.tool.clone(), problem });
            }
            let fits = condition.constraint.check().and_then(|()| {
                match condition.constraint.policy_only() {
                    Some(word) => Err(ConstraintError::PolicyOnly(word)),
                    None => match condition.constraint.beyond_arguments() {
                        Some(fact) => Err(ConstraintError::NotAnArgument(shown_fact(fact))),
                        None => Ok(()),
                    },
                }
            });
            fits.map_err(|error| ScopeError::Constraint {
                tool: self.tool.clone(),
                fact: shown_fact(&condition.fact),
                error,
            })?;
        }
        Ok(tool)
    }
}

/// Whether the patterns of one scope's conditions are together no longer than a scope may have.
pub(super) fn check_patterns<'c>(
    conditions: impl Iterator<Item = &'c Condition>,
) -> Result<(), ScopeError> {
    match conditions.map(|own| own.constraint.pattern_bytes()).sum() {
        0..=MAX_SCOPE_PATTERNS => Ok(()),
        many => Err(ScopeError::TooManyPatterns(many)),
    }
}

/// Whether conditions of one scope read texts as JSON so seldom that it is in sight.
pub(super) fn check_json<'c>(
    conditions: impl Iterator<Item = &'c Condition>,
) -> Result<(), ScopeError> {
    match conditions.map(|own| own.constraint.json_texts()).sum() {
        0..=MAX_SCOPE_JSON => Ok(()),
        many => Err(ScopeError::TooManyJson(many)),
    }
}

/// Whether what is said of the resource goes with whether there may be one.
pub(super) fn check_resource(
    tool: &str,
    conditions: &[Condition],
    openness: &Openness,
) -> Result<(), ScopeError> {
    let named = conditions.iter().any(|own| own.fact.is_of_the_resource());
    match openness.resource {
        ResourceOpenness::Any if named => Err(ScopeError::AnyResourceWithNamed(tool.into())),
        ResourceOpenness::None if named => Err(ScopeError::ResourceUnsaid(tool.into())),
        _ => Ok(()),
    }
}

/// Names are an agent's: shown so that they can't forge a line.
fn shown_fact(fact: &Fact) -> Box<str> {
    escape_for_people(&fact.to_string(), SHOWN).into()
}
