//! Which part of a URL is not as a pattern says, for people.

use super::parts::UrlParts;
use super::read::{Parts, canonical_url};
use super::{SCHEMES, UrlPattern, host};
use crate::visible::Shown;

impl UrlPattern {
    /// The first part of a URL that is not as a cover takes the pattern; `None` where all are, as far as
    /// can be told.
    pub(in crate::scope) fn failed_part(&self, text: &str) -> Option<String> {
        let url = UrlParts::read(text)?;
        let UrlParts { parts, is_inner, .. } = &url;
        self.failed_scheme(parts)
            .or_else(|| self.failed_host(parts, *is_inner))
            .or_else(|| self.failed_port(parts))
            .or_else(|| {
                let path = Shown(parts.path());
                (!self.paths.is_empty()).then(|| format!("its path is {path}"))
            })
    }

    fn failed_scheme(&self, parts: &Parts) -> Option<String> {
        let scheme = parts.scheme();
        match &*self.schemes {
            [] if scheme == "https" => None,
            [] => Some(format!("its scheme is {}: unsaid, it is `https`", Shown(scheme))),
            said if said.contains(&scheme) => None,
            _ => Some(format!("its scheme is {}", Shown(scheme))),
        }
    }

    fn failed_host(&self, parts: &Parts, inner: bool) -> Option<String> {
        let Some(host) = parts.host() else { return Some("it has no host".to_owned()) };
        if self.hosts.iter().any(|own| own.names(host, inner)) {
            return None;
        }
        let shown = Shown(host);
        Some(match inner {
            true => format!(
                "its host {shown} is private, {}: it has to be named exactly",
                host::why_inner(host)
            ),
            false => format!("its host is {shown}"),
        })
    }

    fn failed_port(&self, parts: &Parts) -> Option<String> {
        let port = parts.port().map_or("unknown".to_owned(), |port| port.to_string());
        match &*self.ports {
            [] if parts.has_own_port() => None,
            [] => Some(format!("its port is {port}: unsaid, it is the scheme's own")),
            said if parts.port().is_some_and(|port| said.contains(&port)) => None,
            _ => Some(format!("its port is {port}")),
        }
    }

    /// Why a text is not a URL that can be judged; `None` if it is one.
    pub(in crate::scope) fn unreadable(&self, text: &str) -> Option<String> {
        let Some(UrlParts { parts, path_has_other_spelling, .. }) = UrlParts::read(text) else {
            return Some(match canonical_url(text) {
                Err(fault) => fault.to_string(),
                Ok(url) => format!("the URL is spelled {}", Shown(&url)),
            });
        };
        let scheme = parts.scheme();
        if !SCHEMES.iter().any(|(own, _)| *own == scheme) {
            let scheme = Shown(scheme);
            return Some(format!(
                "tools of the scheme {scheme} may read the host in their own way"
            ));
        }
        let doubt = !self.paths.is_empty() && path_has_other_spelling;
        doubt.then(|| "servers may decode its path to another".to_owned())
    }
}

#[cfg(all(test, feature = "url"))]
mod tests {
    use super::*;
    use crate::meter::Meter;
    use crate::scope::truth::Truth;

    fn told(pattern: &UrlPattern, text: &str) -> String {
        let (failed, doubt) = (pattern.failed_part(text), pattern.unreadable(text));
        let read = UrlParts::read(text);
        let answer = |url| pattern.matches(url, true, &Meter::ample());
        match read.as_ref().map_or(Truth::Unknown, answer) {
            Truth::True => "covered".to_owned(),
            Truth::False => failed.unwrap_or_default(),
            Truth::Unknown => doubt.unwrap_or_default(),
        }
    }

    #[test]
    fn the_part_that_failed_is_named() {
        let any = UrlPattern::any_host();
        let narrow =
            UrlPattern::subdomain_of("acme.test").scheme("http").port(80).path_under("/v1");
        for (pattern, text, said) in [
            (&any, "https://example.com/", "covered"),
            (&any, "http://example.com/", "its scheme is `http`: unsaid, it is `https`"),
            (&any, "https://example.com:8443/", "its port is 8443: unsaid, it is the scheme's own"),
            (&any, "https://10.0.0.1/", "its host `10.0.0.1` is private, an address in 10.0.0.0/8"),
            (&any, "https://192.168.7.9/", "an address in 192.168.0.0/16: it has to be named"),
            (&any, "https://168.63.129.16/", "at which machines find their cloud"),
            (
                &any,
                "https://wiki/",
                "its host `wiki` is private, a name without a dot: it has to be",
            ),
            (
                &any,
                "https://[64:ff9b::a9fe:a9fe]/",
                "is private, an IPv6 address that is not of the",
            ),
            (
                &any,
                "https://metadata.goog/",
                "a name that leads to this machine, its network or its",
            ),
            (&any, "https://a.test/../b", "the URL is spelled `https://a.test/b`"),
            (&any, "not a url", "expected one like `https://acme.test/`"),
            (&narrow, "https://x.acme.test:80/v1", "its scheme is `https`"),
            (&narrow, "http://acme.test/v1", "its host is `acme.test`"),
            (&narrow, "http://x.acme.test:81/v1", "its port is 81"),
            (&narrow, "http://x.acme.test/v2", "its path is `/v2`"),
            (&narrow, "http://x.acme.test/v1/%61", "servers may decode its path"),
            (&narrow, "http://x.acme.test/v1/a", "covered"),
        ] {
            let found = told(pattern, text);
            assert!(found.contains(said), "{text}: {found}");
        }
    }
}
