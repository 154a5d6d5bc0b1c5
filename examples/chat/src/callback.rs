//! The callback of a button.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use hallpass::policy::Width;
use hallpass::{QuestionState, Reviews};
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::members::Members;
use super::message::Clicked;
use super::signature::SigningSecret;

/// Where the chat posts to when a button is clicked.
struct Desk<A, N> {
    reviews: Reviews,
    members: Members,
    secret: SigningSecret,
    api: A,
    now: N,
}

#[derive(Deserialize)]
struct Posted {
    payload: String,
}

/// What a button sends, as far as it is used. What the message showed is not among it: the digest says that.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    user: Named,
    channel: Named,
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    value: String,
}

/// The service that the chat calls back, at `POST /chat/actions`. `now` is the time in seconds since the epoch, by a clock
/// that the host trusts.
pub fn callbacks(
    reviews: Reviews,
    members: Members,
    secret: SigningSecret,
    api: impl Api + 'static,
    now: impl Fn() -> u64 + Send + Sync + 'static,
) -> Router {
    let desk = Arc::new(Desk { reviews, members, secret, api, now });
    Router::new().route("/chat/actions", post(clicked)).with_state(desk)
}

async fn clicked<A: Api, N: Fn() -> u64>(
    State(desk): State<Arc<Desk<A, N>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("x-slack-request-timestamp");
    let signature = header("x-slack-signature");
    // Before anything of it is read.
    if desk.secret.check(timestamp, signature, &body, (desk.now)()).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(payload) = read(body).await.filter(|own| own.kind == "block_actions") else {
        return StatusCode::BAD_REQUEST;
    };
    // The notifier tells all of a question that is settled. Of an answer that is not counted, only who gave it is told.
    if let Err(why) = desk.count(&payload) {
        let (channel, user) = (&payload.channel.id, &payload.user.id);
        let text = format!("Your answer does not count: {why}.");
        let told = json!({ "channel": channel, "user": user, "text": text });
        // It does not count whether that can be told or not.
        let _ = desk.api.call("chat.postEphemeral", &told).await;
    }
    StatusCode::OK
}

/// The form's one field holds JSON.
async fn read(body: Bytes) -> Option<Payload> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .ok()?;
    let Form(posted) = Form::<Posted>::from_request(request, &()).await.ok()?;
    serde_json::from_str(&posted.payload).ok()
}

impl<A, N> Desk<A, N> {
    fn count(&self, payload: &Payload) -> Result<QuestionState, String> {
        let who = self.members.of(&payload.user.id).ok_or("you are not known here")?;
        let [action] = &payload.actions[..] else { return Err("one button, expected".to_owned()) };
        let clicked = Clicked::read(&action.value).ok_or("the button is not of this app")?;
        let question = self.reviews.open(&clicked.question).ok_or("the question is gone")?;
        let counted = match action.action_id.as_str() {
            // A message shows one call, so a yes from there is to that one.
            "approve" => self.reviews.approve(&question, who, &clicked.shown, Width::CALL),
            "deny" => self.reviews.deny(&question, who, "denied in the chat"),
            _ => return Err("the button is not of this app".to_owned()),
        };
        counted.map(|tally| tally.state).map_err(|refused| refused.to_string())
    }
}
