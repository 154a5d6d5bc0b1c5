//! Calls at other nodes than their task's home: messages that are lost, doubled and late, leaves that are started late,
//! and tasks that end meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::Planted;
use super::life::{AGENTS, Basis, TOOLS};
use super::world::{Event, MS, SECOND, World};
use crate::broker::TokenHome;
use crate::clock::{Reading, Timestamp};
use crate::fleet::agent::Stage;
use crate::fleet::calls::{Came, Errand, Leave, Started, TransportError};
use crate::prelude::*;

/// When the last call is asked for.
pub(super) const LAST: u64 = 20 * SECOND;

/// What happens to such a call.
pub(super) enum Elsewhere {
    /// An agent calls at a node that is not its task's home.
    Ask,
    /// A message arrives at a home.
    Arrive {
        errand: u64,
        home: usize,
        bytes: Vec<u8>,
    },
    /// An answer arrives.
    Reply {
        errand: u64,
        bytes: Vec<u8>,
    },
    /// A message has had no answer for long.
    NoReply {
        errand: u64,
        message: u64,
    },
    Start(Box<Given>),
    /// A call is done.
    Done {
        asker: usize,
        started: Box<Started>,
    },
    /// A node tells homes what became of calls.
    Tell(usize),
    /// The owner of a task ends it.
    End,
    /// An end looks whether it is final.
    Return {
        home: usize,
        generation: u64,
    },
}

/// A leave that was given, and on what.
pub(super) struct Given {
    asker: usize,
    home: usize,
    generation: u64,
    on: Basis,
    leave: Leave,
}

/// Questions that are under way.
#[derive(Default)]
pub(super) struct Errands {
    next: u64,
    going: BTreeMap<u64, Going>,
    /// The latest tasks of which calls were asked for, and ends that have returned.
    recent: Vec<(usize, usize)>,
    returned: BTreeSet<(usize, u64)>,
}

struct Going {
    asker: usize,
    errand: Errand,
    message: u64,
    /// Of a call: of what, and the reading before it was asked for.
    call: Option<(usize, u64, Basis, Timestamp, Reading, usize)>,
}

impl Errands {
    pub(super) fn has_returned(&self, home: usize, generation: u64) -> bool {
        self.returned.contains(&(home, generation))
    }
}

impl World {
    /// At which process something happens, if at one.
    pub(super) fn place_of(&self, what: &Elsewhere) -> Option<usize> {
        match what {
            Elsewhere::Ask | Elsewhere::End => None,
            Elsewhere::Arrive { home, .. } | Elsewhere::Return { home, .. } => Some(*home),
            Elsewhere::Reply { errand, .. } | Elsewhere::NoReply { errand, .. } => {
                self.errands.going.get(errand).map(|own| own.asker)
            }
            Elsewhere::Start(given) => Some(given.asker),
            Elsewhere::Done { asker, .. } | Elsewhere::Tell(asker) => Some(*asker),
        }
    }

    pub(super) fn elsewhere(&mut self, what: Elsewhere) {
        match what {
            // So long before the end that all of it is told by then.
            Elsewhere::Ask if self.at > LAST => {}
            Elsewhere::Ask => {
                self.ask_elsewhere();
                let after = self.dice.within(15, 80) * MS;
                self.post(after, Event::Elsewhere(Elsewhere::Ask));
            }
            Elsewhere::Arrive { errand, home, bytes } => {
                self.arrive(errand, home, &bytes);
            }
            Elsewhere::Reply { errand, bytes } => self.take(errand, Ok(bytes)),
            Elsewhere::NoReply { errand, message } => {
                if self.errands.going.get(&errand).is_some_and(|own| own.message == message) {
                    self.take(errand, Err(TransportError::new("no answer in time")));
                }
            }
            Elsewhere::Start(given) => self.start_elsewhere(*given),
            Elsewhere::Done { asker, started } => {
                drop(started);
                self.tell(asker);
            }
            Elsewhere::Tell(asker) => self.tell(asker),
            Elsewhere::End => {
                self.end_some_task();
                let after = self.dice.within(50, 400) * MS;
                self.post(after, Event::Elsewhere(Elsewhere::End));
            }
            Elsewhere::Return { home, generation } => self.look_at_end(home, generation),
        }
    }

    fn ask_elsewhere(&mut self) {
        let at = self.at;
        let inside =
            |life: &super::life::Life| life.agent.stage == Stage::In && life.paused_until <= at;
        // Of a thousand nodes, few have tasks; and the same few ask, so that they know of many.
        let home = self.some_life(|life| inside(life) && life.has_tasks());
        let asker = match self.lives.len() {
            0..=64 => self.some_life(inside),
            nodes => {
                let asker = self.dice.below(16) as usize * (nodes / 16);
                Some(asker).filter(|asker| {
                    let own = &self.lives[*asker];
                    !own.is_dead && inside(own)
                })
            }
        };
        let (Some(home), Some(asker)) = (home, asker) else { return };
        let (agent, tool) = (self.dice.below(2) as usize, self.dice.below(2) as usize);
        let Some((text, on, generation)) = self.lives[home].token(agent, tool) else { return };
        let own = &self.lives[asker];
        let call = Call::new(TOOLS[tool], serde_json::json!({})).unwrap();
        let found = own.broker.home_of(&own.membership, &text, &own.who[agent], &call);
        let Ok(TokenHome::There { node, peer, expires }) = found else {
            // It may have to read who there is.
            return self.wake(asker, MS);
        };
        let asked = own.clock.shows();
        let context = Context::new();
        let errand = own.asker.call((&node, peer), &text, &own.who[agent], &call, &context);
        let Ok(errand) = errand else { return };
        self.errands.recent.push((home, agent));
        self.errands.next += 1;
        let call = Some((home, generation, on, expires, asked, agent));
        let going = Going { asker, errand, message: 0, call };
        self.errands.going.insert(self.errands.next, going);
        self.send(self.errands.next);
    }

