//! What secrets cost a call: nothing where its tool has none, and at most one HMAC where it runs with a sealed one.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use ring::hmac;

use crate::Table;
use crate::measure::{leaving, whole};

/// A new broker, and so a new log, after a number of calls: the log in memory forgets nothing.
const CALLS: u64 = 20_000;

const RULE: &str =
    r#"rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" } }]"#;
const WITHOUT: &str = r#"tool = [{ name = "echo" }, { name = "keyed" }]"#;
const WITH: &str = r#"tool = [{ name = "echo" }, { name = "keyed", credential = "key" }]"#;

pub(crate) fn rows(table: &Table) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let message = [0x5a; 256];
    let tag = hmac::sign(&key, &message);
    let verify = || hmac::verify(&key, black_box(&message), black_box(tag.as_ref())).is_ok();
    assert!(verify());
    let without = [(); 2].map(|()| Renewed::new(WITHOUT, "echo"));
    let unused = [(); 2].map(|()| Renewed::new(WITH, "echo"));
    let sealed = [(); 2].map(|()| Renewed::new(WITH, "keyed"));
    let permit = |errand: &Errand, n| leaving(|| errand.permit())(n);
    let run = |errand: &Errand, n| whole(|| errand.run())(n);
    let run_with = |errand: &Errand, n| whole(|| errand.run_with())(n);
    let rounds = table.effort().in_turn([
        &mut whole(verify),
        &mut |n| without[0].of(n, permit),
        &mut |n| unused[0].of(n, permit),
        &mut |n| sealed[0].of(n, permit),
        &mut |n| without[1].of(n, run),
        &mut |n| unused[1].of(n, run),
        &mut |n| sealed[1].of(n, run_with),
    ]);
    let name = "a permit where other tools run with secrets ÷ where none does";
    table.row(name, rounds.ratio(2, 1), 1.05, "×");
    table.row("the same, and its call run", rounds.ratio(5, 4), 1.05, "×");
    let name = "a permit of a tool that runs with a sealed secret, beyond one that does not ÷ HMAC";
    table.row(name, rounds.beyond(3, 1, 0), 1.0, "×");
    table.row("the same, and its call run with it", rounds.beyond(6, 4, 0), 1.0, "×");
    table.aside("a permit and its call run without a secret", rounds.fastest(4), "ns");
    table.aside("a permit and its call run with a sealed secret", rounds.fastest(6), "ns");
}

struct Errand {
    gate: Gate,
    agent: Identity,
    grant: Grant,
    tool: &'static str,
    _task: Task,
}

impl Errand {
    fn at(tools: &str, tool: &'static str) -> Self {
        let policy = Policy::from_toml(&format!("version = 1\n{tools}\n{RULE}")).unwrap();
        let vault = Vault::new().unwrap();
        vault.seal("key", Secret::new("postgres://orders:fD3kW9sLq2@db/orders").unwrap()).unwrap();
        let builder = Broker::builder(policy);
        let builder = if tools == WITH { builder.vault(&vault) } else { builder };
        let broker = builder.build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(Scope::tool(tool).any_args(), &Context::new()).unwrap();
        Errand { gate: broker.gate(), agent, grant, tool, _task: task }
    }

    fn permit(&self) -> Permit {
        let call = Call::new(black_box(self.tool), serde_json::json!({ "limit": 100 })).unwrap();
        let token = black_box(self.grant.token());
        self.gate.authorize(token, &self.agent, call, &Context::new()).unwrap()
    }

    fn run(&self) {
        self.permit().run(|_| Ok::<_, ()>(())).unwrap();
    }

    fn run_with(&self) {
        let lent = self.permit().run_with(|_, secrets| {
            black_box(secrets.get("key").map(Secret::expose)).map(<[u8]>::len).ok_or(())
        });
        assert_eq!(lent.unwrap().raw(), 38);
    }
}

/// An errand at a broker that is made anew after a number of calls.
struct Renewed {
    tools: &'static str,
    tool: &'static str,
    at: RefCell<(u64, Option<Errand>)>,
}

impl Renewed {
    fn new(tools: &'static str, tool: &'static str) -> Self {
        Renewed { tools, tool, at: RefCell::default() }
    }

    fn of(&self, n: u64, work: impl FnOnce(&Errand, u64) -> Duration) -> Duration {
        let mut at = self.at.borrow_mut();
        let (done, errand) = &mut *at;
        if *done + n > CALLS {
            *errand = None;
        }
        let errand = errand.get_or_insert_with(|| {
            *done = 0;
            Errand::at(self.tools, self.tool)
        });
        *done += n;
        work(errand, n)
    }
}
