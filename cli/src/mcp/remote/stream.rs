//! Answers that come on a stream, which is gone on with where it breaks off; and the stream for what answers nothing.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, Method, StatusCode};
use tokio::time::{Instant, sleep};

use super::connections::{Answered, NoAnswer};
use super::exchange::{Asked, Lost, SHORT, refused};
use super::headers::LAST_EVENT;
use super::link::{FromServer, Link};
use super::sse::Events;
use crate::rpc::message::Message;

/// How long is waited before a stream is opened again, if the server says nothing about it; and the least and the most that
/// it can say.
const RETRY: Duration = Duration::from_secs(1);
const LEAST_RETRY: Duration = Duration::from_millis(50);
const MOST_RETRY: Duration = Duration::from_secs(30);

/// How a stream has ended.
enum Followed {
    Answered,
    /// Without an answer, and whether a message or an id has come by it.
    Ended {
        moved: bool,
    },
}

impl Link {
    /// Takes an answer that comes on a stream, and goes on with it where it breaks off.
    pub(super) async fn stream(
        &self,
        asked: &Asked,
        answered: Answered,
        session: Option<HeaderValue>,
        silence: Duration,
    ) -> Result<(), Lost> {
        let (mut answered, mut events) = (answered, Events::default());
        let mut moved = Instant::now();
        loop {
            let followed =
                self.follow(&mut answered, &mut events, Some((asked, &session)), silence);
            match followed.await? {
                Followed::Answered => return Ok(()),
                Followed::Ended { moved: false } => {}
                Followed::Ended { moved: true } => moved = Instant::now(),
            }
            // What has no session can't be asked for the rest of a stream.
            let last = events.last_id().filter(|_| asked.stated.is_none()).map(str::to_owned);
            let Some(last) = last else {
                return Err(Lost::Answer("the stream of the server's answer has ended".to_owned()));
            };
            answered = loop {
                let wait = events.retry().unwrap_or(RETRY).clamp(LEAST_RETRY, MOST_RETRY);
                if moved.elapsed().saturating_add(wait) > self.connections.target.patience {
                    return Err(Lost::from(NoAnswer::TooSlow));
                }
                sleep(wait).await;
                if let Some(again) = self.resume(Some(&last)).await? {
                    break again;
                }
            };
            events.begin_again();
        }
    }

    /// Opens a stream, behind an event or for what answers nothing; `None` if that can be tried again.
    async fn resume(&self, behind: Option<&str>) -> Result<Option<Answered>, Lost> {
        let mut headers = self.base_headers();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.agreed().add(&mut headers);
        if let Some(value) = behind.and_then(|last| HeaderValue::from_str(last).ok()) {
            headers.insert(LAST_EVENT, value);
        }
        let patience = self.connections.target.patience;
        let Ok(answered) = self.connections.ask(Method::GET, headers, Bytes::new(), patience).await
        else {
            return Ok(None);
        };
        if let Some(why) = self.is_over(&answered) {
            return Err(Lost::Session(why));
        }
        match answered.status() {
            StatusCode::OK if answered.media() == "text/event-stream" => Ok(Some(answered)),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Ok(None)
            }
            status => Err(Lost::Answer(refused(status))),
        }
    }

    /// Keeps a stream open for what the server says that answers nothing, as long as it offers one.
    pub(super) async fn stand(&self) {
        let (mut events, mut pause) = (Events::default(), RETRY);
        loop {
            match self.resume(events.last_id()).await {
                Ok(Some(mut answered)) => {
                    events.begin_again();
                    let followed = self.follow(&mut answered, &mut events, None, Duration::MAX);
                    if matches!(followed.await, Ok(Followed::Ended { moved: true })) {
                        pause = RETRY;
                    }
                }
                Ok(None) => {}
                // It has none, which it may.
                Err(Lost::Answer(_)) => return,
                Err(Lost::Session(why)) => return self.pass(FromServer::Gone(why)).await,
            }
            sleep(events.retry().unwrap_or(pause).clamp(LEAST_RETRY, MOST_RETRY)).await;
            pause = pause.saturating_mul(2).min(MOST_RETRY);
        }
    }

    /// Hands on what comes by a stream, until the answer to a request has come, if it is one's.
    async fn follow(
        &self,
        answered: &mut Answered,
        events: &mut Events,
        of: Option<(&Asked, &Option<HeaderValue>)>,
        silence: Duration,
    ) -> Result<Followed, Lost> {
        let (mut alone, before) = (None, events.last_id().map(str::to_owned));
        let mut moved = false;
        loop {
            let chunk = match answered.next(silence).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) | Err(NoAnswer::Broken) => {
                    moved |= events.last_id() != before.as_deref();
                    return Ok(Followed::Ended { moved });
                }
                Err(error) => return Err(error.into()),
            };
            let whole = events.push(&chunk);
            let whole = whole.map_err(|_| Lost::Answer("a message is too long".to_owned()))?;
            moved |= !whole.is_empty();
            for data in whole {
                match (Message::read(&data), of) {
                    (Ok(Message::Response { id, .. }), Some((asked, session)))
                        if id == asked.id =>
                    {
                        self.take(asked, data, session).await?;
                        return Ok(Followed::Answered);
                    }
                    // It answers nothing that was asked by this stream.
                    (Ok(Message::Response { .. }), _) => {}
                    _ => self.hand_on(data).await?,
                }
            }
            match events.buffered() > SHORT {
                true if alone.is_none() => alone = self.long.acquire().await.ok(),
                true => {}
                false => alone = None,
            }
        }
    }
}
