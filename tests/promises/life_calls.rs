//! A life authorizes calls, and runs them.

use hallpass::policy::Moment;
use hallpass::token::Form;
use hallpass::{Halt, Reason};

use crate::life::Life;
use crate::life_defaults::whole;
use crate::life_read::context_of;
use crate::life_rows::{Bound, Held, Row, Slip, State};
use crate::model::{Question, Setting};
use crate::model_rules::{Says, decide, keep_labels, labels_of, seen_by};
use crate::small::{Covering, MINTS, every_call};
use crate::stand::{PERMIT_TTL, pick, prefer};
use crate::universe::*;

/// How far a presentation's time may be from the broker's.
const WINDOW: i64 = 30_000;

/// What is put to the gate.
pub(crate) struct Shown {
    pub(crate) held: usize,
    pub(crate) bound: Option<usize>,
    pub(crate) caller: usize,
    pub(crate) call: CallSaid,
    pub(crate) context: ContextSaid,
}

impl Life {
    pub(crate) fn token(&self, n: usize) -> Option<usize> {
        let current =
            |held: &Held| self.rows[held.row].serial == held.serial && self.is_live(held.row);
        prefer(&self.held, n, |_| true, current)
    }

    /// A call of what a token is for, mostly.
    pub(crate) fn call(&self, held: usize, n: usize) -> CallSaid {
        let own = &self.held[held];
        let parts = &self.rows[own.row].parts;
        let within = &parts[n % parts.len()].covering;
        let narrowings = self.narrowings(held);
        let narrowed = |call: &CallSaid| {
            narrowings.iter().all(|scope| scope.iter().any(|part| part.has(call)))
        };
        let all: Vec<CallSaid> = within.calls.iter().map(|number| within.call(*number)).collect();
        let inside: Vec<&CallSaid> = all.iter().filter(|call| narrowed(call)).collect();
        match n / 8 % 10 {
            0 => {
                let tool = [TOOLS[0], TOOLS[2], OUTSIDE][n % 3];
                let all = every_call(tool);
                all[n / 80 % all.len()].clone()
            }
            _ if inside.is_empty() => all[n / 80 % all.len()].clone(),
            _ => self.left_out(inside[n / 80 % inside.len()], n),
        }
    }

    /// The call, mostly without what stands in it anyway.
    fn left_out(&self, call: &CallSaid, n: usize) -> CallSaid {
        let mut less = call.clone();
        less.args.remove("x");
        let same = whole(&self.case.policies[self.policy], &less) == *call;
        if same && !n.is_multiple_of(3) { less } else { call.clone() }
    }

    /// The call that is put to the gate, as rules, scopes and the tool have it.
    pub(crate) fn whole(&self, shown: &Shown) -> CallSaid {
        whole(&self.case.policies[self.policy], &shown.call)
    }

    /// What each narrowing of a token lets be called, by today's catalogue.
    pub(crate) fn narrowings(&self, held: usize) -> Vec<Vec<Covering>> {
        self.held[held].narrowings.iter().map(|(scope, _)| self.coverings(scope)).collect()
    }

    pub(crate) fn present(&mut self, token: usize, call: usize, inside: bool, seconds: i64) {
        let Some(held) = self.token(token) else { return };
        let call = self.call(held, if inside { call * 80 + 8 } else { call });
        let at = self.now + seconds * 1000;
        let time = hallpass::clock::Timestamp::from_unix_millis(START + at).unwrap();
        let text = self.held[held].token.present(&call.call(), time).unwrap();
        self.bound.push(Bound { text, held, call, at, taken: false });
    }

    pub(crate) fn authorize(
        &mut self,
        token: usize,
        bound: bool,
        caller: Option<usize>,
        call: usize,
        context: usize,
    ) {
        let near = |b: &Bound| (b.at - self.now).abs() < WINDOW;
        let bound = if bound { prefer(&self.bound, token, |_| true, near) } else { None };
        let Some(held) = bound.map(|at| self.bound[at].held).or_else(|| self.token(token)) else {
            return;
        };
        let said = match bound {
            // Bound to another call, now and then.
            Some(at) if !call.is_multiple_of(8) => self.bound[at].call.clone(),
            _ => self.call(held, call),
        };
        let holder = self.rows[self.held[held].row].holder;
        let shown = Shown {
            held,
            bound,
            caller: caller.map_or(holder, |n| n % self.who.len()),
            call: said,
            context: self.contexts[context % self.contexts.len()].clone(),
        };
        self.put(&shown);
    }

    /// Halts one of those a grant was delegated by, and tries a call of it: each of them stops it.
    pub(crate) fn halt_above(&mut self, n: usize) {
        let delegated = |row: &Row| row.parent.is_some() && row.ended.is_none();
        let Some(row) = pick(&self.rows, n, delegated) else { return };
        let above: Vec<usize> = self.lineage(row).into_iter().skip(1).collect();
        let who = self.rows[above[n / 64 % above.len()]].holder;
        let halt = Halt::identity(&self.case.whos[who].id).unwrap();
        self.halt(&halt);
        let newest = |held: &Held| held.row == row && held.serial == self.rows[row].serial;
        let held = pick(&self.held, 0, newest).unwrap();
        self.put(&Shown {
            held,
            bound: None,
            caller: self.rows[row].holder,
            call: self.call(held, n / 64 * 80 + 8),
            context: self.contexts[n % self.contexts.len()].clone(),
        });
        if n.is_multiple_of(2) {
            self.resume(&halt);
        }
    }

