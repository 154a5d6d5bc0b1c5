//! Questions posted to a chat, and answered there by two buttons: in the form of a public chat API (Slack's Web API,
//! its Block Kit and its signed callbacks).
//!
//! A chat is a window, and decides nothing. A message has the view of a question as literal text, with its digest; where
//! that does not fit, it has a link to the page instead, and no button that says yes. A callback is believed once its
//! signature and its time are right, and then says which of the chat's users clicked: whom that is, the host knows
//! ([`Members`]), and who may answer [`Reviews`](hallpass::Reviews) decides.

mod api;
mod callback;
mod members;
mod message;
mod notifier;
mod signature;

pub use api::{Api, HttpApi};
pub use callback::callbacks;
pub use members::Members;
pub use notifier::Notifier;
pub use signature::{SigningSecret, Unsigned};
