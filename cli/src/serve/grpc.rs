//! One message over gRPC, and one back.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use http_body_util::{BodyExt, Full};

/// A status of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok = 0,
    InvalidArgument = 3,
    Internal = 13,
}

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// The one message of a request.
///
/// # Errors
/// Why there is not exactly one.
pub(super) fn message(headers: &HeaderMap, body: &Bytes) -> Result<Bytes, &'static str> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let stated = types.next().map(HeaderValue::as_bytes);
    let is_known = matches!(stated, Some(b"application/grpc" | b"application/grpc+proto"));
    if !is_known || types.next().is_some() {
        return Err("expected messages of the type `application/grpc`");
    }
    let Some(([flag, length @ ..], _)) = body.split_first_chunk::<5>() else {
        return Err("there is no message");
    };
    if *flag != 0 {
        return Err("expected a message that is not compressed");
    }
    let message = body.slice(5..);
    if u32::try_from(message.len()).ok() != Some(u32::from_be_bytes(*length)) {
        return Err("expected one whole message");
    }
    Ok(message)
}

/// A response of one message.
pub(super) fn answered(message: &[u8]) -> Response {
    let Ok(length) = u32::try_from(message.len()) else { return failed(Status::Internal) };
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from(Status::Ok as u16))]);
    let body = Full::new(Bytes::from(frame)).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(CONTENT_TYPE, TYPE);
    response
}

/// A response that says nothing but that it failed.
pub(super) fn failed(status: Status) -> Response {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(CONTENT_TYPE, TYPE);
    response.headers_mut().insert(STATUS, HeaderValue::from(status as u16));
    response
}
