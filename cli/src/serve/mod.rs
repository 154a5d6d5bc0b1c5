//! `hallpass serve`: decides for services and proxies that ask over HTTP.
//!
//! `authzen` reads requests and writes answers, `evaluate` decides, `http` and `listen` carry both over the network.

mod authzen;
mod bearer;
mod entities;
mod evaluate;
mod http;
mod listen;
mod options;
mod tls;

pub(crate) use self::options::ServeCommand;
