//! `hallpass serve`: decides for services and proxies that ask over HTTP.
//!
//! `authzen` reads requests and writes answers, `evaluate` decides, `http` and `listen` carry both over the network.

mod authzen;
mod bearer;
mod doors;
mod entities;
mod evaluate;
mod http;
mod impatient;
mod listen;
mod options;
mod search;
mod tls;

pub(crate) use self::doors::{Door, Doors};
pub(crate) use self::listen::{is_loopback, serve_until_told};
pub(crate) use self::options::ServeCommand;
pub(crate) use self::tls::connector;
