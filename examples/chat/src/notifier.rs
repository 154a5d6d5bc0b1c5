//! The notifier: posts what waits for people, and takes the buttons away once it does not.

use std::collections::HashMap;
use std::io;

use hallpass::{QuestionState, ReviewEvent, ReviewEvents, Reviews};
use serde_json::Value;

use super::api::Api;
use super::message;

/// Posts what waits for people to one channel.
pub struct Notifier<A> {
    reviews: Reviews,
    events: ReviewEvents,
    api: A,
    channel: String,
    /// Where questions can be answered in full, to which the id is added.
    page: String,
    /// The message of each question that waits, by its id.
    posted: HashMap<String, String>,
}

impl<A: Api> Notifier<A> {
    /// Everything that is asked from here on is posted.
    #[must_use]
    pub fn new(reviews: Reviews, api: A, channel: &str, page: &str) -> Notifier<A> {
        let (channel, page) = (channel.to_owned(), page.to_owned());
        let events = reviews.events();
        Notifier { reviews, events, api, channel, page, posted: HashMap::new() }
    }

    /// Goes on until the chat can't be reached. What was not posted waits all the same, on the page.
    ///
    /// # Errors
    /// That of the chat.
    pub async fn run(mut self) -> io::Result<()> {
        loop {
            self.step().await?;
        }
    }

    /// Takes the next change.
    ///
    /// # Errors
    /// That of the chat.
    pub async fn step(&mut self) -> io::Result<()> {
        match self.events.next_event().await {
            ReviewEvent::Changed { question, state } => self.note(&question, state).await,
            // It fell behind: those that were posted are looked at again. What was asked meanwhile is on the page.
            _ => {
                let all: Vec<String> = self.posted.keys().cloned().collect();
                for question in all {
                    let state = self.reviews.open(&question).map(|own| own.state());
                    self.note(&question, state.unwrap_or(QuestionState::Void)).await?;
                }
                Ok(())
            }
        }
    }

    async fn note(&mut self, id: &str, state: QuestionState) -> io::Result<()> {
        if state.is_waiting() {
            // It may be over by now, and then another event says so.
            let Some(question) = self.reviews.open(id) else { return Ok(()) };
            if self.posted.contains_key(id) {
                return Ok(());
            }
            let message = message::question(&self.channel, &question, &self.page);
            let answer = self.api.call("chat.postMessage", &message).await?;
            if let Some(ts) = answer.get("ts").and_then(Value::as_str) {
                self.posted.insert(id.to_owned(), ts.to_owned());
            }
            return Ok(());
        }
        let Some(ts) = self.posted.remove(id) else { return Ok(()) };
        let message = message::settled(&self.channel, &ts, id, state.as_str());
        self.api.call("chat.update", &message).await.map(drop)
    }
}

impl<A> std::fmt::Debug for Notifier<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Notifier { channel, posted, .. } = self;
        f.debug_struct("Notifier")
            .field("channel", channel)
            .field("posted", posted)
            .finish_non_exhaustive()
    }
}
