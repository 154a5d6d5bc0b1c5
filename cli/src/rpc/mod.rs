//! JSON-RPC over lines: what two programs say to each other by pipes, as any protocol has it.

pub(crate) mod answer;
pub(crate) mod frame;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod outbox;
pub(crate) mod params;
pub(crate) mod process;
pub(crate) mod requests;
pub(crate) mod session;
