//! Handlers that are lent credentials.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use hallpass::scrub::{Scrub, Scrubber};
use hallpass::vault::Secrets;
use hallpass::{RunError, Running};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::response::Parts;
use http_body_util::BodyExt;

use crate::answer::went_well;
use crate::denied::{Denied, broken};
use crate::gate::HttpGate;
use crate::handler::note_path;
use crate::router::Gated;

/// A handler that decides, runs with credentials, and scrubs.
pub(crate) struct WithSecrets<F, R> {
    gate: Arc<HttpGate>,
    run: Arc<F>,
    gives: PhantomData<fn() -> R>,
}

impl<F, R> WithSecrets<F, R> {
    pub(crate) fn new(gate: Arc<HttpGate>, run: F) -> Self {
        WithSecrets { gate, run: Arc::new(run), gives: PhantomData }
    }
}

impl<F, R> Clone for WithSecrets<F, R> {
    fn clone(&self) -> Self {
        WithSecrets { gate: self.gate.clone(), run: self.run.clone(), gives: PhantomData }
    }
}

impl<S, F, R> Handler<R, Gated<S>> for WithSecrets<F, R>
where
    S: Clone + Send + Sync + 'static,
    F: for<'a> Fn(&'a Running, &'a Secrets, &'a S) -> Pin<Box<dyn Future<Output = R> + Send + 'a>>
        + Send
        + Sync
        + 'static,
    R: IntoResponse + Send + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: Gated<S>) -> Self::Future {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            note_path(&mut parts);
            let permit = match self.gate.permit(&parts, body).await {
                Ok(permit) => permit,
                Err(response) => return *response,
            };
            let ran = permit
                .run_with_async(async |running, secrets| {
                    let response = (self.run)(running, secrets, state.host()).await;
                    Read::of(response.into_response()).await
                })
                .await;
            match ran {
                Ok(receipt) => receipt.scrubbed().into_response(),
                Err(RunError::Denied(denial)) => {
                    let denied = Denied::from(denial).challenge(self.gate.challenge.clone());
                    denied.for_headers(&parts.headers).into_response()
                }
                Err(RunError::Tool(error)) => match error.scrubbed() {
                    Some(read) => read.into_response(),
                    None => broken(),
                },
            }
        })
    }
}

/// A response that was read as a whole.
struct Read {
    parts: Parts,
    body: Vec<u8>,
}

impl Read {
    /// # Errors
    /// The response if it says that the call has failed, and nothing if it can't be read.
    async fn of(response: Response) -> Result<Read, Option<Read>> {
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(CONTENT_LENGTH);
        let body = body.collect().await.map_err(|_| None)?.to_bytes().to_vec();
        let read = Read { parts, body };
        if went_well(read.parts.status) { Ok(read) } else { Err(Some(read)) }
    }

    fn into_response(self) -> Response {
        Response::from_parts(self.parts, Body::from(self.body))
    }
}

impl Scrub for Read {
    fn scrub(mut self, scrubber: &Scrubber<'_>) -> Self {
        for value in self.parts.headers.values_mut() {
            let shown = scrubber.bytes(value.as_bytes().to_vec());
            *value = HeaderValue::from_bytes(&shown).unwrap_or(HeaderValue::from_static(""));
        }
        Read { parts: self.parts, body: scrubber.bytes(self.body) }
    }
}
