//! Envoy's external authorization: a request that Envoy holds back until it is decided.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::response::Response;
use hallpass::context::TraceParent;
use hallpass::identity::Kind;
use hallpass::value::{Object, Value};
use hallpass::{Call, Denial, Reason};
use prost::Message;
use serde_json::json;

use super::authzen::Entity;
use super::envoy_messages::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValue,
    HeaderValueOption, HttpRequest, HttpStatus, OkHttpResponse, Status as RpcStatus,
};
use super::evaluate::Evaluator;
use super::grpc::{Status, answered, failed, message};
use super::http::{Service, blocking};
use super::http_target::{Target, host_and_port};

/// The one method of the service.
pub(super) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// What Envoy says of a body that it has not sent whole.
const PARTIAL: &str = "x-envoy-auth-partial-body";

/// Answers a check. What can't be read or decided fails, which Envoy takes for a no unless it is told to let failures pass.
pub(super) async fn check(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(kind) = service.callers else { return failed(Status::Internal) };
    let asked = body.ok().and_then(|body| message(&headers, &body).ok());
    let Some(Ok(asked)) = asked.map(CheckRequest::decode) else {
        return failed(Status::InvalidArgument);
    };
    let decided = blocking(move || service.evaluator.check(kind, &asked)).await;
    decided.map_or_else(|_| failed(Status::Internal), |told| answered(&told.encode_to_vec()))
}

impl Evaluator {
    /// Decides a request that Envoy holds back. A permit is on record before this returns, and nothing stands after it.
    fn check(&self, kind: Kind, asked: &CheckRequest) -> CheckResponse {
        let Some(AttributeContext { source, request, context_extensions }) = &asked.attributes
        else {
            return unauthenticated();
        };
        let principal = source.as_ref().map(|own| &*own.principal).unwrap_or_default();
        // Never from a header, which a client writes.
        let who =
            Entity { of_type: "peer".into(), id: principal.into(), properties: Object::new() };
        let who = match self.identity(kind, &who) {
            Ok(who) if !principal.is_empty() => who,
            _ => return unauthenticated(),
        };
        let nothing = HttpRequest::default();
        let http = request.as_ref().and_then(|own| own.http.as_ref()).unwrap_or(&nothing);
        let tool = format!("http:{}", http.method);
        let call = arguments(http).and_then(|args| {
            Call::from_json(&tool, &args.to_json()).map_err(|error| error.to_string())
        });
        let facts =
            context_extensions.iter().map(|(name, own)| (name.clone(), Value::from(own.as_str())));
        let decided = match (call, Object::from_pairs(facts)) {
            (Ok(call), Ok(facts)) => {
                self.forwarded(&who, call, &self.context(&facts, trace_of(http)))
            }
            (Err(why), _) => Err(self.gate.deny(&who, &tool, Reason::MalformedCall, &why)),
            (_, Err(_)) => {
                let why = "a name of `context_extensions` is there twice";
                Err(self.gate.deny(&who, &tool, Reason::MalformedCall, why))
            }
        };
        match decided {
            Ok(()) => permitted(),
            Err(denial) => {
                self.explain(&tool, &denial);
                denied(&denial)
            }
        }
    }
}

/// Of which trace a request is, if its header can be read.
fn trace_of(http: &HttpRequest) -> Option<TraceParent> {
    header(http, "traceparent").ok()??.parse().ok()
}

/// The arguments of a request: `host` and `path`, `port` and `query` if it has one, and `body` where Envoy sends it.
///
/// # Errors
/// Why it has none that mean one thing to all who read it.
fn arguments(http: &HttpRequest) -> Result<Object, String> {
    let target = Target::read(&http.path)?;
    let (host, port) = host_and_port(&http.host)?;
    let mut members =
        vec![("host".to_owned(), Value::from(host)), ("path".to_owned(), Value::from(target.path))];
    members.extend(port.map(|port| ("port".to_owned(), Value::from(u64::from(port)))));
    members.extend(target.query.map(|query| ("query".to_owned(), Value::from(query))));
    members.extend(body(http)?.map(|body| ("body".to_owned(), body)));
    Object::from_pairs(members).map_err(|twice| format!("`{}` is there twice", twice.0))
}

/// The body, if Envoy sends one: what it says where it is JSON, and else its text.
fn body(http: &HttpRequest) -> Result<Option<Value>, String> {
    if header(http, PARTIAL)?.is_some_and(|own| own != "false") {
        return Err("the body was not sent whole".to_owned());
    }
    let text = match (&*http.body, &*http.raw_body) {
        ("", []) => return Ok(None),
        (text, []) => text,
        ("", bytes) => {
            std::str::from_utf8(bytes).map_err(|_| "the body is not UTF-8".to_owned())?
        }
        _ => return Err("the body is there twice".to_owned()),
    };
    if header(http, "content-encoding")?.is_some_and(|own| own != "identity") {
        return Err("the body is encoded".to_owned());
    }
    let of = header(http, "content-type")?.unwrap_or_default();
    let of = of.to_ascii_lowercase();
    if !is_utf_8(&of) {
        return Err("the body is said to be in another encoding than UTF-8".to_owned());
    }
    let of = of.split(';').next().unwrap_or_default().trim();
    if of == "application/json" || of.starts_with("application/") && of.ends_with("+json") {
        Value::from_json(text).map(Some).map_err(|error| format!("the body is not JSON: {error}"))
    } else {
        Ok(Some(Value::from(text)))
    }
}

