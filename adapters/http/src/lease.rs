//! An endpoint for the time of one call.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::thread;

use futures_util::future::{Either, select};
use hallpass::Running;
use hallpass::vault::Secrets;
use hyper::header::HeaderValue;
use tokio::sync::oneshot;

use crate::bounds::{Asked, Bounds};
use crate::endpoint::Endpoint;
use crate::injector::Inner;
use crate::key::Key;
use crate::server::Server;

/// What one call may do with its secrets: nothing, until it is said.
#[must_use = "nothing is served before `serve` or `serve_async`"]
pub struct Lease<'r> {
    inner: &'r Inner,
    running: &'r Running,
    secrets: &'r Secrets,
    bounds: Bounds<'r>,
}

/// Why a call has no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Nothing says what requests may be made.
    #[error("no request could be made, expected `allow` or `authorizing`")]
    NothingAllowed,
    /// What was allowed could match no request.
    #[error(
        "`{0}` is allowed and could match no request, expected a method as `GET` and a path as `/v1/orders/7`"
    )]
    NotAPath(Box<str>),
    /// The tool runs with no credential that the injector knows.
    #[error(
        "the tool runs with no credential that the injector knows, expected one of them in the catalogue"
    )]
    NoSecret,
    /// The catalogue does not say that the tool may send a secret to where the injector sends it.
    #[error(
        "`{credential}` goes to `{origin}`, expected the catalogue to say so of the tool: \
         `origins = {{ {credential} = \"{origin}\" }}`"
    )]
    NotAnOrigin {
        /// The credential.
        credential: Box<str>,
        /// Where the injector sends it.
        origin: Box<str>,
    },
    /// A secret that no header can carry.
    #[error("the secret `{0}` has characters that no header can carry, expected visible ASCII")]
    NotAHeader(Box<str>),
    /// The system gives no random bytes for a key.
    #[error("the system gave no random bytes")]
    NoRandomness,
    /// The loopback can't be listened on, or what serves there has failed.
    #[error("serving on the loopback: {0}")]
    Serving(#[from] io::Error),
}

impl<'r> Lease<'r> {
    pub(crate) fn new(inner: &'r Inner, running: &'r Running, secrets: &'r Secrets) -> Lease<'r> {
        Lease { inner, running, secrets, bounds: Bounds::default() }
    }

    /// Allows requests of this method to this path, or to all below it where it ends in a slash; what they ask for behind the
    /// question mark is not looked at. May be said several times. Where requests are [authorized](Self::authorizing), too, both
    /// have to agree.
    pub fn allow(mut self, method: &str, path: &str) -> Self {
        self.bounds.allow(method, path);
        self
    }

    /// Has each request be a call of its own: it is made when this gives one that has started, which is over when the answer is.
    /// A [`Denial`](hallpass::Denial) answers the tool with its code. Called while a connection waits, so it should not wait for people.
    ///
    /// ```no_run
    /// # use hallpass::prelude::*;
    /// # use hallpass_http::Lease;
    /// # fn each<'r>(lease: Lease<'r>, gate: &'r Gate, grant: &'r Grant, agent: &'r Identity) -> Lease<'r> {
    /// lease.authorizing(move |asked| {
    ///     let args = serde_json::json!({ "method": asked.method(), "url": asked.url() });
    ///     let call = Call::new("http.request", args)?;
    ///     Ok(gate.authorize(grant, agent, call, &Context::new())?.start()?)
    /// })
    /// # }
    /// ```
    pub fn authorizing(
        mut self,
        authorize: impl Fn(&Asked<'_>) -> Result<Running, Box<dyn Error + Send + Sync>>
        + Send
        + Sync
        + 'r,
    ) -> Self {
        self.bounds.authorize_by(authorize);
        self
    }

    /// Serves on a thread of its own while `tool` runs, and ends all connections when it is done, however it is done. For
    /// tools that block.
    ///
    /// # Errors
    /// [`LeaseError`]: `tool` has not run; or, of [`Serving`](LeaseError::Serving), what served it has failed.
    pub fn serve<T>(self, tool: impl FnOnce(&Endpoint<'_>) -> T) -> Result<T, LeaseError> {
        let inner = self.inner;
        let (server, listener) = self.ready()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let endpoint = Endpoint { inner, key: &server.key, port: server.port };
        thread::scope(|scope| {
            let server = &server;
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = scope.spawn(move || {
                let served = runtime.block_on(async move {
                    let serving = pin!(server.serve(listener));
                    match select(serving, pin!(stopped)).await {
                        Either::Left((served, _)) => served,
                        Either::Right(_) => Ok(()),
                    }
                });
                // A name that is being resolved is not waited for.
                runtime.shutdown_background();
                served
            });
            let result = tool(&endpoint);
            drop(stop);
            match serving.join() {
                Ok(served) => served.map(|()| result).map_err(LeaseError::from),
                Err(_) => Err(io::Error::other("what served has panicked").into()),
            }
        })
    }

    /// Serves while `tool` runs, within the same future, on a tokio runtime.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn serve_async<T>(
        self,
        tool: impl AsyncFnOnce(&Endpoint<'_>) -> T,
    ) -> Result<T, LeaseError> {
        let inner = self.inner;
        let (server, listener) = self.ready()?;
        let endpoint = Endpoint { inner, key: &server.key, port: server.port };
        let mut tool = pin!(tool(&endpoint));
        match select(pin!(server.serve(listener)), tool.as_mut()).await {
            Either::Right((result, _)) => Ok(result),
            Either::Left((served, tool)) => {
                served?;
                // The call is over: the tool learns it from connections that are closed.
                Ok(tool.await)
            }
        }
    }

    fn ready(self) -> Result<(Server<'r>, TcpListener), LeaseError> {
        self.bounds.check().map_err(|unmatched| match unmatched {
            None => LeaseError::NothingAllowed,
            Some(path) => LeaseError::NotAPath(path.escape_default().to_string().into()),
        })?;
        let mut any = false;
        for route in &self.inner.routes {
            let name = &route.injection.credential;
            let Some(secret) = self.secrets.get(name) else { continue };
            any = true;
            let origin = route.injection.origin.to_string();
            if !self.secrets.origins(name).any(|own| *own == *origin) {
                let (credential, origin) = (name.clone(), origin.into());
                return Err(LeaseError::NotAnOrigin { credential, origin });
            }
            let value: Option<HeaderValue> = route.injection.value(secret.expose());
            value.ok_or_else(|| LeaseError::NotAHeader(name.clone()))?;
        }
        if !any {
            return Err(LeaseError::NoSecret);
        }
        let key = Key::generate().ok_or(LeaseError::NoRandomness)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let Lease { inner, running, secrets, bounds } = self;
        Ok((Server { inner, running, secrets, bounds, key, port }, listener))
    }
}

/// Shows the call.
impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("running", self.running).finish_non_exhaustive()
    }
}
