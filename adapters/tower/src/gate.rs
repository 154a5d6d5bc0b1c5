//! What a gate of a service is told by its host.

use std::fmt;
use std::sync::Arc;

use hallpass::context::TraceParent;
use hallpass::identity::Identity;
use hallpass::{Context, Gate, Session};
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Extensions, HeaderMap};

use crate::caller::{Caller, Refusal, token};

/// The header by which a caller comes back with what people agreed to.
pub const PENDING: HeaderName = HeaderName::from_static("hallpass-pending");

/// What is read of a body unless the host says otherwise: more than arguments may have anyway.
const BODY_MAX: usize = 2 << 20;

/// Headers that say how to answer, and that decide about nothing.
const KEPT: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, TRACE_PARENT, HeaderName::from_static("tracestate")];

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

type OfRequest<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;

/// A gate for requests over HTTP: who calls, what a request asks for, and what its handler is shown.
///
/// It is a [`Layer`](tower_layer::Layer) around services that take a [`Permitted`](crate::Permitted) call, and what a
/// [`GatedRouter`](crate::GatedRouter) is made with.
#[derive(Clone)]
#[must_use = "a gate that is before no handler gates nothing"]
pub struct HttpGate {
    authority: Authority,
    context: Option<OfRequest<Context>>,
    tool: Option<OfRequest<Option<String>>>,
    pub(crate) challenge: HeaderValue,
    token_header: Option<HeaderName>,
    kept_headers: Vec<HeaderName>,
    kept_extensions: Vec<Keep>,
    pub(crate) body_max: usize,
}

type Keep = fn(&Extensions, &mut Extensions);

#[derive(Clone)]
enum Authority {
    Tokens(Gate, OfRequest<Result<Identity, Refusal>>),
    Sessions(OfRequest<Result<Session, Refusal>>),
}

impl HttpGate {
    /// Callers present a token of theirs in each request, as `Authorization: Bearer`, and `who` says who they are: from a
    /// client certificate or a token of an identity provider, say. The text of a token does not prove it.
    pub fn tokens(
        gate: Gate,
        who: impl Fn(&Parts) -> Result<Identity, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Authority::Tokens(gate, Arc::new(who)))
    }

    /// The host keeps a session for each caller, and `session` finds the one of who sends a request.
    pub fn sessions(
        session: impl Fn(&Parts) -> Result<Session, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Authority::Sessions(Arc::new(session)))
    }

    fn of(authority: Authority) -> Self {
        HttpGate {
            authority,
            context: None,
            tool: None,
            challenge: HeaderValue::from_static("Bearer"),
            token_header: None,
            kept_headers: KEPT.to_vec(),
            kept_extensions: Vec::new(),
            body_max: BODY_MAX,
        }
    }

    /// What is known of the moment a request comes in; nothing by default.
    pub fn context(mut self, of: impl Fn(&Parts) -> Context + Send + Sync + 'static) -> Self {
        self.context = Some(Arc::new(of));
        self
    }

    /// Which tool a request asks for: by default `http:METHOD:/route` of the matched route of axum. Where it names none,
    /// the request is denied as [`Reason::UnknownTool`](hallpass::Reason::UnknownTool).
    ///
    /// Two requests that reach different code must not be one tool.
    pub fn tool(mut self, of: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.tool = Some(Arc::new(of));
        self
    }

    /// The header that holds the token, as its whole value: for services whose `Authorization` says who calls.
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.token_header = Some(name);
        self
    }

    /// What `WWW-Authenticate` says with a `401`; `Bearer` by default.
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = challenge;
        self
    }

    /// Hands this header on to handlers. Nothing was decided about what it says. By default only `Accept`, `Accept-Language`,
    /// `traceparent` and `tracestate` are.
    pub fn keep_header(mut self, name: HeaderName) -> Self {
        self.kept_headers.push(name);
        self
    }

    /// Hands this extension of requests on to handlers: what a layer of the host's around the gate has put there.
    pub fn keep<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.kept_extensions.push(|from, to| {
            if let Some(kept) = from.get::<T>() {
                to.insert(kept.clone());
            }
        });
        self
    }

    /// The most bytes of a body; 2 MiB by default. A longer one is denied before it is read.
    pub fn body_at_most(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }

    /// Who sends a request, by the host's function. For adapters of other protocols over HTTP, as are the four that follow.
    ///
    /// # Errors
    /// What the host's function says.
    pub fn caller(&self, request: &Parts) -> Result<Caller, Refusal> {
        Ok(match &self.authority {
            Authority::Tokens(gate, who) => {
                let text = token(&request.headers, self.token_header.as_ref());
                Caller::with_token(gate.clone(), who(request)?, text)
            }
            Authority::Sessions(session) => Caller::with_session(session(request)?),
        })
    }

    /// What the host's [`tool`](HttpGate::tool) says of a request, or else what `otherwise` does.
    pub fn tool_or(
        &self,
        request: &Parts,
        otherwise: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        match &self.tool {
            Some(of) => of(request),
            None => otherwise(),
        }
    }

    /// The most bytes of a body: see [`body_at_most`](HttpGate::body_at_most).
    pub fn body_max(&self) -> usize {
        self.body_max
    }

    /// What is known of the moment a request comes in; and of which trace it is, by its `traceparent`, unless the host says another:
    /// the log keeps that, and nothing is decided by it.
    pub fn context_of(&self, request: &Parts) -> Context {
        let context = self.context.as_ref().map_or_else(Context::new, |of| of(request));
        let sent = request.headers.get_all(TRACE_PARENT).iter().map(HeaderValue::as_bytes);
        match context.trace().copied().or_else(|| TraceParent::of_headers(sent)) {
            Some(trace) => context.traced(trace),
            None => context,
        }
    }

    /// What a handler is shown of a request, in addition to the call.
    pub fn shown(&self, request: &Parts) -> (HeaderMap, Extensions) {
        let (mut headers, mut extensions) = (HeaderMap::new(), Extensions::new());
        for name in &self.kept_headers {
            for value in request.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        for keep in &self.kept_extensions {
            keep(&request.extensions, &mut extensions);
        }
        (headers, extensions)
    }
}

impl fmt::Debug for HttpGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpGate").field("body_max", &self.body_max).finish_non_exhaustive()
    }
}
