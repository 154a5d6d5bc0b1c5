//! A life authorizes calls, and runs them.

use hallpass::audit::Outcome;
use hallpass::policy::Moment;
use hallpass::token::Form;
use hallpass::{Halt, Reason, RunError};

use crate::giving::Stamp;
use crate::life::{Bound, Charge, Held, Life, Owner, Row, Slip, State};
use crate::life_asks::context_of;
use crate::model::{Question, Says, Setting, decide, labels_of};
use crate::small::{Covering, every_call};
use crate::stand::{PERMIT_TTL, pick, prefer};
use crate::universe::*;

/// How far a presentation's time may be from the broker's.
const WINDOW: i64 = 30_000;

/// What is put to the gate.
struct Shown {
    held: usize,
    bound: Option<usize>,
    caller: usize,
    call: CallSaid,
    context: ContextSaid,
}

impl Life {
    fn token(&self, n: usize) -> Option<usize> {
        let current =
            |held: &Held| self.rows[held.row].serial == held.serial && self.is_live(held.row);
        prefer(&self.held, n, |_| true, current)
    }

    /// A call of what a token is for, mostly.
    fn call(&self, held: usize, n: usize) -> CallSaid {
        let own = &self.held[held];
        let parts = &self.rows[own.row].parts;
        let within = &parts[n % parts.len()].covering;
        let narrowed = |call: &CallSaid| {
            own.narrowings.iter().all(|(scope, _)| scope.iter().any(|part| part.has(call)))
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
            _ => inside[n / 80 % inside.len()].clone(),
        }
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
        let halt = Halt::identity(&self.case.whos[who].id);
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
    fn put(&mut self, shown: &Shown) {
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
            let limits = [Reason::UsesSpent, Reason::RateExceeded, Reason::BudgetSpent];
            self.tally.limited += usize::from(limits.contains(&reason));
            return;
        }
        let row = self.held[shown.held].row;
        let task = self.rows[row].task;
        let charges = self.charge(shown);
        let policy = self.today();
        self.tasks[task]
            .history
            .extend(labels_of(&policy.said, &shown.call.tool).unwrap().to_vec());
        for at in self.lineage(row) {
            self.rows[at].last_used = self.now;
        }
        if !self.accepts("permitted") {
            self.tally.withdrawn += 1;
            self.give_back(&charges);
            self.refused("call", Some(shown.caller), answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let permit = answer.unwrap_or_else(|denial| panic!("{}", denial.explain()));
        assert!(permit.rules().eq(dry.unwrap().iter().map(|id| &**id)));
        assert_eq!(permit.call(), &shown.call.call(), "a permit seals the call");
        let says = Says::Permit(permit.rules().map(str::to_owned).collect());
        assert_eq!(says, self.says(shown), "P3: today's rules give this very call");
        self.stand.events.push(format!("permitted {}", self.rows[row].id));
        self.tally.permitted += 1;
        self.tally.permitted_to_delegates += usize::from(self.rows[row].parent.is_some());
        self.tally.permitted_bound += usize::from(shown.bound.is_some());
        self.slips.push(Slip {
            number: permit.number(),
            handle: Some(permit),
            running: None,
            row,
            caller: shown.caller,
            tool: shown.call.tool.clone(),
            lapses: self.now + PERMIT_TTL,
            epoch: self.epoch,
            state: State::Reserved,
            charges,
        });
    }

    fn says(&self, shown: &Shown) -> Says {
        let task = &self.tasks[self.rows[self.held[shown.held].row].task];
        let form = if shown.bound.is_some() { Form::CallBound } else { Form::Bearer };
        let setting = Setting {
            moment: Moment::Call,
            form: Some(form),
            who: &self.case.whos[shown.caller],
            why: &task.why,
            context: &shown.context,
            history: &task.history,
            now: self.now,
        };
        let policy = &self.case.policies[self.policy];
        let labels = labels_of(policy, &shown.call.tool).unwrap_or_default();
        decide(policy, &Question { setting, call: &shown.call, labels })
    }

    /// Every reason to refuse, of the first step that has one: token, table, scopes, rules, limits.
    fn expected(&mut self, shown: &Shown) -> Vec<Reason> {
        if !self.tick() {
            return vec![Reason::ClockUnreadable];
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
        if !reasons.is_empty() {
            return reasons;
        }
        // P4: every constraint of every grant above, and of every narrowing.
        let narrowed = |(scope, _): &(Vec<Covering>, _)| scope.iter().any(|p| p.has(&shown.call));
        let covers = |at: &usize| self.rows[*at].parts.iter().any(|p| p.covering.has(&shown.call));
        if !covers(&row)
            || !above.iter().all(covers)
            || !self.held[shown.held].narrowings.iter().all(narrowed)
        {
            reasons.push(Reason::OutOfScope);
        }
        if above.iter().any(|at| self.rows[*at].is_past(self.now)) {
            reasons.push(Reason::Expired);
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
        self.close_lapsed(task);
        self.limit_failures(shown)
    }

    /// What is wrong with a token by itself.
    pub(crate) fn token_failures(
        &self,
        held: usize,
        bound: Option<usize>,
        caller: usize,
    ) -> Vec<Reason> {
        let own = &self.held[held];
        let ended = |at: &Option<i64>| at.is_some_and(|at| self.now >= at);
        let holder = self.rows[own.row].holder;
        let far = bound.is_some_and(|at| (self.bound[at].at - self.now).abs() >= WINDOW);
        let failures = [
            (self.now >= own.expires, Reason::Expired),
            (own.narrowings.iter().any(|(_, at)| ended(at)), Reason::Expired),
            (far, Reason::StalePresentation),
            (self.case.whos[caller].id != self.case.whos[holder].id, Reason::NotTheHolder),
        ];
        failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason).collect()
    }

    /// What is wrong with the grant that a token names.
    fn row_failures(&self, held: usize, caller: usize, tool: &str) -> Vec<Reason> {
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
        let past = row.is_past(self.now) || self.now >= self.tasks[row.task].ceiling;
        let stopped = self.stopped(row.task, &whos, Some(tool));
        let failures = [(past, Reason::Expired), (stopped, Reason::Halted)];
        failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason).collect()
    }

    /// P12: what is bound to a call is worth one try, from where its grant has been found to live.
    fn take_once(&mut self, shown: &Shown) {
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

    // ---- limits ----

    /// What limits a call: what was put on the part of the scope that covers it, and on that of each
    /// grant above; and where none of the permits that give it put anything there, what they say.
    fn stamps(&self, shown: &Shown) -> Vec<(Stamp, Owner)> {
        let row = self.held[shown.held].row;
        let caller = &self.case.whos[shown.caller].id;
        let on = |at: usize| {
            let part = self.rows[at].parts.iter().find(|part| part.covering.has(&shown.call));
            part.map(|part| part.stamps.as_slice()).unwrap_or_default()
        };
        let mut all: Vec<Stamp> =
            self.lineage(row).into_iter().flat_map(|at| on(at).to_vec()).collect();
        if let Says::Permit(ids) = self.says(shown) {
            let counted = |id: &String| {
                let own = on(row).iter().filter(|stamp| stamp.rule == *id);
                own.filter(|stamp| stamp.identity.as_ref().is_none_or(|own| own == caller)).count()
            };
            if ids.iter().all(|id| counted(id) == 0) {
                let today = self.today();
                let rules = today.said.rules.iter().filter(|rule| ids.contains(&rule.id));
                all.extend(rules.map(|rule| Stamp {
                    rule: rule.id.clone(),
                    identity: rule.limits.per_identity.then(|| caller.clone()),
                    limits: rule.limits,
                }));
            }
        }
        let generation = self.tasks[self.rows[row].task].generation;
        let owned = |stamp: Stamp| {
            let owner = match &stamp.identity {
                Some(id) => Owner::Identity(id.clone()),
                None => Owner::Task(generation),
            };
            (stamp, owner)
        };
        all.into_iter().map(owned).collect()
    }

    fn limit_failures(&self, shown: &Shown) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (stamp, owner) in self.stamps(shown) {
            let charged: Vec<&Charge> = self
                .charges
                .iter()
                .filter(|charge| charge.rule == stamp.rule && charge.owner == owner)
                .collect();
            let kept = || charged.iter().filter(|charge| !charge.given_back);
            let limits = stamp.limits;
            if limits.uses.is_some_and(|most| kept().count() as u64 >= most) {
                reasons.push(Reason::UsesSpent);
            }
            if let Some((most, window)) = limits.rate {
                let within = |c: &&&Charge| c.rated && self.now - c.at < window as i64 * 1000;
                if charged.iter().filter(within).count() as u64 >= most {
                    reasons.push(Reason::RateExceeded);
                }
            }
            if let Some(most) = limits.budget_halves {
                let spent: i64 = kept().map(|charge| charge.amount).sum();
                let fits = match shown.call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && spent + n <= most,
                    _ => false,
                };
                if !fits {
                    reasons.push(Reason::BudgetSpent);
                }
            }
        }
        reasons
    }

    /// Charges one call to every counter that counts it, once.
    fn charge(&mut self, shown: &Shown) -> Vec<usize> {
        let amount = match shown.call.args.get("n") {
            Some(V::Halves(n)) => *n,
            _ => 0,
        };
        let mut charged: Vec<usize> = Vec::new();
        for (stamp, owner) in self.stamps(shown) {
            let LimitsSaid { uses, rate, budget_halves, .. } = stamp.limits;
            if uses.is_none() && rate.is_none() && budget_halves.is_none() {
                continue;
            }
            let amount = if budget_halves.is_some() { amount } else { 0 };
            let same = |at: &&usize| {
                self.charges[**at].rule == stamp.rule && self.charges[**at].owner == owner
            };
            match charged.iter().find(same).copied() {
                Some(at) => {
                    let own = &mut self.charges[at];
                    own.rated |= rate.is_some();
                    own.amount = own.amount.max(amount);
                }
                None => {
                    charged.push(self.charges.len());
                    self.charges.push(Charge {
                        rule: stamp.rule,
                        owner,
                        at: self.stand.now,
                        rated: rate.is_some(),
                        amount,
                        given_back: false,
                    });
                }
            }
        }
        charged
    }

    fn give_back(&mut self, charges: &[usize]) {
        for at in charges {
            self.charges[*at].given_back = true;
        }
    }

    /// Permits of a task that nobody started in time. What they hold comes back when their task is
    /// looked at next.
    pub(crate) fn close_lapsed(&mut self, task: usize) {
        for at in 0..self.slips.len() {
            let slip = &self.slips[at];
            let lapsed = slip.state == State::Reserved && self.now >= slip.lapses;
            if lapsed && self.rows[slip.row].task == task && !self.tasks[task].over {
                let number = slip.number;
                self.close_unrecorded(at, Outcome::Abandoned);
                self.events.push(format!("outcome {number} Abandoned false"));
            }
        }
    }

    // ---- running ----

    pub(crate) fn start(&mut self, n: usize, panics: bool) {
        if let Some(at) = pick(&self.slips, n, |slip| slip.handle.is_some()) {
            self.start_at(at, panics);
        }
    }

    pub(crate) fn start_at(&mut self, at: usize, panics: bool) {
        let handle = self.slips[at].handle.take().unwrap();
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
        let failures = self.start_failures(at);
        match answer {
            Ok(running) => {
                assert!(failures.is_empty(), "P11: started in spite of {failures:?}");
                self.slips[at].state = State::Running;
                self.tally.started += 1;
                match running {
                    Some(running) => self.slips[at].running = Some(running),
                    None => self.close(at, Outcome::Interrupted),
                }
            }
            Err(denial) => {
                self.refused("run", None, Err(denial), &failures);
                self.tally.refused_starts += 1;
                self.close(at, Outcome::Abandoned);
            }
        }
    }

    /// P11: whatever has ended, halted or reloaded what the permit stands on.
    fn start_failures(&mut self, at: usize) -> Vec<Reason> {
        if !self.tick() {
            return vec![Reason::ClockUnreadable];
        }
        let slip = &self.slips[at];
        let task = self.rows[slip.row].task;
        let mut reasons = self.lineage_failures(slip.row);
        let lineage = self.lineage(slip.row);
        let mut whos: Vec<usize> = lineage.iter().map(|at| self.rows[*at].holder).collect();
        whos.push(slip.caller);
        let lapsed = slip.state != State::Reserved || self.now >= slip.lapses;
        let failures = [
            (self.tasks[task].over, Reason::TaskOver),
            (self.now >= self.tasks[task].ceiling, Reason::Expired),
            (lapsed, Reason::PermitLapsed),
            (self.epoch != slip.epoch, Reason::PolicyChanged),
            (self.stopped(task, &whos, Some(&slip.tool)), Reason::Halted),
        ];
        reasons.extend(failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason));
        reasons
    }

