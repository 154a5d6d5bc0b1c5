//! The world opens tasks and requests grants.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::policy::{Effect, Moment};
use hallpass::token::Token;
use hallpass::{Denial, Grant, Reason, Task};

use crate::case::Wanted;
use crate::model::{Question, Setting};
use crate::model_rules::{covers, is_of_the_call, labels_of, on_call, on_setting, speaks};
use crate::probe::{inside, of_permit, pinned};
use crate::stand::{CEILING, DEFAULT_TTL, prefer};
use crate::universe::*;
use crate::world::{GrantModel, TaskModel, World};

impl World {
    pub(crate) fn open(&mut self, who: usize, why: &WhySaid, name: Option<&str>) {
        let who = who % self.who.len();
        self.sweep();
        let answer = match name {
            Some(name) => self.broker.open_named(name, &self.who[who], why.purpose()),
            None => self.broker.open(&self.who[who], why.purpose()),
        };
        if !self.tick() {
            self.denied("open", answer.map(drop), &[Reason::ClockUnreadable]);
            return;
        }
        let mut failures = Vec::new();
        if self.stopped(who, who, name.unwrap_or("an opening without a name"), None)
            || (name.is_none() && self.stopped(who, who, &self.next_name(&answer), None))
        {
            failures.push(Reason::Halted);
        }
        let namesake = name
            .and_then(|name| self.tasks.iter().position(|task| task.name == name && !task.over));
        if let Some(at) = namesake {
            if self.now < self.tasks[at].ceiling {
                failures.push(Reason::TaskNameTaken);
            } else if failures.is_empty() {
                self.over(at);
                self.stand.record(format!("ended {} Ceiling", self.tasks[at].generation));
            }
        }
        if !failures.is_empty() {
            self.denied("open", answer.map(drop), &failures);
            return;
        }
        if !self.accepts("opened") {
            self.denied("open", answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let task = answer.unwrap();
        self.events.push(format!("opened {}", task.generation()));
        assert_eq!(task.ceiling().unix_millis() - START, self.now + CEILING);
        self.tasks.push(TaskModel {
            name: task.name().to_owned(),
            generation: task.generation(),
            handle: Some(task),
            requester: who,
            why: why.clone(),
            ceiling: self.now + CEILING,
            over: false,
            history: Vec::new(),
            called: Vec::new(),
            counters: BTreeMap::new(),
            last_used: BTreeMap::new(),
            muddled: false,
        });
    }

    /// Opening a task sweeps a little; here everything is swept before, so that it finds nothing.
    pub(crate) fn sweep(&mut self) {
        self.aside(|broker| broker.sweep(1000));
        if !self.tick() {
            return;
        }
        let now = self.now;
        for task in &mut self.tasks {
            if !task.over && now >= task.ceiling {
                task.over = true;
                self.stand.events.push(format!("ended {} Ceiling", task.generation));
            }
        }
        let standing = self.broker.standing();
        for grant in self.grants.iter_mut().filter(|grant| grant.ended.is_none()) {
            let idle = grant.is_idle(now);
            let clamped = grant.clamped && !standing.grants.iter().any(|own| own.id == grant.id);
            let past = now >= grant.expires || idle || clamped;
            if past && !self.tasks[grant.task].over {
                grant.ended = Some(Reason::Expired);
                self.stand.events.push(format!("grant_ended {} expired", grant.id));
            }
        }
    }

    /// A task without a name of its own is called after its opening.
    pub(crate) fn next_name(&self, answer: &Result<Task, Denial>) -> String {
        match answer {
            Ok(task) => task.name().to_owned(),
            // Only the very first opening can have the name that halts are put on here.
            Err(_)
                if self.events.iter().any(|e| e.contains(" open ") || e.starts_with("opened")) =>
            {
                "a later opening".into()
            }
            Err(_) => "task-1".into(),
        }
    }

    // ---- requesting ----

    pub(crate) fn request(
        &mut self,
        task: usize,
        holder: Option<usize>,
        wanted: &Wanted,
        which: usize,
    ) {
        let held = |t: &TaskModel| t.handle.is_some();
        let Some(task) = prefer(&self.tasks, task, held, |t| !t.over) else { return };
        let requester = self.tasks[task].requester;
        let holder = holder.map_or(requester, |n| n % self.who.len());
        let said = self.case.contexts[which % self.case.contexts.len()].clone();
        let policy = self.case.policies[self.policy].clone();
        let (scope, must_cover) = self.wanted(wanted, &policy);
        let asked = scope_of(&scope);
        assert!(asked.check().is_ok());
        let handle = self.tasks[task].handle.as_ref().unwrap();
        let answer = handle.request_for(&self.who[holder], asked, &context(&said));
        if !self.tick() {
            self.denied("request", answer.map(drop), &[Reason::ClockUnreadable]);
            return;
        }
        let mut failures = Vec::new();
        let own = &self.tasks[task];
        if own.over {
            failures.push(Reason::TaskOver);
        }
        if self.now >= own.ceiling {
            failures.push(Reason::Expired);
        }
        for capability in &scope {
            if self.stopped(holder, requester, &own.name, Some(&capability.tool)) {
                failures.push(Reason::Halted);
            }
            if labels_of(&policy, &capability.tool).is_none() {
                failures.push(Reason::UnknownTool);
            }
        }
        let failures = failures;
        let told = answer.as_ref().err().map(Denial::reason);
        if told.is_some_and(|reason| failures.contains(&reason)) {
            self.denied("request", answer.map(drop), &failures);
            return;
        }
        if !failures.contains(&Reason::UnknownTool) {
            self.check_decision(task, holder, &scope, &said, &policy, must_cover, &answer);
        }
        match answer {
            Err(denial) if denial.reason() == Reason::LogRefused => {
                assert!(failures.is_empty(), "{failures:?}");
                assert!(!self.accepts("granted"), "{}", denial.explain());
                self.denied("request", Err(denial), &[Reason::LogRefused]);
            }
            Err(denial) => {
                let rules = [Reason::NotCovered, Reason::Forbidden, Reason::ApprovalRequired];
                let mut all: Vec<Reason> = failures.iter().chain(&rules).copied().collect();
                // Which rules would give it we can't tell, but that one has been idle for too long.
                let idle = policy.rules.iter().any(|rule| self.has_idled(task, holder, rule));
                all.extend(idle.then_some(Reason::Expired));
                self.denied("request", Err(denial), &all);
            }
            Ok(grant) => {
                assert!(failures.is_empty(), "granted in spite of {failures:?}");
                assert!(self.accepts("granted"), "granted without a record");
                self.granted(grant, task, holder, scope, &policy);
            }
        }
    }

    /// Whether what a rule gives a holder may have been unused for too long.
    fn has_idled(&self, task: usize, holder: usize, rule: &RuleSaid) -> bool {
        let Some(idle) = rule.limits.idle else { return false };
        let key = (rule.id.clone(), self.case.whos[holder].id.clone());
        let last_used = self.tasks[task].last_used.get(&key);
        self.epoch > 1 || last_used.is_some_and(|at| self.now - at >= idle as i64 * 1000)
    }

    pub(crate) fn wanted(
        &self,
        wanted: &Wanted,
        policy: &PolicySaid,
    ) -> (Vec<CapabilitySaid>, Option<usize>) {
        let all = &self.case.capabilities;
        match wanted {
            Wanted::Pinned(n) => {
                let call = &self.case.calls[n % self.case.calls.len()];
                (vec![pinned(call)], None)
            }
            Wanted::Free(one, other) => {
                let mut scope = vec![all[one % all.len()].clone()];
                scope.extend(other.map(|n| all[n % all.len()].clone()));
                (scope, None)
            }
            Wanted::OfPermit(n) => {
                let permits: Vec<usize> = (0..policy.rules.len())
                    .filter(|at| policy.rules[*at].effect == Effect::Permit)
                    .collect();
                let Some(at) = permits.get(n % permits.len().max(1)) else {
                    return (vec![all[n % all.len()].clone()], None);
                };
                match of_permit(&policy.rules[*at]) {
                    Some(capability) => (vec![capability], Some(*at)),
                    None => (vec![all[n % all.len()].clone()], None),
                }
            }
        }
    }

    /// What the rules say to a request is not always for a plain model to know: whether one set of
    /// calls lies within another is what the crate has an algebra for. But what it answers has to be
    /// so for each call that can be tried.
    #[expect(clippy::too_many_arguments, reason = "the question and the answer, part by part")]
    pub(crate) fn check_decision(
        &self,
        task: usize,
        holder: usize,
        scope: &[CapabilitySaid],
        context: &ContextSaid,
        policy: &PolicySaid,
        must_cover: Option<usize>,
        answer: &Result<Grant, Denial>,
    ) {
        let own = &self.tasks[task];
        let (requester, now) = (own.requester, self.now);
        let both = [holder, requester].map(|n| &self.case.whos[n]);
        let setting = |who| Setting {
            moment: Moment::Request,
            form: None,
            who,
            why: &own.why,
            context,
            history: &own.history,
            notes: &NO_NOTES,
            now,
        };
        let reason = answer.as_ref().err().map(Denial::reason);
        let named: Vec<&str> = match answer {
            Ok(grant) => grant.rules().collect(),
            Err(denial) => denial.rules().collect(),
        };
        let rule_named =
            |id: &&str| policy.rules.iter().find(|rule| rule.id == **id).expect("a rule of today");
        let mut useful: BTreeSet<&str> = BTreeSet::new();
        for capability in scope {
            let labels = labels_of(policy, &capability.tool).unwrap();
            let inside = inside(capability, &self.case.calls);
            for who in both {
                let setting = setting(who);
                let question = |call| Question { setting, call, labels };
                let inside: Vec<&CallSaid> =
                    inside.iter().filter(|call| covers(capability, &question(call))).collect();
                let nothing = CallSaid {
                    tool: capability.tool.clone(),
                    args: BTreeMap::new(),
                    resource: None,
                };
                let open = |rule: &RuleSaid| {
                    speaks(rule, &setting) && on_setting(rule, &question(&nothing))
                };
                let all =
                    |rule: &RuleSaid| inside.iter().all(|call| on_call(rule, &question(call)));
                let some =
                    |rule: &RuleSaid| inside.iter().any(|call| on_call(rule, &question(call)));
                if reason.is_none() {
                    let covering: Vec<&str> = named
                        .iter()
                        .filter(|id| open(rule_named(id)) && all(rule_named(id)))
                        .copied()
                        .collect();
                    assert!(!covering.is_empty(), "{named:?} do not cover {capability:?}");
                    useful.extend(covering);
                    for rule in policy.rules.iter().filter(|rule| open(rule)) {
                        let mut said = rule.conditions.iter().chain(rule.unless.iter().flatten());
                        let on_no_call = said
                            .all(|(fact, c)| !is_of_the_call(fact) && !c.compares_with_the_call());
                        let waits = rule.moments.contains(&Moment::Call);
                        assert!(
                            rule.effect == Effect::Permit || waits || !some(rule),
                            "granted although `{}` speaks of some of it, and not at calls",
                            rule.id
                        );
                        assert!(
                            rule.effect != Effect::Forbid || !on_no_call,
                            "granted although `{}` forbids all of it",
                            rule.id
                        );
                        assert!(
                            rule.effect != Effect::Ask || !rule.per_task || !some(rule),
                            "granted although `{}` asks before",
                            rule.id
                        );
                    }
                }
                for id in &named {
                    let rule = rule_named(id);
                    let so = match reason {
                        Some(Reason::Forbidden) => {
                            let waits = rule.moments.contains(&Moment::Call);
                            rule.effect == Effect::Forbid && open(rule) && (all(rule) || !waits)
                        }
                        Some(Reason::ApprovalRequired) => {
                            let waits = rule.moments.contains(&Moment::Call) && !rule.per_task;
                            rule.effect == Effect::Ask && !waits && open(rule)
                        }
                        _ => continue,
                    };
                    if so {
                        useful.insert(id);
                    }
                }
            }
        }
        if reason == Some(Reason::Forbidden) || reason == Some(Reason::ApprovalRequired) {
            assert!(!named.is_empty(), "a refusal by rules names them");
        }
        for id in &named {
            assert!(useful.contains(id), "`{id}` is named and does not decide");
        }
        if let (Some(at), Some(Reason::NotCovered)) = (must_cover, reason) {
            let labels = labels_of(policy, &scope[0].tool).unwrap();
            let call =
                CallSaid { tool: scope[0].tool.clone(), args: BTreeMap::new(), resource: None };
            let rule = &policy.rules[at];
            // What no call fits, such as two values at once, need not be given.
            let question = Question { setting: setting(both[0]), call: &call, labels };
            let fits = inside(&scope[0], &[])
                .iter()
                .any(|call| covers(&scope[0], &Question { call, ..question }));
            let for_both = both.iter().all(|who| {
                let question = Question { setting: setting(who), call: &call, labels };
                speaks(rule, &question.setting) && on_setting(rule, &question)
            });
            assert!(!(fits && for_both), "`{}` does not cover what it says itself", rule.id);
        }
    }

    pub(crate) fn granted(
        &mut self,
        grant: Grant,
        task: usize,
        holder: usize,
        scope: Vec<CapabilitySaid>,
        policy: &PolicySaid,
    ) {
        let stamps: Vec<(String, LimitsSaid)> = policy
            .rules
            .iter()
            .filter(|rule| grant.rules().any(|id| id == rule.id))
            .map(|rule| (rule.id.clone(), rule.limits))
            .collect();
        let life = stamps.iter().map(|(_, l)| l.ttl.map_or(DEFAULT_TTL, |s| s as i64 * 1000));
        let expires = (self.now + life.min().unwrap()).min(self.tasks[task].ceiling);
        assert_eq!(grant.expires().unix_millis() - START, expires);
        self.events.push(format!("granted {}", grant.id()));
        self.granted += 1;
        let by = self.case.whos[holder].id.clone();
        let used: Vec<bool> =
            stamps.iter().map(|(rule, _)| self.is_in_use(task, &by, rule)).collect();
        let (now, spells) = (self.now, &mut self.tasks[task].last_used);
        let unused = stamps.iter().zip(used).filter(|(_, used)| !used).map(|(own, _)| own);
        let idles = unused.filter_map(|(rule, l)| Some((rule, l.idle? as i64 * 1000)));
        let ends = idles
            .map(|(rule, idle)| *spells.entry((rule.clone(), by.clone())).or_insert(now) + idle);
        let idle_ends = ends.min();
        assert!(idle_ends.is_none_or(|end| now < end), "given though idle for too long");
        let idle = stamps.iter().filter_map(|(_, l)| l.idle).min().map(|s| s as i64 * 1000);
        self.grants.push(GrantModel {
            id: grant.id(),
            token: Token::from_text(grant.token().expose().to_owned()),
            handle: Some(grant),
            task,
            holder,
            muddled: scope.len() > 1 && policy.rules.iter().any(|rule| rule.limits.counts()),
            scope,
            expires,
            token_expires: expires,
            idle,
            stamps,
            last_used: idle_ends.zip(idle).map_or(now, |(end, idle)| end - idle),
            running: 0,
            ended: None,
            // What a reload began to count, we can't tell.
            clamped: idle.is_some() && self.epoch > 1,
        });
    }
}
