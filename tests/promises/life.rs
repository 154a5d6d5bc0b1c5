//! A whole life of a broker next to a model of it: a list of tasks, one of grants, one of tokens, one of
//! permits, one of keys, and one of all that was ever charged to a limit. Nothing is summed up or looked up.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use hallpass::audit::Outcome;
use hallpass::clock::ManualClock;
use hallpass::identity::Identity;
use hallpass::{Denial, DriftScan, Halt, Reason};

use crate::life_case::{Act, Done, LifeCase};
use crate::life_minting::Mints;
use crate::life_restart::{Gone, TokenKey};
use crate::life_rows::{Begun, Bound, Charge, Held, LiveTask, Row, Slip, Spell, State};
use crate::life_tally::Tally;
use crate::small::Posted;
use crate::small_drawn::small_contexts;
use crate::stand::Stand;
use crate::universe::*;

pub(crate) struct Life {
    pub(crate) case: LifeCase,
    pub(crate) contexts: Vec<ContextSaid>,
    pub(crate) posted: Vec<Rc<Posted>>,
    pub(crate) stand: Stand,
    pub(crate) who: Vec<Identity>,
    pub(crate) policy: usize,
    pub(crate) epoch: u64,
    pub(crate) openings: u64,
    pub(crate) halts: Vec<Halt>,
    pub(crate) tasks: Vec<LiveTask>,
    pub(crate) rows: Vec<Row>,
    pub(crate) held: Vec<Held>,
    pub(crate) bound: Vec<Bound>,
    pub(crate) slips: Vec<Slip>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) begun: Vec<Begun>,
    pub(crate) spells: Vec<Spell>,
    pub(crate) denials: Vec<Reason>,
    /// Denials that count towards the tripwire, by who asked.
    pub(crate) offences: Vec<(String, i64)>,
    /// The keys of the tokens, of which the last is in force.
    pub(crate) keys: Vec<TokenKey>,
    /// What earlier lives on the same log have left, and how often people were asked in them.
    pub(crate) gone: Vec<Gone>,
    pub(crate) asked_before: usize,
    /// Reloads whose scan waits, and the tasks that it will look at.
    pub(crate) scans: Vec<(DriftScan, Vec<usize>)>,
    pub(crate) mints: Mints,
    pub(crate) tally: Tally,
}

impl Deref for Life {
    type Target = Stand;

    fn deref(&self) -> &Stand {
        &self.stand
    }
}

impl DerefMut for Life {
    fn deref_mut(&mut self) -> &mut Stand {
        &mut self.stand
    }
}

/// Lives it, comparing all the way; what it saw.
pub(crate) fn live(case: &LifeCase) -> Tally {
    let mut life = Life::new(case.clone());
    for act in &case.ops {
        life.apply(act);
        life.compare();
    }
    life.finish();
    life.tally
}

impl Life {
    fn new(case: LifeCase) -> Self {
        let clock = ManualClock::new(at(0));
        let mints = Mints::new(&clock);
        let set = |builder| mints.set(case.set(builder));
        let stand = Stand::on(clock, case.policies[0].policy(), set);
        let attest = |who: &WhoSaid| stand.broker.assert_identity(who.assertion()).unwrap();
        Life {
            who: case.whos.iter().map(attest).collect(),
            contexts: small_contexts(),
            posted: case.policies.iter().map(|said| Rc::new(Posted::new(said))).collect(),
            stand,
            policy: 0,
            epoch: 1,
            openings: 0,
            halts: Vec::new(),
            tasks: Vec::new(),
            rows: Vec::new(),
            held: Vec::new(),
            bound: Vec::new(),
            slips: Vec::new(),
            charges: Vec::new(),
            begun: Vec::new(),
            spells: Vec::new(),
            denials: Vec::new(),
            offences: Vec::new(),
            keys: vec![TokenKey::default()],
            gone: Vec::new(),
            asked_before: 0,
            scans: Vec::new(),
            mints,
            tally: Tally::default(),
            case,
        }
    }

