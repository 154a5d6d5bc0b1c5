//! The world authorizes calls, and runs them.

use hallpass::audit::Outcome;
use hallpass::policy::Moment;
use hallpass::token::Form;
use hallpass::{Denial, Reason, RunError};

use crate::model::{Question, Setting};
use crate::model_rules::{Says, covers, decide, keep_labels, labels_of, seen_by};
use crate::probe::inside;
use crate::stand::{PERMIT_TTL, pick, prefer};
use crate::universe::*;
use crate::world::{Counter, GrantModel, PermitModel, State, TaskModel, World};

impl World {
    pub(crate) fn authorize(
        &mut self,
        grant: usize,
        caller: Option<usize>,
        call: usize,
        is_inside: bool,
        which: usize,
    ) {
        let clear = |grant: &GrantModel| !grant.muddled;
        let lives =
            |g: &GrantModel| g.ended.is_none() && !self.tasks[g.task].over && self.now < g.expires;
        let Some(grant) = prefer(&self.grants, grant, clear, lives) else { return };
        let own = &self.grants[grant];
        let (task, holder) = (own.task, own.holder);
        let caller = caller.map_or(holder, |n| n % self.who.len());
        let said = self.case.contexts[which % self.case.contexts.len()].clone();
        let calls = if is_inside {
            inside(&own.scope[call % own.scope.len()], &self.case.calls)
        } else {
            self.case.calls.clone()
        };
        let call = calls[call % calls.len()].clone();
        let dry = self.gate.check(&own.token, &self.who[caller], &call.call(), &context(&said));
        let answer =
            self.gate.authorize(&own.token, &self.who[caller], call.call(), &context(&said));
        if !self.tick() {
            assert_eq!(dry.unwrap_err().reason(), Reason::ClockUnreadable);
            self.denied("call", answer.map(drop), &[Reason::ClockUnreadable]);
            return;
        }
        let failures = self.failures(grant, caller, &call, &said);
        let lenient = own_is_lenient(&self.grants[grant], &self.tasks[task]);
        let limits = [Reason::UsesSpent, Reason::RateExceeded, Reason::BudgetSpent];
        let (mut failures, mut limited) = (failures, Vec::new());
        if lenient {
            // Only the broker knows these.
            let ours = |reason: &Reason| !limits.contains(reason) && *reason != Reason::Expired;
            let hard = self.now >= self.grants[grant].expires;
            failures.retain(|reason| ours(reason) || (hard && *reason == Reason::Expired));
            limited.extend(limits.into_iter().chain([Reason::Expired]));
            if failures.is_empty() {
                let told = dry.as_ref().err().map(Denial::reason);
                failures.extend(told.filter(|reason| limited.contains(reason)));
            }
            self.tasks[task].muddled = true;
        }
        match &dry {
            Ok(_) => assert!(failures.is_empty(), "a dry run passed {failures:?}: {call:?}"),
            Err(denial) => assert!(
                failures.contains(&denial.reason()) || limited.contains(&denial.reason()),
                "a dry run refused: {}, expected {failures:?}: {call:?}",
                denial.explain()
            ),
        }
        if !failures.is_empty() {
            failures.extend(limited);
            self.denied("call", answer.map(drop), &failures);
            return;
        }
        // Reserved: the labels stay, and so does the rate.
        let policy = &self.case.policies[self.policy];
        let labels = labels_of(policy, &call.tool).unwrap().to_vec();
        let now = self.now;
        let amount = match call.args.get("n") {
            Some(V::Halves(n)) => *n,
            _ => 0,
        };
        let mut charges = Vec::new();
        let question = self.question(grant, caller, &call, &said);
        let Says::Permit(deciders) = decide(&self.case.policies[self.policy], &question) else {
            panic!("no rule permits {call:?}")
        };
        for (rule, limits) in self.held_to(grant, &deciders) {
            let counter = self.tasks[task].counters.entry(rule.clone()).or_default();
            let amount = if limits.has_budget() { amount } else { 0 };
            counter.used += 1;
            counter.sum += amount;
            counter.calls.push(now);
            counter.spent.push((now, amount));
            charges.push((rule, now, amount));
        }
        let own = &mut self.tasks[task];
        own.called.push((call.tool.clone(), labels));
        keep_labels(&mut own.called, &self.case.policies[self.policy]);
        own.history = seen_by(&own.called, &self.case.policies[self.policy]);
        self.grants[grant].last_used = now;
        self.touch_spells(grant);
        if !self.accepts("permitted") {
            self.give_back(task, &charges);
            self.denied("call", answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let permit = answer.unwrap_or_else(|denial| panic!("{}: {call:?}", denial.explain()));
        let rules: Vec<&str> = permit.rules().collect();
        assert_eq!(rules, dry.unwrap().rules().collect::<Vec<_>>());
        // P3: today's rules give this very call.
        let policy = &self.case.policies[self.policy];
        let says = decide(policy, &self.question(grant, caller, &call, &said));
        assert_eq!(says, Says::Permit(rules.iter().map(|id| (*id).to_owned()).collect()));
        self.stand.events.push(format!("permitted {}", self.grants[grant].id));
        self.permitted += 1;
        self.permits.push(PermitModel {
            asked: call.call(),
            number: permit.number(),
            handle: Some(permit),
            running: None,
            grant,
            caller,
            tool: call.tool,
            lapses: now + PERMIT_TTL,
            epoch: self.epoch,
            state: State::Reserved,
            charges,
        });
    }

    pub(crate) fn question<'q>(
        &'q self,
        grant: usize,
        caller: usize,
        call: &'q CallSaid,
        context: &'q ContextSaid,
    ) -> Question<'q> {
        let task = &self.tasks[self.grants[grant].task];
        let setting = Setting {
            moment: Moment::Call,
            form: Some(Form::Bearer),
            who: &self.case.whos[caller],
            why: &task.why,
            context,
            history: &task.history,
            notes: &NO_NOTES,
            now: self.now,
        };
        let labels = labels_of(&self.case.policies[self.policy], &call.tool).unwrap_or_default();
        Question { setting, call, labels }
    }

