//! `hallpass mcp`: stands between any MCP client and any MCP server.

mod answer;
mod capabilities;
mod desk;
mod errand;
mod frame;
mod from_client;
mod from_server;
mod gatekeeper;
mod http;
mod input;
mod members;
mod message;
mod options;
mod outbox;
mod pin;
mod proxy;
mod remote;
mod revision;
mod server;
mod session;

pub(crate) use self::options::McpCommand;
pub(crate) use self::pin::PinCommand;
