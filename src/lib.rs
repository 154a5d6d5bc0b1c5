//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "the broker, which uses all of it, comes next")]

pub mod args;
pub mod audit;
mod call;
pub mod clock;
pub mod context;
pub mod denial;
pub mod grant;
pub mod identity;
pub mod policy;
pub mod purpose;
mod random;
pub mod resource;
pub mod scope;
pub mod testing;
mod text;
pub mod token;
pub mod tool;
pub mod value;

pub use call::{Call, CallError};
pub use random::RandomError;
