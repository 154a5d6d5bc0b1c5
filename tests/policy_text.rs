//! Policies as text: what loads, and what is refused where and why.

use hallpass::policy::Policy;

/// The policy that the design shows.
const SHOWN: &str = r#"
version = 1

[[tool]]
name   = "mail.send"
labels = ["egress"]

[[tool]]
name   = "db.query"

[[tool]]
name   = "data.export"

[[rule]]
id     = "analysts-read-orders"
effect = "permit"
who    = { id = { glob = "spiffe://acme.test/agent/analyst/*" }, groups = { has_any = ["analytics"] } }
what   = { tool = "db.query", args = { table = { one_of = ["orders", "customers"] }, limit = { max = 1000 } } }
why    = { purpose = { one_of = ["reporting", "incident"] }, ticket = { present = true } }
when   = { env = "prod", risk = { below = 50 } }
grant  = { ttl = "5m", max_life = "30m", uses = 20, rate = "10/1m", budget = { "args.limit" = 10000 }, depth = 1 }

[[rule]]
id     = "exports"
effect = "permit"
what   = { tool = "data.export", args = "any" }
grant  = { ttl = "2m", uses = 1 }

[[rule]]
id       = "export-needs-a-human"
effect   = "ask"
what     = { tool = "data.export" }
approval = { review = [{ groups = { has_any = ["data-owners"] }, count = 1 }], per = "call", expires = "15m" }

[[rule]]
id     = "no-egress-once-tainted"
effect = "forbid"
what   = { labels = { has_any = ["egress"] } }
when   = { seen = { has_all = ["untrusted-input", "private-data"] } }
"#;

#[test]
fn the_policy_that_the_design_shows_loads() {
    let policy = Policy::from_toml(SHOWN).unwrap();
    let ids: Vec<_> = policy.rules().map(|rule| rule.id().to_owned()).collect();
    let expected =
        ["analysts-read-orders", "export-needs-a-human", "exports", "no-egress-once-tainted"];
    assert_eq!(ids, expected);
}
