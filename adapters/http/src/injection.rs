//! One secret, where it goes, and how it is written there.

use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::origin::Origin;

/// One secret, by the catalogue's name of the credential: the one origin that it goes to, and how it stands in a request.
#[derive(Clone, Debug)]
pub struct Injection {
    pub(crate) credential: Box<str>,
    pub(crate) origin: Origin,
    header: Box<str>,
    before: &'static str,
    pub(crate) private: bool,
}

impl Injection {
    /// As a bearer token: `authorization: Bearer …`.
    pub fn bearer(credential: &str, origin: Origin) -> Injection {
        Injection {
            credential: credential.into(),
            origin,
            header: header::AUTHORIZATION.as_str().into(),
            before: "Bearer ",
            private: false,
        }
    }

    /// As the value of a header of this name: `x-api-key`, say.
    pub fn header(credential: &str, header: &str, origin: Origin) -> Injection {
        Injection { header: header.into(), before: "", ..Injection::bearer(credential, origin) }
    }

    /// The origin's name may resolve to addresses that are not public: a service of the host's own network. An origin
    /// that is said as an address needs no such word.
    #[must_use]
    pub fn at_private_addresses(self) -> Injection {
        Injection { private: true, ..self }
    }

    /// The header's name, if it is one that may carry a secret: not one by which a request is framed or routed.
    pub(crate) fn header_name(&self) -> Option<HeaderName> {
        let name: HeaderName = self.header.parse().ok()?;
        let routes = [
            header::HOST,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::ACCEPT_ENCODING,
            header::COOKIE,
            header::EXPECT,
            header::RANGE,
        ];
        (!routes.contains(&name) && !crate::headers::is_of_connection(&name)).then_some(name)
    }

    /// The value of the header with this secret in it, in memory that is wiped; `None` of a secret that no header can
    /// carry.
    pub(crate) fn value(&self, secret: &[u8]) -> Option<HeaderValue> {
        if !secret.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut value = Zeroizing::new(Vec::with_capacity(self.before.len() + secret.len()));
        value.extend_from_slice(self.before.as_bytes());
        value.extend_from_slice(secret);
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(value)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Origin {
        "https://api.acme.test".parse().unwrap()
    }

    #[test]
    fn a_secret_that_would_end_its_header_has_no_value_and_none_is_shown() {
        let bearer = Injection::bearer("api", api());
        let value = bearer.value(b"t0ken-t0ken-t0ken").unwrap();
        assert_eq!(value.as_bytes(), b"Bearer t0ken-t0ken-t0ken");
        assert!(!format!("{value:?} {bearer:?}").contains("t0ken"));
        for secret in ["a\r\nx-admin: 1", "a b", "é", "a\0b", "a\tb"] {
            assert!(bearer.value(secret.as_bytes()).is_none(), "{secret:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_value_that_is_dropped_leaves_no_copy_of_its_secret() {
        let computed = testkit::memory::Computed { seed: 1, length: 300 };
        let mut secret = Zeroizing::new(Vec::with_capacity(computed.length));
        computed.write(&mut secret);
        let value = Injection::bearer("api", api()).value(&secret).unwrap();
        drop(secret);
        assert!(computed.is_in_memory(), "what is there is found");
        drop(value);
        assert!(!computed.is_in_memory());
    }

    #[test]
    fn a_header_that_frames_or_routes_a_request_carries_no_secret() {
        for name in [
            "host",
            "Content-Length",
            "content-type",
            "accept-encoding",
            "expect",
            "range",
            "transfer-encoding",
            "connection",
            "te",
            "proxy-authorization",
            "cookie",
            "",
            "a b",
            "x\r\ny",
        ] {
            assert_eq!(Injection::header("api", name, api()).header_name(), None, "{name}");
        }
        assert!(Injection::header("api", "X-Api-Key", api()).header_name().is_some());
    }
}
