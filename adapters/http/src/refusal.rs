//! Why a request is not made, as the tool is told.

use hallpass::Code;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

/// Why a request is not made, or its answer not handed on. Nothing of the secret, and nothing that a stranger could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing says that it comes from the call's tool.
    Unknown,
    /// As a proxy is asked, without the password.
    NoPassword,
    /// `CONNECT`, or `TRACE`.
    Method,
    /// A header says another method or path.
    Override,
    Malformed,
    Over,
    Origin,
    Path,
    NotAllowed,
    Denied(Option<Code>),
    Address,
    Unreachable,
    Encoding,
    /// The answer held a secret where it could not be taken out.
    Answer,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::NoPassword => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Malformed | Refusal::Override | Refusal::Path => StatusCode::BAD_REQUEST,
            Refusal::Denied(Some(code)) => {
                StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::FORBIDDEN)
            }
            Refusal::Over | Refusal::Origin | Refusal::NotAllowed | Refusal::Denied(None) => {
                StatusCode::FORBIDDEN
            }
            Refusal::Address | Refusal::Unreachable | Refusal::Encoding | Refusal::Answer => {
                StatusCode::BAD_GATEWAY
            }
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            // A stranger is told nothing.
            Refusal::Unknown | Refusal::NoPassword => "",
            Refusal::Method => {
                "CONNECT and TRACE are not passed on: ask for `http://` URLs, TLS is made here"
            }
            Refusal::Override => {
                "a header says another method or path than the request, expected the request's alone"
            }
            Refusal::Malformed => "the request has no URL that can be passed on",
            Refusal::Over => "the call is over",
            Refusal::Origin => "no secret is for this origin",
            Refusal::Path => {
                "the path can be read in more than one way, expected one without `..`, `//` and escaped separators"
            }
            Refusal::NotAllowed => "the call does not allow this method and path",
            Refusal::Denied(Some(code)) => code.as_str(),
            Refusal::Denied(None) => "the request is not authorized",
            Refusal::Address => "the name resolves to an address that is not public",
            Refusal::Unreachable => "the server could not be reached, or did not answer in HTTP",
            Refusal::Encoding => "the server answered in an encoding that was not asked for",
            Refusal::Answer => "the head of the answer held a secret",
        }
    }

    /// What a client is told in a header, if anything.
    pub(crate) fn header(self) -> Option<(header::HeaderName, HeaderValue)> {
        let basic = HeaderValue::from_static("Basic realm=\"hallpass\"");
        (self == Refusal::NoPassword).then_some((header::PROXY_AUTHENTICATE, basic))
    }
}
