//! Where a server is reached over HTTP, and how.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Uri};
use hallpass::vault::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::serve::connector;

/// The most bytes of a file with a bearer token: more than a vault takes.
const MOST: u64 = 64 * 1024;

/// How often a message may be escaped, one time within the other, that is searched for the secret.
const ESCAPED: usize = 2;

/// Where a server is reached over HTTP, by whom and for how long.
pub(in crate::mcp) struct Target {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    authority: HeaderValue,
    pub(super) path: PathAndQuery,
    bearer: Option<Secret>,
    /// How long the server may say nothing while something is waited for.
    pub(super) patience: Duration,
    /// Of the threads on which connections are read.
    pub(super) threads: Handle,
}

/// What a connection is read from and written to.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Target {
    /// # Errors
    /// What is wrong with the URL, or with a file.
    pub(in crate::mcp) fn new(
        url: &str,
        authorities: Option<&Path>,
        bearer: Option<&Path>,
        patience: Duration,
        threads: Handle,
    ) -> Result<Self, String> {
        let named = |fault: &str| format!("`--url {}`: {fault}", url.escape_default());
        let Parts { host, port, is_tls, authority, path } = Parts::of(url).map_err(named)?;
        let tls = match (is_tls, authorities) {
            (true, Some(file)) => {
                let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name)
                    .map_err(|_| named("the host is not one that a certificate can name"))?;
                Some((connector(file)?, name))
            }
            (true, None) => {
                return Err(named(
                    "say whose word about certificates is taken: `--server-ca FILE`, as \
                     `/etc/ssl/certs/ca-certificates.crt` on many systems",
                ));
            }
            (false, Some(_)) => {
                return Err(named("`--server-ca` is for `https` alone"));
            }
            (false, None) => None,
        };
        let bearer = bearer.map(read_bearer).transpose()?;
        Ok(Target { host, port, tls, authority, path, bearer, patience, threads })
    }

    /// What every request says.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, self.authority.clone());
        if let Some(bearer) = &self.bearer {
            let value = [b"Bearer ", bearer.expose()].concat();
            // Of what a token may have it was read.
            if let Ok(mut value) = HeaderValue::from_bytes(&value) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        headers
    }

    /// Whether a message has the secret that the server is told, which is not for the client: as it was written, or with the
    /// escapes of JSON, which a text of JSON has twice within another.
    pub(super) fn has_secret(&self, message: &str) -> bool {
        let secret = self.bearer.as_ref().and_then(|own| std::str::from_utf8(own.expose()).ok());
        let Some(secret) = secret else { return false };
        let mut read = Cow::Borrowed(message);
        for _ in 0..ESCAPED {
            if read.contains(secret) {
                return true;
            }
            if !read.contains('\\') {
                return false;
            }
            read = Cow::Owned(without_escapes(&read));
        }
        read.contains(secret)
    }

    /// Connects.
    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let Some((tls, name)) = &self.tls else {
            let stream = TcpStream::connect(&*self.own_addresses()).await?;
            let _ = stream.set_nodelay(true);
            return Ok(Box::new(stream));
        };
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        let _ = stream.set_nodelay(true);
        Ok(Box::new(tls.connect(name.clone(), stream).await?))
    }

    /// Where this machine itself is: a name of it is not looked up, since that could lead elsewhere.
    fn own_addresses(&self) -> Vec<SocketAddr> {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let all = match address {
            Ok(address) => vec![address],
            Err(_) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        };
        all.into_iter().map(|address| (address, self.port).into()).collect()
    }
}

/// Shows no secret.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("host", &self.host).finish_non_exhaustive()
    }
}

/// The parts of a URL.
#[derive(Debug)]
struct Parts {
    host: String,
    port: u16,
    is_tls: bool,
    authority: HeaderValue,
    path: PathAndQuery,
}

