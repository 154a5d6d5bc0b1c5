//! An agent, a script for its model, and what its tools were called with.

use std::sync::{Arc, Mutex};

use hallpass::audit::{Event, MemoryLog, Outcome};
use hallpass::{Broker, BrokerBuilder, Context, Policy, Purpose, Scope, Session};
use hallpass_rig::ToolGate;
use rig_agent::{Agent, AgentBuilder};
use rig_core::completion::ToolDefinition;
use rig_core::message::ToolName;
use rig_core::test_utils::{MockCompletionModel, MockTurn};
use rig_core::tool::{DynamicTool, PortableTool};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A tool of rig's.
pub(crate) struct Add(pub(crate) Notes);

#[derive(Deserialize)]
pub(crate) struct Sum {
    a: i64,
    b: i64,
}

#[derive(Debug)]
pub(crate) struct TooMuch;

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sum is too much")
    }
}

impl std::error::Error for TooMuch {}

impl PortableTool for Add {
    const NAME: &'static str = "add";
    type Args = Sum;
    type Output = i64;
    type Error = TooMuch;

    fn description(&self) -> String {
        "adds".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object" })
    }

    async fn call(&self, sum: Sum) -> Result<i64, TooMuch> {
        self.0.note(format!("{} + {}", sum.a, sum.b));
        if sum.a + sum.b > 500 { Err(TooMuch) } else { Ok(sum.a + sum.b) }
    }
}

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) log: MemoryLog,
    pub(crate) session: Session,
    pub(crate) notes: Notes,
}

pub(crate) fn world(policy: &str, scope: &str) -> World {
    built(policy, scope, |builder| builder)
}

pub(crate) fn built(
    policy: &str,
    scope: &str,
    build: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
) -> World {
    let log = MemoryLog::new();
    let policy = Policy::from_toml(policy).unwrap();
    let broker = build(Broker::builder(policy).log(log.clone())).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let wanted = Scope::from_json(scope).unwrap();
    let session = broker.session(&agent, Purpose::new("sums"), wanted).unwrap();
    World { broker, log, session, notes: Notes::default() }
}

pub(crate) fn definition(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: ToolName::new(name).unwrap(),
        description: name.to_owned(),
        parameters: json!({ "type": "object" }),
    }
}

pub(crate) fn call(tool: &str, args: Value) -> MockTurn {
    MockTurn::tool_call("call", tool, args)
}

impl World {
    pub(crate) fn gate(&self) -> ToolGate {
        ToolGate::new(self.session.clone()).context(|_| Context::new().with("late", false))
    }

    pub(crate) fn add(&self) -> DynamicTool {
        self.gate().tool(Add(self.notes.clone()))
    }

    /// What the model is told after each of its calls.
    pub(crate) async fn told(&self, tool: DynamicTool, calls: Vec<MockTurn>) -> Vec<Value> {
        let most = calls.len() + 1;
        let turns = calls.into_iter().chain([MockTurn::text("done")]);
        let model = MockCompletionModel::from_turns(turns);
        let agent: Agent = AgentBuilder::new(model.clone()).dynamic_tool(tool).build();
        let said = agent.prompt("go on").max_turns(most).run().await.unwrap();
        assert_eq!(said.output(), "done");
        let requests = model.requests();
        let told = requests.iter().skip(1).map(|request| {
            let last = serde_json::to_value(request.chat_history.last().unwrap()).unwrap();
            let told = last["content"][0]["content"][0].clone();
            told.get("text").or(told.get("value")).cloned().unwrap_or(last)
        });
        told.collect()
    }

    /// The outcomes on record, in the order of their permits.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        assert_eq!(self.broker.flush(), 0);
        let records = self.log.records().into_iter();
        records
            .filter_map(|record| match record.event {
                Event::Outcome { outcome, .. } => Some(outcome),
                _ => None,
            })
            .collect()
    }

    /// Ends the session; nothing stands then, and the log is in order.
    pub(crate) fn end(self) {
        self.session.end();
        hallpass::assert_nothing_stands!(self.broker);
        assert_eq!(self.broker.flush(), 0);
        self.broker.verify(&self.log).unwrap();
    }
}
