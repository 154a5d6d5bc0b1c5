//! The endpoint that tokens are pushed to (RFC 8935).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use hallpass::clock::{Clock as _, SystemClock};
use serde_json::json;

use super::Events;
use crate::remark::remark;
use crate::serve::http::{Service, blocking};

pub(crate) const PATH: &str = "/events";

/// How long is waited for the log before the token is sent again.
const FLUSH: Duration = Duration::from_secs(2);

/// Takes a security event token, and answers once what it has brought is on record.
pub(crate) async fn pushed(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let own = service.clone();
    match &service.events {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(events) if !knows_secret(events, &headers) => {
            refused(StatusCode::UNAUTHORIZED, "authentication_failed", "the bearer is not known")
        }
        Some(_) => {
            let text = match token(&headers, body) {
                Ok(text) => text,
                Err(why) => return refused(StatusCode::BAD_REQUEST, "invalid_request", why),
            };
            let taken = blocking(move || own.events.as_ref().map(|events| events.take(&text)));
            match taken.await {
                Ok(Some(answer)) => answer,
                Ok(None) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    }
}

impl Events {
    fn take(&self, token: &str) -> Response {
        let Ok(now) = SystemClock::new().read() else { return later("there is no clock") };
        match self.receive(token, now.wall) {
            Ok(()) => match self.broker.flush_within(FLUSH) {
                Ok(()) => StatusCode::ACCEPTED.into_response(),
                Err(_) => later("it can't be recorded now"),
            },
            Err(error) => {
                remark(&format!("a security event token is not taken: {error}"));
                match error.is_passing() {
                    true => later("it can't be acted upon now"),
                    false => {
                        let told = "the token can't be taken";
                        refused(StatusCode::BAD_REQUEST, error.code(), told)
                    }
                }
            }
        }
    }
}

fn knows_secret(events: &Events, headers: &HeaderMap) -> bool {
    let mut stated = headers.get_all(AUTHORIZATION).iter();
    let is_known = stated.next().is_some_and(|own| events.bearers.accept(own.as_bytes()));
    is_known && stated.next().is_none()
}

fn token(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<String, &'static str> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let stated = types.next().and_then(|own| own.to_str().ok()).unwrap_or_default();
    if types.next().is_some() || !stated.trim().eq_ignore_ascii_case("application/secevent+jwt") {
        return Err("`content-type` is not `application/secevent+jwt`");
    }
    let body = body.map_err(|_| "the body can't be read")?;
    String::from_utf8(body.to_vec()).map_err(|_| "the body is not text")
}

fn later(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

fn refused(status: StatusCode, code: &str, why: &str) -> Response {
    (status, Json(json!({ "err": code, "description": why }))).into_response()
}
