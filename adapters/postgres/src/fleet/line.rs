//! The one connection that a node keeps: made again when it is lost, and asked by one thread after the other.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass::fleet::{News, StoreError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::backoff::Backoff;
use super::session::{Failed, Session};
use super::settings::Settings;
use super::verb::{Answer, Verb};

/// For how long an attempt to connect may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// Asks over a connection that a thread of its own keeps. The thread ends with the last of those who ask.
pub(super) struct Line {
    events: UnboundedSender<Event>,
    shared: Arc<Shared>,
    within: Duration,
}

/// What the thread and those who ask both see.
#[derive(Default)]
pub(super) struct Shared {
    /// Why there is no connection; nothing while there is one, or the first is being made.
    down: Mutex<Option<String>>,
    /// What went wrong last, until something goes right.
    trouble: Mutex<Option<String>>,
    news: Mutex<Vec<News>>,
}

enum Event {
    Asked(Asked),
    /// The session of this number is over.
    Lost(u64),
}

struct Asked {
    verb: Verb,
    until: Instant,
    answer: SyncSender<Result<Answer, StoreError>>,
}

/// A lock that a panic left is as good as any: what it holds is one value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    pub(super) fn start(settings: Settings) -> std::io::Result<Line> {
        let (events, queue) = unbounded_channel();
        let shared = Arc::new(Shared::default());
        let within = settings.within;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let keeper = Keeper { settings, shared: shared.clone(), events: events.downgrade(), queue };
        std::thread::Builder::new()
            .name("hallpass-postgres".into())
            .spawn(move || runtime.block_on(keeper.keep()))?;
        Ok(Line { events, shared, within })
    }

    /// Asks, and waits for the answer: for its time at the most, and not at all while there is no connection.
    pub(super) fn ask(&self, verb: Verb) -> Result<Answer, StoreError> {
        if let Some(why) = &*lock(&self.shared.down) {
            return Err(StoreError::new(why));
        }
        let until = Instant::now() + self.within;
        let (answer, answered) = sync_channel(1);
        let gone = |_| StoreError::new("the thread that asks the server is gone");
        self.events.send(Event::Asked(Asked { verb, until, answer })).map_err(|_| gone(()))?;
        // What is waited for is bounded there as well; this is for a thread that gets no time.
        match answered.recv_timeout(self.within * 2) {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::new("the server did not answer in time")),
        }
    }

    pub(super) fn add_news(&self, news: News) {
        lock(&self.shared.news).push(news);
    }

    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }
}

/// What keeps the connection.
struct Keeper {
    settings: Settings,
    shared: Arc<Shared>,
    events: tokio::sync::mpsc::WeakUnboundedSender<Event>,
    queue: UnboundedReceiver<Event>,
}

impl Keeper {
    async fn keep(mut self) {
        let (mut backoff, mut number) = (Backoff::new(), 0);
        // Until the last of those who ask is gone.
        while self.events.strong_count() > 0 {
            number += 1;
            match timeout(CONNECT, self.begin(number)).await {
                Ok(Ok(session)) => {
                    backoff = Backoff::new();
                    *lock(&self.shared.down) = None;
                    if !self.serve(session, number).await {
                        return;
                    }
                }
                Ok(Err(failed)) => self.is_down(failed.why()),
                Err(_) => self.is_down("the server took no connection in time".into()),
            }
            sleep(backoff.next()).await;
        }
    }

    async fn begin(&self, number: u64) -> Result<Session, Failed> {
        let (shared, events) = (self.shared.clone(), self.events.clone());
        // Called without the lock, which what is called may take.
        let news = move |number| {
            let told = std::mem::take(&mut *lock(&shared.news));
            let stay = told.into_iter().filter(|news| news(number)).collect::<Vec<_>>();
            lock(&shared.news).extend(stay);
        };
        let lost = move || {
            if let Some(events) = events.upgrade() {
                let _ = events.send(Event::Lost(number));
            }
        };
        Session::begin(&self.settings, news, lost).await
    }

    /// Nothing is asked until there is a connection again; what waits for one is told.
    fn is_down(&mut self, why: String) {
        *lock(&self.shared.trouble) = Some(why.clone());
        *lock(&self.shared.down) = Some(why.clone());
        while let Ok(event) = self.queue.try_recv() {
            if let Event::Asked(asked) = event {
                let _ = asked.answer.send(Err(StoreError::new(&why)));
            }
        }
    }

    /// Asks what there is to ask until the session is over; whether anything may ask again.
    async fn serve(&mut self, session: Session, number: u64) -> bool {
        loop {
            let asked = match self.queue.recv().await {
                Some(Event::Asked(asked)) => asked,
                Some(Event::Lost(of)) if of == number => {
                    self.is_down("the connection is lost".into());
                    return true;
                }
                Some(Event::Lost(_)) => continue,
                None => return false,
            };
            // Its answer is not waited for any more: what was not asked can't happen late.
            if asked.until <= Instant::now() {
                continue;
            }
            let answer = timeout_at(asked.until, session.ask(&asked.verb)).await;
            let (answer, is_over) = match answer {
                Ok(Ok(answer)) => {
                    *lock(&self.shared.trouble) = None;
                    (Ok(answer), false)
                }
                Ok(Err(Failed::Refused(why))) => (Err(why), false),
                Ok(Err(Failed::Over(why))) => (Err(why), true),
                // It may be committing, and is left to: another question on this connection would wait for that.
                Err(_) => (Err("the server did not answer in time".to_owned()), true),
            };
            if let Err(why) = &answer {
                *lock(&self.shared.trouble) = Some(why.clone());
            }
            if let (true, Err(why)) = (is_over, &answer) {
                *lock(&self.shared.down) = Some(why.clone());
            }
            let _ = asked.answer.send(answer.map_err(StoreError::new));
            if is_over {
                return true;
            }
        }
    }
}
