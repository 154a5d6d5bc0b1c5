//! The gate as a service around a service of tonic.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hallpass::vault::Secrets;
use hallpass::{Reason, Running};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method as HttpMethod, Request, Response, Uri, Version};
use http_body::Body as HttpBody;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use crate::calls::Calls;
use crate::frames::Messages;
use crate::gate::{GateError, GrpcGate};
use crate::methods::Methods;
use crate::permitted::Permitted;
use crate::question::Question;
use crate::requests::{Requests, Rest};
use crate::responses::answer;
use crate::secrets::{Lent, lent};
use crate::status::{cut, refused, status_of};

/// A service of tonic before whose methods each call is decided: see [`GrpcGate::service`]. Add it to tonic's server in place
/// of the service itself.
pub struct GateService<T, S> {
    gate: Arc<GrpcGate>,
    methods: Methods,
    host: Arc<T>,
    lent: Arc<BTreeMap<Box<str>, Lent<T>>>,
    service: S,
}

impl<T, S> GateService<T, S> {
    pub(crate) fn new(gate: Arc<GrpcGate>, methods: Methods, host: Arc<T>, service: S) -> Self {
        GateService { gate, methods, host, lent: Arc::default(), service }
    }

    /// Runs the method at this path, `/package.Service/Method`, with the credentials that the catalogue says it has: `run` is
    /// lent them, as by [`Permit::run_with_async`](hallpass::Permit::run_with_async), and the generated trait's method of that name is not
    /// called. What it answers is scrubbed; of a status, the code and the message are handed on.
    ///
    /// ```
    /// # use hallpass_tonic::{GateError, GateService};
    /// # #[derive(Clone, Copy, PartialEq, prost::Message)]
    /// # struct Payment {}
    /// # #[derive(Clone, Copy, PartialEq, prost::Message)]
    /// # struct Receipt {}
    /// # struct Ledger;
    /// # fn lent<S>(bank: GateService<Ledger, S>) -> Result<GateService<Ledger, S>, GateError> {
    /// bank.with_secrets("/bank.v1.Bank/Pay", |ledger, payment: Payment, running, secrets| {
    ///     Box::pin(async move {
    ///         let key = secrets.get("bank-key").map(|secret| secret.expose());
    ///         # let (_, _, _, _) = (ledger, payment, running, key);
    ///         Ok(Receipt {})
    ///     })
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`GateError::UnknownMethod`] and [`GateError::Streams`].
    pub fn with_secrets<M, R, F>(mut self, path: &str, run: F) -> Result<Self, GateError>
    where
        T: Send + Sync + 'static,
        M: Message + Default + 'static,
        R: Message + 'static,
        F: for<'a> Fn(
                &'a T,
                M,
                &'a Running,
                &'a Secrets,
            ) -> Pin<Box<dyn Future<Output = Result<R, Status>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        let method = self.methods.at(path);
        let method = method.ok_or_else(|| GateError::UnknownMethod(path.to_owned()))?;
        if method.streams() {
            return Err(GateError::Streams(path.to_owned()));
        }
        let mut all = BTreeMap::clone(&self.lent);
        all.insert(path.into(), lent(run));
        self.lent = Arc::new(all);
        Ok(self)
    }
}

impl<T, S: NamedService> NamedService for GateService<T, S> {
    const NAME: &'static str = S::NAME;
}

impl<T, S, B> Service<Request<B>> for GateService<T, S>
where
    T: Send + Sync + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Send,
    S: NamedService
        + Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    /// Always: whether the service within is ready is asked once a call may run.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let own = self.clone();
        Box::pin(async move {
            let answered = own.answered(request).await;
            Ok(answered.unwrap_or_else(Status::into_http))
        })
    }
}

impl<T, S> GateService<T, S>
where
    T: Send + Sync + 'static,
    S: NamedService + Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    /// Decides a request, and lets its method run.
    ///
    /// # Errors
    /// The status that refuses it.
    async fn answered<B>(mut self, request: Request<B>) -> Result<Response<Body>, Status>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Send,
    {
        let (request, body) = request.into_parts();
        let Some(method) = self.methods.at(request.uri.path()).cloned() else {
            let caller = self.gate.http.caller(&request).map_err(refused)?;
            let why = "the service has no such method";
            let denial = caller.deny(&format!("grpc:/{}", S::NAME), Reason::UnknownTool, why);
            return Err(status_of(&denial));
        };
        let gate = self.gate.clone();
        let mut messages = Messages::new(body, gate.http.body_max());
        let question = Arc::new(Question::of(gate, request, method.clone())?);
        let first = match messages.next().await {
            Some(first) => first.map_err(|why| question.unreadable(why))?,
            None => return Err(question.unreadable("there is no message")),
        };
        if !method.client_streams {
            match messages.next().await {
                None => {}
                Some(Ok(_)) => return Err(question.unreadable("expected one message")),
                Some(Err(why)) => return Err(question.unreadable(why)),
            }
        }
        let permit = question.decide(first, true).await?;
        if let Some(run) = self.lent.get(&method.path) {
            return run(self.host.clone(), method, permit).await;
        }
        let (running, first) = question.start(permit).await?;
        let (calls, running) = (Calls::new(), Arc::new(running));
        calls.entrance().admit(running.clone());
        let rest = method.client_streams.then(|| Rest {
            messages,
            question: question.clone(),
            calls: calls.entrance(),
            deciding: None,
        });
        let handed_on = handed_on(&question, Permitted(running), Requests::new(first, rest));
        let _ = poll_fn(|cx| self.service.poll_ready(cx)).await;
        let mut answered = pin!(self.service.call(handed_on));
        let streams = method.streams();
        let response = poll_fn(|cx| {
            if streams && calls.poll_ended(cx).is_ready() {
                return Poll::Ready(None);
            }
            answered.as_mut().poll(cx).map(Some)
        });
        match response.await {
            Some(Ok(response)) => Ok(answer(calls, &method, response).await),
            Some(Err(never)) => match never {},
            None => Err(cut()),
        }
    }
}

/// What is handed on of a request: the messages of permits, and what the host has named.
fn handed_on<B>(question: &Question, call: Permitted, requests: Requests<B>) -> Request<Body>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
{
    let (mut headers, mut extensions) = question.gate.http.shown(&question.request);
    let grpc = HeaderValue::from_static("application/grpc");
    headers.insert(CONTENT_TYPE, grpc);
    headers.insert(HeaderName::from_static("te"), HeaderValue::from_static("trailers"));
    extensions.insert(call);
    let mut handed_on = Request::new(Body::new(requests));
    *handed_on.method_mut() = HttpMethod::POST;
    *handed_on.uri_mut() = Uri::try_from(&*question.method.path).unwrap_or_default();
    *handed_on.version_mut() = Version::HTTP_2;
    *handed_on.headers_mut() = headers;
    *handed_on.extensions_mut() = extensions;
    handed_on
}

impl<T, S: Clone> Clone for GateService<T, S> {
    fn clone(&self) -> Self {
        let GateService { gate, methods, host, lent, service } = self;
        GateService {
            gate: gate.clone(),
            methods: methods.clone(),
            host: host.clone(),
            lent: lent.clone(),
            service: service.clone(),
        }
    }
}

impl<T, S> fmt::Debug for GateService<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateService").field("gate", &self.gate).finish_non_exhaustive()
    }
}
