//! A bank whose requests, delegations and emergencies are decided again.

use std::time::Duration;

use super::*;
use crate::scope::max;

pub(super) const POLICY: &str = r#"
    version = 1

    [log]
    plain = ["who.groups", "who.attrs.team", "when.env", "when.seen"]

    [[tool]]
    name   = "mail.read"
    labels = ["private"]

    [[tool]]
    name   = "bank.pay"
    labels = ["egress"]
    args   = { to = "path?", amount = "number" }

    [[rule]]
    id     = "payers"
    effect = "permit"
    who    = { groups = { has_any = ["payers"] } }
    what   = { tool = "bank.pay", args = { to = { any = [{ present = false }, "any"] }, amount = { max = 500 } } }
    when   = { env = "prod" }

    [[rule]]
    id     = "lenders"
    effect = "permit"
    on     = ["delegate"]
    who    = { attrs = { team = "north" } }
    what   = { tool = "bank.pay", args = { to = { any = [{ present = false }, "any"] }, amount = { max = 300 } } }
    grant  = { depth = 2 }

    [[rule]]
    id     = "readers"
    effect = "permit"
    what   = { tool = "mail.read", args = "any" }

    [[rule]]
    id     = "incident"
    effect = "permit"
    on     = ["break_glass"]
    who    = { groups = { has_any = ["sre"] } }
    what   = { tool = "bank.pay", args = { amount = { max = 900 } } }
    break_glass = { review = [{ groups = { has_any = ["owners"] } }], due = "24h" }
    grant       = { ttl = "15m", uses = 5 }

    [[rule]]
    id       = "large-ones"
    effect   = "ask"
    what     = { tool = "bank.pay", args = { amount = { above = 400 } } }
    approval = { per = "task", review = [{ groups = { has_any = ["owners"] }, count = 1 }] }

    [[rule]]
    id     = "suspended"
    effect = "forbid"
    on     = ["request", "delegate", "call"]
    who    = { groups = { has_any = ["suspended"] } }

    [[rule]]
    id     = "nothing-private-leaves"
    effect = "forbid"
    what   = { labels = { has_any = ["egress"] } }
    when   = { seen = { has_any = ["private"] } }
"#;

/// A broker of payments, and the agent that asks for them.
pub(super) struct Bank {
    pub(super) log: MemoryLog,
    pub(super) broker: Broker,
    pub(super) agent: Identity,
}

impl Bank {
    pub(super) fn new(policy: &Policy) -> Self {
        let noon = crate::clock::Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
        let (log, clock) = (MemoryLog::new(), ManualClock::new(noon));
        let builder = Broker::builder(policy.clone()).log(log.clone()).clock(clock);
        let builder = builder.break_glass_alert(|_| Ok(()), Duration::from_secs(5));
        let broker = builder.build().unwrap();
        let agent = broker.assert_identity(in_group("agent-7", "payers")).unwrap();
        Bank { log, broker, agent }
    }

    pub(super) fn open(&self) -> Task {
        self.broker.open(&self.agent, Purpose::new("pay-bill")).unwrap()
    }

    pub(super) fn attest(&self, who: Assertion) -> Identity {
        self.broker.assert_identity(who).unwrap()
    }

    pub(super) fn replay(&self, mut replayer: Replayer) -> Replay {
        self.broker.flush();
        for record in self.log.records() {
            replayer.note(&record, self.log.plain_line(record.seq).as_deref());
        }
        replayer.finish()
    }

    pub(super) fn own(&self, policy: &Policy) -> Replay {
        self.replay(Replayer::own([policy.clone()]))
    }
}

pub(super) fn in_group(who: &str, group: &str) -> Assertion {
    Assertion::agent(who).group(group).attr("team", "north")
}

pub(super) fn pay(most: u64) -> Scope {
    Scope::tool("bank.pay").arg("amount", max(most))
}

pub(super) fn prod() -> Context {
    Context::new().with("env", "prod")
}
