//! The server of `docs/rmcp.md`: notes over stdio, gated.

use std::error::Error;

use hallpass::prelude::*;
use hallpass_rmcp::Gated;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler, ServiceExt};
use serde_json::{Value, json};

/// A server as it would be without a gate.
struct Notes;

impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({ "type": "object", "properties": { "path": { "type": "string" } } });
        let Value::Object(schema) = schema else { return Ok(ListToolsResult::default()) };
        let tool = |name| Tool::new(name, "one of the notes'", schema.clone());
        Ok(ListToolsResult::with_all_items(vec![tool("read"), tool("erase")]))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let args = call.arguments.unwrap_or_default();
        let path = args.get("path").and_then(Value::as_str).unwrap_or_default();
        let told = format!("{} {path}", call.name);
        Ok(CallToolResult::success(vec![ContentBlock::text(told)]).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let policy = std::env::args().nth(1).ok_or("expected the path of a policy")?;
    let broker = Broker::new(Policy::from_toml(&std::fs::read_to_string(policy)?)?)?;
    let agent = broker.assert_identity("agent-7")?;
    let wanted = Scope::from_json(r#"[{"tool":"read","args":{"path":{"under":"/srv/notes"}}}]"#)?;
    let session = broker.session(&agent, Purpose::new("notes"), wanted)?;

    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    Gated::new(Notes, session).serve((input, output)).await?.waiting().await?;
    Ok(())
}
