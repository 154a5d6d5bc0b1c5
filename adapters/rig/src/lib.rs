//! Tools of rig's agents that run from a permit, and from nothing else.
//!
//! A [`ToolGate`] makes tools for an agent: each call of the model's is decided, started, run with the arguments that were
//! decided about, scrubbed, and its outcome recorded.
//!
//! ```
//! use hallpass::prelude::*;
//! use hallpass_rig::ToolGate;
//! # use rig_core::tool::PortableTool;
//! # use rig_agent::AgentBuilder;
//! # struct Add;
//! # impl PortableTool for Add {
//! #     const NAME: &'static str = "add";
//! #     type Args = [i64; 2];
//! #     type Output = i64;
//! #     type Error = std::fmt::Error;
//! #     fn description(&self) -> String { "adds".to_owned() }
//! #     fn parameters(&self) -> serde_json::Value { serde_json::json!({}) }
//! #     async fn call(&self, [a, b]: [i64; 2]) -> Result<i64, std::fmt::Error> { Ok(a + b) }
//! # }
//! # fn agent(broker: Broker, model: rig_core::test_utils::MockCompletionModel) -> Result<(), Box<dyn std::error::Error>> {
//! let caller = broker.assert_identity("agent-7")?;
//! let wanted = Scope::tool("add").any_args();
//! let session = broker.session(&caller, Purpose::new("sums"), wanted)?;
//! let gate = ToolGate::new(session);
//! let agent = AgentBuilder::new(model).dynamic_tool(gate.tool(Add)).build();
//! # drop(agent);
//! # Ok(())
//! # }
//! ```
//!
//! # What is asked
//!
//! The tool of its rig name, with the arguments of the model's call. [`ToolGate::tool`] takes any tool of rig's;
//! [`ToolGate::function`] is for tools of your own: a function of the call that runs, which can't be given to an agent in any
//! other way, and [`ToolGate::function_with_secrets`] for those that the catalogue gives a credential.
//!
//! ```compile_fail,E0308
//! # use hallpass::Running;
//! # use rig_agent::AgentBuilder;
//! # use rig_core::test_utils::MockCompletionModel;
//! fn add(running: &Running) -> String {
//!     running.args().to_json()
//! }
//! fn ungated(model: MockCompletionModel) {
//!     AgentBuilder::new(model).dynamic_tool(add).build();
//! }
//! ```
//!
//! # What the model is told
//!
//! A denial is the result of the tool, with the agent's code and nothing of why. Of what waits for people it says so: the
//! model calls again with the same arguments once they have agreed, and exactly what they agreed to runs. The host finds
//! the question in the result's own context: see [`Waiting`].
//!
//! # What it does not do
//!
//! - It sees the model's arguments as rig has read them: text that is no JSON never gets here, and of a name that is said twice
//!   rig keeps the last. What runs is what was decided about in any case.
//! - It hides no tool: the model is shown what was added to the agent. [`Session::tools`](hallpass::Session::tools) says which
//!   ones could be used now.
//! - It does not see the model, its prompt, or what hooks of the host change in a result; hooks that change arguments do so before
//!   they are decided about.
//! - A call whose agent is dropped is recorded as interrupted; what its tool has spawned goes on.
//! - A decision waits for the log, as long as the broker's `log_timeout`: on the thread that asks, unless the broker has a
//!   [timer](hallpass::BrokerBuilder::log_timer) and its sink a [thread](hallpass::audit::ThreadedSink) of its own.

#![forbid(unsafe_code)]

mod gate;
mod given;
mod told;

pub use gate::ToolGate;
pub use told::Waiting;