/// Whether a content type, in lower case, leaves no one to read its body as anything but UTF-8: as UTF-7, say, in which
/// other quotes end a text of JSON.
fn is_utf_8(content_type: &str) -> bool {
    let mut rest = content_type.split("charset");
    rest.next();
    rest.all(|said| {
        let said = said.split(';').next().unwrap_or_default().trim();
        let own = said.strip_prefix('=').map(|own| own.trim().trim_matches('"'));
        matches!(own, Some("utf-8" | "utf8" | "us-ascii"))
    })
}

/// A header that is there once, of those that Envoy sends.
fn header<'h>(http: &'h HttpRequest, name: &str) -> Result<Option<&'h str>, String> {
    let listed = http.header_map.iter().flat_map(|map| &map.headers).map(|own| {
        let text = if own.value.is_empty() {
            std::str::from_utf8(&own.raw_value).unwrap_or("?")
        } else {
            &own.value
        };
        (&*own.key, text)
    });
    let plain = http.headers.iter().map(|(key, value)| (&**key, &**value));
    let mut found = plain.chain(listed).filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value);
    // Envoy joins what it has several times by a comma.
    if found.next().is_some() || first.is_some_and(|own| own.contains(',')) {
        return Err(format!("the header `{name}` is there twice"));
    }
    Ok(first)
}

fn permitted() -> CheckResponse {
    let status = Some(RpcStatus { code: 0, message: String::new() });
    CheckResponse { status, denied_response: None, ok_response: Some(OkHttpResponse {}) }
}

fn denied(denial: &Denial) -> CheckResponse {
    let code = denial.code();
    let number = match code.grpc_status() {
        "INVALID_ARGUMENT" => 3,
        "RESOURCE_EXHAUSTED" => 8,
        "FAILED_PRECONDITION" => 9,
        "UNAVAILABLE" => 14,
        "UNAUTHENTICATED" => 16,
        _ => 7,
    };
    let question = denial.pending().map(|pending| pending.id());
    refused(number, code.http_status(), &denial.to_string(), Some(code.as_str()), question)
}

/// Envoy names no caller: there is no one to record a denial of.
fn unauthenticated() -> CheckResponse {
    refused(16, 401, "expected a client certificate that names who calls", None, None)
}

/// What Envoy answers in place of the request's own service: problem details (RFC 9457).
fn refused(
    number: i32,
    status: u16,
    detail: &str,
    code: Option<&str>,
    question: Option<String>,
) -> CheckResponse {
    let mut body = serde_json::Map::new();
    body.insert("status".to_owned(), status.into());
    body.insert("detail".to_owned(), detail.into());
    let title = StatusCode::from_u16(status).ok().and_then(|own| own.canonical_reason());
    body.extend(title.map(|own| ("title".to_owned(), json!(own))));
    body.extend(code.map(|own| ("code".to_owned(), json!(own))));
    body.extend(question.map(|own| ("question".to_owned(), json!(own))));
    let header = |key: &str, value: &str| HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }),
    };
    CheckResponse {
        status: Some(RpcStatus { code: number, message: detail.to_owned() }),
        denied_response: Some(DeniedHttpResponse {
            status: Some(HttpStatus { code: i32::from(status) }),
            headers: vec![
                header("content-type", "application/problem+json"),
                header("cache-control", "no-store"),
            ],
            body: serde_json::Value::Object(body).to_string(),
        }),
        ok_response: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::envoy_messages::HeaderMap;
    use super::*;

    #[test]
    fn a_header_that_is_there_twice_says_nothing() {
        let own = |key: &str, value: &str| HeaderValue {
            key: key.to_owned(),
            value: String::new(),
            raw_value: value.as_bytes().to_vec(),
        };
        let one = HttpRequest {
            header_map: Some(HeaderMap { headers: vec![own("Content-Type", "a/b")] }),
            ..HttpRequest::default()
        };
        assert_eq!(header(&one, "content-type"), Ok(Some("a/b")));
        let mut two = one.clone();
        two.header_map.as_mut().unwrap().headers.push(own("content-type", "a/c"));
        let both = HttpRequest { headers: [("content-type".into(), "a/b".into())].into(), ..one };
        for http in [two, both] {
            assert!(header(&http, "content-type").is_err());
        }
    }
}
