//! The byte form of what a URL must be, in a token's scope.

use super::UrlPattern;
use super::host::HostPattern;
use super::path::PathPattern;
use crate::value::{ascending, encode_text};

/// The byte that begins each host, and each path.
mod kind {
    pub(super) const ANY_HOST: u8 = 0;
    pub(super) const HOST: u8 = 1;
    pub(super) const SUBDOMAIN_OF: u8 = 2;

    pub(super) const PATH: u8 = 0;
    pub(super) const PREFIX: u8 = 1;
    pub(super) const UNDER: u8 = 2;
    pub(super) const GLOB: u8 = 3;
}

impl UrlPattern {
    /// Hosts, paths, ports and schemes; what is unsaid is an empty list.
    pub(in crate::scope) fn encode<E>(&self, out: &mut Vec<u8>) -> Result<(), E> {
        ascending(out, &self.hosts, |out, host| {
            match host {
                HostPattern::Any => out.push(kind::ANY_HOST),
                HostPattern::Exact(name) => text(out, kind::HOST, name),
                HostPattern::SubdomainOf(name) => text(out, kind::SUBDOMAIN_OF, name),
            }
            Ok(())
        })?;
        ascending(out, &self.paths, |out, path| {
            match path {
                PathPattern::Exact(own) => text(out, kind::PATH, own),
                PathPattern::Prefix(own) => text(out, kind::PREFIX, own),
                PathPattern::Under(own) => text(out, kind::UNDER, own),
                PathPattern::Glob(own) => text(out, kind::GLOB, own.as_str()),
            }
            Ok(())
        })?;
        ascending(out, &self.ports, |out, port| {
            out.extend_from_slice(&port.to_be_bytes());
            Ok(())
        })?;
        ascending(out, &self.schemes, |out, scheme| {
            encode_text(out, scheme);
            Ok(())
        })
    }
}

fn text(out: &mut Vec<u8>, kind: u8, text: &str) {
    out.push(kind);
    encode_text(out, text);
}

#[cfg(feature = "url")]
mod decode {
    use super::*;
    use crate::value::{DecodeError, Decoder};

    impl UrlPattern {
        /// Reads the one byte form of a pattern. What cannot be meant is in it as its fault.
        pub(in crate::scope) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
            let mut own = UrlPattern::nowhere();
            for host in decoder.ascending(host)? {
                own = own.with_host(host);
            }
            for path in decoder.ascending(path)? {
                own = own.with_path(path);
            }
            for port in decoder.ascending(|own| own.spend().and_then(|()| own.array()))? {
                own = own.port(u16::from_be_bytes(port));
            }
            for scheme in decoder.ascending(|own| own.spend().and_then(|()| own.text()))? {
                own = own.scheme(scheme);
            }
            Ok(own)
        }
    }

    /// `Err` inside for what is not a host.
    type Read<T> = Result<Result<T, String>, DecodeError>;

    fn host(decoder: &mut Decoder<'_>) -> Read<HostPattern> {
        decoder.spend()?;
        let (given, host) = match decoder.byte()? {
            kind::ANY_HOST => return Ok(Ok(HostPattern::Any)),
            kind::HOST => {
                let name = decoder.text()?;
                (name, HostPattern::exact(name))
            }
            kind::SUBDOMAIN_OF => {
                let name = decoder.text()?;
                (name, HostPattern::subdomain_of(name))
            }
            _ => return Err(DecodeError::Unknown("a kind of host")),
        };
        match &host {
            Ok(HostPattern::Exact(own) | HostPattern::SubdomainOf(own)) if **own != *given => {
                Err(DecodeError::NotCanonical("a host is not in its one spelling"))
            }
            _ => Ok(host),
        }
    }

    fn path(decoder: &mut Decoder<'_>) -> Read<PathPattern> {
        decoder.spend()?;
        let kind = decoder.byte()?;
        let given = decoder.text()?;
        let path = match kind {
            kind::PATH => PathPattern::exact(given),
            kind::PREFIX => PathPattern::prefix(given),
            kind::UNDER => PathPattern::under(given),
            kind::GLOB => PathPattern::glob(given),
            _ => return Err(DecodeError::Unknown("a kind of path")),
        };
        match &path {
            // `/v1/` is read as `/v1`.
            Ok(PathPattern::Under(own)) if **own != *given => {
                Err(DecodeError::NotCanonical("a path is not in its one spelling"))
            }
            _ => Ok(path),
        }
    }
}
