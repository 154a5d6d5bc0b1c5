//! What goes wrong in the world, and what operators do in it.

use super::life::{AGENTS, POLICIES, TOOLS};
use super::oracle::Issued;
use super::world::{Event, MS, World};
use crate::fleet::act::Act;
use crate::fleet::agent::Stage;
use crate::policy::Policy;

/// Every other machine sleeps now and then; the wall clocks of the rest step.
fn sleeps(life: usize) -> bool {
    life % 2 == 1
}

impl World {
    /// Some node of which this holds.
    pub(super) fn some_life(
        &mut self,
        of_which: impl Fn(&super::life::Life) -> bool,
    ) -> Option<usize> {
        let fit: Vec<usize> = (0..self.lives.len())
            .filter(|own| !self.lives[*own].is_dead && of_which(&self.lives[*own]))
            .collect();
        if fit.is_empty() { None } else { Some(self.dice.pick(&fit)) }
    }

    pub(super) fn trouble(&mut self) {
        let Some(life) = self.some_life(|_| true) else { return };
        let (at, long) = (self.at, self.dice.within(100, 4000) * MS);
        match self.dice.below(16) {
            0..=4 => self.lives[life].cut_off_until = at + long,
            5..=7 => self.lives[life].paused_until = at + long,
            8..=9 if sleeps(life) => {
                self.lives[life].clock.sleep_until(at + long);
                self.lives[life].paused_until = at + long;
            }
            8..=9 => {
                let by = self.dice.below(8_000) as i64 - 4_000;
                self.lives[life].clock.step(by);
            }
            10..=11 => {
                self.engine.down_until = at + long / 3;
                self.bank.fail_over();
            }
            12..=13 if self.lives.len() < self.most => {
                self.lives[life].is_dead = true;
                self.lives[life].running.clear();
                let after = self.dice.below(3000) * MS;
                self.post(after, Event::Restart(life));
            }
            // Another process under the same name, on another machine.
            14 if self.lives.len() < self.most => {
                let name = self.lives[life].name.clone();
                let past = self.dice.hits(500).then_some(self.lives[life].agent.applied);
                let clock = self.clock();
                self.add_life(&name, clock, past);
            }
            _ => {}
        }
    }

    /// An operator acts at some node.
    pub(super) fn act(&mut self) {
        let at = self.at;
        let inside =
            |life: &super::life::Life| life.agent.stage == Stage::In && life.paused_until <= at;
        let Some(life) = self.some_life(inside) else { return };
        let agent = self.dice.pick(&AGENTS);
        let tool = self.dice.pick(&TOOLS);
        let halts = [format!("tool {tool}"), format!("identity {agent}"), "everything".to_owned()];
        let which = if self.dice.hits(60) { 2 } else { self.dice.below(2) as usize };
        let what: Box<str> = halts[which].as_str().into();
        let act = match self.dice.below(20) {
            0..=5 => Act::Halt { what, until: None },
            6..=12 => self.some_resume().unwrap_or(Act::Resume { what }),
            13..=15 => {
                let policy = POLICIES[self.dice.below(2) as usize];
                let behind = u64::from(self.dice.hits(100));
                let replaces = self.lives[life].agent.epoch.saturating_sub(behind);
                let digest = Policy::from_toml(policy).unwrap().digest().to_string().into();
                Act::Reload { replaces, digest, policy: policy.into() }
            }
            16 => Act::RevokeIdentity { id: agent.into() },
            17 => Act::RevokeTool { name: tool.into() },
            _ => {
                let node = self.some_life(super::life::Life::has_tasks).unwrap_or(life);
                Act::EndTask { node: self.lives[node].name.clone(), task: agent.into() }
            }
        };
        let progress = self.lives[life].act(act.clone());
        self.acts.push(Issued::new(life, act, progress));
        self.wake(life, MS / 10);
    }

    /// Takes off some halt that was asked for.
    fn some_resume(&mut self) -> Option<Act> {
        let halts: Vec<Box<str>> = self
            .acts
            .iter()
            .filter_map(|own| match &own.act {
                Act::Halt { what, .. } => Some(what.clone()),
                _ => None,
            })
            .collect();
        let latest = &halts[halts.len().saturating_sub(3)..];
        if latest.is_empty() { None } else { Some(Act::Resume { what: self.dice.pick(latest) }) }
    }
}
