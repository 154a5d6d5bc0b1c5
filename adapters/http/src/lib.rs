//! Secrets put into the HTTP requests of a tool that never sees them: a child process, or a client in the process.
//!
//! While a call runs, [`Injector::lend`] serves an address on the loopback for it. The tool sends its requests there,
//! in the clear and without the secret; they go on to the one origin that the secret is for, over TLS and with it. The address has a
//! key of 256 random bits that is this call's, and is gone when the call is.
//!
//! ```no_run
//! use hallpass::prelude::*;
//! use hallpass_http::{Injection, Injector, rustls};
//! use std::sync::Arc;
//!
//! # fn run(permit: Permit, tls: Arc<rustls::ClientConfig>) -> Result<(), Box<dyn std::error::Error>> {
//! // Once: which secret goes where, and how.
//! let injector = Injector::builder()
//!     .secret(Injection::bearer("orders-api", "https://api.acme.test".parse()?))
//!     .tls(tls)
//!     .build()?;
//!
//! // For each call of a tool that the catalogue says `credential = "orders-api"` of, and
//! // `origins = { orders-api = "https://api.acme.test" }`.
//! let receipt = permit.run_with(|running, secrets| {
//!     let order = running.args().text("order").unwrap_or_default();
//!     let lease = injector.lend(running, secrets).allow("GET", &format!("/v1/orders/{order}"));
//!     lease.serve(|endpoint| {
//!         let mut client = endpoint.command("orders-client");
//!         client.env("ORDERS_URL", endpoint.url("orders-api").unwrap_or_default()).output()
//!     })
//! })?;
//! # let _ = receipt;
//! # Ok(())
//! # }
//! ```
//!
//! # What a request meets
//!
//! - **Who**: the key, in the path of [`Endpoint::url`] or as the password of [`Endpoint::proxy`], compared in constant time; and the
//!   call has to be live, when a request begins and for as long as its answer comes.
//! - **Where to**: the origin is the injector's, which the catalogue has to say of the tool as well (`origins`), found by the path or by the request line, never by the header `host`. A name is
//!   resolved here, once; an address that is not public is refused unless the host has [said so](Injection::at_private_addresses).
//!   `CONNECT` and `TRACE` are refused. A redirect is handed to the tool: it goes through here again, or goes without the secret.
//! - **What**: nothing, unless it is [allowed](Lease::allow) by method and path, or [authorized as a call](Lease::authorizing) of
//!   its own. A path that servers read in more than one way is refused, and so is a header by which servers take another method or path
//!   for the request's (`x-http-method-override` and the like).
//! - **With what**: the tool's own `authorization` and `cookie` are taken out, as are `range` and what concerns one connection alone.
//! - **What comes back**: headers and body without the secrets of the task, as a stream. Encodings that can't be read are not asked for,
//!   and refused. `set-cookie` stays here, since a session would outlive the call.
//!
//! # What it does not do
//!
//! - It does not contain a child, which can reach what its machine lets it reach, without the secret.
//! - A process of the same user can read the environment of a child, its key included, while the call runs. Arguments of a
//!   process can be read by everybody on the machine: give the key in the environment.
//! - What an answer holds in addition to the secret, another token say, goes to the tool. Bound the paths accordingly.
//! - The buffers in which a request leaves are not wiped.

mod address;
mod answer;
mod bounds;
mod connect;
mod endpoint;
mod headers;
mod injection;
mod injector;
mod key;
mod lease;
mod origin;
mod path;
mod refusal;
mod request;
mod server;

pub use bounds::Asked;
pub use endpoint::Endpoint;
pub use injection::Injection;
pub use injector::{Injector, InjectorBuilder, InjectorError, Resolving};
pub use lease::{Lease, LeaseError};
pub use origin::{Origin, OriginError};
pub use tokio_rustls::rustls;
