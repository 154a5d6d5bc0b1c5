//! Zero standing privileges inside a host program.
#![forbid(unsafe_code)]

pub mod audit;
pub mod clock;
pub mod grant;
mod random;
pub mod token;
pub mod value;

pub use random::RandomError;
