//! The record of a denial, as it is put together.

use std::borrow::Cow;

use super::event::Event;
use super::plain::Plain;
use super::words::Stage;
use crate::denial::Denial;
use crate::value::Value;

/// What is known of a denied question. What the stage does not know, or what can't be meant, stays absent.
pub(crate) struct DeniedQuestion<'a> {
    pub(crate) stage: Stage,
    pub(crate) task: Option<Cow<'a, str>>,
    pub(crate) generation: Option<u64>,
    pub(crate) grant: Option<Cow<'a, str>>,
    pub(crate) who: Option<&'a str>,
    pub(crate) tool: Option<Cow<'a, str>>,
    /// Its type and id.
    pub(crate) resource: Option<(&'a str, &'a str)>,
    /// Digest of the arguments.
    pub(crate) args: Option<Cow<'a, str>>,
    pub(crate) scope: Option<Value>,
    /// Digest of the context.
    pub(crate) context: Option<Cow<'a, str>>,
    /// The epoch of the policy, if rules were looked at.
    pub(crate) epoch: Option<u64>,
    /// Whether it is of what breaking the glass gave, or would have given.
    pub(crate) break_glass: bool,
    /// Where in a trace it was asked.
    pub(crate) trace: Option<&'a str>,
    pub(crate) plain: Option<Plain<'static>>,
}

impl<'a> DeniedQuestion<'a> {
    /// A question of which only the stage is known so far.
    pub(crate) fn at(stage: Stage) -> DeniedQuestion<'a> {
        DeniedQuestion {
            stage,
            task: None,
            generation: None,
            grant: None,
            who: None,
            tool: None,
            resource: None,
            args: None,
            scope: None,
            context: None,
            epoch: None,
            break_glass: false,
            trace: None,
            plain: None,
        }
    }

    /// The record that it was denied so. Which rules decided is said with the policy they stand in.
    pub(crate) fn record(self, denial: &'a Denial) -> Event<'a> {
        let (resource_type, resource_id) = self.resource.unzip();
        let rules = self.epoch.map(|_| denial.rules().map(Into::into).collect());
        Event::Denied {
            stage: self.stage,
            task: self.task,
            generation: self.generation,
            grant: self.grant,
            who: self.who.map(Into::into),
            tool: self.tool,
            resource_type: resource_type.map(Into::into),
            resource_id: resource_id.map(Into::into),
            args: self.args,
            scope: self.scope.map(Cow::Owned),
            context: self.context,
            code: denial.code().as_str().into(),
            reason: denial.reason().as_str().into(),
            rules: rules.unwrap_or_default(),
            epoch: self.epoch,
            break_glass: self.break_glass,
            trace: self.trace.map(Into::into),
            plain: self.plain.map(Box::new),
        }
    }
}
