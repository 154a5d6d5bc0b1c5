//! Calls: permits that are started at once, later, or by a thread that is stopped half way.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::Planted;
use super::clock::{Halfway, Pause};
use super::life::{Basis, Handed};
use super::oracle::Start;
use super::world::{Event, MS, World};

/// A start that is stopped after the call was marked as running, and before the lease is read.
pub(super) struct Attempt {
    pub(super) life: usize,
    on: Basis,
    let_go: Sender<()>,
    told: Receiver<Halfway>,
    last: Arc<AtomicU64>,
}

impl World {
    pub(super) fn call(&mut self) {
        let at = self.at;
        if let Some(life) = self.some_life(|life| life.paused_until <= at) {
            let (agent, tool) = (self.dice.below(2) as usize, self.dice.below(2) as usize);
            if let Some(handed) = self.lives[life].authorize(agent, tool, at) {
                let after = if self.dice.hits(400) { self.dice.below(1500) * MS } else { 0 };
                self.post(after, Event::Start(life, Box::new(handed)));
            }
        }
        let after = self.dice.within(5, 60) * MS;
        self.post(after, Event::Call);
    }

    pub(super) fn start(&mut self, life: usize, handed: Handed) {
        let Handed { permit, on } = handed;
        if !self.dice.hits(250) {
            if let Ok(running) = permit.start() {
                self.started(Start { at: self.at, life, on });
                if self.dice.hits(100) {
                    self.lives[life].running.push(running);
                }
            }
            return;
        }
        let ((stopped, told), (let_go, go_on)) = (channel(), channel());
        let last = Arc::new(AtomicU64::new(0));
        // Planted: the lease is as it was before the call was marked as running.
        let is_stale = self.planted == Planted::ReadsBeforeItMarks;
        let pause = Pause::new(stopped.clone(), go_on, is_stale, last.clone());
        std::thread::spawn(move || {
            pause.of_this_thread();
            let started = permit.start();
            stopped.send(Halfway::Finished(started.is_ok())).unwrap();
        });
        let attempt = Attempt { life, on, let_go, told, last };
        match attempt.told.recv().unwrap() {
            Halfway::Stopped => {
                self.attempts.push(Some(attempt));
                let after = self.dice.below(3500) * MS;
                self.post(after, Event::GoOn(self.attempts.len() - 1));
            }
            Halfway::Finished(started) => assert!(!started, "a start reads the lease twice"),
        }
    }

    /// Lets a stopped thread go on.
    pub(super) fn go_on(&mut self, attempt: usize) {
        let Some(attempt) = self.attempts[attempt].take() else { return };
        if attempt.finish() {
            let at = attempt.last.load(Ordering::SeqCst);
            self.seen.halfway += 1;
            self.started(Start { at, life: attempt.life, on: attempt.on });
        }
    }

    pub(super) fn let_threads_go(&mut self) {
        for attempt in self.attempts.iter_mut().filter_map(Option::take) {
            attempt.finish();
        }
    }
}

impl Attempt {
    /// Whether the call started.
    fn finish(&self) -> bool {
        self.let_go.send(()).unwrap();
        matches!(self.told.recv().unwrap(), Halfway::Finished(true))
    }
}
