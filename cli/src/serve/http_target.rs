//! The target and the host of a request over HTTP, in the one spelling in which all who read them agree.

use hyper::http::uri::Authority;

/// A path, and the query after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'t> {
    pub(super) path: &'t str,
    pub(super) query: Option<&'t str>,
}

impl<'t> Target<'t> {
    /// Reads a target as it stands in a request.
    ///
    /// # Errors
    /// If services could read another path than is written there: a dot segment, an empty one, one with parameters (`;`), a
    /// backslash, or an escape of what needs none, separates or is not UTF-8. Who asks makes the request in its own words, so that it
    /// has to write them in the one way that is decided about.
    pub(super) fn read(target: &'t str) -> Result<Self, String> {
        let (path, query) = match target.split_once('?') {
            None => (target, None),
            Some((path, query)) => (path, Some(query)),
        };
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err("the path has characters that have to be escaped".to_owned());
        }
        let Some(rest) = path.strip_prefix('/') else {
            return Err("expected a path that begins with `/`".to_owned());
        };
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            if segment.is_empty() && !is_last {
                return Err("the path has an empty segment".to_owned());
            }
            check_segment(segment)?;
        }
        Ok(Target { path, query })
    }
}

/// The name of a host in lower case, and its port if that is said: apart, so that a rule about the name holds with every
/// port.
///
/// # Errors
/// If it is no name or address, or one that ends with a dot, which is another spelling of the same name.
pub(super) fn host_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    let authority: Authority = text.parse().map_err(|_| "the host can't be read".to_owned())?;
    let (host, port) = (authority.host(), authority.port_u16());
    // With nothing else that the authority of a URL may have, and the port in its one spelling.
    let spelled = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    if host.is_empty() || host.ends_with('.') || spelled != text || !host.bytes().all(is_of_a_name)
    {
        return Err("the host is not a name, and a port where there is one".to_owned());
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn check_segment(segment: &str) -> Result<(), String> {
    if matches!(segment, "." | "..") {
        return Err("the path has a dot segment".to_owned());
    }
    if segment.contains([';', '\\']) {
        return Err(
            "the path has `;` or a backslash, which services read in several ways".to_owned()
        );
    }
    let mut pieces = segment.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let byte = match piece.as_bytes() {
            [high, low, ..] => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        let Some(byte) = byte else {
            return Err("the path has an escape that is not two upper-case digits".to_owned());
        };
        let needs_none = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if needs_none || byte.is_ascii_control() || b"/\\;%".contains(&byte) {
            return Err(format!(
                "the path has the escape `%{byte:02X}`, which services read in several ways"
            ));
        }
        bytes.push(byte);
        bytes.extend_from_slice(piece.as_bytes().get(2..).unwrap_or_default());
    }
    // Of bytes that are none, some make others: `%C0%AF` was a `/` to many.
    match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err("the path has escapes that are not UTF-8".to_owned()),
    }
}

/// The value of a hexadecimal digit in its one spelling.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attack 7
    #[test]
    fn a_host_has_one_spelling() {
        let read = |text| host_and_port(text).map(|(host, port)| (host, port.unwrap_or(0)));
        assert_eq!(read("Orders.Test"), Ok(("orders.test".to_owned(), 0)));
        assert_eq!(read("orders.test:8443"), Ok(("orders.test".to_owned(), 8443)));
        assert_eq!(read("[::1]:80"), Ok(("[::1]".to_owned(), 80)));
        for bad in [
            "",
            ":80",
            "admin.test.",
            "admin.test.:443",
            "admin.test:",
            "admin.test:0443",
            "admin.test:65536",
            "admin.test:x",
            "me@admin.test",
            "admin.test/",
            "admin.test,orders.test",
            "admin test",
        ] {
            assert!(host_and_port(bad).is_err(), "{bad}: {:?}", host_and_port(bad));
        }
    }

    /// attack 7
    #[test]
    fn a_path_has_one_spelling() {
        for good in [
            "/",
            "/orders",
            "/orders/7",
            "/orders/",
            "/a%20b",
            "/%C3%A4",
            "/a:b@c,d=e&f",
            "/...",
            "/a..b",
        ] {
            assert_eq!(Target::read(good), Ok(Target { path: good, query: None }), "{good}");
        }
        let with_query = Target { path: "/a", query: Some("b=../c?;%2e") };
        assert_eq!(Target::read("/a?b=../c?;%2e"), Ok(with_query));
        for bad in [
            "",
            "*",
            "orders",
            "http://h/a",
            "//orders",
            "/a//b",
            "/./a",
            "/a/..",
            "/..",
            "/a/../b",
            "/a/%2E%2E/b",
            "/%2e%2e/b",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/..;/a",
            "/a;b",
            "/a%3Bb",
            "/a%00",
            "/a%",
            "/a%2",
            "/a%zz",
            "/%41",
            "/%252E",
            "/a b",
            "/a#b",
            "/ä",
            "/a\u{0}",
            "/%7F",
            "/a%FF",
            "/%C0%AE%C0%AE/b",
            "/a%C0%AFb",
            "/a%C3/%A4",
            "/a%ED%A0%80",
        ] {
            assert!(Target::read(bad).is_err(), "{bad}");
        }
    }
}
