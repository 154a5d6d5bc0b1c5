//! Services on tower and axum whose handlers run from a permit, and from nothing else.
//!
//! A [`GatedRouter`] is a router of axum that asks before each handler: who calls, for which tool, with which arguments. It
//! starts the call, hands the handler what was decided about, scrubs the response and records the outcome.
//!
//! ```
//! use axum::{Router, routing::post};
//! use hallpass::prelude::*;
//! use hallpass_tower::{Arguments, GatedRouter, HttpGate, Refusal};
//!
//! #[derive(serde::Deserialize)]
//! struct Sum {
//!     a: i64,
//!     b: i64,
//! }
//!
//! async fn add(Arguments(sum): Arguments<Sum>) -> String {
//!     (sum.a + sum.b).to_string()
//! }
//!
//! # fn service(broker: &Broker) -> Router {
//! let attestor = broker.attestor();
//! let gate = HttpGate::tokens(broker.gate(), move |request| {
//!     // What your own authentication says, of a client certificate, say.
//!     let id = request.extensions.get::<String>().ok_or(Refusal::Unauthenticated)?;
//!     Ok(attestor.attest(id.as_str())?)
//! });
//! let service: Router = GatedRouter::new(gate).route("/sums", post(add)).with_state(());
//! # service
//! # }
//! # let rule = Rule::permit("adders").tool("http:POST:/sums").any_args();
//! # service(&Broker::new(Policy::builder().rule(rule).build()?)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a call is
//!
//! - **The tool** is `http:METHOD:/route`, where `/docs/{id}` is written `/docs/:id` and `/files/{*path}` is `/files/:path..`; or
//!   what [`HttpGate::tool`] says.
//! - **The arguments** are the members of the JSON body, the parameters of the path and those of the query, the latter two as
//!   text. A name that is said twice, anywhere, is refused.
//! - **What is presented** is a token in `Authorization: Bearer` ([`HttpGate::tokens`]), a narrowed or call-bound one too, or
//!   a session that the host keeps for the caller ([`HttpGate::sessions`]).
//!
//! # What a handler sees
//!
//! The arguments of the permit, by [`Arguments`], [`Permitted`] or as a JSON body, and what the host has named
//! ([`HttpGate::keep_header`], [`HttpGate::keep`]). Path, query, body, headers and extensions of the request itself are not handed on: a
//! handler can't act on another spelling of what was decided about.
//!
//! A handler that takes the arguments can't be mounted anywhere else:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use hallpass_tower::{GatedRouter, HttpGate, Permitted};
//! async fn add(call: Permitted) -> String {
//!     call.args().to_json()
//! }
//! fn gated(gate: HttpGate) -> Router {
//!     GatedRouter::new(gate).route("/sums", post(add)).with_state(())
//! }
//! ```
//! ```compile_fail,E0277
//! # use axum::{Router, routing::post};
//! # use hallpass_tower::{GatedRouter, HttpGate, Permitted};
//! async fn add(call: Permitted) -> String {
//!     call.args().to_json()
//! }
//! fn ungated() -> Router {
//!     Router::new().route("/sums", post(add)).with_state(())
//! }
//! ```
//!
//! # What it does not do
//!
//! - It does not say who calls: that is the host's function.
//! - It hands on no trailers and no upgrades (WebSockets), in either direction.
//! - What is [asked of people](hallpass::Code::ApprovalRequired) comes back as a text; where they answer is the host's.
//! - A decision waits for the log, as long as the broker's `log_timeout`: on the thread that asks, unless the broker has a
//!   [timer](hallpass::BrokerBuilder::log_timer) and its sink a [thread](hallpass::audit::ThreadedSink) of its own.

#![forbid(unsafe_code)]

mod answer;
mod caller;
mod denied;
mod gate;
mod handler;
mod permitted;
mod query;
mod question;
mod router;
mod secrets;
mod service;

pub use answer::Answer;
pub use caller::{Caller, Refusal};
pub use denied::Denied;
pub use gate::{HttpGate, PENDING};
pub use permitted::{Arguments, Permitted};
pub use router::{Gated, GatedRouter, HostState};
pub use service::GateService;