    /// Every reason for which a call is refused. What is wrong with the token is all that is told of
    /// a token that is not good.
    pub(crate) fn failures(
        &mut self,
        grant: usize,
        caller: usize,
        call: &CallSaid,
        context: &ContextSaid,
    ) -> Vec<Reason> {
        let policy = self.case.policies[self.policy].clone();
        let own = &self.grants[grant];
        let task = &self.tasks[own.task];
        let mut failures = Vec::new();
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        fails(self.now >= own.token_expires || self.now >= task.ceiling, Reason::Expired);
        fails(self.case.whos[caller].id != self.case.whos[own.holder].id, Reason::NotTheHolder);
        fails(task.over, Reason::TaskOver);
        if !failures.is_empty() {
            return failures;
        }
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        fails(own.ended.is_some(), own.ended.unwrap_or(Reason::Revoked));
        fails(self.now >= own.expires, Reason::Expired);
        fails(own.is_idle(self.now), Reason::Expired);
        // The holder and the presenter of its token have one id and may act for different people.
        let stopped = [caller, own.holder]
            .iter()
            .any(|who| self.stopped(*who, task.requester, &task.name, Some(&call.tool)));
        fails(stopped, Reason::Halted);
        let known = labels_of(&policy, &call.tool).is_some();
        fails(!known, Reason::UnknownTool);
        let question = self.question(grant, caller, call, context);
        fails(!own.scope.iter().any(|c| covers(c, &question)), Reason::OutOfScope);
        let mut deciders = Vec::new();
        match decide(&policy, &question) {
            Says::Permit(rules) => deciders = rules,
            Says::Ask(_) => fails(true, Reason::ApprovalRequired),
            Says::Forbid(_) => fails(true, Reason::Forbidden),
            Says::NoPermit => fails(true, Reason::NoPermit),
        }
        self.close_lapsed(self.grants[grant].task);
        let none = Counter::default();
        let own = &self.grants[grant];
        for (rule, limits) in &self.held_to(grant, &deciders) {
            let counter = self.tasks[own.task].counters.get(rule).unwrap_or(&none);
            let mut fails = |so: bool, reason| {
                if so {
                    failures.push(reason);
                }
            };
            fails(limits.uses.is_some_and(|most| counter.used >= most), Reason::UsesSpent);
            if let Some((most, window)) = limits.rate {
                let recent =
                    counter.calls.iter().filter(|at| self.now - **at < window as i64 * 1000);
                fails(recent.count() as u64 >= most, Reason::RateExceeded);
            }
            let now = self.now;
            let within = |window: u64| {
                let counts = move |(at, _): &&(i64, i64)| now - at < window as i64 * 1000;
                counter.spent.iter().filter(counts)
            };
            let uses = limits.uses_in;
            let spent = uses.is_some_and(|(most, window)| within(window).count() as u64 >= most);
            fails(spent, Reason::UsesSpent);
            if let Some((most, window)) = limits.budget_in {
                let spent: i64 = within(window).map(|(_, amount)| amount).sum();
                let fits = match call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && spent + n <= most,
                    _ => false,
                };
                fails(!fits, Reason::BudgetSpent);
            }
            if let Some(most) = limits.budget_halves {
                let fits = match call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && counter.sum + n <= most,
                    _ => false,
                };
                fails(!fits, Reason::BudgetSpent);
            }
        }
        failures
    }

    /// The limits that a call is held to: those stamped on the grant, and those of the permits that
    /// decide where none of them is stamped.
    fn held_to(&self, grant: usize, deciders: &[String]) -> Vec<(String, LimitsSaid)> {
        let mut limits = self.grants[grant].stamps.clone();
        if !limits.iter().any(|(stamped, _)| deciders.contains(stamped)) {
            let rules = self.case.policies[self.policy].rules.iter();
            let decided = rules.filter(|rule| deciders.contains(&rule.id));
            limits.extend(decided.map(|rule| (rule.id.clone(), rule.limits)));
        }
        limits
    }

    pub(crate) fn close_lapsed(&mut self, task: usize) {
        for at in 0..self.permits.len() {
            let permit = &self.permits[at];
            let lapsed = permit.state == State::Reserved && self.now >= permit.lapses;
            if lapsed && self.grants[permit.grant].task == task {
                self.close_unrecorded(at, Outcome::Abandoned);
            }
        }
    }

    pub(crate) fn give_back(&mut self, task: usize, charges: &[(String, i64, i64)]) {
        for (rule, at, amount) in charges {
            let counter = self.tasks[task].counters.get_mut(rule).unwrap();
            counter.used -= 1;
            counter.sum -= amount;
            let same = counter.spent.iter().rposition(|own| own == &(*at, *amount));
            counter.spent.remove(same.unwrap());
        }
    }

    pub(crate) fn start(&mut self, n: usize, panics: bool) {
        if let Some(at) = pick(&self.permits, n, |p| p.handle.is_some()) {
            self.start_at(at, panics);
        }
    }

    pub(crate) fn start_at(&mut self, at: usize, panics: bool) {
        let handle = self.permits[at].handle.take().unwrap();
        let answer = if panics {
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                handle.run(|_| -> Result<(), ()> { std::panic::resume_unwind(Box::new("a tool")) })
            }));
            match ran {
                Err(_) => Ok(None),
                Ok(Err(RunError::Denied(denial))) => Err(denial),
                Ok(other) => panic!("{other:?}"),
            }
        } else {
            handle.start().map(Some)
        };
        let readable = self.tick();
        let permit = &self.permits[at];
        let grant = &self.grants[permit.grant];
        let task = &self.tasks[grant.task];
        let mut failures = Vec::new();
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        if readable {
            fails(task.over, Reason::TaskOver);
            fails(
                permit.state != State::Reserved || self.now >= permit.lapses,
                Reason::PermitLapsed,
            );
            fails(grant.ended.is_some(), grant.ended.unwrap_or(Reason::Revoked));
            let clamped =
                grant.clamped && answer.as_ref().is_err_and(|d| d.reason() == Reason::Expired);
            fails(clamped, Reason::Expired);
            fails(self.now >= grant.expires || self.now >= task.ceiling, Reason::Expired);
            fails(grant.is_idle(self.now), Reason::Expired);
            fails(self.epoch != permit.epoch, Reason::PolicyChanged);
            // An identity of the holder's id may act for somebody whom the holder does not act for.
            let stopped = [grant.holder, permit.caller]
                .into_iter()
                .any(|who| self.stopped(who, task.requester, &task.name, Some(&permit.tool)));
            fails(stopped, Reason::Halted);
        } else {
            fails(true, Reason::ClockUnreadable);
        }
        match answer {
            Ok(running) => {
                assert!(failures.is_empty(), "started in spite of {failures:?}");
                if let Some(running) = &running {
                    assert_eq!(running.call(), &self.permits[at].asked, "a permit seals the call");
                }
                self.permits[at].state = State::Running;
                let grant = self.permits[at].grant;
                self.grants[grant].running += 1;
                self.started += 1;
                match running {
                    Some(running) => self.permits[at].running = Some(running),
                    None => self.close(at, Outcome::Interrupted),
                }
            }
            Err(denial) => {
                self.denied("run", Err(denial), &failures);
                self.close(at, Outcome::Abandoned);
            }
        }
    }

    pub(crate) fn finish_call(&mut self, n: usize, outcome: Outcome) {
        let Some(at) = pick(&self.permits, n, |p| p.running.is_some()) else { return };
        let running = self.permits[at].running.take().unwrap();
        match outcome {
            Outcome::Ok => running.succeed(),
            Outcome::Error => running.fail(),
            _ => drop(running),
        }
        self.close(at, outcome);
    }

    pub(crate) fn close(&mut self, at: usize, outcome: Outcome) {
        if self.close_unrecorded(at, outcome) {
            let over = self.tasks[self.grants[self.permits[at].grant].task].over;
            self.stand.record(format!("outcome {} {outcome:?} {over}", self.permits[at].number));
        }
    }

    pub(crate) fn close_unrecorded(&mut self, at: usize, outcome: Outcome) -> bool {
        let permit = &mut self.permits[at];
        let was = permit.state;
        if matches!(was, State::Closed(_)) {
            return false;
        }
        permit.state = State::Closed(outcome);
        if was == State::Reserved {
            let (task, charges) = (self.grants[permit.grant].task, permit.charges.clone());
            self.give_back(task, &charges);
        } else {
            let grant = permit.grant;
            self.stand.tick();
            self.grants[grant].running -= 1;
            self.grants[grant].last_used = self.stand.now;
            if self.grants[grant].ended.is_none() {
                self.touch_spells(grant);
            }
        }
        true
    }
}

fn own_is_lenient(grant: &GrantModel, task: &TaskModel) -> bool {
    grant.clamped || task.muddled
}
