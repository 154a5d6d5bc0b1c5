//! What could be asked for: of tools that a host knows, those that it may show before anything is granted.

use super::grant_request::{GrantRequest, Occasion};
use super::task::Task;
use crate::context::Context;
use crate::denial::Denial;
use crate::meter::Meter;
use crate::policy::{Moment, could_permit};
use crate::scope::{Capability, Scope};
use crate::tool::ToolName;

impl Task {
    /// Of these tools, those of which some call could be asked for now by the identity that opened the task, and
    /// permitted: for a host that asks for each call just in time, and shows an agent no more than it may use. Names
    /// that no tool has are left out; each comes once, in order.
    ///
    /// What is listed can still be denied for its arguments, its limits, or until people agree; what is not listed
    /// would be denied for any arguments. Nothing is spent, granted or recorded.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let rule = Rule::permit("readers").tool("fs.read").any_args();
    /// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open(&agent, Purpose::new("reading"))?;
    /// let tools = task.askable(["fs.write", "fs.read"], &Context::new())?;
    /// assert_eq!(tools.iter().map(|tool| tool.as_str()).collect::<Vec<_>>(), ["fs.read"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The [`Denial`] of a task that is over, an identity that is, a context that is not well formed, or a host that
    /// can't say what is known of the moment. While a halt is on, nothing is listed.
    pub fn askable<'t>(
        &self,
        tools: impl IntoIterator<Item = &'t str>,
        context: &Context,
    ) -> Result<Vec<ToolName>, Denial> {
        let mut names: Vec<ToolName> =
            tools.into_iter().filter_map(|tool| ToolName::new(tool).ok()).collect();
        names.sort();
        names.dedup();
        let mut askable = Vec::new();
        for name in names {
            if self.could_ask(&name, context)? {
                askable.push(name);
            }
        }
        Ok(askable)
    }

    /// Each tool is a question of its own, so that a long list does not take what one question may cost.
    fn could_ask(&self, tool: &ToolName, context: &Context) -> Result<bool, Denial> {
        let (shared, cell) = (&self.shared, &self.cell);
        let holder = &*cell.requester;
        let (now, context) = shared.moment(holder, Some(tool.as_str()), context)?;
        let scope = Scope::tool(tool.as_str()).any_args().any_resource();
        let meter = Meter::of_question(scope.size());
        let request = GrantRequest {
            shared,
            cell,
            holder,
            scope: &scope,
            context,
            now,
            meter,
            occasion: Occasion::REQUEST,
        };
        request.could_give(&scope)
    }
}

impl GrantRequest<'_> {
    fn could_give(&self, scope: &Scope) -> Result<bool, Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        shared.attested(holder, now)?;
        let context = self.checked_context()?;
        let current = shared.current();
        let life = cell.life.lock();
        let now = shared.as_of(now);
        cell.check_open(&life, now)?;
        let could = |capability: &Capability| {
            let tool = Some(capability.tool.as_str());
            if shared.halts.stopping(cell, [holder], tool, now).is_some() {
                return false;
            }
            let asking = super::offer::OfferInputs::at_request(self, &current, &life, context, now);
            // What is asked for is judged as a request, and then as a call.
            [Moment::Request, Moment::Call].into_iter().all(|moment| {
                asking
                    .wanted((holder, moment), capability, |wanted| {
                        could_permit(&current.policy, wanted)
                    })
                    .unwrap_or(false)
            })
        };
        let capabilities = self.checked_capabilities(scope)?;
        self.meter.settle(Ok(capabilities.iter().all(could)))
    }
}