impl Parts {
    fn of(url: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "expected `https://host/path`, or `http://` and an address of this machine";
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(FORM);
        };
        if authority.as_str().contains('@') {
            return Err("a user is not said in a URL: `--server-bearer-file FILE`");
        }
        if url.contains('#') {
            return Err("what stands behind `#` is not sent to a server");
        }
        let is_tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(FORM),
        };
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") if is_tls => 443,
            Some("") => 80,
            _ => authority.port_u16().filter(|port| *port > 0).ok_or(FORM)?,
        };
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_own = host == "localhost"
            || address.is_ok_and(|address| address.to_canonical().is_loopback());
        if !is_tls && !is_own {
            return Err("what is sent there could be read on its way, expected `https`");
        }
        let authority = HeaderValue::from_str(authority.as_str()).map_err(|_| FORM)?;
        let path = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        Ok(Parts { host, port, is_tls, authority, path })
    }
}

/// What texts of JSON say, as far as it is what a token may have: another character stays as it is written, or as any.
fn without_escapes(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        read.push_str(before);
        let digits = after.strip_prefix('u').and_then(|own| own.get(..4));
        let code = digits.and_then(|own| u32::from_str_radix(own, 16).ok());
        let mut left = after.chars();
        match code {
            Some(code) => {
                read.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = after.get(5..).unwrap_or_default();
            }
            // What stands for itself; the others are no characters of a token, and none is lost by that.
            None => {
                read.extend(left.next());
                rest = left.as_str();
            }
        }
    }
    read.push_str(rest);
    read
}

/// The token of a file, which is all that is in it.
fn read_bearer(path: &Path) -> Result<Secret, String> {
    let named = |problem: &dyn fmt::Display| format!("{}: {problem}", path.display());
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text));
    opened.map_err(|error| named(&format_args!("can't be read: {error}")))?;
    let token = text.trim();
    let is_of_token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    if token.is_empty() || !token.bytes().all(is_of_token) {
        return Err(named(&"expected one bearer token and nothing else"));
    }
    Secret::new(token).map_err(|error| named(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_as_it_was_meant() {
        for (written, meant) in [
            (r"a\/b", "a/b"),
            (r"\u0061\u002Fb", "a/b"),
            (r"\\\/", r"\/"),
            (r"\\u002f", r"\u002f"),
            (r"\ud83dx\u00", "\u{fffd}xu00"),
            (r"é\u", "éu"),
            ("\\", ""),
            ("", ""),
        ] {
            assert_eq!(without_escapes(written), meant, "{written}");
        }
    }

    #[test]
    fn a_url_is_of_a_server_that_no_one_on_the_way_can_play() {
        for (url, host, port, is_tls, path) in [
            ("https://mcp.acme.test", "mcp.acme.test", 443, true, "/"),
            ("https://MCP.acme.test:8443/a?b=c", "mcp.acme.test", 8443, true, "/a?b=c"),
            ("http://127.0.0.1:8080/mcp", "127.0.0.1", 8080, false, "/mcp"),
            ("http://127.9.9.9/mcp", "127.9.9.9", 80, false, "/mcp"),
            ("http://[::1]:1/mcp", "[::1]", 1, false, "/mcp"),
            ("http://LOCALHOST:1/mcp", "localhost", 1, false, "/mcp"),
            ("https://10.0.0.1/mcp", "10.0.0.1", 443, true, "/mcp"),
        ] {
            let parts = Parts::of(url).unwrap();
            assert_eq!((&*parts.host, parts.port, parts.is_tls), (host, port, is_tls), "{url}");
            assert_eq!(parts.path, path);
        }
        for url in [
            "",
            "mcp.acme.test",
            "/mcp",
            "ftp://mcp.acme.test/",
            "ws://127.0.0.1/",
            "http://mcp.acme.test/mcp",
            "http://10.0.0.1/mcp",
            "http://0.0.0.0/mcp",
            "http://127.0.0.1.nip.io/mcp",
            "http://localhost.acme.test/mcp",
            "http://[::ffff:10.0.0.1]/mcp",
            "https://user:word@mcp.acme.test/",
            "http://127.0.0.1@mcp.acme.test/",
            "https://mcp.acme.test/#a",
            "https://mcp.acme.test:0/",
            "https://mcp.acme.test:99999/",
            "https://mcp.acme.test:/",
            "https://mcp.acme.test/a b",
            "https://",
        ] {
            assert!(Parts::of(url).is_err(), "{url}");
        }
    }
}
