//! Where a secret may go.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// Where a secret may go: a scheme, a host and a port, as in `https://api.acme.test` or `https://api.acme.test:8443`.
///
/// `http` is taken for addresses of the loopback alone, written as numbers: elsewhere the secret would be on the network in the clear.
///
/// ```
/// use hallpass_http::Origin;
///
/// let api: Origin = "https://API.acme.test:443".parse()?;
/// assert_eq!(api.to_string(), "https://api.acme.test");
/// assert!("http://api.acme.test".parse::<Origin>().is_err());
/// assert!("https://api.acme.test/v1".parse::<Origin>().is_err());
/// # Ok::<(), hallpass_http::OriginError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    is_tls: bool,
    host: Box<str>,
    port: u16,
}

/// Why a text is not an [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the origin `{given}` {fault}")]
pub struct OriginError {
    given: Box<str>,
    fault: &'static str,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Origin::read(text)
            .map_err(|fault| OriginError { given: text.escape_default().to_string().into(), fault })
    }
}

impl Origin {
    fn read(text: &str) -> Result<Origin, &'static str> {
        const FORM: &str =
            "is not one, expected `https://host` or `https://host:port` and nothing else";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(FORM);
        };
        let is_bare = text.len() == scheme.len() + "://".len() + authority.as_str().len();
        if !is_bare || authority.as_str().contains('@') {
            return Err(FORM);
        }
        let is_tls = scheme == "https";
        let host = authority.host().to_ascii_lowercase();
        if !is_host(&host) {
            return Err("has a host that is not one, expected a name in ASCII or an address");
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            _ => authority.port_u16().filter(|port| *port > 0).ok_or(FORM)?,
        };
        let origin = Origin { is_tls, host: host.into(), port };
        let is_here = origin.address().is_some_and(|own| own.is_loopback());
        if !(is_tls || scheme == "http" && is_here) {
            return Err("would have the secret on a network in the clear, expected `https`");
        }
        Ok(origin)
    }

    /// The host: a name in lower case, or an address, one of version 6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached over TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host's address, if it is said as one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.unbracketed().parse().ok()
    }

    /// The host, an address of version 6 without its brackets.
    pub(crate) fn unbracketed(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// What stands in a URL after the scheme: the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        match (self.is_tls, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Whether a URL is of it. One that says `http` for it, as to a proxy that is to make the TLS, is as well where
    /// `in_clear` says so.
    pub(crate) fn is_of(&self, uri: &Uri, in_clear: bool) -> bool {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return false;
        };
        let own = if self.is_tls { "https" } else { "http" };
        if !(scheme == own || in_clear && scheme == "http") || authority.as_str().contains('@') {
            return false;
        }
        let default = if self.is_tls { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => Some(default),
            _ => authority.port_u16(),
        };
        authority.host().eq_ignore_ascii_case(&self.host) && port == Some(self.port)
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // What ends in a number is read as an address by some, in spellings that others don't know.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with(|own: char| own.is_ascii_digit());
    host.split('.').all(is_label) && (!is_number || host.parse::<std::net::Ipv4Addr>().is_ok())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "api.acme.test",
            "api.acme.test:443",
            "ftp://api.acme.test",
            "ftp://127.0.0.1",
            "https://",
            "https:///x",
            "https://u@api.acme.test",
            "https://u:p@api.acme.test",
            "https://u@api.acme.test:443",
            "https://u:p@api.acme.test:443",
            "https://api.acme.test/",
            "https://api.acme.test?x",
            "https://api.acme.test#x",
            "https://api.acme.test:0",
            "https://api.acme.test:",
            "https://api.acme.test:99999",
            "https://api..test",
            "https://api.acme.test.",
            "https://ключ.test",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://2130706433",
            "https://[::1",
            "https://[127.0.0.1]",
            "https://[api.acme.test]",
            "https://*.acme.test",
            "https://api!.acme.test",
            "http://api.acme.test",
            "http://localhost",
            "http://10.0.0.1",
            "http://[fe80::1]",
            "https://a b.test",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        for text in [
            "https://a",
            "https://a.test:8443",
            "http://127.0.0.1:80",
            "http://[::1]:81",
            "https://10.0.0.1",
        ] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_in_one_way() {
        for (text, written, port) in [
            ("https://API.acme.test", "https://api.acme.test", 443),
            ("https://api.acme.test:443", "https://api.acme.test", 443),
            ("https://api.acme.test:80", "https://api.acme.test:80", 80),
            ("http://127.0.0.1", "http://127.0.0.1", 80),
            ("http://127.0.0.1:80", "http://127.0.0.1", 80),
            ("http://127.0.0.1:443", "http://127.0.0.1:443", 443),
            ("http://[::1]", "http://[::1]", 80),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((&*origin.to_string(), origin.port()), (written, port), "{text}");
        }
        let refused = "https://api\n.acme.test".parse::<Origin>().unwrap_err();
        assert!(!refused.to_string().contains('\n'), "{refused}");
    }

    /// attack 174
    #[test]
    fn another_host_port_or_scheme_is_another_origin() {
        let api: Origin = "https://api.acme.test".parse().unwrap();
        let is_of = |uri: &str, in_clear| api.is_of(&uri.parse().unwrap(), in_clear);
        for own in
            ["https://api.acme.test/v1", "https://API.acme.test:443/", "https://api.acme.test?x=1"]
        {
            assert!(is_of(own, false), "{own}");
        }
        assert!(is_of("http://api.acme.test/", true) && is_of("http://api.acme.test:443/", true));
        for other in [
            "http://api.acme.test/",
            "https://api.acme.test:444/",
            "https://api.acme.test.evil.test/",
            "https://evil.test/",
            "https://u@api.acme.test/",
            "https://api.acme.test@evil.test/",
            "/v1",
            "api.acme.test:443",
            "https://api.acme.test:/",
        ] {
            assert!(!is_of(other, false), "{other}");
        }
        assert!(!is_of("http://api.acme.test:80/", true) && !is_of("ws://api.acme.test/", true));
    }
}
