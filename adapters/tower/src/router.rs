//! A router of axum whose every route is gated.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter};
use hallpass::Running;
use hallpass::vault::Secrets;

use crate::gate::HttpGate;
use crate::handler::HandlerLayer;
use crate::secrets::WithSecrets;

/// A router of axum whose every route is gated, for each method, and for those that a route does not have.
///
/// There is no way to add a route that is not, and no way to one without a gate:
///
/// ```
/// # use axum::Router;
/// # use hallpass_tower::{GatedRouter, HttpGate};
/// fn make(gate: HttpGate) -> Router {
///     GatedRouter::<()>::new(gate).with_state(())
/// }
/// ```
/// ```compile_fail,E0061
/// # use axum::Router;
/// # use hallpass_tower::{GatedRouter, HttpGate};
/// fn make(gate: HttpGate) -> Router {
///     GatedRouter::<()>::new().with_state(())
/// }
/// ```
#[must_use = "a router that is not served serves nothing"]
pub struct GatedRouter<S = ()> {
    gate: Arc<HttpGate>,
    router: Router<Gated<S>>,
}

/// The state of gated handlers: the host's own, in a wrapping that only a [`GatedRouter`] makes. So a handler that takes
/// what the gate hands on has no state outside of one, and can't be served there.
#[derive(Clone)]
pub struct Gated<S>(S);

/// What the host's handlers share, as axum's `State` is elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct HostState<S>(pub S);

impl<S> Gated<S> {
    pub(crate) fn host(&self) -> &S {
        &self.0
    }
}

impl<S: Clone + Send + Sync + 'static> GatedRouter<S> {
    /// A router without routes.
    pub fn new(gate: HttpGate) -> Self {
        GatedRouter { gate: Arc::new(gate), router: Router::new() }
    }

    /// Adds a route: see axum's `Router::route`, with which it panics on a path that is none or overlaps another.
    pub fn route(mut self, path: &str, methods: MethodRouter<Gated<S>>) -> Self {
        // `route_layer` would leave out a fallback of the methods' own.
        self.router = self.router.route(path, methods.layer(HandlerLayer(self.gate.clone())));
        self
    }

    /// Adds a route whose tool runs with the credentials that the catalogue says it has: `run` is lent them, as by
    /// [`Permit::run_with_async`](hallpass::Permit::run_with_async). Its response is read as a whole, and scrubbed.
    ///
    /// ```
    /// # use axum::{Router, routing::MethodFilter};
    /// # use hallpass_tower::{GatedRouter, HttpGate};
    /// # fn make(gate: HttpGate) -> Router {
    /// GatedRouter::new(gate)
    ///     .route_with_secrets("/mails", MethodFilter::POST, |running, secrets, _: &()| {
    ///         Box::pin(async move {
    ///             let key = secrets.get("mail-key").map(|secret| secret.expose());
    ///             format!("sent {} with {} bytes", running.args().len(), key.unwrap_or_default().len())
    ///         })
    ///     })
    ///     .with_state(())
    /// # }
    /// ```
    pub fn route_with_secrets<F, R>(mut self, path: &str, method: MethodFilter, run: F) -> Self
    where
        F: for<'a> Fn(
                &'a Running,
                &'a Secrets,
                &'a S,
            ) -> Pin<Box<dyn Future<Output = R> + Send + 'a>>
            + Send
            + Sync
            + 'static,
        R: IntoResponse + Send + 'static,
    {
        let handler = WithSecrets::new(self.gate.clone(), run);
        // The handler asks by itself; the gate is before the methods that the route does not have.
        let others = MethodRouter::<_, Infallible>::new().layer(HandlerLayer(self.gate.clone()));
        self.router = self.router.route(path, others.on(method, handler));
        self
    }

    /// Takes in the routes of another, with its own gate.
    pub fn merge(mut self, other: GatedRouter<S>) -> Self {
        self.router = self.router.merge(other.router);
        self
    }

    /// The finished router, with what its handlers share ([`HostState`]).
    pub fn with_state(self, state: S) -> Router {
        self.router.with_state(Gated(state))
    }
}

impl<S> fmt::Debug for GatedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedRouter").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Gated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").finish_non_exhaustive()
    }
}
