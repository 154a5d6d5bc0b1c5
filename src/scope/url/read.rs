//! Reading a URL as every browser does (WHATWG).

use std::borrow::Cow;

/// Why text is not a URL that can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlFault {
    #[cfg(feature = "url")]
    #[error("{0}, expected one like `https://acme.test/`")]
    Syntax(url::ParseError),
    /// What stands where a host does is longer than a host can be.
    #[cfg(feature = "url")]
    #[error("its host is longer than {MAX_HOST} bytes")]
    HostTooLong,
    /// `https://allowed.test@evil.test/`: readers that disagree on where the host begins.
    #[cfg(feature = "url")]
    #[error("it names a user before the host")]
    UserInfo,
    /// Read again, it would be another URL.
    #[cfg(feature = "url")]
    #[error("it has no one spelling")]
    Unstable,
    #[cfg(not(feature = "url"))]
    #[error("this build reads no URLs: it needs the feature `url`")]
    NotBuilt,
}

/// The most bytes of a host: those of the longest name that can be looked up.
#[cfg(feature = "url")]
const MAX_HOST: usize = 253;

/// The most bytes before a path begins: a host whose every byte is spelled as an escape, in words of a
/// user and a port. Making the one spelling of a name takes more than time in proportion to it, so it is
/// not begun with what can be none.
#[cfg(feature = "url")]
const MAX_AUTHORITY: usize = 4 * MAX_HOST;

#[cfg(feature = "url")]
pub(crate) use with_parser::canonical_url;
#[cfg(feature = "url")]
pub(super) use with_parser::{Parts, host_name};

#[cfg(feature = "url")]
mod with_parser {
    use super::{Cow, MAX_AUTHORITY, MAX_HOST, UrlFault};
    use std::net::IpAddr;
    use url::{Host, Url};

    /// The one spelling of a URL: as the standard serialises it, without a dot at the end of the host
    /// and with an IPv4 address written as IPv6 as the IPv4 address it is.
    pub(crate) fn canonical_url(text: &str) -> Result<Cow<'_, str>, UrlFault> {
        let url = canonical(text)?;
        if url.as_str() == text {
            return Ok(Cow::Borrowed(text));
        }
        match canonical(url.as_str()) {
            Ok(again) if again == url => Ok(Cow::Owned(url.into())),
            _ => Err(UrlFault::Unstable),
        }
    }

    /// Whether what may be read as user, host and port is too long to be that. Of a URL without a host
    /// that is what its path begins with, which may be as long as it likes.
    fn has_long_authority(text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once(':') else { return false };
        let slashes = |c| matches!(c, '/' | '\\' | '\t' | '\n' | '\r');
        let names = |known: &&str| scheme.trim().eq_ignore_ascii_case(known);
        // These have a host however many slashes there are; others only behind two.
        let is_web = ["http", "https", "ws", "wss", "ftp"].iter().any(names);
        if !is_web && !rest.starts_with(slashes) {
            return false;
        }
        let authority = rest.trim_start_matches(slashes);
        let end = authority.find(['/', '\\', '?', '#']).unwrap_or(authority.len());
        end > MAX_AUTHORITY
    }

    fn canonical(text: &str) -> Result<Url, UrlFault> {
        if has_long_authority(text) {
            return Err(UrlFault::HostTooLong);
        }
        let mut url = Url::parse(text).map_err(UrlFault::Syntax)?;
        if url.host_str().is_some_and(|host| host.len() > MAX_HOST) {
            return Err(UrlFault::HostTooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::UserInfo);
        }
        let unstable = |_| UrlFault::Unstable;
        match url.host() {
            Some(Host::Ipv6(address)) => {
                if let IpAddr::V4(address) = IpAddr::V6(address).to_canonical() {
                    url.set_ip_host(address.into()).map_err(|()| UrlFault::Unstable)?;
                }
            }
            Some(Host::Domain(name)) if url.is_special() => {
                if let Some(name) = name.strip_suffix('.').map(str::to_owned) {
                    url.set_host(Some(&name)).map_err(unstable)?;
                    // `10.1..` is a name, and `10.1.` an address.
                    if url.host_str() != Some(&*name) {
                        return Err(UrlFault::Unstable);
                    }
                }
            }
            _ => {}
        }
        Ok(url)
    }

    /// The host of a URL as [`canonical_url`] spells it.
    pub(in crate::scope::url) fn host_name(given: &str) -> Option<Box<str>> {
        // Nothing but a host: no user, no port, no path; and no pattern, which would match nothing.
        let ends = |c| matches!(c, '/' | '\\' | '?' | '#' | '@' | '*');
        let bracketed = given.starts_with('[') && given.ends_with(']');
        if given.contains(ends) || (given.contains(':') && !bracketed) {
            return None;
        }
        let url = canonical(&format!("https://{given}/")).ok()?;
        let name = url.host_str()?;
        (url.as_str() == format!("https://{name}/")).then(|| name.into())
    }

    /// A URL in its one spelling.
    #[derive(Debug)]
    pub(in crate::scope::url) struct Parts(Url);

    impl Parts {
        /// `None` for what is not a URL, or is spelled otherwise.
        pub(in crate::scope::url) fn read(text: &str) -> Option<Self> {
            canonical(text).ok().filter(|url| url.as_str() == text).map(Parts)
        }

        pub(in crate::scope::url) fn scheme(&self) -> &str {
            self.0.scheme()
        }

        pub(in crate::scope::url) fn host(&self) -> Option<&str> {
            self.0.host_str()
        }

        pub(in crate::scope::url) fn port(&self) -> Option<u16> {
            self.0.port_or_known_default()
        }

        /// Whether the port is the scheme's own.
        pub(in crate::scope::url) fn has_own_port(&self) -> bool {
            self.0.port().is_none()
        }

        pub(in crate::scope::url) fn path(&self) -> &str {
            self.0.path()
        }
    }
}

