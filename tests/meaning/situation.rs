//! A broker under a policy, and one agent that asks and calls.

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::{Broker, Grant, Task};
use serde_json::Value;

pub(crate) struct Situation {
    broker: Broker,
    agent: Identity,
    task: Task,
    context: Context,
}

impl Situation {
    /// Of an agent with a team and two groups, whose task has a ticket.
    pub(crate) fn new(policy: &str) -> Self {
        Self::of(
            policy,
            Assertion::agent("ana").attr("team", "red").group("r1-readers").group("staff"),
        )
    }

    pub(crate) fn of(policy: &str, agent: Assertion) -> Self {
        let policy = Policy::from_toml(&format!("version = 1\n{policy}")).unwrap();
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-11-28T09:00:00Z").unwrap());
        let broker = Broker::builder(policy).clock(clock).build().unwrap();
        let agent = broker.assert_identity(agent).unwrap();
        let task = broker.open(&agent, Purpose::new("errand").ticket("T-7")).unwrap();
        Situation { broker, agent, task, context: Context::new() }
    }

    pub(crate) fn with(self, name: &'static str, value: &'static str) -> Self {
        Situation { context: Context::new().with(name, value), ..self }
    }

    /// Asks for what the JSON of a scope says.
    pub(crate) fn request(&self, scope: &Value) -> Result<Grant, Denial> {
        self.task.request(Scope::try_from(scope).unwrap(), &self.context)
    }

    pub(crate) fn granted(&self, scope: &Value) -> bool {
        match self.request(scope) {
            Ok(_) => true,
            Err(denial) => {
                let reason = denial.reason();
                let expected = matches!(reason, Reason::NotCovered | Reason::Forbidden);
                assert!(expected, "{reason:?} of {scope}: {}", denial.explain());
                false
            }
        }
    }

    /// What a call of a grant comes to.
    pub(crate) fn call(&self, grant: &Grant, call: &Value) -> Result<(), Reason> {
        self.call_with(grant, call, &self.context)
    }

    pub(crate) fn call_with(
        &self,
        grant: &Grant,
        call: &Value,
        context: &Context,
    ) -> Result<(), Reason> {
        let args = call.get("args").cloned().unwrap_or_else(|| serde_json::json!({}));
        let mut made = Call::new(call["tool"].as_str().unwrap(), args).unwrap();
        if let Some(resource) = call.get("resource") {
            let text = |key: &str| resource[key].as_str().unwrap();
            let mut own = hallpass::Resource::new(text("type"), text("id"));
            for (name, value) in resource["attrs"].as_object().into_iter().flatten() {
                own = own.attr(name.clone(), hallpass::value::Value::try_from(value).unwrap());
            }
            made = made.on(own);
        }
        let checked = self.broker.gate().check(grant.token(), &self.agent, &made, context);
        checked.map(drop).map_err(|denial| denial.reason())
    }

    /// Which of these values of the argument `x` of the tool `t` pass, whatever else is permitted.
    pub(crate) fn passes(&self, values: &[Value]) -> Vec<bool> {
        let all = serde_json::json!([{ "tool": "t", "args": "any" }]);
        let grant = self.request(&all).unwrap();
        let call = |value| serde_json::json!({ "tool": "t", "args": { "x": value } });
        values.iter().map(|value| self.call(&grant, &call(value)).is_ok()).collect()
    }
}

/// A policy that permits everything and forbids where the argument `x` of the tool `t` is so.
pub(crate) fn forbids(x: &str) -> String {
    format!(
        "[[rule]]\nid = \"all\"\neffect = \"permit\"\nwhat = {{ tool = \"any\", args = \"any\", resource = \"any\" }}\n\
         [[rule]]\nid = \"not\"\neffect = \"forbid\"\non = [\"call\"]\nwhat = {{ tool = \"t\", args = {{ x = {x} }} }}\n"
    )
}

/// A policy that permits to ask for everything, and to call where the argument `x` of the tool `t` is so.
pub(crate) fn permits(x: &str) -> String {
    format!(
        "[[rule]]\nid = \"ask\"\neffect = \"permit\"\non = [\"request\"]\nwhat = {{ tool = \"any\", args = \"any\" }}\n\
         [[rule]]\nid = \"call\"\neffect = \"permit\"\non = [\"call\"]\nwhat = {{ tool = \"t\", args = {{ x = {x} }} }}\n"
    )
}
