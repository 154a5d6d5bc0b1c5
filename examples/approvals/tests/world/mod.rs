//! A broker, an agent, and the page for two people.

use std::net::SocketAddr;

use hallpass::Pending;
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use hallpass_approvals::{Directory, router};

/// What `bank.read` runs with.
#[allow(dead_code, reason = "not every test looks for it")]
pub(crate) const BANK_KEY: &str = "bank-key-5d1c0e9f73a2";

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "bank.pay" }, { name = "bank.read", credential = "bank-key" }]
    [[rule]]
    id = "bank"
    effect = "permit"
    what = { tool = { one_of = ["bank.pay", "bank.read"] }, args = "any" }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "bank.pay" }
    approval = { review = [{ groups = { has_any = ["finance"] } }], per = "call" }
"#;

/// A broker, an agent with a grant of it, and the page.
pub(crate) struct World {
    pub(crate) broker: Broker,
    agent: Identity,
    task: std::cell::RefCell<Option<Task>>,
    grant: Grant,
    pub(crate) address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl World {
    pub(crate) fn new() -> World {
        let vault = Vault::new().unwrap();
        vault.seal("bank-key", Secret::new(BANK_KEY).unwrap()).unwrap();
        let builder = Broker::builder(Policy::from_toml(POLICY).unwrap());
        let broker = builder.vault(&vault).build().unwrap();
        let person = |name: &str, group: &str| {
            broker.assert_identity(Assertion::human(name).group(group)).unwrap()
        };
        let directory = Directory::new()
            .with("ada", person("ada@acme.test", "finance"))
            .with("eve", person("eve@acme.test", "sales"));
        let agent = broker.assert_identity("spiffe://acme.test/payer").unwrap();
        let task = broker.open(&agent, Purpose::new("pay-bill").ticket("INV-1")).unwrap();
        let scope = Scope::tool("bank.pay").any_args().and_tool("bank.read").any_args();
        let grant = task.request(scope, &Context::new()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let page = router(broker.reviews(), directory);
        runtime.spawn(async move { axum::serve(listener, page).await });
        let task = std::cell::RefCell::new(Some(task));
        World { broker, agent, task, grant, address, _runtime: runtime }
    }

    pub(crate) fn ask(&self, args: serde_json::Value) -> Pending {
        let call = Call::new("bank.pay", args).unwrap();
        let denial = self.broker.gate().authorize(&self.grant, &self.agent, call, &Context::new());
        denial.unwrap_err().pending().unwrap().clone()
    }

    /// What the agent is told of a tool that echoes its key.
    #[allow(dead_code, reason = "not every test reads")]
    pub(crate) fn read(&self) -> String {
        let call = Call::new("bank.read", serde_json::json!({})).unwrap();
        let gate = self.broker.gate();
        let permit = gate.authorize(&self.grant, &self.agent, call, &Context::new()).unwrap();
        let ran = permit.run_with(|_, secrets| {
            let key = secrets.get("bank-key").and_then(Secret::expose_text).ok_or("no key")?;
            Ok::<_, &str>(format!("read with {key}"))
        });
        ran.unwrap().scrubbed()
    }

    /// Somebody who may says yes, and not on the page.
    #[allow(dead_code, reason = "not every test answers elsewhere")]
    pub(crate) fn approve_elsewhere(&self, pending: &Pending) {
        let bob = Assertion::human("bob@acme.test").group("finance");
        let bob = self.broker.assert_identity(bob).unwrap();
        let reviews = self.broker.reviews();
        let question = reviews.open(&pending.id()).unwrap();
        let shown = question.view().digest();
        reviews.approve(&question, &bob, &shown, hallpass::policy::Width::CALL).unwrap();
    }

    /// The agent's task ends.
    #[allow(dead_code, reason = "not every test ends it")]
    pub(crate) fn ends(&self) {
        drop(self.task.borrow_mut().take());
    }

    /// What the tool got, if it ran.
    pub(crate) fn redeem(&self, pending: &Pending) -> Option<String> {
        let gate = self.broker.gate();
        let permit = gate.redeem(pending, &self.grant, &self.agent, &Context::new()).ok()?;
        let run = permit.run(|running| Ok::<_, std::io::Error>(running.args().to_json()));
        Some(run.unwrap().raw().clone())
    }
}
