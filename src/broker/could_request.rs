//! What a task could ask for: the access that it would be given, as scopes.

use std::collections::BTreeSet;

use super::grant_request::{GrantRequest, Occasion};
use super::offer::OfferInputs;
use super::task::Task;
use crate::context::Context;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::scope::{Capability, Scope};

/// How many scopes are told: the one who reads them chooses one.
const MOST_TOLD: usize = 256;

/// What could be asked for, each scope by itself.
#[derive(Clone, Debug)]
pub struct Requestable {
    scopes: Vec<Scope>,
    is_all: bool,
}

impl Requestable {
    /// The scopes, by tool: each would be granted as it stands, with the constraints that the rules leave.
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &Scope> {
        self.scopes.iter()
    }

    /// Whether nothing is left out: neither what no scope can say (a regular expression, say), nor tools that a rule
    /// permits without naming them, nor more than 256 scopes.
    pub fn is_all(&self) -> bool {
        self.is_all
    }
}

impl Task {
    /// What this task could be given now, in this context: for each tool that policy names, the parts that lie within a
    /// permit, with the constraints that are left over once who asks, why and the context are known.
    ///
    /// Nothing is recorded, spent or asked of people: what people have to agree to before it is granted is not among
    /// these. What is granted is decided again at each call, so that a forbid that acts on some of its calls still does.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::scope::{eq, max};
    /// # let pay = Rule::permit("pay").tool("bank.pay").arg("amount", max(500)).when("env", eq("prod"));
    /// # let policy = Policy::builder().rule(pay).build()?;
    /// # let broker = Broker::new(policy)?;
    /// let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open(&agent, Purpose::new("errand"))?;
    /// let could = task.could_request(&Context::new().with("env", "prod"))?;
    /// let scopes: Vec<String> = could.scopes().map(|own| own.to_value().to_json()).collect();
    /// assert_eq!(scopes, [r#"[{"args":{"amount":{"max":500}},"tool":"bank.pay"}]"#]);
    /// assert_eq!(task.could_request(&Context::new())?.scopes().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The [`Denial`] of a task that can be given nothing, or of a context that is not well formed.
    pub fn could_request(&self, context: &Context) -> Result<Requestable, Denial> {
        self.could_request_for(&self.cell.requester, context)
    }

    /// As [`could_request`](Self::could_request), for another holder.
    ///
    /// # Errors
    /// As [`could_request`](Self::could_request).
    pub fn could_request_for(
        &self,
        holder: &Identity,
        context: &Context,
    ) -> Result<Requestable, Denial> {
        let (shared, cell) = (&self.shared, &self.cell);
        let (now, context) = shared.moment(holder, None, context)?;
        let (scope, meter) = (Scope::default(), Meter::of_question(0));
        let (scope, occasion) = (&scope, Occasion::REQUEST);
        let request = GrantRequest { shared, cell, holder, scope, context, now, meter, occasion };
        let context = request.checked_context()?;
        shared.attested(holder, now)?;
        let (tools, mut is_all) = {
            let current = shared.current();
            request.check_task(&cell.life.lock())?;
            let (tools, are_all) = current.policy.tools_that_may_be_permitted();
            (tools.into_iter().map(Box::<str>::from).collect::<Vec<_>>(), are_all)
        };
        let mut scopes = Vec::new();
        for tool in tools {
            if scopes.len() >= MOST_TOLD {
                is_all = false;
                break;
            }
            let whole = Scope::tool(&tool).any_args().any_resource();
            let capabilities = request.checked_capabilities(&whole)?;
            let mut parts = Vec::new();
            {
                // Each tool is a question of its own: an end or a reload waits for one at most.
                let current = shared.current();
                let life = cell.life.lock();
                request.check_task(&life)?;
                let now = shared.as_of(now);
                for capability in capabilities {
                    let meter = Meter::of_question(capability.size());
                    let asking = OfferInputs {
                        meter: &meter,
                        ..OfferInputs::at_request(&request, &current, &life, context, now)
                    };
                    parts.extend(asking.parts(&request.parties(), &capability));
                    is_all &= !meter.is_spent();
                }
            }
            for part in parts {
                match as_scope(part) {
                    Some(scope) if scopes.len() < MOST_TOLD => scopes.push(scope),
                    _ => is_all = false,
                }
            }
        }
        Ok(Requestable { scopes, is_all })
    }
}

/// The scope of one capability, if an agent may ask for it.
fn as_scope(part: Capability) -> Option<Scope> {
    let scope = Scope::of(std::slice::from_ref(&part), BTreeSet::new());
    scope.check().is_ok().then_some(scope)
}
