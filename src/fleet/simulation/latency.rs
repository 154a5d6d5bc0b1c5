//! How long an end at another node takes, in virtual time, while one node is dead and one is stuck.

use super::life::AGENTS;
use super::oracle::Issued;
use super::world::{MS, SECOND, World};
use crate::fleet::act::Act;
use crate::fleet::agent::Stage;
use crate::fleet::progress::Stage as ActStage;

/// For how long the stuck node stands still, and for how long it goes on before it does again: longer than a lease, and long
/// enough to be waited for anew.
const STUCK: u64 = 300 * MS;
const BETWEEN: u64 = 700 * MS;

impl World {
    /// How long each of so many ends took, from when it was asked for until it was final.
    pub(super) fn ends_elsewhere(mut self, ends: u64) -> Vec<u64> {
        (self.loss, self.late, self.slow, self.leg) = (0, 0, 0, 2);
        self.step_on_until(4 * SECOND);
        assert!(self.lives.iter().all(|life| life.has_lease() && life.agent.stage == Stage::In));
        let (nodes, dead, stuck) = (self.lives.len() as u64, 1, 2);
        self.lives[dead].is_dead = true;
        let mut took = Vec::new();
        for _ in 0..ends {
            self.lives[stuck].paused_until = self.at + STUCK;
            let (actor, node) = (self.dice.within(3, nodes - 1), self.dice.within(3, nodes - 1));
            let (actor, node) = (actor as usize, node as usize);
            drop(self.lives[node].authorize(0, 0, self.at));
            let (name, task) = (self.lives[node].name.clone(), AGENTS[0].into());
            let act = Act::EndTask { node: name, task };
            let progress = self.lives[actor].act(act.clone());
            self.acts.push(Issued::new(actor, act, progress.clone()));
            self.wake(actor, MS / 10);
            let asked = self.at;
            while !matches!(progress.stage(), ActStage::Done(_)) {
                assert!(self.at < asked + 5 * SECOND, "{:?}", progress.stage());
                self.step_on();
            }
            took.push(self.at - asked);
            assert!(self.violation.is_none(), "{:?}", self.violation);
            self.step_on_until(self.at.max(asked + STUCK) + BETWEEN);
        }
        took
    }

    fn step_on(&mut self) {
        let event = self.next_event(u64::MAX).expect("nodes renew");
        self.happens(event);
    }

    fn step_on_until(&mut self, until: u64) {
        while self.at < until {
            self.step_on();
        }
    }
}
