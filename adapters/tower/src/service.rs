//! The gate as a service around a service of permitted calls.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::response::{IntoResponse, Response as AxumResponse};
use bytes::Bytes;
use hallpass::{Permit, Reason};
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::{Answer, answer};
use crate::caller::{Refusal, only};
use crate::denied::{Denied, unauthenticated};
use crate::gate::{HttpGate, PENDING};
use crate::permitted::Permitted;
use crate::question::{arguments, tool};

/// A service before which each request is decided: what is within takes requests whose body is a
/// [`Permitted`] call, and so can't be served without a gate.
///
/// ```
/// # use hallpass_tower::{HttpGate, Permitted};
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower_layer::Layer;
/// # use tower_service::Service;
/// fn serve(service: impl Service<Request<Empty<bytes::Bytes>>>) {
/// #   drop(service);
/// }
/// fn gated<S>(gate: HttpGate, tool: S)
/// where
///     S: Service<Request<Permitted>, Response = Response<String>> + Clone + Send + 'static,
///     S::Future: Send,
///     S::Error: Send,
/// {
///     serve(gate.layer(tool))
/// }
/// ```
/// ```compile_fail,E0277
/// # use hallpass_tower::{HttpGate, Permitted};
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower_layer::Layer;
/// # use tower_service::Service;
/// fn serve(service: impl Service<Request<Empty<bytes::Bytes>>>) {
/// #   drop(service);
/// }
/// fn gated<S>(gate: HttpGate, tool: S)
/// where
///     S: Service<Request<Permitted>, Response = Response<String>> + Clone + Send + 'static,
///     S::Future: Send,
///     S::Error: Send,
/// {
///     serve(tool)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct GateService<S> {
    gate: Arc<HttpGate>,
    tool: S,
}

impl<S> Layer<S> for HttpGate {
    type Service = GateService<S>;

    fn layer(&self, tool: S) -> GateService<S> {
        GateService::new(Arc::new(self.clone()), tool)
    }
}

impl<S> GateService<S> {
    pub(crate) fn new(gate: Arc<HttpGate>, tool: S) -> Self {
        GateService { gate, tool }
    }
}

impl<S, B, R> Service<Request<B>> for GateService<S>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    S: Service<Request<Permitted>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    /// Always: whether the service within is ready is asked once a call may run.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (gate, mut tool) = (self.gate.clone(), self.tool.clone());
        let (parts, body) = request.into_parts();
        Box::pin(async move {
            let refused = |denial| {
                let denied = Denied::from(denial).challenge(gate.challenge.clone());
                Answer::of_gate(denied.for_headers(&parts.headers).into_response())
            };
            let permit = match gate.permit(&parts, body).await {
                Ok(permit) => permit,
                Err(response) => return Ok(Answer::of_gate(*response)),
            };
            let running = match permit.start_async().await {
                Ok(running) => Arc::new(running),
                Err(denial) => return Ok(refused(denial)),
            };
            poll_fn(|cx| tool.poll_ready(cx)).await?;
            let call = gate.handed_on(&parts, Permitted::new(running.clone()));
            match tool.call(call).await {
                Ok(response) => Ok(answer(running, &parts.method, response).await),
                Err(error) => {
                    crate::answer::close(running, false);
                    Err(error)
                }
            }
        })
    }
}

impl HttpGate {
    /// Decides what a request asks for.
    ///
    /// # Errors
    /// The response that refuses it.
    pub(crate) async fn permit<B>(
        &self,
        request: &Parts,
        body: B,
    ) -> Result<Permit, Box<AxumResponse>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let refused = |denial| {
            let denied = Denied::from(denial).challenge(self.challenge.clone());
            Box::new(denied.for_headers(&request.headers).into_response())
        };
        let caller = match self.caller(request) {
            Ok(caller) => caller,
            Err(Refusal::Unauthenticated) => {
                return Err(Box::new(unauthenticated(&self.challenge)));
            }
            Err(Refusal::Denied(denial)) => return Err(refused(denial)),
        };
        let Some(tool) = tool(self, request) else {
            let name = format!("http:{}", request.method);
            let why = "the request matches no route that names a tool";
            return Err(refused(caller.deny(&name, Reason::UnknownTool, why)));
        };
        let args = match arguments(self, request, body).await {
            Ok(args) => args,
            Err(why) => return Err(refused(caller.deny(&tool, Reason::MalformedCall, why))),
        };
        let context = self.context_of(request);
        let permit = match request.headers.contains_key(PENDING) {
            false => caller.authorize(&tool, &args, &context).await,
            true => {
                let pending = only(&request.headers, &PENDING).unwrap_or_default();
                caller.redeem(&tool, pending, &context).await
            }
        };
        permit.map_err(refused)
    }

    /// What is handed on of a request: the call, and what the host has named.
    fn handed_on(&self, request: &Parts, call: Permitted) -> Request<Permitted> {
        let (headers, extensions) = self.shown(request);
        let mut handed_on = Request::new(call);
        *handed_on.method_mut() = request.method.clone();
        *handed_on.uri_mut() = Uri::from_static("/");
        *handed_on.version_mut() = request.version;
        *handed_on.headers_mut() = headers;
        *handed_on.extensions_mut() = extensions;
        handed_on
    }
}
