//! A life opens tasks, requests grants and delegates them.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::policy::{Effect, Moment};
use hallpass::scope::Scope;
use hallpass::token::Token;
use hallpass::{Denial, Grant, Reason};

use crate::case::Wanted;
use crate::giving::{Asking, Given, Party};
use crate::life::Life;
use crate::life_case::Timed;
use crate::life_defaults::wanted_whole;
use crate::life_read::context_of;
use crate::life_rows::{Held, LiveTask, Part, Row};
use crate::model_rules::labels_of;
use crate::probe::{of_permit, pinned};
use crate::small::{Covering, Posted};
use crate::stand::{CEILING, pick, prefer};
use crate::universe::*;

impl Life {
    pub(crate) fn open(&mut self, who: usize, why: &WhySaid, name: Option<&str>) {
        let who = who % self.who.len();
        // Opening sweeps a little: here everything has been swept before.
        self.sweep();
        self.openings += 1;
        let answer = match name {
            Some(name) => self.broker.open_named(name, &self.who[who], why.purpose()),
            None => self.broker.open(&self.who[who], why.purpose()),
        };
        if !self.tick() {
            self.refused("open", None, answer.map(drop), &[Reason::ClockUnreadable]);
            return;
        }
        let unnamed = format!("task-{}", self.openings);
        let mut own = LiveTask {
            handle: None,
            name: name.unwrap_or(&unnamed).to_owned(),
            generation: self.openings,
            requester: who,
            why: why.clone(),
            ceiling: self.now + CEILING,
            over: false,
            lost: false,
            history: Vec::new(),
            called: Vec::new(),
            notes: NotesSaid::new(),
        };
        let mut failures = Vec::new();
        let taken = self.tasks.iter().any(|task| task.name == own.name && !task.over);
        if taken && name.is_some() {
            failures.push(Reason::TaskNameTaken);
        }
        self.tasks.push(own);
        if self.stopped(self.tasks.len() - 1, &[who], None) {
            failures.push(Reason::Halted);
        }
        own = self.tasks.pop().unwrap();
        if !failures.is_empty() {
            self.refused("open", Some(who), answer.map(drop), &failures);
            return;
        }
        if !self.accepts("opened") {
            self.refused("open", None, answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let task = answer.unwrap();
        self.events.push(format!("opened {}", own.generation));
        if taken {
            // A name of its own, where somebody has given this one to another task.
            assert!(task.name().starts_with(&format!("{}-", own.name)));
            own.name = task.name().to_owned();
        }
        assert_eq!(task.name(), own.name);
        assert_eq!(task.generation(), own.generation, "no number is used twice");
        assert_eq!(task.ceiling().unix_millis() - START, own.ceiling);
        own.handle = Some(task);
        self.tasks.push(own);
    }

    /// Something to ask for, likely within what a permit gives, or within a parent.
    pub(crate) fn wanted(&self, wanted: &Wanted, parent: Option<usize>) -> Vec<CapabilitySaid> {
        let all = &self.case.capabilities;
        let any = |n: usize| all[n % all.len()].clone();
        match (wanted, parent) {
            (Wanted::Free(one, other), _) => {
                [Some(any(*one)), other.map(any)].into_iter().flatten().collect()
            }
            (Wanted::OfPermit(n), None) => {
                let policy = &self.case.policies[self.policy];
                let at = pick(&policy.rules, *n, |rule| rule.effect == Effect::Permit);
                vec![
                    at.and_then(|at| of_permit(&policy.rules[at].before_notes()))
                        .unwrap_or_else(|| any(*n)),
                ]
            }
            (Wanted::OfPermit(n), Some(row)) => {
                let parts = &self.rows[row].parts;
                let said = parts[n % parts.len()].said.clone().unwrap_or_else(|| any(*n));
                // The same, or a little less, if that leaves anything.
                let mut less = said.clone();
                match n / 8 % 4 {
                    0 => less.other_args = less.args.is_empty(),
                    1 => less.args.push(("n".into(), C::Max(2))),
                    _ => {}
                }
                vec![if Covering::of(&less).calls.is_empty() { said } else { less }]
            }
            (Wanted::Pinned(n), None) => vec![pinned_in(&Covering::of(&any(*n)), n / 8)],
            (Wanted::Pinned(n), Some(row)) => {
                let parts = &self.rows[row].parts;
                vec![pinned_in(&parts[n % parts.len()].covering, n / 8)]
            }
        }
    }

    /// The calls of what is said, as today's catalogue has them.
    pub(crate) fn coverings(&self, said: &[CapabilitySaid]) -> Vec<Covering> {
        let policy = &self.case.policies[self.policy];
        said.iter().map(|own| Covering::of(&wanted_whole(policy, own))).collect()
    }

    pub(crate) fn asking<'a>(
        &'a self,
        policy: &'a Posted,
        task: usize,
        context: Option<&'a ContextSaid>,
    ) -> Asking<'a> {
        let own = &self.tasks[task];
        Asking {
            policy,
            whos: &self.case.whos,
            why: &own.why,
            context,
            history: &own.history,
            now: self.now,
        }
    }

