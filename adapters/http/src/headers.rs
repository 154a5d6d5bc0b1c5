//! Headers, on their way out and back.

use hallpass::Running;
use hyper::Uri;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::origin::Origin;
use crate::refusal::Refusal;

/// Headers that concern one connection alone, as all do that begin with `proxy-`.
const OF_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether a header concerns one connection alone.
pub(crate) fn is_of_connection(name: &HeaderName) -> bool {
    OF_CONNECTION.contains(name) || name.as_str().starts_with("proxy-")
}

/// Takes out what concerns one connection alone, and what `connection` names as such.
fn remove_of_connection(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().flat_map(|value| {
        let names = value.as_bytes().split(|byte| *byte == b',');
        names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
    });
    let named: Vec<HeaderName> = named.collect();
    let all: Vec<HeaderName> =
        headers.keys().filter(|name| is_of_connection(name)).cloned().collect();
    for name in named.iter().chain(&all) {
        headers.remove(name);
    }
}

/// What a tool's request may not say. What is said in its place takes the place of what it says: `host`, `accept-encoding`
/// and the secret's own.
const NOT_ITS_OWN: [HeaderName; 6] = [
    header::AUTHORIZATION,
    // A session that the tool has of elsewhere.
    header::COOKIE,
    // Said anew from the body.
    header::CONTENT_LENGTH,
    header::EXPECT,
    // Parts of an answer, taken one by one, would hold parts of a secret that it shows.
    header::RANGE,
    header::IF_RANGE,
];

/// By these some servers take a request for one of another method, or to another path, than its first line says.
const OF_ANOTHER: [&str; 5] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Whether a header says another method or path: what the request's own say is what was allowed.
pub(crate) fn says_another(headers: &HeaderMap) -> bool {
    OF_ANOTHER.iter().any(|name| headers.contains_key(*name))
}

/// What leaves: the tool's headers without what is not its own to say, and the secret.
pub(crate) fn outgoing(
    headers: &mut HeaderMap,
    origin: &Origin,
    secret: (&HeaderName, HeaderValue),
) -> Result<(), Refusal> {
    remove_of_connection(headers);
    for name in &NOT_ITS_OWN {
        headers.remove(name);
    }
    let host = HeaderValue::from_str(&origin.authority()).map_err(|_| Refusal::Malformed)?;
    headers.insert(header::HOST, host);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // In the place of all that the tool says under this name.
    headers.insert(secret.0, secret.1);
    Ok(())
}

/// Where the URLs of an origin stand for the tool.
pub(crate) enum Shown {
    /// Behind this path.
    Below(String),
    /// As `http`, for a proxy.
    InClear,
}

/// What comes back: the server's headers without secrets, without what only the connection to it concerns, and with a redirect
/// within the origin coming through here again.
pub(crate) fn incoming(
    headers: &mut HeaderMap,
    origin: &Origin,
    shown: &Shown,
    running: &Running,
) -> Result<(), Refusal> {
    remove_of_connection(headers);
    let encoded = headers.get_all(header::CONTENT_ENCODING).iter();
    if encoded.into_iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::Encoding);
    }
    // A session would outlive the call. The length is another where something is taken out.
    for name in [header::SET_COOKIE, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    scrub(headers, running)?;
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        let value = headers.get(&name).and_then(|value| shown_at(value, origin, shown));
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// A reference into the origin, as the tool has to follow it. `None` of any other: it is followed without the secret.
fn shown_at(value: &HeaderValue, origin: &Origin, shown: &Shown) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let target = match text.as_bytes() {
        [b'/', b'/', ..] => format!("{}:{text}", if origin.is_tls() { "https" } else { "http" }),
        [b'/', ..] => format!("{origin}{text}"),
        _ => text.to_owned(),
    };
    let (whole, fragment) = match target.split_once('#') {
        Some((whole, fragment)) => (whole, format!("#{fragment}")),
        None => (&*target, String::new()),
    };
    let uri: Uri = whole.parse().ok()?;
    if !origin.is_of(&uri, false) {
        return None;
    }
    let rest = uri.path_and_query().map_or("/", |own| own.as_str());
    let before = match shown {
        Shown::Below(path) => path.clone(),
        Shown::InClear => format!("http://{}", origin.authority()),
    };
    HeaderValue::try_from(format!("{before}{rest}{fragment}")).ok()
}

