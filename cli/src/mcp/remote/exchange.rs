//! A request, and what answers it.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::connections::{Answered, NoAnswer};
use super::headers::{Agreed, SESSION, add_media, add_stated, session_id, stated_revision};
use super::link::{FromServer, Link};
use crate::mcp::revision::Revision;
use crate::rpc::frame::MAX_FRAME;
use crate::rpc::members::Members;
use crate::rpc::message::{Answer, Id, Message};

/// Up to how many bytes a message is read next to others; a longer one is read alone.
pub(super) const SHORT: usize = 64 * 1024;

/// A request.
pub(super) struct Asked {
    pub(super) id: Id,
    body: Bytes,
    /// What it says in headers, if it states its revision by itself.
    pub(super) stated: Option<HeaderMap>,
    begins: bool,
    /// It is answered when the client no longer wants to be told of changes.
    listens: bool,
}

/// Why an answer does not come.
pub(super) enum Lost {
    Answer(String),
    /// With the session.
    Session(String),
}

impl Asked {
    pub(super) fn new(id: Id, method: String, params: Option<&str>, body: Bytes) -> Self {
        let stated = stated_revision(params).map(|revision| {
            let mut headers = HeaderMap::new();
            // One that can't be said in a header is not said, and the server refuses it.
            let _ = add_stated(&mut headers, &revision, &method, params);
            headers
        });
        let (begins, listens) = (method == "initialize", method == "subscriptions/listen");
        Asked { id, body, stated, begins, listens }
    }
}

impl From<NoAnswer> for Lost {
    fn from(why: NoAnswer) -> Self {
        Lost::Answer(why.why().to_owned())
    }
}

impl Link {
    /// Asks, and hands on all that comes of it.
    pub(super) async fn answer(&self, asked: &Asked) {
        match self.exchange(asked).await {
            Ok(()) => {}
            Err(Lost::Answer(why)) => self.pass(FromServer::Lost(asked.id.clone(), why)).await,
            Err(Lost::Session(why)) => self.pass(FromServer::Gone(why)).await,
        }
    }

    async fn exchange(&self, asked: &Asked) -> Result<(), Lost> {
        let patience = self.connections.target.patience;
        let mut headers = self.base_headers();
        add_media(&mut headers);
        match &asked.stated {
            Some(stated) => headers.extend(stated.clone()),
            None => self.agreed().add(&mut headers),
        }
        let silence = if asked.listens { Duration::MAX } else { patience };
        let body = asked.body.clone();
        let mut answered = self.connections.ask(Method::POST, headers, body, silence).await?;
        let session = answered.header(SESSION).and_then(session_id);
        if asked.begins && answered.has_header(SESSION) && session.is_none() {
            return Err(Lost::Answer("the server's session has an id that is none".to_owned()));
        }
        let status = answered.status();
        if asked.stated.is_none()
            && let Some(why) = self.is_over(&answered)
        {
            return Err(Lost::Session(why));
        }
        match answered.media() {
            "application/json" => self.one(asked, &mut answered, session, silence).await,
            "text/event-stream" if status == StatusCode::OK => {
                self.stream(asked, answered, session, silence).await
            }
            _ => Err(Lost::Answer(refused(status))),
        }
    }

    /// Takes an answer that is one message. One of HTTP that says no has to be an error of the protocol as well.
    async fn one(
        &self,
        asked: &Asked,
        answered: &mut Answered,
        session: Option<HeaderValue>,
        silence: Duration,
    ) -> Result<(), Lost> {
        let status = answered.status();
        let (mut body, mut alone) = (Vec::new(), None);
        while let Some(chunk) = answered.next(silence).await? {
            if body.len().saturating_add(chunk.len()) > MAX_FRAME {
                return Err(Lost::Answer("the server's answer is too long".to_owned()));
            }
            if alone.is_none() && body.len().saturating_add(chunk.len()) > SHORT {
                alone = self.long.acquire().await.ok();
            }
            body.extend_from_slice(&chunk);
        }
        // A line of JSON is broken between its parts alone, where this is the same.
        body.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        let is_own = match Message::read(&body) {
            Ok(Message::Response { id, answer }) if id == asked.id => {
                status == StatusCode::OK
                    || status.as_u16() >= 400 && matches!(answer, Answer::Error(_))
            }
            _ => false,
        };
        if !is_own && status == StatusCode::OK {
            return Err(Lost::Answer("what the server answered does not answer this".to_owned()));
        }
        if !is_own {
            return Err(Lost::Answer(refused(status)));
        }
        self.take(asked, body, &session).await
    }

    /// Takes an answer: with that to a handshake it is known what was agreed on.
    pub(super) async fn take(
        &self,
        asked: &Asked,
        message: Vec<u8>,
        session: &Option<HeaderValue>,
    ) -> Result<(), Lost> {
        if asked.begins
            && let Ok(Message::Response { answer: Answer::Result(result), .. }) =
                Message::read(&message)
        {
            let chosen = Members::of(result).ok().and_then(|own| own.text("protocolVersion"));
            // Another one ends the session.
            let chosen = chosen.filter(|own| Revision::named(own).is_some());
            let revision = chosen.and_then(|own| HeaderValue::from_str(&own).ok());
            self.agree(Agreed { session: session.clone(), revision });
        }
        self.hand_on(message).await
    }

    pub(super) async fn hand_on(&self, message: Vec<u8>) -> Result<(), Lost> {
        // What is no message at all is shown to the operator.
        if self.connections.target.has_secret(&String::from_utf8_lossy(&message)) {
            let why = "the server said the secret that it is told, which is not for the client";
            return Err(Lost::Session(why.to_owned()));
        }
        self.pass(FromServer::Message(message)).await;
        Ok(())
    }
}

/// That a server says no in HTTP. What it wants to be shown by a client is not the client's affair.
pub(super) fn refused(status: StatusCode) -> String {
    let number = status.as_u16();
    if status.is_redirection() {
        // It could be anyone's address, and a request that was told once is told twice there.
        return format!("the server sends elsewhere, where nothing is sent: HTTP {number}");
    }
    match number {
        401 | 403 => format!("the server does not take what it is shown: HTTP {number}"),
        _ => format!("the server does not answer as the protocol has it: HTTP {number}"),
    }
}
