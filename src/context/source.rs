//! Facts that the broker asks the host for.

use std::error::Error;
use std::time::Duration;

use super::Context;
use crate::identity::Identity;

/// What the host knows of the moment of each question: a fraud score, a device's posture, a change freeze.
/// The broker asks it at every request, delegation, renewal, listing and call, so that no caller has to
/// remember to state it. See [`BrokerBuilder::context_source`](crate::BrokerBuilder::context_source).
///
/// A function of the same arguments is one.
///
/// ```
/// use std::time::Duration;
/// use hallpass::prelude::*;
/// use hallpass::scope::below;
///
/// let rule = Rule::permit("read").tool("read").any_args().when("risk", below(50));
/// let broker = Broker::builder(Policy::builder().rule(rule).build()?)
///     .context_source(
///         |_: &Identity, _: Option<&str>, _: Duration| Ok(Context::new().with("risk", 90)),
///         Duration::from_millis(50),
///     )
///     .build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("report"))?;
/// let denial = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap_err();
/// assert_eq!(denial.reason(), Reason::NotCovered);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ContextSource: Send + Sync {
    /// What is known about `who` now, and about `tool` if the question is a call of one. To be answered
    /// `within` that time: an answer that comes later is not taken.
    ///
    /// # Errors
    /// Any: the question is denied as [`context_unavailable`](crate::Reason::ContextUnavailable), and so it
    /// is if this panics.
    fn facts(
        &self,
        who: &Identity,
        tool: Option<&str>,
        within: Duration,
    ) -> Result<Context, Box<dyn Error + Send + Sync>>;
}

impl<F> ContextSource for F
where
    F: Fn(&Identity, Option<&str>, Duration) -> Result<Context, Box<dyn Error + Send + Sync>>
        + Send
        + Sync,
{
    fn facts(
        &self,
        who: &Identity,
        tool: Option<&str>,
        within: Duration,
    ) -> Result<Context, Box<dyn Error + Send + Sync>> {
        self(who, tool, within)
    }
}