/// Takes the secrets of the task out of names and values.
fn scrub(headers: &mut HeaderMap, running: &Running) -> Result<(), Refusal> {
    let all = headers.iter().fold(Vec::new(), |mut all, (name, value)| {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            all.extend_from_slice(part);
        }
        all
    });
    if scrubbed(&all, running) == all {
        return Ok(());
    }
    for (name, value) in headers.iter_mut() {
        if scrubbed(name.as_str().as_bytes(), running) != name.as_str().as_bytes() {
            return Err(Refusal::Answer);
        }
        let rest = scrubbed(value.as_bytes(), running);
        if rest != value.as_bytes() {
            *value = HeaderValue::from_bytes(&rest).map_err(|_| Refusal::Answer)?;
        }
    }
    Ok(())
}

fn scrubbed(text: &[u8], running: &Running) -> Vec<u8> {
    let mut stream = running.scrub_stream();
    let mut rest = stream.push(text);
    rest.extend(stream.finish());
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Origin {
        "https://api.acme.test".parse().unwrap()
    }

    /// attack 174
    #[test]
    fn only_a_redirect_within_the_origin_comes_through_here_again() {
        let below = Shown::Below("/key/0".to_owned());
        let at = |to: &str, shown: &Shown| {
            let value = shown_at(&HeaderValue::from_str(to).unwrap(), &api(), shown)?;
            Some(value.to_str().unwrap().to_owned())
        };
        for (to, path, clear) in [
            ("/v2?x=1#y", "/key/0/v2?x=1#y", "http://api.acme.test/v2?x=1#y"),
            ("https://api.acme.test/v2", "/key/0/v2", "http://api.acme.test/v2"),
            ("//api.acme.test:443/v2", "/key/0/v2", "http://api.acme.test/v2"),
            ("https://API.acme.test", "/key/0/", "http://api.acme.test/"),
        ] {
            assert_eq!(at(to, &below).as_deref(), Some(path), "{to}");
            assert_eq!(at(to, &Shown::InClear).as_deref(), Some(clear), "{to}");
        }
        for to in [
            "https://evil.test/v2",
            "//evil.test/v2",
            "http://api.acme.test/v2",
            "https://api.acme.test:444/",
            "https://api.acme.test@evil.test/",
            "v2",
            "../v2",
            "",
            "javascript:alert(1)",
            "///evil.test",
        ] {
            assert_eq!(at(to, &below), None, "{to}");
        }
    }

    #[test]
    fn what_concerns_one_connection_or_is_not_the_tools_to_say_is_taken_out() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer own"),
            ("cookie", "s=1"),
            ("host", "evil.test"),
            ("range", "bytes=0-3"),
            ("if-range", "\"x\""),
            ("x-hop", "1"),
            ("connection", "close, X-Hop"),
            ("proxy-authorization", "Basic x"),
            ("proxy-x", "1"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("expect", "100-continue"),
            ("accept-encoding", "gzip"),
            ("x-key", "own"),
            ("accept", "*/*"),
            ("upgrade", "h2c"),
            ("keep-alive", "1"),
            ("content-length", "7"),
            ("transfer-encoding", "chunked"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.append("x-key", HeaderValue::from_static("another"));
        let key = HeaderName::from_static("x-key");
        outgoing(&mut headers, &api(), (&key, HeaderValue::from_static("secret"))).unwrap();
        let mut left: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["accept-encoding: identity", "accept: */*", "host: api.acme.test", "x-key: secret"]
        );
    }
}
