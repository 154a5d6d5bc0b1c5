//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]

pub mod audit;
pub mod clock;
pub mod testing;
pub mod token;
pub mod value;
