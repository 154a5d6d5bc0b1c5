//! A page on which people answer what waits for them.
//!
//! The page decides nothing: who may answer, whether what was shown is what is asked, and whether an answer still
//! counts is decided by [`Reviews`]. It has no build step and loads nothing from elsewhere.

mod html;
mod sign_in;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream::{self, Stream};
use hallpass::identity::Identity;
use hallpass::value::Digest;
use hallpass::{Question, Reviews};
use serde::Deserialize;

pub use sign_in::Directory;
use sign_in::{Sessions, SignedIn};

struct Desk {
    reviews: Reviews,
    sessions: Sessions,
}

/// The page for these people. What is not answered in time leaves it when the broker is
/// [swept](hallpass::Broker::sweep), as by a reaper.
pub fn router(reviews: Reviews, directory: Directory) -> Router {
    let desk = Desk { reviews, sessions: Sessions::new(directory) };
    Router::new()
        .route("/", get(page))
        .route("/sign-in", post(sign_in))
        .route("/cards", get(cards))
        .route("/events", get(events))
        .route("/approve", post(approve))
        .route("/deny", post(deny))
        .route("/page.js", get(script))
        .route("/page.css", get(style))
        .with_state(Arc::new(desk))
}

/// Nothing runs here but the page's own script, and no other page frames it.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

async fn script() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (HEADERS, kind, include_str!("../static/page.js"))
}

async fn style() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (HEADERS, kind, include_str!("../static/page.css"))
}

async fn page(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let shown = match desk.sessions.of(&headers) {
        Some(own) => html::page(&own, &desk.cards(&own)),
        None => html::sign_in(""),
    };
    (HEADERS, Html(shown)).into_response()
}

async fn cards(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    match desk.sessions.of(&headers) {
        Some(own) => (HEADERS, Html(desk.cards(&own))).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn sign_in(State(desk): State<Arc<Desk>>, Form(form): Form<Name>) -> Response {
    match desk.sessions.open(&form.name) {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        None => (StatusCode::FORBIDDEN, HEADERS, Html(html::sign_in("There is no such person.")))
            .into_response(),
    }
}

#[derive(Deserialize)]
struct Answer {
    csrf: String,
    question: String,
    #[serde(default)]
    shown: String,
    #[serde(default)]
    width: String,
    #[serde(default)]
    why: String,
}

async fn approve(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(form): Form<Answer>,
) -> Response {
    desk.answer(&headers, &form, |question, who| {
        let shown = digest(&form.shown).ok_or_else(|| "stale_view".to_owned())?;
        let width = form.width.parse().map_err(|_| "not_offered".to_owned())?;
        let counted = desk.reviews.approve(question, who, &shown, width);
        counted.map(drop).map_err(|refused| refused.as_str().to_owned())
    })
}

async fn deny(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(form): Form<Answer>,
) -> Response {
    desk.answer(&headers, &form, |question, who| {
        let counted = desk.reviews.deny(question, who, &form.why);
        counted.map(drop).map_err(|refused| refused.as_str().to_owned())
    })
}

fn digest(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from(bytes))
}

impl Desk {
    /// The questions that this person may answer.
    fn cards(&self, own: &SignedIn) -> String {
        let questions = self.reviews.list(&own.who);
        questions.iter().map(|question| html::card(question, &own.csrf)).collect()
    }

    /// Takes an answer of somebody who is signed in, from a form that this page gave out.
    fn answer(
        &self,
        headers: &HeaderMap,
        form: &Answer,
        take: impl FnOnce(&Question, &Identity) -> Result<(), String>,
    ) -> Response {
        let Some(own) = self.sessions.of(headers) else {
            return StatusCode::UNAUTHORIZED.into_response();
        };
        // Another site's form has the cookie, and not this.
        if form.csrf != own.csrf {
            return (StatusCode::FORBIDDEN, "the form is not of this page").into_response();
        }
        let taken = match self.reviews.open(&form.question) {
            Some(question) => take(&question, &own.who),
            None => Err("unknown_question".to_owned()),
        };
        match taken {
            Ok(()) => Redirect::to("/").into_response(),
            Err(why) => (StatusCode::CONFLICT, HEADERS, Html(html::refused(&why))).into_response(),
        }
    }
}

/// Tells an open page that its list is another by now. It is told nothing of what is in it.
async fn events(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    match desk.sessions.of(&headers) {
        Some(own) => Sse::new(changes(desk, own)).keep_alive(KeepAlive::default()).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn changes(desk: Arc<Desk>, own: SignedIn) -> impl Stream<Item = Result<Event, Infallible>> {
    // Asked for before the list is looked at for the first time: what changes after that is told.
    let events = desk.reviews.events();
    stream::unfold((desk, own, events, None), |(desk, own, mut events, before)| async move {
        loop {
            let now: Vec<String> = desk.reviews.list(&own.who).iter().map(Question::id).collect();
            if before.as_ref() != Some(&now) {
                return Some((
                    Ok(Event::default().data("changed")),
                    (desk, own, events, Some(now)),
                ));
            }
            events.next_event().await;
        }
    })
}