#[cfg(not(feature = "url"))]
pub(crate) fn canonical_url(_: &str) -> Result<Cow<'_, str>, UrlFault> {
    Err(UrlFault::NotBuilt)
}

#[cfg(not(feature = "url"))]
pub(super) fn host_name(_: &str) -> Option<Box<str>> {
    None
}

/// There is none: nothing can be read.
#[cfg(not(feature = "url"))]
#[derive(Debug)]
pub(super) enum Parts {}

#[cfg(not(feature = "url"))]
impl Parts {
    pub(super) fn read(_: &str) -> Option<Self> {
        None
    }

    pub(super) fn scheme(&self) -> &str {
        match *self {}
    }

    pub(super) fn host(&self) -> Option<&str> {
        match *self {}
    }

    pub(super) fn port(&self) -> Option<u16> {
        match *self {}
    }

    pub(super) fn has_own_port(&self) -> bool {
        match *self {}
    }

    pub(super) fn path(&self) -> &str {
        match *self {}
    }
}

#[cfg(all(test, feature = "url"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// attack 32: a dot at the end is dropped from a name, and makes no name an address
    #[test]
    fn a_name_does_not_become_an_address() {
        for text in
            ["http://169.254245../", "http://127.1../", "http://0x7f../", "http://a.test../"]
        {
            assert!(canonical_url(text).is_err(), "{text}");
        }
        assert_eq!(canonical_url("http://a.test./").as_deref(), Ok("http://a.test/"));
        assert_eq!(canonical_url("http://127.1./").as_deref(), Ok("http://127.0.0.1/"));
    }

    /// attack 189: what is too long is not looked at for anything else
    #[test]
    fn a_host_is_bounded_before_it_is_read() {
        let long = "%c3%bc.".repeat(200);
        for text in [
            format!("https://u:p@{long}/"),
            format!("https:{long} not a host"),
            format!(" WSS:\\\\\\{long}"),
            format!("foo://{long}@x/"),
            format!("https://{}/", "a".repeat(254)),
        ] {
            assert_eq!(canonical_url(&text), Err(UrlFault::HostTooLong), "{text}");
        }
        for text in ["https://acme.test/", "data:", "foo:"] {
            assert!(canonical_url(&format!("{text}{}", "a".repeat(5000))).is_ok(), "{text}");
        }
    }

    proptest! {
        /// Whatever is accepted is accepted again, in the same spelling: so the tool's reader, if it
        /// follows the standard, reads what was judged.
        #[test]
        fn the_one_spelling_is_its_own(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "http", "https", "file", "foo", ":", "/", "//", "\\", "a", "A.b", ".", "..", "%2e", "%", "@",
                "?", "#", " ", "\t", "[::1]", "[::ffff:7f00:1]", "127.1", "0x7f", "ü", "ß", "。", ":80", "xn--",
                "C|", "-", "\u{ad}",
            ]), 0..12),
        ) {
            for start in ["", "https://", "http://h", "foo:", "file:///"] {
                let text = format!("{start}{}", parts.concat());
                if let Ok(one) = canonical_url(&text) {
                    prop_assert!(matches!(canonical_url(&one), Ok(Cow::Borrowed(same)) if same == one), "{}", one);
                    prop_assert!(Parts::read(&one).is_some());
                }
            }
        }
    }
}