    /// Puts it to the gate, first without and then with effect.
    pub(crate) fn put(&mut self, shown: &Shown) {
        let (who, call, moment) =
            (&self.who[shown.caller], shown.call.call(), context_of(&shown.context));
        let dry = match shown.bound {
            Some(at) => self.gate.check(&self.bound[at].text, who, &call, &moment),
            None => self.gate.check(&self.held[shown.held].token, who, &call, &moment),
        };
        self.tick();
        let expected = self.expected(shown);
        match (&dry, &expected) {
            (Ok(_), reasons) => assert!(reasons.is_empty(), "a dry run passed: {reasons:?}"),
            (Err(denial), reasons) => assert!(
                reasons.contains(&denial.reason()),
                "a dry run refused: {}, expected {reasons:?}",
                denial.explain()
            ),
        }
        let who = &self.who[shown.caller];
        let answer = match shown.bound {
            Some(at) => self.gate.authorize(&self.bound[at].text, who, call, &moment),
            None => self.gate.authorize(&self.held[shown.held].token, who, call, &moment),
        };
        self.tick();
        let expected = self.expected(shown);
        self.take_once(shown);
        if !expected.is_empty() {
            let reason = self.refused("call", Some(shown.caller), answer.map(drop), &expected);
            self.tally.replayed += usize::from(reason == Reason::Replayed);
            self.tally.superseded += usize::from(reason == Reason::Superseded);
            let keys = [Reason::UnknownKey, Reason::RetiredKey];
            self.tally.unknown_keys += usize::from(keys.contains(&reason));
            let limits = [Reason::UsesSpent, Reason::RateExceeded, Reason::BudgetSpent];
            self.tally.limited += usize::from(limits.contains(&reason));
            return;
        }
        let row = self.held[shown.held].row;
        let task = self.rows[row].task;
        let charges = self.charge(shown);
        let policy = self.today();
        let labels = labels_of(&policy.said, &shown.call.tool).unwrap().to_vec();
        // Of what the task has seen before this call.
        let says = self.says(shown);
        let own = &mut self.tasks[task];
        own.called.push((shown.call.tool.clone(), labels.clone()));
        keep_labels(&mut own.called, &policy.said);
        own.history = seen_by(&own.called, &policy.said);
        self.touch(row);
        if !self.accepts("permitted") {
            self.tally.withdrawn += 1;
            self.tally.hung += usize::from(self.is_hanging());
            self.give_back(&charges);
            self.refused("call", Some(shown.caller), answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let permit = answer.unwrap_or_else(|denial| panic!("{}", denial.explain()));
        assert!(permit.rules().eq(dry.unwrap().rules()));
        let permits = Says::Permit(permit.rules().map(str::to_owned).collect());
        assert_eq!(permits, says, "P3: today's rules give this very call");
        self.stand.events.push(format!("permitted {}", self.rows[row].id));
        self.tally.permitted += 1;
        self.tally.permitted_to_delegates += usize::from(self.rows[row].parent.is_some());
        self.tally.permitted_bound += usize::from(shown.bound.is_some());
        // What a narrowing gives ends with it, permits handed out included.
        let ends = self.held[shown.held].narrowings.iter().filter_map(|(_, end)| *end);
        let lapses = ends.fold(self.now + PERMIT_TTL, i64::min);
        let call = self.whole(shown);
        self.tally.completed += usize::from(call != shown.call);
        let of_notes =
            |rule: &RuleSaid| rule.is_of_notes() && permit.rules().any(|own| *own == *rule.id);
        self.tally.permitted_by_notes += usize::from(policy.said.rules.iter().any(of_notes));
        self.slips.push(Slip {
            asked: call.call(),
            noted: 0,
            number: permit.number(),
            rules: permit.rules().map(str::to_owned).collect(),
            handle: Some(permit),
            running: None,
            mints: labels.iter().any(|label| label == MINTS),
            credential: None,
            row,
            serial: self.rows[row].serial,
            caller: shown.caller,
            tool: shown.call.tool.clone(),
            lapses,
            epoch: self.epoch,
            state: State::Reserved,
            charges,
        });
    }

    pub(crate) fn says(&self, shown: &Shown) -> Says {
        let task = &self.tasks[self.rows[self.held[shown.held].row].task];
        let form = if shown.bound.is_some() { Form::CallBound } else { Form::Bearer };
        let setting = Setting {
            moment: Moment::Call,
            form: Some(form),
            who: &self.case.whos[shown.caller],
            why: &task.why,
            context: &shown.context,
            history: &task.history,
            notes: &task.notes,
            now: self.now,
        };
        let policy = self.today();
        let labels = labels_of(&policy.said, &shown.call.tool).unwrap_or_default();
        decide(&policy.book, &Question { setting, call: &self.whole(shown), labels })
    }

    /// Every reason to refuse, of the first step that has one: token, table, scopes, rules, limits.
    pub(crate) fn expected(&mut self, shown: &Shown) -> Vec<Reason> {
        if !self.tick() {
            return vec![Reason::ClockUnreadable];
        }
        let unknown = self.key_failures(shown.held);
        if !unknown.is_empty() {
            return unknown;
        }
        if let Some(at) = shown.bound
            && self.bound[at].call != shown.call
        {
            return vec![Reason::BadSignature];
        }
        let reasons = self.token_failures(shown.held, shown.bound, shown.caller);
        if !reasons.is_empty() {
            return reasons;
        }
        let row = self.held[shown.held].row;
        let task = self.rows[row].task;
        if self.tasks[task].over {
            return vec![Reason::TaskOver];
        }
        // A tool that does not exist is refused before anything is looked at.
        if !self.knows(&shown.call.tool) {
            return vec![Reason::UnknownTool];
        }
        self.keep_up(row);
        let mut reasons = self.row_failures(shown.held, shown.caller, &shown.call.tool);
        if let Some(at) = shown.bound
            && self.bound[at].taken
        {
            reasons.push(Reason::Replayed);
        }
        let above: Vec<usize> = self.lineage(row).into_iter().skip(1).collect();
        if above.iter().any(|at| self.rows[*at].is_past(self.now)) {
            reasons.push(Reason::Expired);
        }
        if !reasons.is_empty() {
            return reasons;
        }
        self.close_lapsed(task);
        // P4: every constraint of every grant above, and of every narrowing.
        let call = self.whole(shown);
        let narrowed = |scope: &Vec<Covering>| scope.iter().any(|p| p.has(&call));
        let covers = |at: &usize| self.rows[*at].parts.iter().any(|p| p.covering.has(&call));
        if !covers(&row)
            || !above.iter().all(covers)
            || !self.narrowings(shown.held).iter().all(narrowed)
        {
            reasons.push(Reason::OutOfScope);
        }
        if !reasons.is_empty() {
            return reasons;
        }
        match self.says(shown) {
            Says::Permit(_) => {}
            Says::Ask(_) => return vec![Reason::ApprovalRequired],
            Says::Forbid(_) => return vec![Reason::Forbidden],
            Says::NoPermit => return vec![Reason::NoPermit],
        }
        self.limit_failures(shown)
    }

    /// What is wrong with a token by itself.
    pub(crate) fn token_failures(
        &self,
        held: usize,
        bound: Option<usize>,
        caller: usize,
    ) -> Vec<Reason> {
        let unknown = self.key_failures(held);
        if !unknown.is_empty() {
            return unknown;
        }
        let own = &self.held[held];
        let ended = |at: &Option<i64>| at.is_some_and(|at| self.now >= at);
        let holder = self.rows[own.row].holder;
        let far = bound.is_some_and(|at| (self.bound[at].at - self.now).abs() >= WINDOW);
        let failures = [
            (self.now >= own.expires, Reason::Expired),
            // Of a life whose clock stood later.
            (self.now < own.issued, Reason::ForeignToken),
            (own.narrowings.iter().any(|(_, at)| ended(at)), Reason::Expired),
            (far, Reason::StalePresentation),
            (self.case.whos[caller].id != self.case.whos[holder].id, Reason::NotTheHolder),
        ];
        failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason).collect()
    }

    /// What is wrong with the grant that a token names.
    pub(crate) fn row_failures(&self, held: usize, caller: usize, tool: &str) -> Vec<Reason> {
        let own = &self.held[held];
        let row = &self.rows[own.row];
        if let Some(why) = row.ended {
            return vec![why];
        }
        if row.serial != own.serial {
            return vec![Reason::Superseded];
        }
        let mut whos: Vec<usize> =
            self.lineage(own.row).iter().map(|at| self.rows[*at].holder).collect();
        whos.push(caller);
        let past = self.is_past(own.row) || self.now >= self.tasks[row.task].ceiling;
        let stopped = self.stopped(row.task, &whos, Some(tool));
        let early = self.lineage(own.row).iter().any(|at| self.rows[*at].is_early(self.now));
        let failures =
            [(past, Reason::Expired), (early, Reason::NotYet), (stopped, Reason::Halted)];
        failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason).collect()
    }

    /// P12: what is bound to a call is worth one try, from where its grant has been found to live.
    pub(crate) fn take_once(&mut self, shown: &Shown) {
        let Some(at) = shown.bound else { return };
        let held = shown.held;
        if self.tick()
            && self.bound[at].call == shown.call
            && self.token_failures(held, shown.bound, shown.caller).is_empty()
            && !self.tasks[self.rows[self.held[held].row].task].over
            && self.knows(&shown.call.tool)
            && self.row_failures(held, shown.caller, &shown.call.tool).is_empty()
        {
            self.bound[at].taken = true;
        }
    }
}
