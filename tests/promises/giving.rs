//! What rules give before there is a call, by the book: every call of what is asked for is put to
//! every rule.

use std::collections::BTreeSet;

use hallpass::Reason;
use hallpass::policy::{Effect, Moment};

use crate::model::{FALSE, Question, Setting, Side, TRUE, condition};
use crate::model_rules::{
    is_of_the_call, labels_of, looks_at_the_call, on_call, on_setting, speaks,
};
use crate::small::{Covering, Posted};
use crate::stand::{CEILING, DEFAULT_TTL};
use crate::universe::*;

/// A rule's limits on what was granted, and whose counter they are about: an identity's, or the
/// task's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) rule: String,
    pub(crate) identity: Option<String>,
    pub(crate) limits: LimitsSaid,
}

impl Stamp {
    /// Whether both draw on one counter.
    pub(crate) fn counts_with(&self, other: &Stamp) -> bool {
        self.rule == other.rule && self.identity == other.identity
    }
}

/// A question about a scope.
pub(crate) struct Asking<'a> {
    pub(crate) policy: &'a Posted,
    pub(crate) whos: &'a [WhoSaid],
    pub(crate) why: &'a WhySaid,
    /// Without one, what depends on context and history is left to the calls.
    pub(crate) context: Option<&'a ContextSaid>,
    pub(crate) history: &'a [String],
    pub(crate) now: i64,
}

/// What is given: for each part of the scope the limits on it, and for how long in all.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) stamps: Vec<Vec<Stamp>>,
    pub(crate) ttl: i64,
    pub(crate) idle: Option<i64>,
    pub(crate) depth: Option<u8>,
    pub(crate) rules: BTreeSet<String>,
}

/// Who has to be permitted, and what for.
pub(crate) type Party = (usize, Moment);

