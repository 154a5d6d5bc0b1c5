//! `hallpass mcp`: stands between any MCP client and any MCP server.

mod answer;
mod capabilities;
mod desk;
mod from_client;
mod from_server;
mod http;
mod input;
mod options;
mod pin;
mod proxy;
mod remote;
mod remote_options;
mod revision;
mod server;

pub(crate) use self::options::McpCommand;
pub(crate) use self::pin::PinCommand;
