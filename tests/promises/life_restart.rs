//! A life whose sink hangs, whose keys change, and that goes on with its log under another broker.

use hallpass::{Broker, Control, DriftScan, Gate, Grant, Halt, Permit, Reason, Task};

use crate::in_hand::InHand;
use crate::life::Life;
use crate::life_case::Act;
use crate::life_log::{is_beginning, outcomes_of, told_by};
use crate::life_rows::{Owner, State};
use crate::universe::*;

/// A key of tokens.
#[derive(Clone, Copy, Default)]
pub(crate) struct TokenKey {
    /// Until when it verifies, once another is in force.
    pub(crate) until: Option<i64>,
}

/// What is held of a broker that another has taken the log of: it may be used, and nothing of it is written.
pub(crate) struct Gone {
    pub(crate) broker: Broker,
    _tasks: Vec<Task>,
    _grants: Vec<Grant>,
    _permits: Vec<Permit>,
    running: Vec<InHand>,
    _scans: Vec<DriftScan>,
    _handles: (Gate, Control),
}

impl Life {
    /// P9, P10, P11, attack 193: while the sink hangs all that takes access away takes effect, and nothing is given.
    pub(crate) fn while_hanging(&mut self, acts: &[Act]) {
        if self.is_hanging() {
            acts.iter().for_each(|act| self.apply(act));
            return;
        }
        // A record that waits, for a thread to bring to the sink.
        let halt = Halt::tool("never-called").unwrap();
        self.halt(&halt);
        self.hang();
        for act in acts {
            self.apply(act);
            self.compare();
        }
        self.release();
        self.resume(&halt);
    }

    pub(crate) fn rotate_key(&mut self, seconds: u64) {
        self.rotate(seconds);
        self.tick();
        let until = self.now + seconds as i64 * 1000;
        self.keys.last_mut().unwrap().until = Some(until);
        self.keys.push(TokenKey::default());
    }

    pub(crate) fn rotate_log_key(&mut self) {
        self.rotate_log();
        self.record("rekeyed".into());
        self.tally.rekeyed += 1;
    }

    /// Why the key of a token does not verify: its grace is over, and it may have been wiped since.
    pub(crate) fn key_failures(&self, held: usize) -> Vec<Reason> {
        let until = self.keys[self.held[held].key].until;
        match until.is_some_and(|until| self.now >= until) {
            true => vec![Reason::RetiredKey, Reason::UnknownKey],
            false => Vec::new(),
        }
    }

    /// P2, P9, attacks 187 and 188: another broker goes on with the log. What was given is in it, whenever the one
    /// before died; nothing of that is live, and no number and no generation comes again.
    pub(crate) fn restart_on_the_log(&mut self, closed: bool, rekeyed: bool) {
        // Neither builds a broker.
        if self.is_hanging() || !self.tick() {
            return;
        }
        if closed {
            self.close_the_broker();
        }
        let rekeying_was_lost = self.take_the_log_for_what_happened();
        self.asked_before += self.denials.iter().filter(|own| is_asked(own)).count();
        self.denials.clear();
        self.offences.clear();
        self.halts.clear();
        // What identities have spent was counted in memory alone.
        let spanning = |owner: &Owner| matches!(owner, Owner::Identity(_));
        for charge in self.charges.iter_mut().filter(|charge| spanning(&charge.owner)) {
            (charge.given_back, charge.rated) = (true, None);
        }
        self.begun.retain(|own| !spanning(&own.owner));
        // The ring of the next life has the newest alone, whatever its clock says.
        for key in self.keys.iter_mut().rev().skip(1) {
            key.until = Some(i64::MIN);
        }
        // One record says of all changes under which key the log goes on.
        if rekeyed || rekeying_was_lost {
            self.record("rekeyed".into());
        }
        self.begin_anew(rekeyed);
        self.tally.restarted += 1;
    }

    /// All tasks end. Calls that run on are done before the broker is gone, and what they did is written.
    fn close_the_broker(&mut self) {
        let ended = self.broker.close(std::time::Duration::from_secs(60));
        self.tick();
        let live: Vec<usize> = (0..self.tasks.len()).filter(|at| !self.tasks[*at].over).collect();
        assert_eq!(ended.tasks, live.len());
        for task in live {
            self.over(task, "Closed");
        }
        assert!(self.broker.standing().is_empty(), "P2: what is closed leaves nothing");
        self.let_go();
        self.broker.flush();
    }

    /// What the log does not have by now is lost with the broker. Returns whether a change of its key is.
    fn take_the_log_for_what_happened(&mut self) -> bool {
        let records = self.log.records();
        let told = told_by(&records);
        assert!(is_beginning(&told, &self.events), "P9: {told:?}\n{:?}", self.events);
        let has = |begins: String| told.iter().any(|event| event.starts_with(&begins));
        for task in self.tasks.iter_mut() {
            let generation = task.generation;
            assert!(has(format!("opened {generation}")), "P9: recorded before it is given");
            task.lost = !has(format!("ended {generation} "));
            task.over = true;
        }
        for row in &self.rows {
            assert!(has(format!("granted {}", row.id)), "P9: recorded before it is given");
        }
        let outcomes = outcomes_of(&records);
        for slip in &mut self.slips {
            let was = slip.state;
            slip.state = outcomes.get(&slip.number).map_or(State::Lost, |own| State::Closed(*own));
            self.tally.lost += usize::from(was != State::Lost && slip.state == State::Lost);
        }
        let changes = |events: &[String]| events.iter().filter(|own| *own == "rekeyed").count();
        let lost = changes(&self.events) > changes(&told);
        self.events = told;
        lost
    }

    fn begin_anew(&mut self, rekeyed: bool) {
        let policy = self.case.policies[self.policy].policy();
        let case = self.case.clone();
        let handles = (self.gate.clone(), self.control.clone());
        self.openings = self.log.records().last().map_or(0, |record| record.seq);
        self.mints.leave_to_the_next();
        let set = &self.mints;
        let broker = self.stand.restart(policy, rekeyed, |builder| set.set(case.set(builder)));
        self.epoch = 1;
        self.record("reloaded 1".into());
        let gone = Gone {
            broker,
            _tasks: self.tasks.iter_mut().filter_map(|task| task.handle.take()).collect(),
            _grants: self.rows.iter_mut().filter_map(|row| row.handle.take()).collect(),
            _permits: self.slips.iter_mut().filter_map(|slip| slip.handle.take()).collect(),
            running: self.slips.iter_mut().filter_map(|slip| slip.running.take()).collect(),
            _scans: self.scans.drain(..).map(|(scan, _)| scan).collect(),
            _handles: handles,
        };
        self.gone.push(gone);
        let attest = |who: &WhoSaid| self.stand.broker.assert_identity(who.assertion()).unwrap();
        self.who = self.case.whos.iter().map(attest).collect();
        assert!(self.broker.standing().is_empty(), "P2: a restart gives nothing back");
    }

    /// Lets go of brokers that are gone: none of them writes any more.
    pub(crate) fn leave_what_is_gone(&mut self) {
        let written = self.log.len();
        for Gone { broker, running, .. } in self.gone.drain(..) {
            running.into_iter().for_each(InHand::succeed);
            drop(broker);
        }
        assert_eq!(self.log.len(), written, "dropping a broker calls no sink");
    }
}

fn is_asked(reason: &Reason) -> bool {
    *reason == Reason::ApprovalRequired
}
