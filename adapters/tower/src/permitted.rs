//! A call that may run, as a handler is given it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use hallpass::args::Args;
use hallpass::{Call, Running};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::router::Gated;

/// A call that was permitted and has started: what a handler runs from. Only the gate makes one.
///
/// Its outcome is recorded when the response has been sent: as gone well for a status below 400, as failed for others, and
/// as interrupted if the request is cancelled or the handler panics. A clone that is kept for longer keeps the call open, and
/// its outcome is interrupted.
///
/// ```compile_fail,E0423
/// # use hallpass_tower::Permitted;
/// fn forge(running: std::sync::Arc<hallpass::Running>) -> Permitted {
///     Permitted(running)
/// }
/// ```
/// ```
/// # use hallpass_tower::Permitted;
/// fn arguments(call: &Permitted) -> &hallpass::args::Args {
///     call.args()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Permitted(Arc<Running>);

impl Permitted {
    pub(crate) fn new(running: Arc<Running>) -> Self {
        Permitted(running)
    }

    /// The arguments that were decided about.
    pub fn args(&self) -> &Args {
        self.0.args()
    }

    /// The whole call.
    pub fn call(&self) -> &Call {
        self.0.call()
    }

    /// The permit's number in the log.
    pub fn number(&self) -> u64 {
        self.0.number()
    }

    /// Whether what permits the call still does: see [`Running::is_live`]. A response that streams is cut when it no longer
    /// is; a handler that works for long before it answers asks this itself.
    pub fn is_live(&self) -> bool {
        self.0.is_live()
    }

    /// Resolves once it is no longer: see [`Running::ended`].
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.0.ended()
    }
}

impl<S: Send + Sync> FromRequestParts<Gated<S>> for Permitted {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &Gated<S>) -> Result<Self, StatusCode> {
        // A layer of the host's between gate and handler that has taken it out is at fault.
        parts.extensions.get().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The arguments of the permit, read into a type of the host's. Numbers are never rounded; what does not fit is `400`.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<Gated<S>> for Arguments<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Gated<S>) -> Result<Self, Response> {
        let call = Permitted::from_request_parts(parts, state).await;
        let call = call.map_err(IntoResponse::into_response)?;
        let unfit = |_| (StatusCode::BAD_REQUEST, "the arguments do not fit").into_response();
        call.args().parse().map(Arguments).map_err(unfit)
    }
}

/// What the host's handlers share: see [`GatedRouter::with_state`](crate::GatedRouter::with_state).
impl<S: Clone + Send + Sync> FromRequestParts<Gated<S>> for crate::router::HostState<S> {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &Gated<S>) -> Result<Self, Infallible> {
        Ok(crate::router::HostState(state.host().clone()))
    }
}