    pub(crate) fn apply(&mut self, act: &Act) {
        self.tally.acts += 1;
        match act {
            Act::Open { who, why, name } => self.open(*who, why, *name),
            Act::Request { task, holder, wanted, context, trimmed, timed } => {
                self.request(*task, *holder, wanted, *context, (*trimmed, *timed));
            }
            Act::Delegate { parent, foreign, holder, wanted, context } => {
                self.delegate(*parent, *foreign, *holder, wanted, *context);
            }
            Act::Renew { grant, by, context, moves } => self.renew(*grant, *by, *context, *moves),
            Act::Attenuate { token, wanted, seconds } => self.attenuate(*token, wanted, *seconds),
            Act::Present { token, call, inside, seconds } => {
                self.present(*token, *call, *inside, *seconds);
            }
            Act::Authorize { token, bound, caller, call, context } => {
                self.authorize(*token, *bound, *caller, *call, *context);
            }
            Act::Tools { token, caller, context } => self.list(*token, *caller, *context),
            Act::Start(n) => self.start(*n, false),
            Act::RunAndPanic(n) => self.start(*n, true),
            Act::DropPermit(n) => self.drop_permit(*n),
            Act::Note(n, ids) => self.note(*n, ids),
            Act::FinishCall(n, Done::Well) => self.finish_call(*n, Outcome::Ok),
            Act::FinishCall(n, Done::Badly) => self.finish_call(*n, Outcome::Error),
            Act::FinishCall(n, Done::Dropped) => self.finish_call(*n, Outcome::Interrupted),
            Act::Revoke { grant, how } => self.revoke(*grant, *how),
            Act::RevokePerson(id) => self.revoke_person(id),
            Act::RevokeTool(tool) => self.revoke_tool(tool),
            Act::End { task, how, wait } => self.end(*task, *how, *wait),
            Act::Reload { to, scan } => self.reload(*to, *scan),
            Act::Scan => self.scan(),
            Act::Preview(of) => self.preview(*of),
            Act::Sweep => self.sweep(),
            Act::Halt(what) => self.halt(what),
            Act::HaltAbove(n) => self.halt_above(*n),
            Act::Resume(n) => {
                if let Some(what) = self.halts.get(n % self.halts.len().max(1)).cloned() {
                    self.resume(&what);
                }
            }
            Act::ResumeOther(what) => self.resume(what),
            Act::Advance(s) => self.advance(*s),
            Act::Suspend(s) => self.suspend(*s),
            Act::StepBack(s) => self.step_back(*s),
            Act::Sink(works) => self.sink_works(*works),
            Act::SinkPanics => self.sink_panics_once(),
            Act::WhileHanging(acts) => self.while_hanging(acts),
            Act::Mint(what) => self.mint_or_tend(what),
            Act::Rotate(seconds) => self.rotate_key(*seconds),
            Act::RotateLog => self.rotate_log_key(),
            Act::Restart { closed, rekeyed } => self.restart_on_the_log(*closed, *rekeyed),
            Act::Timeless(act) => {
                self.lose_the_clock();
                self.apply(act);
                self.find_the_clock();
            }
        }
    }

    // ---- what the lists say ----

    pub(crate) fn today(&self) -> Rc<Posted> {
        self.posted[self.policy].clone()
    }

    /// A grant and what it hangs from, up to the first that has ended.
    pub(crate) fn live_lineage(&self, row: usize) -> Vec<usize> {
        let lineage = self.lineage(row).into_iter();
        lineage.take_while(|at| self.rows[*at].ended.is_none()).collect()
    }

    /// A grant, what it was delegated from, and so on.
    pub(crate) fn lineage(&self, row: usize) -> Vec<usize> {
        let mut lineage = vec![row];
        while let Some(parent) = self.rows[lineage[lineage.len() - 1]].parent {
            lineage.push(parent);
        }
        lineage
    }

    /// A grant and all that hangs from it, as far as it has not ended before.
    pub(crate) fn below(&self, row: usize) -> Vec<usize> {
        let hangs = |at: &usize| self.rows[*at].ended.is_none() && self.lineage(*at).contains(&row);
        (0..self.rows.len()).filter(hangs).collect()
    }

