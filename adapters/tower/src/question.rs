//! What a request asks for: the tool and its arguments.

use axum::BoxError;
use axum::extract::MatchedPath;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body::Body;
use http_body_util::{BodyExt, Limited};

use crate::caller::only;
use crate::gate::HttpGate;
use crate::query::parameters;

/// The parameters of the path, as the router has read them.
#[derive(Clone, Debug)]
pub(crate) struct PathParameters(pub(crate) Result<Vec<(String, String)>, &'static str>);

/// The tool that a request asks for; `None` where nothing says so.
pub(crate) fn tool(gate: &HttpGate, request: &Parts) -> Option<String> {
    gate.tool_or(request, || {
        let route = request.extensions.get::<MatchedPath>()?;
        Some(format!("http:{}:{}", request.method, named(route.as_str())))
    })
}

/// A route as the name of a tool: `/docs/{id}` as `/docs/:id`, `/files/{*path}` as `/files/:path..`. Routes of axum hold
/// neither `:` at the beginning of a segment nor the like, so that no two have one name.
fn named(route: &str) -> String {
    let segment =
        |segment: &str| match segment.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
            None => segment.to_owned(),
            Some(name) => match name.strip_prefix('*') {
                None => format!(":{name}"),
                Some(rest) => format!(":{rest}.."),
            },
        };
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The arguments of a request, as JSON: the members of its body and the parameters of path and query. Whether a name is
/// said twice is left to who reads them.
///
/// # Errors
/// Why it has none.
pub(crate) async fn arguments<B>(
    gate: &HttpGate,
    request: &Parts,
    body: B,
) -> Result<Vec<u8>, &'static str>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut named = match request.extensions.get::<PathParameters>() {
        Some(PathParameters(of_path)) => of_path.clone()?,
        None => Vec::new(),
    };
    named.extend(parameters(request.uri.query().unwrap_or_default())?);
    let body = read(gate.body_max, body).await?;
    if !body.is_empty() {
        check_type(request)?;
    }
    joined(&named, &body)
}

async fn read<B>(most: usize, body: B) -> Result<Bytes, &'static str>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    const TOO_LONG: &str = "the body is longer than it may be";
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(TOO_LONG);
    }
    match Limited::new(body, most).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(TOO_LONG),
        Err(_) => Err("the body can't be read"),
    }
}

fn check_type(request: &Parts) -> Result<(), &'static str> {
    if request.headers.contains_key(CONTENT_ENCODING) {
        return Err("the body is encoded: expected JSON as it is");
    }
    let of = only(&request.headers, &CONTENT_TYPE).unwrap_or_default();
    let of = of.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match of == "application/json" || of.starts_with("application/") && of.ends_with("+json") {
        true => Ok(()),
        false => Err("expected a body of the type `application/json`"),
    }
}

/// The members of an object, and before them others. Those of the object stay as they were written, so that its
/// numbers and doubled names are judged by who reads the whole.
fn joined(named: &[(String, String)], object: &[u8]) -> Result<Vec<u8>, &'static str> {
    let object = trimmed(object);
    let members = match object {
        b"" => object,
        _ => {
            let members = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
            trimmed(members.ok_or("expected an object as the body")?)
        }
    };
    let mut text = vec![b'{'];
    for (name, value) in named {
        for (part, then) in [(name, b':'), (value, b',')] {
            let part = serde_json::to_vec(part).map_err(|_| "a parameter is not text")?;
            text.extend_from_slice(&part);
            text.push(then);
        }
    }
    match members {
        b"" if !named.is_empty() => drop(text.pop()),
        _ => text.extend_from_slice(members),
    }
    text.push(b'}');
    Ok(text)
}

/// Without the white space of JSON around it.
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..]
    | [rest @ .., b' ' | b'\t' | b'\n' | b'\r'] = text
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hallpass::args::Args;

    fn read(named: &[(&str, &str)], body: &str) -> Result<String, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let named: Vec<_> = named.iter().map(own).collect();
        let text = joined(&named, body.as_bytes())?;
        Args::from_json_bytes(&text).map(|args| args.to_json()).map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_and_body_are_one_object() {
        assert_eq!(read(&[], ""), Ok("{}".into()));
        assert_eq!(read(&[], " { } "), Ok("{}".into()));
        assert_eq!(read(&[("id", "7\"")], ""), Ok(r#"{"id":"7\""}"#.into()));
        assert_eq!(read(&[("id", "7")], "{ }"), Ok(r#"{"id":"7"}"#.into()));
        let both = read(&[("id", "7"), ("b", "")], r#" {"n": 1.50, "o": {"id": 2}}"#);
        assert_eq!(both, Ok(r#"{"b":"","id":"7","n":1.5,"o":{"id":2}}"#.into()));
    }

    #[test]
    fn no_body_breaks_out_of_its_object_and_no_name_is_said_twice() {
        for body in [
            "[]",
            "{",
            "}",
            "{}}",
            "{{}",
            "{}{}",
            "null",
            "\"{}\"",
            "{,}",
            "{,\"a\":1}",
            "{\"a\":1,}",
            "{\"a\":1},{\"b\":2}",
            "{\"a\":1},\"b\":{}",
            "{\"id\":1}",
            "{\"\\u0069d\":1}",
            "\u{c}{}",
            "{\"a\":1}\u{feff}",
        ] {
            assert!(read(&[("id", "7")], body).is_err(), "{body}");
        }
        assert!(read(&[("id", "7"), ("id", "7")], "").is_err());
        assert!(read(&[], r#"{"a":1,"a":1}"#).is_err());
    }

    #[test]
    fn routes_are_named_apart() {
        assert_eq!(named("/docs/{id}/parts/{part}"), "/docs/:id/parts/:part");
        assert_eq!(named("/files/{*path}"), "/files/:path..");
        assert_eq!(named("/"), "/");
    }
}
