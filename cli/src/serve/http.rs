//! The endpoints, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::context::TraceParent;
use hallpass::identity::Kind;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::authzen::{self, Asked, Evaluation, METADATA, Malformed, Semantic, written};
use super::doors::Door;
use super::envoy;
use super::evaluate::{Decision, Evaluator};
use super::events::{self, Events};
use super::search::{Search, Sought};

/// The most bytes of a request's body.
const BODY_MAX: usize = 1 << 20;

/// How long a request may take, its body included: longer than the broker waits for its log.
const REQUEST: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What requests are answered from.
pub(super) struct Service {
    pub(super) evaluator: Evaluator,
    /// What is asked of those who ask.
    pub(super) door: Door,
    /// The address that clients know the server by, if it is to say so.
    pub(super) base: Option<String>,
    /// What kind of identity those are whom Envoy asks about, if it may ask.
    pub(super) callers: Option<Kind>,
    /// Takes security events, if any are taken.
    pub(super) events: Option<Events>,
}

/// All endpoints. `/health` and the metadata tell nothing that is worth keeping, and are open.
pub(super) fn router(service: Arc<Service>) -> Router {
    let checks = match service.callers {
        Some(_) => Router::new().route(envoy::CHECK, post(envoy::check)),
        None => Router::new(),
    };
    let asking = checks
        .route(authzen::EVALUATION, post(evaluation))
        .route(authzen::EVALUATIONS, post(evaluations))
        .route(
            authzen::SEARCHES[0],
            post(async |state, headers, body| search(Sought::Subject, state, headers, body).await),
        )
        .route(
            authzen::SEARCHES[1],
            post(async |state, headers, body| search(Sought::Resource, state, headers, body).await),
        )
        .route(
            authzen::SEARCHES[2],
            post(async |state, headers, body| search(Sought::Action, state, headers, body).await),
        )
        .route_layer(from_fn_with_state(service.clone(), authenticated));
    let mut all = asking.route("/health", get(async || "ok\n"));
    if service.events.is_some() {
        // With a secret of its own: who may push events may not ask.
        all = all.route(events::PATH, post(events::pushed));
    }
    if let Some(base) = &service.base {
        let metadata = Json(authzen::metadata(base));
        all = all.route(METADATA, get(async move || metadata));
    }
    all.layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(in_time))
        .layer(from_fn(with_request_id))
        .with_state(service)
}

pub(super) type Refused = (StatusCode, String);

async fn evaluation(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let asked = authzen::evaluation(&json_body(&headers, body)?).map_err(malformed)?;
    one(service, asked, trace_of(&headers)).await
}

async fn evaluations(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    match authzen::evaluations(&json_body(&headers, body)?).map_err(malformed)? {
        Asked::One(asked) => one(service, asked, trace_of(&headers)).await,
        Asked::Several { evaluations, semantic } => {
            let trace = trace_of(&headers);
            let decided =
                blocking(move || several((&service.evaluator, trace), &evaluations, semantic));
            Ok(Json(json!({ "evaluations": decided.await? })).into_response())
        }
    }
}

async fn search(
    sought: Sought,
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let search = Search::read(sought, &json_body(&headers, body)?).map_err(malformed)?;
    let found = blocking(move || service.evaluator.search(&search)).await?;
    Ok(Json(found.map_err(malformed)?).into_response())
}

async fn one(
    service: Arc<Service>,
    asked: Evaluation,
    trace: Option<TraceParent>,
) -> Result<Response, Refused> {
    let decision = blocking(move || service.evaluator.evaluate(&asked, trace)).await?;
    match &decision {
        Decision::Malformed(Malformed(why)) => Err((StatusCode::BAD_REQUEST, why.clone())),
        Decision::Unavailable => {
            Err((StatusCode::SERVICE_UNAVAILABLE, "it can't be decided or recorded now".to_owned()))
        }
        Decision::Permitted | Decision::Denied { .. } => {
            Ok(Json(written(&decision)).into_response())
        }
    }
}

fn several(
    (evaluator, trace): (&Evaluator, Option<TraceParent>),
    evaluations: &[Result<Evaluation, Malformed>],
    semantic: Semantic,
) -> Vec<serde_json::Value> {
    let mut answers = Vec::with_capacity(evaluations.len());
    for asked in evaluations {
        let decision = match asked {
            Ok(asked) => evaluator.evaluate(asked, trace),
            Err(malformed) => Decision::Malformed(malformed.clone()),
        };
        answers.push(written(&decision));
        if semantic.ends_with(&decision) {
            break;
        }
    }
    answers
}

/// Decides on a thread that may wait for the log. A panic of it decides nothing.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let done = spawn_blocking(work).await;
    done.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "it can't be decided".to_owned()))
}

/// Of which trace a request is: the log keeps it, and nothing is decided by it.
fn trace_of(headers: &HeaderMap) -> Option<TraceParent> {
    let sent = headers.get_all("traceparent").iter();
    TraceParent::of_headers(sent.map(HeaderValue::as_bytes))
}

fn json_body(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refused> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let stated = types.next().and_then(|own| own.to_str().ok()).unwrap_or_default();
    let media = stated.split(';').next().unwrap_or_default().trim();
    if types.next().is_some() || !media.eq_ignore_ascii_case("application/json") {
        return Err((
            StatusCode::BAD_REQUEST,
            "`content-type` is not `application/json`".to_owned(),
        ));
    }
    body.map_err(|error| (error.status(), error.body_text()))
}

fn malformed(Malformed(why): Malformed) -> Refused {
    (StatusCode::BAD_REQUEST, why)
}

/// Lets those on who know a secret, if there is one.
async fn authenticated(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    match service.door.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => *refused,
    }
}

/// Bounds the time of a request. What is being decided then is decided all the same, and on record.
async fn in_time(request: Request, next: Next) -> Response {
    let answered = timeout(REQUEST, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        (StatusCode::REQUEST_TIMEOUT, "the request takes too long").into_response()
    })
}

/// Gives a client its own name of a request back.
async fn with_request_id(request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