    /// Whether a grant is there: its task is not over, and it has not been ended.
    pub(crate) fn is_there(&self, row: usize) -> bool {
        self.rows[row].ended.is_none() && !self.tasks[self.rows[row].task].over
    }

    /// Whether a grant lives: it and all it was delegated from are there and within their time.
    pub(crate) fn is_live(&self, row: usize) -> bool {
        let own = &self.tasks[self.rows[row].task];
        let so = |at: &usize| self.is_there(*at) && !self.rows[*at].is_past(self.now);
        self.now < own.ceiling && self.lineage(row).iter().all(so)
    }

    /// Whether a halt stops any of them, in this task, from using this tool.
    pub(crate) fn stopped(&self, task: usize, whos: &[usize], tool: Option<&str>) -> bool {
        self.halts.iter().any(|halt| self.stops(halt, task, whos, tool))
    }

    pub(crate) fn stops(
        &self,
        halt: &Halt,
        task: usize,
        whos: &[usize],
        tool: Option<&str>,
    ) -> bool {
        let own = &self.tasks[task];
        match halt {
            Halt::Everything => true,
            Halt::Identity { id, .. } => whos.iter().chain([&own.requester]).any(|who| {
                let who = &self.case.whos[*who];
                who.id == **id || who.acts_for.as_deref() == Some(&**id)
            }),
            Halt::Task { name, .. } => **name == *own.name,
            Halt::Tool { name, .. } => tool == Some(&**name),
        }
    }

    // ---- what is written ----

    /// As [`Stand::denied`]; counts it, against the asking identity, too, where it counts.
    pub(crate) fn refused(
        &mut self,
        stage: &str,
        who: Option<usize>,
        answer: Result<(), Denial>,
        expected: &[Reason],
    ) -> Reason {
        let reason = self.denied(stage, answer, expected);
        self.denials.push(reason);
        if let Some(who) = who {
            self.offend(who, reason);
        }
        reason
    }

    /// Repeated denials halt who is denied; what is not a doing of theirs does not count.
    fn offend(&mut self, who: usize, reason: Reason) {
        use hallpass::Code;
        let Some((most, seconds)) = self.case.tripwire else { return };
        let is_asked = reason == Reason::ApprovalRequired;
        if is_asked || matches!(reason.code(), Code::Unavailable | Code::Halted) {
            return;
        }
        let (id, now) = (self.case.whos[who].id.clone(), self.now);
        self.offences.push((id.clone(), now));
        let recent = |(own, at): &(String, i64)| *own == id && now - at < seconds as i64 * 1000;
        if self.offences.iter().filter(|one| recent(one)).count() >= most {
            self.offences.retain(|(own, _)| *own != id);
            let halt = Halt::identity(&id).unwrap();
            // What is on for good already changes nothing, and has its record.
            if !self.halts.contains(&halt) {
                self.record(format!("halted {halt}"));
                self.halts.push(halt);
            }
            self.tally.tripped += 1;
        }
    }

    /// Ends a grant and all that hangs from it; the calls of them that are running, if it was there.
    pub(crate) fn end_row(&mut self, row: usize, why: Reason) -> Option<Vec<u64>> {
        if !self.is_there(row) {
            return None;
        }
        let ended = self.below(row);
        let running: Vec<u64> = self
            .slips
            .iter()
            .filter(|slip| slip.state == State::Running && ended.contains(&slip.row))
            .map(|slip| slip.number)
            .collect();
        // What it hangs from is not in use by these calls any more.
        for above in self.lineage(row) {
            self.rows[above].running -= running.len();
        }
        for at in ended {
            self.rows[at].ended = Some(why);
            let id = self.rows[at].id;
            self.events.push(format!("grant_ended {id} {why}"));
        }
        for number in &running {
            self.events.push(format!("grant_ended over {number} {why}"));
        }
        Some(running)
    }
}
