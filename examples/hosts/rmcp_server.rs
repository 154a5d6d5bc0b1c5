//! An MCP server on rmcp: the client is shown the tools it may use, and each call goes through its session.
//!
//! ```text
//! cargo run -p hallpass-hosts --example rmcp-server
//! ```
//!
//! A client of the same library talks to it over a pipe in memory.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use hallpass::assert_nothing_stands;
use hallpass::prelude::*;
use hallpass_rmcp::Gated;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as McpTool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler, ServiceExt};
use serde_json::{Value, json};

/// A server as it would be without a gate.
struct Desk;

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str| McpTool::new(name, "one of the desk's", JsonObject::new());
        Ok(ListToolsResult::with_all_items(vec![tool("add"), tool("erase")]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let args = request.arguments.unwrap_or_default();
        let number = |name: &str| args.get(name).and_then(Value::as_i64);
        let sum = number("a").zip(number("b")).and_then(|(a, b)| a.checked_add(b));
        Ok(match sum {
            Some(sum) => CallToolResult::success(vec![ContentBlock::text(sum.to_string())]),
            None => CallToolResult::error(vec![ContentBlock::text("not numbers")]),
        }
        .into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = Broker::new(Policy::from_toml(include_str!("adding.toml"))?)?;
    let agent = broker.assert_identity("agent-7")?;
    let wanted =
        Scope::from_json(r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000}}}]"#)?;
    let session = broker.session(&agent, Purpose::new("sums"), wanted)?;
    // ---- glue: 1 line
    let desk = Gated::new(Desk, session);

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
