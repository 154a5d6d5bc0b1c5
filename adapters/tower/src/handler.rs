//! Handlers of axum within a gate.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, request::Parts};
use tower_layer::Layer;
use tower_service::Service;

use crate::gate::HttpGate;
use crate::permitted::Permitted;
use crate::question::PathParameters;
use crate::service::GateService;

/// Puts the gate before handlers.
#[derive(Clone, Debug)]
pub(crate) struct HandlerLayer(pub(crate) Arc<HttpGate>);

impl<S> Layer<S> for HandlerLayer {
    type Service = WithPath<GateService<AsRequest<S>>>;

    fn layer(&self, handler: S) -> Self::Service {
        WithPath(GateService::new(self.0.clone(), AsRequest(handler)))
    }
}

/// Notes the parameters of the path, before the gate.
#[derive(Clone, Debug)]
pub(crate) struct WithPath<S>(S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for WithPath<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let (mut parts, body) = request.into_parts();
        note_path(&mut parts);
        self.0.call(Request::from_parts(parts, body))
    }
}

/// Notes the parameters of the path as axum has read them.
pub(crate) fn note_path(parts: &mut Parts) {
    // It only looks at what the router has put there, and is ready at once.
    let read = {
        let mut read = std::pin::pin!(RawPathParams::from_request_parts(parts, &()));
        match read.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(read) => Some(read),
            Poll::Pending => None,
        }
    };
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let read = match read {
        Some(Ok(read)) => Ok(read.iter().map(own).collect()),
        Some(Err(RawPathParamsRejection::MissingPathParams(_))) => Ok(Vec::new()),
        Some(Err(_)) | None => Err("expected UTF-8 in the path"),
    };
    parts.extensions.insert(PathParameters(read));
}

/// A handler of requests as one of permitted calls: the body is the arguments of the permit.
#[derive(Clone, Debug)]
pub(crate) struct AsRequest<S>(S);

impl<S: Service<Request<Body>>> Service<Request<Permitted>> for AsRequest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Permitted>) -> S::Future {
        let (mut parts, call) = request.into_parts();
        let json = HeaderValue::from_static("application/json");
        parts.headers.insert(CONTENT_TYPE, json);
        let body = Body::from(call.args().to_json());
        parts.extensions.insert(call);
        self.0.call(Request::from_parts(parts, body))
    }
}
