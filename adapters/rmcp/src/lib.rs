//! MCP servers on rmcp whose tools run from a permit, and from nothing else.
//!
//! [`Gated`] is a service around a server of yours: it decides each call, starts it, hands the server the arguments that were
//! decided about, scrubs the result and records the outcome. The client is shown the tools that it could use.
//!
//! ```
//! use hallpass::prelude::*;
//! use hallpass_rmcp::Gated;
//! use rmcp::ServiceExt;
//!
//! # struct Notes;
//! # impl rmcp::ServerHandler for Notes {}
//! # async fn serve(broker: Broker, pipe: tokio::io::DuplexStream) -> Result<(), Box<dyn std::error::Error>> {
//! let agent = broker.assert_identity("agent-7")?;
//! let wanted = Scope::tool("add").any_args();
//! let session = broker.session(&agent, Purpose::new("sums"), wanted)?;
//! Gated::new(Notes, session).serve(pipe).await?.waiting().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is asked
//!
//! | a client's request | is asked as |
//! |---|---|
//! | `tools/call` | the tool of that name, with its arguments |
//! | `resources/read`, `resources/subscribe`, `prompts/get`, `completion/complete`, `subscriptions/listen` | `mcp:` and the method, with its parameters |
//! | `tools/list` | shows the tools that the caller could use |
//! | `prompts/list`, `resources/list`, `resources/templates/list` | empty, unless some could be had |
//!
//! What else the revision of the protocol knows passes: it does nothing. What it does not know, MCP tasks, skills and requests of no
//! specification are refused and recorded; a tool can't have a name that begins with `mcp:`.
//!
//! # What a client is told
//!
//! A denial of a tool's call is a result that is an error, so that the model sees it: the code as text, and in `_meta` under
//! `hallpass/code`. What waits for people has its text under `hallpass/pending`; the client makes the call again with it in
//! `_meta` once they have agreed, and exactly what they agreed to runs. Denials of other requests are errors of the protocol with
//! the number -32010, and that nothing can be decided now is an internal error.
//!
//! # What it does not do
//!
//! - It does not see what the server asks of the client while it runs (sampling, elicitation, roots): that is your own
//!   server. [`hallpass mcp`](hallpass::_documentation::mcp) gates servers of others.
//! - `_meta`, `inputResponses` and `requestState` pass as they came; nothing is decided about them.
//! - A call that is cancelled is recorded as interrupted, and its handler's future dropped; what it has spawned goes on.
//! - A decision waits for the log, as long as the broker's `log_timeout`: on the thread that asks, unless the broker has a
//!   [timer](hallpass::BrokerBuilder::log_timer) and its sink a [thread](hallpass::audit::ThreadedSink) of its own.

#![forbid(unsafe_code)]

mod gated;
mod given;
mod presented;
mod request;
mod secrets;
mod told;
mod tools;
mod treatment;

pub use gated::Gated;
pub use presented::{PENDING, Presented, TOKEN};
