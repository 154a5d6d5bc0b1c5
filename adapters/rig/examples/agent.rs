//! The agent of `docs/rig.md`: it pays bills, behind a gate.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::convert::Infallible;

use hallpass::Session;
use hallpass_rig::ToolGate;
use rig_agent::{Agent, AgentBuilder};
use rig_core::test_utils::{MockCompletionModel, MockTurn};
use rig_core::tool::PortableTool;
use serde::Deserialize;
use serde_json::{Value, json};

/// A tool as it would be without a gate.
struct Pay;

#[derive(Deserialize)]
struct Bill {
    to: String,
    amount: u32,
}

impl PortableTool for Pay {
    const NAME: &'static str = "bank.pay";
    type Args = Bill;
    type Output = String;
    type Error = Infallible;

    fn description(&self) -> String {
        "pays a bill".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "to": { "type": "string" }, "amount": { "type": "integer" } } })
    }

    async fn call(&self, bill: Bill) -> Result<String, Infallible> {
        Ok(format!("paid {} to {}", bill.amount, bill.to))
    }
}

/// The agent, with a model of yours in the place of this one, which plays a script.
fn agent(session: Session, model: MockCompletionModel) -> Agent {
    let gate = ToolGate::new(session);
    AgentBuilder::new(model).dynamic_tool(gate.tool(Pay)).build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use hallpass::prelude::*;

    let policy = std::env::args().nth(1).ok_or("expected the path of a policy")?;
    let broker = Broker::new(Policy::from_toml(&std::fs::read_to_string(policy)?)?)?;
    let caller = broker.assert_identity("agent-7")?;
    let wanted = Scope::from_json(
        r#"[{"tool":"bank.pay","args":{"to":{"eq":"CH93"},"amount":{"max":100}}}]"#,
    )?;
    let session = broker.session(&caller, Purpose::new("pay-bill"), wanted)?;

    let pay =
        |to, amount| MockTurn::tool_call("call", "bank.pay", json!({ "to": to, "amount": amount }));
    let model =
        MockCompletionModel::from_turns([pay("CH93", 98), pay("XX00", 98), MockTurn::text("done")]);
    let said = agent(session, model.clone()).prompt("pay the bill").max_turns(3).run().await?;
    for request in model.requests().iter().skip(1) {
        let told = serde_json::to_value(request.chat_history.last())?;
        let text = told.pointer("/content/0/content/0/text");
        println!("the model is told: {}", text.unwrap_or(&told));
    }
    println!("the agent says: {}", said.output());
    hallpass::assert_nothing_stands!(broker);
    Ok(())
}
