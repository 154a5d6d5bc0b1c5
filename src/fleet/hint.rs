//! Where a token is at home, for what routes requests to nodes.

use crate::token::{Framed, Presentable, TokenBuffer};

/// The node that a token of this fleet says is its home, for a load balancer that would send it there: calls at its home need
/// no other node. Nothing of the token is verified, so this is a hint, and decides nothing: a gate does, wherever it goes.
///
/// ```
/// use hallpass::fleet::home_hint;
/// use hallpass::prelude::*;
///
/// let policy = Policy::builder().rule(Rule::permit("all").any_tool().any_args()).build()?;
/// let broker = Broker::builder(policy).issuer("acme/n1").build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("report"))?;
/// let grant = task.request(Scope::tool("read").any_args(), &Context::new())?;
/// assert_eq!(home_hint(grant.token(), "acme").as_deref(), Some("n1"));
/// assert_eq!((home_hint(grant.token(), "other"), home_hint("hp1.x.y", "acme")), (None, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn home_hint<P: Presentable + ?Sized>(presented: &P, fleet: &str) -> Option<Box<str>> {
    let mut room = TokenBuffer::new();
    let framed = Framed::read(presented.text(), &mut room).ok()?;
    let node = framed.claims()?.issuer.strip_prefix(fleet)?.strip_prefix('/')?;
    (!node.is_empty()).then(|| node.into())
}
