//! Where nodes answer.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::setup::SetupError;

/// Where a node listens, or is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Over mutual TLS: a name or an address, and a port.
    Tls { host: Box<str>, port: u16 },
    /// In the clear, on the loopback.
    Loopback(SocketAddr),
    /// In the clear, through a socket in the file system.
    Unix(PathBuf),
}

impl Address {
    /// Reads `https://HOST:PORT`, `http://LOOPBACK:PORT` or `unix:/PATH`.
    ///
    /// # Errors
    /// [`SetupError::Address`] of anything else; [`SetupError::Insecure`] of one in the clear that other machines
    /// reach.
    pub(crate) fn parse(text: &str) -> Result<Address, SetupError> {
        let malformed = || SetupError::Address(text.into());
        if let Some(path) = text.strip_prefix("unix:") {
            // A path that is relative would be another at another node.
            return match path.starts_with('/') && !path.contains('\0') {
                true => Ok(Address::Unix(path.into())),
                false => Err(malformed()),
            };
        }
        if let Some(rest) = text.strip_prefix("https://") {
            let (host, port) = host_and_port(rest).ok_or_else(malformed)?;
            return Ok(Address::Tls { host, port });
        }
        let rest = text.strip_prefix("http://").ok_or_else(malformed)?;
        let (host, port) = host_and_port(rest).ok_or_else(malformed)?;
        // A name, `localhost` too, resolves to what the machine's configuration says.
        let ip: IpAddr = host.parse().map_err(|_| SetupError::Insecure(text.into()))?;
        match ip.to_canonical().is_loopback() {
            true => Ok(Address::Loopback(SocketAddr::new(ip, port))),
            false => Err(SetupError::Insecure(text.into())),
        }
    }

    /// Whether connections to it are made over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Address::Tls { .. })
    }
}

/// A host, without the brackets of an address of IPv6, and a port.
fn host_and_port(text: &str) -> Option<(Box<str>, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_port.then(|| port.parse().ok())??;
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok().map(|_| inner)?,
        None => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            (!host.is_empty() && host.bytes().all(fits)).then_some(host)?
        }
    };
    Some((host.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_tls_this_machine_or_a_path() {
        let tls = |host: &str, port| Address::Tls { host: host.into(), port };
        assert_eq!(Address::parse("https://n1.internal:7400").unwrap(), tls("n1.internal", 7400));
        assert_eq!(Address::parse("https://10.0.0.1:7400").unwrap(), tls("10.0.0.1", 7400));
        assert_eq!(Address::parse("https://[fd00::1]:7400").unwrap(), tls("fd00::1", 7400));
        for own in [
            "http://127.0.0.1:1",
            "http://127.9.9.9:1",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]:1",
        ] {
            assert!(matches!(Address::parse(own), Ok(Address::Loopback(_))), "{own}");
        }
        assert_eq!(
            Address::parse("unix:/run/n1.sock").unwrap(),
            Address::Unix("/run/n1.sock".into())
        );
    }

    #[test]
    fn an_address_in_the_clear_that_other_machines_reach_is_none() {
        for open in [
            "http://10.0.0.1:1",
            "http://0.0.0.0:1",
            "http://[::]:1",
            "http://[::ffff:10.0.0.1]:1",
            "http://localhost:1",
            "http://127.0.0.1.example.test:1",
        ] {
            assert!(matches!(Address::parse(open), Err(SetupError::Insecure(_))), "{open}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for bad in [
            "",
            "n1:7400",
            "https://n1",
            "https://:1",
            "https://n1:",
            "https://n1:65536",
            "https://n1:+1",
            "https://n1:1/path",
            "https://ana@n1:1",
            "https://[n1]:1",
            "https://fd00::1:1",
            "unix:n1.sock",
            "unix:",
            "unix:/a\0b",
            "ftp://n1:1",
            "HTTPS://n1:1",
        ] {
            assert!(matches!(Address::parse(bad), Err(SetupError::Address(_))), "{bad}");
        }
    }
}