    /// Sends what an errand has to send next.
    fn send(&mut self, number: u64) {
        let Some(going) = self.errands.going.get_mut(&number) else { return };
        let Ok(bytes) = going.errand.next() else { return };
        going.message += 1;
        let (asker, message) = (going.asker, going.message);
        let home: usize = going.errand.to().1.parse().unwrap();
        self.post(250 * MS, Event::Elsewhere(Elsewhere::NoReply { errand: number, message }));
        let copies = if self.dice.hits(50) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.dice.hits(self.loss) && !self.is_alone(asker) {
                let (after, bytes) = (self.delay(), bytes.clone());
                let arrive = Elsewhere::Arrive { errand: number, home, bytes };
                self.post(after, Event::Elsewhere(arrive));
            }
        }
    }

    fn arrive(&mut self, errand: u64, home: usize, bytes: &[u8]) {
        if self.is_alone(home) || self.lives[home].is_dead {
            return;
        }
        let bytes = self.lives[home].desk.answer(bytes, &|_| true);
        if !self.dice.hits(self.loss) {
            let after = self.delay();
            self.post(after, Event::Elsewhere(Elsewhere::Reply { errand, bytes }));
        }
        // It may have to read who there is.
        self.wake(home, MS);
    }

    /// An answer, which may be one to an earlier message.
    fn take(&mut self, number: u64, reply: Result<Vec<u8>, TransportError>) {
        let Some(going) = self.errands.going.get_mut(&number) else { return };
        if self.lives[going.asker].cut_off_until > self.at && reply.is_ok() {
            return;
        }
        let came = going.errand.take(reply);
        let asker = going.asker;
        match came {
            Ok(None) => return self.send(number),
            Ok(Some(Came::Permitted(permitted))) => {
                let going = self.errands.going.remove(&number).unwrap();
                let (home, generation, on, expires, asked, agent) = going.call.unwrap();
                let own = &self.lives[asker];
                // Planted: a leave is counted from when the home answered.
                let is_late = self.planted == Planted::LeaveFromAnswer;
                let asked = if is_late { own.clock.shows() } else { asked };
                let who = &own.who[agent];
                let leave = Leave::of(&going.errand, &permitted, who, expires, asked).unwrap();
                let given = Given { asker, home, generation, on, leave };
                let after = if self.dice.hits(600) { self.dice.below(700) * MS } else { 0 };
                self.post(after, Event::Elsewhere(Elsewhere::Start(Box::new(given))));
            }
            Ok(Some(Came::Noted)) | Err(_) => {
                self.errands.going.remove(&number);
            }
        }
        self.wake(asker, MS);
        self.post(20 * MS, Event::Elsewhere(Elsewhere::Tell(asker)));
    }

    fn start_elsewhere(&mut self, given: Given) {
        let Given { asker, home, generation, on, leave } = given;
        if let Ok(started) = leave.start() {
            self.started_elsewhere(asker, home, generation, &on);
            let after = self.dice.below(900) * MS;
            let started = Box::new(started);
            self.post(after, Event::Elsewhere(Elsewhere::Done { asker, started }));
        } else {
            self.tell(asker);
        }
    }

    /// Tells one home of one outcome, and goes on later.
    fn tell(&mut self, asker: usize) {
        let is_telling = |own: &Going| own.asker == asker && own.call.is_none();
        if self.errands.going.values().any(is_telling) {
            return;
        }
        let Some(errand) = self.lives[asker].asker.outcome() else { return };
        self.errands.next += 1;
        let going = Going { asker, errand, message: 0, call: None };
        self.errands.going.insert(self.errands.next, going);
        self.send(self.errands.next);
    }

    fn end_some_task(&mut self) {
        let latest = &self.errands.recent[self.errands.recent.len().saturating_sub(4)..];
        if latest.is_empty() || self.is_quiet {
            return;
        }
        let (home, agent) = self.dice.pick(latest);
        let own = &mut self.lives[home];
        if own.is_dead || own.paused_until > self.at {
            return;
        }
        debug_assert!(agent < AGENTS.len());
        let Some(generation) = own.end_task(agent) else { return };
        self.seen.ends += 1;
        if self.planted == Planted::EndsAtOnce {
            self.errands.returned.insert((home, generation));
        }
        self.look_at_end(home, generation);
    }

    fn look_at_end(&mut self, home: usize, generation: u64) {
        let own = &self.lives[home];
        let now = own.clock.shows().monotonic;
        if own.membership.leaves.are_out(generation, Some(now)) {
            self.seen.waited += 1;
            self.post(10 * MS, Event::Elsewhere(Elsewhere::Return { home, generation }));
        } else {
            self.errands.returned.insert((home, generation));
        }
    }
}
