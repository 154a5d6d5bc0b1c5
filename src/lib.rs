//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]

pub mod args;
pub mod audit;
pub mod clock;
pub mod token;
pub mod value;
