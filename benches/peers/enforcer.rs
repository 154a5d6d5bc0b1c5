//! `casbin`: W3.
//!
//! One line of policy for each rule and one `g` line for each agent; bounds of the risk stand in the matcher, which is
//! evaluated for each line. *Less* than hallpass: no type but text and number, every line is looked at. Its cache of whole
//! requests is left off: nothing is kept from one question to the next in any row.

use std::fmt::Write as _;

use casbin::{CoreApi, DefaultModel, Enforcer, StringAdapter};
use criterion::Criterion;

use crate::cases;
use crate::workload::{Rules, table, tool};

const MODEL: &str = r#"
[request_definition]
r = sub, tool, table, env, risk

[policy_definition]
p = sub, tool, table, env, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.tool == p.tool && r.table == p.table && ((p.eft == "allow" && r.env == p.env && r.risk < 50 && g(r.sub, p.sub)) || (p.eft == "deny" && r.risk >= 40))
"#;

pub(crate) fn decision(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let mut text = String::new();
    for j in 0..rules.forbids {
        writeln!(text, "p, all, {}, {}, all, deny", tool(j), table(j)).unwrap();
    }
    for i in 0..rules.permits {
        writeln!(text, "p, g{i}, {}, {}, prod, allow", tool(i), table(i)).unwrap();
        writeln!(text, "g, agent-{i}, g{i}").unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_str(MODEL).await.unwrap();
        Enforcer::new(model, StringAdapter::new(text)).await.unwrap()
    });
    cases::decision(c, "casbin", size, |asked| {
        let risk = asked.risk as i32;
        enforcer.enforce((asked.agent, asked.tool, asked.table, asked.env, risk)).unwrap()
    });
}