    /// What is wrong with asking for anything in this task, whatever rules say.
    pub(crate) fn task_failures(&self, task: usize, holder: usize) -> Vec<Reason> {
        let own = &self.tasks[task];
        let failures = [
            (own.over, Reason::TaskOver),
            (self.now >= own.ceiling, Reason::Expired),
            (self.stopped(task, &[holder], None), Reason::Halted),
        ];
        failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason).collect()
    }

    /// What rules and halts say to all of these; or every reason against it.
    pub(crate) fn given(
        &self,
        task: usize,
        parties: &[Party],
        scope: &[Covering],
        context: &ContextSaid,
    ) -> Result<Given, Vec<Reason>> {
        let policy = self.today();
        let asked = self.asking(&policy, task, Some(context)).give(parties, scope);
        let stopped = |part: &Covering| {
            parties.iter().any(|(who, _)| self.stopped(task, &[*who], Some(&part.tool)))
        };
        match (asked, scope.iter().any(stopped)) {
            (asked, false) => asked,
            (Ok(_), true) => Err(vec![Reason::Halted]),
            (Err(mut reasons), true) => {
                reasons.push(Reason::Halted);
                Err(reasons)
            }
        }
    }

    /// Who has to be permitted a request: the holder, and the requester if that is another.
    pub(crate) fn parties(&self, task: usize, holder: usize) -> Vec<Party> {
        let requester = self.tasks[task].requester;
        let mut parties = vec![(holder, Moment::Request)];
        if holder != requester {
            parties.push((requester, Moment::Request));
        }
        parties
    }

    pub(crate) fn request(
        &mut self,
        task: usize,
        holder: Option<usize>,
        wanted: &Wanted,
        context: usize,
        (trimmed, timed): (bool, Timed),
    ) {
        let held = |t: &LiveTask| t.handle.is_some();
        let Some(task) = prefer(&self.tasks, task, held, |t| !t.over) else { return };
        let requester = self.tasks[task].requester;
        let holder = holder.map_or(requester, |n| n % self.who.len());
        let said = self.contexts[context % self.contexts.len()].clone();
        let mut said_so = self.wanted(wanted, None);
        if let (true, Wanted::OfPermit(n)) = (trimmed, wanted) {
            // More than a permit gives, mostly.
            let open = |own: &mut CapabilitySaid| {
                own.args.truncate(n / 8 % 2);
                own.other_args = true;
            };
            said_so.iter_mut().for_each(open);
        }
        let handle = self.tasks[task].handle.as_ref().unwrap();
        let (scope, moment) = (scope_of(&said_so), context_of(&said));
        let scope = timed.ttl.map(Duration::from_secs).into_iter().fold(scope, Scope::ttl);
        let starts = timed.starts.map(|seconds| self.next() + 1000 * seconds as i64);
        let starts_at = starts.and_then(|starts| Timestamp::from_unix_millis(START + starts));
        let scope = starts_at.into_iter().fold(scope, Scope::starting);
        let mut cuts = None;
        let answer = if trimmed {
            handle.request_trimmed_for(&self.who[holder], scope, &moment).map(|(grant, cut)| {
                cuts = Some(cut);
                grant
            })
        } else {
            handle.request_for(&self.who[holder], scope, &moment)
        };
        if !self.tick() {
            let failures = [Reason::ClockUnreadable];
            self.refused("request", Some(requester), answer.map(drop), &failures);
            return;
        }
        let asked = self.coverings(&said_so);
        let parties = self.parties(task, holder);
        let scope = match (&cuts, &answer) {
            (Some(cuts), Ok(grant)) => self.trimmed(task, &parties, &asked, &said, cuts, grant),
            _ if trimmed => self.left_of(task, &parties, &asked, &said),
            _ => asked.clone(),
        };
        let mut failures = self.task_failures(task, holder);
        let given = match self.given(task, &parties, &scope, &said) {
            Ok(given) => Some(given),
            Err(reasons) => {
                failures.extend(reasons);
                None
            }
        };
        if trimmed {
            said_so.clear();
        }
        let asked = (timed.ttl.map(|seconds| 1000 * seconds as i64), starts);
        self.made((task, holder, None), (&said_so, asked), (scope, given, failures), answer);
    }

    /// What is left of a part that is asked for.
    pub(crate) fn parts(
        &self,
        task: usize,
        parties: &[Party],
        asked: &Covering,
        context: &ContextSaid,
    ) -> Vec<Covering> {
        if parties.iter().any(|(who, _)| self.stopped(task, &[*who], Some(&asked.tool))) {
            return Vec::new();
        }
        let policy = self.today();
        self.asking(&policy, task, Some(context)).parts(parties, asked)
    }

    /// Compares the answer to a request or a delegation, and adds the grant.
    pub(crate) fn made(
        &mut self,
        (task, holder, parent): (usize, usize, Option<usize>),
        (said, (ttl, starts)): (&[CapabilitySaid], (Option<i64>, Option<i64>)),
        (scope, given, failures): (Vec<Covering>, Option<Given>, Vec<Reason>),
        answer: Result<Grant, Denial>,
    ) {
        let requester = self.tasks[task].requester;
        let stage = if parent.is_some() { "delegate" } else { "request" };
        let mut failures = failures;
        let mut time = (None, None);
        let mut expires = 0;
        let starts = starts.filter(|starts| *starts > self.now);
        let from = starts.unwrap_or(self.now);
        if let Some(given) = &given {
            time = self.time_left(task, holder, &given.stamps, self.now);
            let over = |end: Option<i64>| end.is_some_and(|end| self.now >= end);
            expires = (self.now + given.ttl).min(self.tasks[task].ceiling);
            expires = expires.min(time.0.unwrap_or(expires));
            for at in parent.map(|at| self.lineage(at)).unwrap_or_default() {
                expires = expires.min(self.rows[at].expires);
            }
            // What is asked for counts from its start, and what is given from now.
            expires = ttl.map_or(expires, |ttl| expires.min(from + ttl));
            let idle = given.idle.map(|idle| time.1.unwrap_or(self.now + idle));
            let unused = starts.is_some_and(|starts| idle.is_some_and(|ends| ends <= starts));
            if over(time.0) || over(time.1) || expires <= from || unused {
                failures.push(Reason::Expired);
                self.tally.asked_in_vain += 1;
            }
        }
        let (life_ends, idle_ends) = time;
        if !failures.is_empty() {
            self.refused(stage, Some(requester), answer.map(drop), &failures);
            return;
        }
        if !self.accepts("granted") {
            self.tally.withdrawn += 1;
            self.refused(stage, Some(requester), answer.map(drop), &[Reason::LogRefused]);
            return;
        }
        let grant = answer.unwrap_or_else(|denial| panic!("{}: {scope:?}", denial.explain()));
        let given = given.expect("granted what is not given");
        let told = grant.starts().map(|own| own.unix_millis() - START);
        assert_eq!(told, starts, "it starts when it should");
        self.tally.later += usize::from(starts.is_some());
        assert_eq!(grant.expires().unix_millis() - START, expires, "it ends when it should");
        let rules: Vec<&str> = given.rules.iter().map(String::as_str).collect();
        assert!(grant.rules().eq(rules), "the permits are named");
        self.events.push(format!("granted {}", grant.id()));
        self.tally.granted += 1;
        self.tally.delegated += usize::from(parent.is_some());
        let hops = parent.map_or(0, |at| self.lineage(at).len());
        self.tally.third_hops += usize::from(hops >= 3);
        self.begin_spells(task, holder, &given.stamps, self.now);
        let last_used = idle_ends.zip(given.idle).map_or(self.now, |(end, idle)| end - idle);
        let parts = scope.into_iter().zip(given.stamps);
        self.held.push(Held {
            token: Token::from_text(grant.token().expose().to_owned()),
            row: self.rows.len(),
            serial: 1,
            issued: self.now,
            expires,
            key: self.keys.len() - 1,
            narrowings: Vec::new(),
        });
        self.rows.push(Row {
            id: grant.id(),
            handle: Some(grant),
            task,
            holder,
            parent,
            parts: parts
                .enumerate()
                .map(|(at, (covering, stamps))| Part {
                    said: said.get(at).cloned(),
                    granted: covering.clone(),
                    covering,
                    stamps,
                })
                .collect(),
            first_issued: self.now,
            issued: self.now,
            expires,
            asked_ttl: ttl,
            starts,
            life_ends,
            idle: given.idle,
            last_used,
            running: 0,
            serial: 1,
            confirmed: 1,
            epoch: self.epoch,
            ended: None,
        });
    }

    /// Narrows a token, as its holder does far from any broker.
    pub(crate) fn attenuate(&mut self, token: usize, wanted: &Wanted, seconds: Option<u64>) {
        let fresh = |held: &Held| held.narrowings.len() < 3;
        let current = |held: &Held| self.rows[held.row].serial == held.serial;
        let Some(at) = prefer(&self.held, token, fresh, current) else { return };
        let scope = self.wanted(wanted, Some(self.held[at].row));
        let until = seconds.map(|s| self.now + s as i64 * 1000);
        let expires =
            until.map(|at| hallpass::clock::Timestamp::from_unix_millis(START + at).unwrap());
        let token = self.held[at].token.attenuate(&scope_of(&scope), expires).unwrap();
        let mut narrowings = self.held[at].narrowings.clone();
        narrowings.push((scope, until));
        let Held { row, serial, issued, expires, key, .. } = self.held[at];
        self.held.push(Held { token, row, serial, issued, expires, key, narrowings });
    }

    /// Whether a tool can be named at all today.
    pub(crate) fn knows(&self, tool: &str) -> bool {
        labels_of(&self.case.policies[self.policy], tool).is_some()
    }
}

/// One of the calls.
fn pinned_in(covering: &Covering, n: usize) -> CapabilitySaid {
    pinned(&covering.call(covering.calls[n % covering.calls.len()]))
}
