//! Which requests come from a client that may ask, and from no web page that may not.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::response::{IntoResponse, Response};
use tokio_rustls::TlsAcceptor;

use crate::serve::{Door, is_loopback};

/// What is asked of a request before anything of it is read.
pub(in crate::mcp) struct Gates {
    door: Door,
    /// Whether the address is this machine's own, which a web page reaches by a name that its author has pointed there.
    is_local: bool,
    origins: Vec<String>,
}

impl Gates {
    pub(in crate::mcp) fn new(door: Door, listen: &SocketAddr, origins: &[String]) -> Self {
        Gates { door, is_local: is_loopback(listen), origins: origins.to_vec() }
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.door.tls.clone()
    }

    /// Lets a request on that names this machine, comes from no page that was not named, and knows a secret.
    ///
    /// # Errors
    /// The response that says no.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let refused = |told: &'static str| Box::new((StatusCode::FORBIDDEN, told).into_response());
        if self.is_local && !only(headers, HOST).is_some_and(names_this_machine) {
            return Err(refused("`host` is not a name of this machine"));
        }
        if headers.contains_key(ORIGIN) {
            let origin = only(headers, ORIGIN);
            if !origin.is_some_and(|origin| self.origins.iter().any(|own| own == origin)) {
                return Err(refused("`origin` is not one that was named: `--origin`"));
            }
        }
        self.door.admit(headers)
    }
}

/// The value of a header that is there once.
pub(super) fn only(
    headers: &HeaderMap,
    name: impl axum::http::header::AsHeaderName,
) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    let own = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(own)
}

fn names_this_machine(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "0"),
    };
    let is_name = matches!(name, "127.0.0.1" | "[::1]") || name.eq_ignore_ascii_case("localhost");
    is_name && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_this_machine_is_no_other_name_that_leads_to_it() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]", "[::1]:80"]
        {
            assert!(names_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:8080",
            "localhost.evil.test",
            "127.0.0.1.nip.io",
            "127.0.0.1:x",
            "127.0.0.1:",
            "localhost:80:80",
            "[::1",
            "::1",
            "0.0.0.0",
            "127.0.0.1@evil.test",
            "localhost:99999",
        ] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
