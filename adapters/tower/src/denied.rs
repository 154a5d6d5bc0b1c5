//! A denial as a response.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass::{Code, Denial};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use serde_json::{Map, Value};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const RESPOND_ASYNC: &str = "respond-async";

/// A denial as a response: the status of its code ([`Code::http_status`]) and problem details (RFC 9457) whose `code` is the
/// word for the agent. A `401` says `WWW-Authenticate`, a limit that frees by itself `Retry-After`, and what waits for
/// people has its text under `pending`: the caller sends the same request again with it in the header
/// [`Hallpass-Pending`](crate::PENDING) once they have agreed.
///
/// It says nothing of what operators may read.
///
/// ```
/// # use hallpass::prelude::*;
/// # use hallpass_tower::Denied;
/// use axum::response::IntoResponse;
/// # let broker = Broker::new(Policy::builder().build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let denial = broker.gate().deny(&agent, "erase", Reason::UnknownTool, "there is no such tool");
/// assert_eq!(Denied::from(denial).into_response().status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Denied {
    denial: Denial,
    challenge: HeaderValue,
    accepts_later: bool,
}

impl From<Denial> for Denied {
    fn from(denial: Denial) -> Self {
        Denied { denial, challenge: HeaderValue::from_static("Bearer"), accepts_later: false }
    }
}

impl Denied {
    /// What `WWW-Authenticate` says with a `401`; `Bearer` by default.
    #[must_use]
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = challenge;
        self
    }

    /// Answers as this request prefers: where it says `Prefer: respond-async`, what waits for people is `202`.
    #[must_use]
    pub fn for_request<B>(self, request: &Request<B>) -> Self {
        self.for_headers(request.headers())
    }

    pub(crate) fn for_headers(mut self, headers: &HeaderMap) -> Self {
        let said = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let mut words = said.flat_map(|value| value.split(','));
        self.accepts_later = words.any(|word| word.trim().eq_ignore_ascii_case(RESPOND_ASYNC));
        self
    }

    /// The text by which the caller comes back, if people are asked.
    fn pending(&self) -> Option<String> {
        let waits = self.denial.code() == Code::ApprovalRequired;
        self.denial.pending().filter(|_| waits)?.to_text()
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let code = self.denial.code();
        let pending = self.pending();
        let later = self.accepts_later && pending.is_some();
        // A code has a status; were it ever none, a refusal is what is left.
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::FORBIDDEN);
        let status = if later { StatusCode::ACCEPTED } else { status };
        let mut said = vec![("code", code.as_str().to_owned())];
        said.extend(pending.map(|text| ("pending", text)));
        if !later {
            said.push(("detail", self.denial.to_string()));
        }
        let mut response = problem(status, said);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, told(&self.challenge, code));
        }
        if later {
            headers.insert("preference-applied", HeaderValue::from_static(RESPOND_ASYNC));
        }
        if let Some(wait) = self.denial.retry_after() {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A challenge that says why (RFC 6750), if it is one for bearers of tokens.
fn told(challenge: &HeaderValue, code: Code) -> HeaderValue {
    let Some(own) = challenge.to_str().ok().filter(|own| own.starts_with("Bearer")) else {
        return challenge.clone();
    };
    let joint = if own == "Bearer" { "" } else { "," };
    let why = format!("{own}{joint} error=\"invalid_token\", error_description=\"{code}\"");
    HeaderValue::from_str(&why).unwrap_or_else(|_| challenge.clone())
}

/// The caller is unknown, so that there is no one to record a denial of.
pub(crate) fn unauthenticated(challenge: &HeaderValue) -> Response {
    let said = vec![("detail", "expected a request that says who calls".to_owned())];
    let mut response = problem(StatusCode::UNAUTHORIZED, said);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.clone());
    response
}

/// The call was permitted, and its handler's answer can't be read.
pub(crate) fn broken() -> Response {
    problem(StatusCode::BAD_GATEWAY, vec![("detail", "the tool failed".to_owned())])
}

fn problem(status: StatusCode, said: Vec<(&str, String)>) -> Response {
    let mut body = Map::new();
    body.insert("status".to_owned(), Value::from(status.as_u16()));
    body.extend(status.canonical_reason().map(|title| ("title".to_owned(), Value::from(title))));
    body.extend(said.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))));
    let mut response = Response::new(Body::from(Value::from(body).to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
