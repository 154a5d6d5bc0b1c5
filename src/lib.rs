//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]

pub mod args;
pub mod audit;
pub mod clock;
#[allow(dead_code, reason = "the broker is what attests identities and checks questions")]
pub mod context;
#[allow(dead_code, reason = "the broker is what attests identities and checks questions")]
pub mod identity;
#[allow(dead_code, reason = "the broker is what attests identities and checks questions")]
pub mod purpose;
#[allow(dead_code, reason = "the broker is what attests identities and checks questions")]
pub mod resource;
#[allow(dead_code, reason = "people's views of an approval are what escapes text")]
mod text;
pub mod token;
pub mod tool;
pub mod value;
