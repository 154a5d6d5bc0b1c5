//! A tool of an agent on rig, which runs from the permit and from nothing else.
//!
//! ```text
//! cargo run -p hallpass-hosts --example rig-tool
//! ```
//!
//! The agent's model is left out: what it would send is given to the tool as rig gives it.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use hallpass::prelude::*;
use hallpass::{RunError, assert_nothing_stands};
use rig_core::tool::PortableTool;
use serde_json::{Value, json};

struct Add {
    errand: Session,
}

/// What the model may be told.
#[derive(Debug)]
struct Refused(String);

// ---- glue: 14 lines

impl PortableTool for Add {
    const NAME: &'static str = "add";
    type Args = Value;
    type Output = i64;
    type Error = Refused;

    async fn call(&self, args: Value) -> Result<i64, Refused> {
        let permit =
            self.errand.authorize_json(Self::NAME, args.to_string(), None, &Context::new());
        let ran = permit.map_err(RunError::Denied).and_then(|own| own.run(sum));
        ran.map(|receipt| receipt.scrubbed()).map_err(|error| match error {
            RunError::Denied(denial) => Refused(denial.to_string()),
            RunError::Tool(_) => Refused("the tool failed".to_owned()),
        })
    }

    fn description(&self) -> String {
        "adds two numbers of at most 1000".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "integer" } } })
    }
}

fn sum(running: &hallpass::Running) -> Result<i64, &'static str> {
    let number = |name| running.args().number(name).and_then(|number| number.to_i64());
    number("a").zip(number("b")).map(|(a, b)| a + b).ok_or("not numbers")
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = Broker::new(Policy::from_toml(include_str!("adding.toml"))?)?;
    let agent = broker.assert_identity("agent-7")?;
    let wanted =
        Scope::from_json(r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000}}}]"#)?;
    let add = Add { errand: broker.session(&agent, Purpose::new("sums"), wanted)? };
    println!("1 + 2 = {}", add.call(json!({ "a": 1, "b": 2 })).await?);
    for args in [json!({ "a": 1, "b": 2000 }), json!({ "a": "1", "b": 2 }), json!([1, 2])] {
        println!(
            "{args}: {}",
            add.call(args.clone()).await.map_or_else(|e| e.to_string(), |n| n.to_string())
        );
    }
    drop(add);
    assert_nothing_stands!(broker);
    Ok(())
}
