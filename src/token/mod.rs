//! Tokens: the signed, ephemeral wire form of a grant.
//!
//! A token goes from hand to hand as text. Its holder can narrow it ([`Token::attenuate`]) and
//! bind it to one call ([`Token::present`]), and needs neither broker nor key for that. A
//! [`Gate`](crate::Gate) takes what arrives, and so, where there is no broker, does a [`Verifier`].
//!
//! ```
//! use std::time::Duration;
//! use hallpass::prelude::*;
//! use hallpass::clock::{Clock, SystemClock};
//! use hallpass::scope::under;
//! use serde_json::json;
//!
//! # let rule = Rule::permit("read").tool("files.read").arg("path", under("/data"));
//! # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
//! # let gate = broker.gate();
//! # let planner = broker.assert_identity("planner")?;
//! # let task = broker.open(&planner, Purpose::new("research"))?;
//! # let context = Context::new();
//! let grant = task.request(Scope::tool("files.read").arg("path", under("/data")), &context)?;
//!
//! // The planner hands on less than it has, for less long.
//! let minute = SystemClock::new().read()?.wall.checked_add(Duration::from_secs(60));
//! let less = Scope::tool("files.read").arg("path", under("/data/q3"));
//! let handed_on: String = grant.token().attenuate(&less, minute)?.expose().to_owned();
//!
//! // The worker binds what it got to the call that it is about to make.
//! let call = Call::new("files.read", json!({ "path": "/data/q3/eu.csv" }))?;
//! let token = Token::from_text(handed_on);
//! let sent: String = token.present(&call, SystemClock::new().read()?.wall)?.expose().to_owned();
//!
//! // The tool's side takes whatever arrives, whether a token or a presentation.
//! let permit = gate.authorize(&Token::from_text(sent), &planner, call, &context)?;
//! # drop(permit);
//! # let other = Call::new("files.read", json!({ "path": "/data/q4.csv" }))?;
//! assert!(gate.authorize(&token, &planner, other, &context).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a broker does below that, minting and taking tokens apart, is in [`hazmat`]. The bytes are specified
//! in `docs/token-format.md`.

mod bearer;
mod block;
mod call_bound;
mod carried;
mod chain;
mod claims;
mod error;
pub mod hazmat;
mod mint;
mod outside;
mod proof;
mod recent;
mod text;
mod verifier;
mod verify;

pub use crate::form::Form;
pub use bearer::{Token, TokenId};
pub(crate) use block::{Narrowing, RefusingBlock};
pub(crate) use call_bound::sealed;
pub use call_bound::{Presentable, Presentation};
pub(crate) use carried::encode_carried;
pub use chain::MAX_ATTENUATIONS;
pub(crate) use claims::{Claims, MAX_NAME};
pub use error::{BlockError, MintError, TokenError};
pub use outside::OutsideScope;
pub use text::MAX_TOKEN_TEXT;
pub(crate) use text::TokenBuffer;
pub use verifier::{LivenessAndReplayUnchecked, Verifier, VerifierError};
pub(crate) use verify::{Framed, VerifiedToken};
