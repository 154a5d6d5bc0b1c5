//! Messages between the nodes of a fleet, over HTTP/2.
//!
//! [`HttpTransport`] asks other nodes, [`Listener`] takes what they ask. What is between them is mutual TLS, or, on one machine,
//! addresses of the loopback and Unix sockets; [`Protection`] says which. What is said is sealed by the fleet's own
//! keys in either case.
//!
//! ```no_run
//! use hallpass::fleet::{Fleet, MemoryStore};
//! use hallpass::key::SecretKey;
//! use hallpass::prelude::*;
//! use hallpass_fleet_http::{HttpTransport, Listener, Protection};
//!
//! # fn node(policy: Policy, secret: SecretKey, ring: hallpass::key::KeyRing, store: MemoryStore) -> Result<(), Box<dyn std::error::Error>> {
//! let read = |path| std::fs::read(path);
//! let protection = Protection::mutual_tls("n1", &read("fleet-ca.pem")?, &read("n1.pem")?, &read("n1.key")?)?;
//! let listener = Listener::bind("https://0.0.0.0:7400", protection.clone())?;
//!
//! let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
//! let broker = Broker::builder(policy).issuer("acme/n1").keys(ring).build()?;
//! let fleet = Fleet::builder("acme", "n1")
//!     .answers_at("https://n1.internal:7400")
//!     .transport(HttpTransport::new(threads.handle().clone(), protection))
//!     .vouched_by("n2", "agent-*")
//!     .join(&broker, &secret, store)?;
//! let _tending = fleet.start_tending()?;
//! let _serving = listener.serve(threads.handle(), fleet.clone())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Who is at the other end
//!
//! With certificates, a node that is asked has one of the fleet's authorities that names it, and so has a node that
//! asks: a message in which a node says that it is another is denied, and recorded. Wildcards name no node. Without certificates, who has the
//! fleet's key is a member, and can say that it is any.
//!
//! # What is bounded
//!
//! Messages and answers are of [`MAX_MESSAGE`](hallpass::fleet::MAX_MESSAGE) bytes at most, and 64 megabytes of them may come in at once. A message may
//! take five seconds to come in, an answer a second unless [set](HttpTransport::time_limit). A thousand connections are open at once, each with 128 requests;
//! one on which nothing is asked is closed after ten seconds, or a minute since the last request. Of 64 requests that are answered at once, each has a
//! thread, since it may wait for the log.
//!
//! # What is not done
//!
//! Lists of revoked certificates are not read: give certificates of days, and [renew](Protection::renew) them. To take a node out, take its
//! certificate's successor from it and give the fleet another key.
#![forbid(unsafe_code)]

mod address;
mod listener;
mod pool;
mod protection;
mod server;
mod setup;
mod stream;
mod transport;

pub use listener::Listener;
pub use protection::Protection;
pub use server::Serving;
pub use setup::SetupError;
pub use transport::HttpTransport;
