//! `hallpass serve`: decides for services and proxies that ask over HTTP.
//!
//! `authzen` and `envoy` read requests and write answers, `evaluate` decides, `http`, `grpc` and `listen` carry both over the
//! network.

mod authzen;
mod bearer;
mod doors;
mod entities;
mod envoy;
mod envoy_messages;
mod evaluate;
mod events;
mod grpc;
mod http;
mod http_target;
mod impatient;
mod listen;
mod options;
mod search;
mod stated;
mod tls;

pub(crate) use self::doors::{Door, Doors};
pub(crate) use self::listen::{is_loopback, serve_until_told};
pub(crate) use self::options::ServeCommand;
pub(crate) use self::tls::connector;