    pub(crate) fn drop_permit(&mut self, n: usize) {
        if let Some(at) = pick(&self.slips, n, |slip| slip.handle.is_some()) {
            drop(self.slips[at].handle.take());
            self.close(at, Outcome::Abandoned);
        }
    }

    pub(crate) fn finish_call(&mut self, n: usize, outcome: Outcome) {
        let Some(at) = pick(&self.slips, n, |slip| slip.running.is_some()) else { return };
        let running = self.slips[at].running.take().unwrap();
        match outcome {
            Outcome::Ok => running.succeed(),
            Outcome::Error => running.fail(),
            _ => drop(running),
        }
        self.close(at, outcome);
    }

    pub(crate) fn close(&mut self, at: usize, outcome: Outcome) {
        if self.close_unrecorded(at, outcome) {
            let slip = &self.slips[at];
            let over = self.tasks[self.rows[slip.row].task].over;
            let event = format!("outcome {} {outcome:?} {over}", slip.number);
            self.record(event);
        }
    }

    fn close_unrecorded(&mut self, at: usize, outcome: Outcome) -> bool {
        let was = self.slips[at].state;
        if matches!(was, State::Closed(_)) {
            return false;
        }
        self.slips[at].state = State::Closed(outcome);
        if was == State::Reserved {
            let charges = self.slips[at].charges.clone();
            self.give_back(&charges);
        }
        true
    }

