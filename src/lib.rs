//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "the broker, which uses all of it, comes next")]

#[doc = include_str!("../docs/policy.md")]
pub mod _policy {}

pub mod args;
pub mod audit;
pub mod clock;
pub mod context;
mod document;
pub mod grant;
pub mod identity;
pub mod policy;
pub mod purpose;
mod random;
pub mod resource;
pub mod scope;
mod text;
pub mod token;
pub mod tool;
pub mod value;

pub use random::RandomError;