impl Asking<'_> {
    /// What all of them are given; or every reason why not.
    pub(crate) fn give(&self, parties: &[Party], scope: &[Covering]) -> Result<Given, Vec<Reason>> {
        let mut reasons = Vec::new();
        let mut stamps: Vec<Vec<Stamp>> = Vec::new();
        for part in scope {
            let mut own: Vec<Stamp> = Vec::new();
            let part = self.policy.respelled(part);
            for party in parties {
                match self.covering(*party, &part) {
                    Err(reason) => reasons.push(reason),
                    Ok(rules) => {
                        let new: Vec<Stamp> =
                            rules.iter().map(|rule| self.stamp(rule, party.0)).collect();
                        own.extend(new);
                    }
                }
            }
            own.dedup_by(|one, other| one == other);
            stamps.push(own);
        }
        if reasons.is_empty() { Ok(Given::of(stamps)) } else { Err(reasons) }
    }

    fn stamp(&self, rule: &RuleSaid, who: usize) -> Stamp {
        let identity = rule.limits.per_identity.then(|| self.whos[who].id.clone());
        Stamp { rule: rule.id.clone(), identity, limits: rule.limits }
    }

    /// The permits that cover all of a part, if no guard is in the way.
    fn covering(&self, party: Party, part: &Covering) -> Result<Vec<&RuleSaid>, Reason> {
        if labels_of(&self.policy.said, &part.tool).is_none() {
            return Err(Reason::UnknownTool);
        }
        let rules = &self.policy.book.rules;
        let open: Vec<usize> =
            (0..rules.len()).filter(|at| self.is_open(&rules[*at], party, &part.tool)).collect();
        let all = |at: usize| part.calls.iter().all(|call| self.policy.on[at][*call]);
        let some = |at: usize| part.calls.iter().any(|call| self.policy.on[at][*call]);
        let forbids = |at: usize| {
            let waits = rules[at].moments.contains(&Moment::Call);
            // How a call will be presented is not known, so one that looks at that waits.
            if waits { rules[at].form.is_none() && all(at) } else { some(at) }
        };
        let asks = |at: usize| {
            let before = rules[at].per_task || !rules[at].moments.contains(&Moment::Call);
            // What was granted before is asked about at its calls.
            self.context.is_some() && before && some(at)
        };
        let of =
            |effect: Effect| open.iter().copied().filter(move |at| rules[*at].effect == effect);
        let permits: Vec<&RuleSaid> =
            of(Effect::Permit).filter(|at| all(*at)).map(|at| &rules[at]).collect();
        if of(Effect::Forbid).any(forbids) {
            Err(Reason::Forbidden)
        } else if permits.is_empty() {
            Err(Reason::NotCovered)
        } else if of(Effect::Ask).any(asks) {
            Err(Reason::ApprovalRequired)
        } else {
            Ok(permits)
        }
    }

    /// Whether a rule speaks here, whatever the call will be.
    fn is_open(&self, rule: &RuleSaid, (who, moment): Party, tool: &str) -> bool {
        let of_the_moment = |fact: &F| matches!(fact, F::When(_) | F::Seen);
        let mut rule = rule.clone();
        if self.context.is_none() {
            let said = rule.conditions.iter().chain(rule.unless.iter().flatten());
            let some = said.clone().any(|(fact, _)| of_the_moment(fact));
            if some && rule.effect != Effect::Permit {
                return false;
            }
            rule.conditions.retain(|(fact, _)| !of_the_moment(fact));
            rule.unless.retain(|own| !own.iter().any(|(fact, _)| of_the_moment(fact)));
        }
        rule.conditions.retain(|(fact, _)| !is_of_the_call(fact));
        let nothing = ContextSaid::new();
        let setting = Setting {
            moment,
            form: None,
            who: &self.whos[who],
            why: self.why,
            context: self.context.unwrap_or(&nothing),
            history: self.history,
            notes: &NO_NOTES,
            now: self.now,
        };
        let call = CallSaid { tool: tool.into(), args: Default::default(), resource: None };
        let labels = labels_of(&self.policy.said, tool).unwrap_or_default();
        let question = Question { setting, call: &call, labels };
        speaks(&rule, &setting) && on_setting(&rule, &question)
    }

    /// The parts of what is asked for that lie within one permit of each party and would be given.
    pub(crate) fn parts(&self, parties: &[Party], asked: &Covering) -> Vec<Covering> {
        let mut parts = vec![asked.clone()];
        let rules = &self.policy.book.rules;
        for party in parties {
            let permits: Vec<usize> = (0..rules.len())
                .filter(|at| rules[*at].effect == Effect::Permit)
                .filter(|at| self.is_open(&rules[*at], *party, &asked.tool))
                .collect();
            parts = parts
                .iter()
                .flat_map(|part| permits.iter().flat_map(|at| self.left_by(&rules[*at], part)))
                .filter(|part| !part.calls.is_empty())
                .collect();
        }
        parts.retain(|part| self.give(parties, std::slice::from_ref(part)).is_ok());
        parts
    }

    /// What a permit leaves of a part. A scope says of each argument by itself what it is: so for an exception that some
    /// of the part may be, there is a part for each of its conditions, of the calls that certainly are not so. Of an
    /// argument that is not there nothing is certain.
    fn left_by(&self, permit: &RuleSaid, part: &Covering) -> Vec<Covering> {
        let permit = permit.before_notes();
        let (of_the_call, of_the_rest): (Vec<_>, Vec<_>) =
            permit.unless.iter().cloned().partition(|own| looks_at_the_call(own));
        let bare = RuleSaid { unless: of_the_rest, ..permit.clone() };
        let mut left = vec![part.only(|question| on_call(&bare, question))];
        for exception in of_the_call {
            let may_be = |(fact, c): &(F, C)| {
                let some = part.only(|own| condition(fact, c, Side::Refuses, own) != FALSE);
                !some.calls.is_empty()
            };
            if exception.iter().all(may_be) {
                let but = |left: &Covering, (fact, c): &(F, C)| {
                    let not = C::Not(Box::new(c.clone()));
                    left.only(|question| condition(fact, &not, Side::Gives, question) == TRUE)
                };
                left = left
                    .iter()
                    .flat_map(|l| exception.iter().map(move |own| but(l, own)))
                    .collect();
            }
        }
        left
    }
}

impl Given {
    fn of(stamps: Vec<Vec<Stamp>>) -> Given {
        let all: Vec<&Stamp> = stamps.iter().flatten().collect();
        let seconds = |s: u64| s as i64 * 1000;
        let ttl = |l: &LimitsSaid| {
            l.ttl.map_or(DEFAULT_TTL, seconds).min(l.max_life.map_or(CEILING, seconds))
        };
        Given {
            ttl: all.iter().map(|s| ttl(&s.limits)).min().unwrap_or(CEILING),
            idle: all.iter().filter_map(|s| s.limits.idle).min().map(seconds),
            depth: all.iter().filter_map(|s| s.limits.depth).min(),
            rules: all.iter().map(|s| s.rule.clone()).collect(),
            stamps,
        }
    }

    /// What limits those above limits this, too.
    pub(crate) fn narrow_by(&mut self, other: &Given) {
        let tightest = |one: Option<i64>, other| one.into_iter().chain(other).min();
        self.ttl = self.ttl.min(other.ttl);
        self.idle = tightest(self.idle, other.idle);
        self.rules.extend(other.rules.iter().cloned());
        for (own, above) in self.stamps.iter_mut().zip(&other.stamps) {
            own.extend(above.iter().cloned());
        }
    }
}
