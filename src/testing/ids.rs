//! Grants whose ids can be told before.

use crate::broker::BrokerBuilder;
use crate::grant::GrantIds;

/// Has a broker number its grants from 1, where they else have random ids. With keys and a clock of the
/// test's own, tokens are then the same in each run, and so are records, but for the one that names the log.
///
/// ```
/// # use hallpass::prelude::*;
/// use hallpass::testing::numbered_grants;
///
/// # let policy = Policy::builder().rule(Rule::permit("p").tool("t").any_args()).build()?;
/// let broker = numbered_grants(Broker::builder(policy)).build()?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("errand"))?;
/// let grant = task.request(Scope::tool("t"), &Context::new())?;
/// assert_eq!(grant.id().to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn numbered_grants(builder: BrokerBuilder) -> BrokerBuilder {
    builder.ids(GrantIds::Numbered(0.into()))
}
