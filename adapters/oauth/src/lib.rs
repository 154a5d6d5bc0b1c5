//! Access tokens by OAuth 2.0 token exchange ([RFC 8693]), minted for a grant: providers of credentials for hallpass.
//!
//! [`TokenExchange`] asks an authorization server for a token that is good for one audience and a few scopes, on behalf of
//! who the grant's holder acts for. [`AsyncTokenExchange`] does the same for hosts on a runtime. Either sends its requests with an HTTP
//! client that the host brings, which also says who the host is to that server.
//!
//! ```no_run
//! use hallpass::prelude::*;
//! use hallpass_oauth::{Exchange, HttpClient, Parties, SubjectToken, TokenExchange};
//! use std::time::Duration;
//!
//! # fn build(policy: Policy, client: impl HttpClient + 'static) -> Result<(), Box<dyn std::error::Error>> {
//! # fn token_of(_: &Identity) -> Result<hallpass::vault::Secret, String> { Err(String::new()) }
//! let exchange = Exchange::new("https://login.acme.test/token", Duration::from_secs(300))?
//!     .audience("https://orders.acme.test")
//!     .scope("orders.read")
//!     .parties(|holder| Ok(Parties::of(SubjectToken::jwt(token_of(holder)?))));
//! let broker = Broker::builder(policy)
//!     .name("orders")
//!     .provider("orders-api", TokenExchange::new(exchange, client))
//!     .reaped_every(Duration::from_secs(1))
//!     .build()?;
//! # let _ = broker;
//! # Ok(())
//! # }
//! ```
//!
//! # What it can promise
//!
//! - **No withdrawal.** The RFC has none, and a resource server that checks tokens by itself would not notice one. A token is good until
//!   it expires, so that a request for a tool that runs with one is denied as `tail_too_long` unless each rule that covers it
//!   accepts that: `grant = { tail = "6m" }`, at least the life of the server's tokens and the time that minting may take.
//! - **How long** a token lives is the server's to say: the request has no word for it. The host says how long, and a token whose answer
//!   says longer is refused. It was made all the same, and is owed until it has expired.
//! - **Who** it is for is read from the token, where it is a JWT: its `sub` and its `act` have to be the holder's chain
//!   of who acts for whom, its `exp` and its `aud` what was asked for. Its signature is the resource server's to check. Tokens that can't
//!   be read are refused unless the host says that they are [opaque](Exchange::opaque).
//! - **No more than asked for**: an answer of another kind, with a scope that was not asked for, or with a refresh token is
//!   refused.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

mod answer;
mod chain;
mod client;
mod exchange;
mod form;
mod parties;
mod provider;

pub use chain::actor_claims;
pub use client::{AsyncHttpClient, ClientError, HttpClient, Posted, Reply};
pub use exchange::{Exchange, ExchangeError};
pub use parties::{Parties, SubjectToken};
pub use provider::{AsyncTokenExchange, TokenExchange};
