//! An MCP server on rmcp: the client is shown the tools it may use, and each call goes through its session.
//!
//! ```text
//! cargo run -p hallpass-hosts --example rmcp-server
//! ```
//!
//! A client of the same library talks to it over a pipe in memory.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use hallpass::args::Args;
use hallpass::prelude::*;
use hallpass::{RunError, assert_nothing_stands};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as McpTool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler, ServiceExt};
use serde_json::{Value, json};

struct Desk {
    session: Session,
    tools: Vec<McpTool>,
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    // ---- glue: 18 lines within what rmcp asks for

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let usable = self.session.tools(&Context::new()).unwrap_or_default();
        let shown = |tool: &&McpTool| usable.iter().any(|own| own.as_str() == tool.name);
        Ok(ListToolsResult::with_all_items(self.tools.iter().filter(shown).cloned().collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let args = Value::from(request.arguments.unwrap_or_default()).to_string();
        let permit = self.session.authorize_json(&request.name, args, None, &Context::new());
        let ran =
            permit.map_err(RunError::Denied).and_then(|own| own.run(|running| add(running.args())));
        let (told, well) = match ran {
            Ok(receipt) => (receipt.scrubbed().to_string(), true),
            Err(RunError::Denied(denial)) => (denial.code().to_string(), false),
            Err(RunError::Tool(_)) => ("the tool failed".to_owned(), false),
        };
        let content = vec![ContentBlock::text(told)];
        Ok(if well { CallToolResult::success(content) } else { CallToolResult::error(content) }
            .into())
    }
}

fn add(args: &Args) -> Result<i64, &'static str> {
    let number = |name| args.number(name).and_then(|number| number.to_i64());
    number("a").zip(number("b")).map(|(a, b)| a + b).ok_or("not numbers")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = Broker::new(Policy::from_toml(include_str!("adding.toml"))?)?;
    let agent = broker.assert_identity("agent-7")?;
    let wanted =
        Scope::from_json(r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000}}}]"#)?;
    let session = broker.session(&agent, Purpose::new("sums"), wanted)?;
    let tool = |name: &'static str| McpTool::new(name, "one of the desk's", JsonObject::new());
    let desk = Desk { session, tools: vec![tool("add"), tool("erase")] };

    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let serving = tokio::spawn(async move {
        desk.serve(ours).await?.waiting().await.map_err(Box::<dyn Error + Send + Sync>::from)
    });
    let client = ().serve(theirs).await?;
    let tools = client.list_all_tools().await?;
    println!("shown: {:?}", tools.iter().map(|tool| &tool.name).collect::<Vec<_>>());
    for (name, args) in [
        ("add", json!({ "a": 1, "b": 2 })),
        ("add", json!({ "a": 1, "b": 2000 })),
        ("erase", json!({})),
    ] {
        let Value::Object(args) = args else { continue };
        let request = CallToolRequestParams::new(name).with_arguments(args);
        println!("{name}: {:?}", client.call_tool(request).await?.content);
    }
    client.cancel().await?;
    serving.await?.map_err(|error| error.to_string())?;
    assert_nothing_stands!(broker);
    Ok(())
}