    // ---- listing ----

    /// What is listed may be denied for its arguments; what is not listed would be denied for any.
    pub(crate) fn list(&mut self, token: usize, caller: Option<usize>, context: usize) {
        let Some(held) = self.token(token) else { return };
        let row = self.held[held].row;
        let caller = caller.map_or(self.rows[row].holder, |n| n % self.who.len());
        let said = self.contexts[context % self.contexts.len()].clone();
        let answer = self.gate.tools(&self.held[held].token, &self.who[caller], &context_of(&said));
        let mut reasons =
            if self.tick() { self.token_failures(held, None, caller) } else { Vec::new() };
        if !self.tick() {
            reasons.push(Reason::ClockUnreadable);
        }
        let task = self.rows[row].task;
        if reasons.is_empty() && self.tasks[task].over {
            reasons.push(Reason::TaskOver);
        }
        if reasons.is_empty() {
            let was_there = self.is_there(row);
            self.keep_up(row);
            reasons = self.lineage_failures(row);
            let there = self.is_there(row);
            if there || !was_there {
                self.close_lapsed(task);
            }
            let superseded = there && self.rows[row].serial != self.held[held].serial;
            reasons.extend(superseded.then_some(Reason::Superseded));
        }
        let told = match answer {
            Err(denial) => {
                assert!(reasons.contains(&denial.reason()), "{reasons:?}: {}", denial.explain());
                return;
            }
            Ok(tools) => tools,
        };
        assert!(reasons.is_empty(), "listed in spite of {reasons:?}");
        let lineage = self.lineage(row);
        for tool in [TOOLS[0], TOOLS[1], TOOLS[2]] {
            let listed = told.iter().any(|own| own.as_str() == tool);
            let named = |scope: &[Covering]| scope.iter().any(|part| part.tool == tool);
            let in_rows = lineage
                .iter()
                .all(|at| self.rows[*at].parts.iter().any(|part| part.covering.tool == tool));
            let in_token = self.held[held].narrowings.iter().all(|(scope, _)| named(scope));
            let mut whos: Vec<usize> = lineage.iter().map(|at| self.rows[*at].holder).collect();
            whos.push(caller);
            let known = self.knows(tool) && !self.stopped(task, &whos, Some(tool));
            assert!(!listed || (in_rows && in_token && known), "`{tool}` is listed");
            if !known {
                continue;
            }
            let scopes = self.rows[row].parts.iter().map(|part| &part.covering);
            let own = scopes.filter(|own| own.tool == tool);
            let calls: Vec<CallSaid> =
                own.flat_map(|own| own.calls.iter().step_by(3).map(|n| own.call(*n))).collect();
            for call in calls {
                let context = said.clone();
                let shown = Shown { held, bound: None, caller, call, context };
                let permitted = self.expected(&shown).is_empty();
                assert!(listed || !permitted, "not listed: {:?}", shown.call);
            }
        }
    }
}
