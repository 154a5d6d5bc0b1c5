//! A search for the changes, permit by permit.

use std::collections::BTreeSet;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use super::super::compiled::Compiled;
use super::super::decide::Verdict;
use super::super::decision::RulesQuestion;
use super::super::effect::Effect;
use super::super::index::Side;
use super::super::question::Question;
use super::super::regions::{Fixed, Outcome, Prepared, ToolSearch};
use super::changed::{Changes, verdict_of};
use super::nearer::nearer;
use super::{Change, Remedy};
use crate::denial::Denial;
use crate::meter::Meter;
use crate::scope::{Condition, Constraint, Domain, Fact, Facts, Found, Stance, Truth, has_all};
use crate::value::Value;

/// How many are told.
const MOST_TOLD: usize = 3;

/// How many permits of the tool are looked at.
const MOST_PERMITS: usize = 64;

/// How many parts are changed for what guards say, next to those that the permit wants to be others.
const MOST_MORE: usize = 2;

/// Out of how many parts that guards speak of these are chosen.
const MOST_PARTS: usize = 8;

/// The steps that one search may take.
const STEPS: u64 = 500_000;

/// How many searches are made: operators wait for the answer.
const MOST_SEARCHES: usize = 1_000;

/// The smallest changes after which the rules permit a question, or ask people about it.
///
/// # Errors
/// As [`Policy::decide`](super::super::Policy::decide).
pub(crate) fn remedies(policy: &Compiled, asked: RulesQuestion<'_>) -> Result<Vec<Remedy>, Denial> {
    match asked.verdict(policy)? {
        Verdict::Permit(_) => return Ok(Vec::new()),
        // The rest is in order: a change of the question would be no smaller.
        Verdict::Ask { asks, permits } => {
            let id = |at: &u32| policy.rule(*at).map(|rule| rule.id.clone());
            let approvals: Vec<Arc<str>> = asks.as_slice().iter().filter_map(id).collect();
            let rule = permits.as_slice().iter().find_map(id);
            let remedy = |rule| Remedy { rule, changes: Vec::new(), approvals };
            return Ok(rule.map(remedy).into_iter().collect());
        }
        Verdict::Forbid(_) | Verdict::NoPermit => {}
    }
    asked.ask(policy, |question| {
        let mut search = Changing::of(policy, asked, question);
        search.run();
        search.found
    })
}

/// A question of which parts are changed.
struct Changing<'a, 'q, 'v, 'p> {
    policy: &'p Compiled,
    asked: RulesQuestion<'a>,
    question: &'q Question<'v>,
    permits: Vec<Prepared<'p>>,
    forbids: Vec<Prepared<'p>>,
    asks: Vec<Prepared<'p>>,
    searches: usize,
    found: Vec<Remedy>,
}

impl<'a, 'q, 'v, 'p> Changing<'a, 'q, 'v, 'p> {
    fn of(policy: &'p Compiled, asked: RulesQuestion<'a>, question: &'q Question<'v>) -> Self {
        let tool = question.what.tool;
        let fixed = Fixed { tool: Some(tool), form: asked.form };
        let meter = Meter::of(STEPS);
        let prepared = |side: Side, most: usize| -> Vec<Prepared<'p>> {
            let rules = policy.index.all(side, tool).filter_map(|at| policy.rule(at));
            let labels = question.what.labels;
            rules.filter_map(|rule| Prepared::of(rule, labels, fixed, &meter)).take(most).collect()
        };
        let (forbids, asks) = prepared(Side::Guards, usize::MAX)
            .into_iter()
            .partition(|own| own.rule.effect == Effect::Forbid);
        Changing {
            policy,
            asked,
            question,
            permits: prepared(Side::Permits, usize::MAX),
            forbids,
            asks,
            searches: MOST_SEARCHES,
            found: Vec::new(),
        }
    }

    fn run(&mut self) {
        let mut permits: Vec<(BTreeSet<Fact>, usize)> =
            (0..).zip(&self.permits).map(|(at, own)| (self.wanted_otherwise(own), at)).collect();
        permits.sort_by_key(|(facts, _)| facts.len());
        permits.truncate(MOST_PERMITS);
        // Few changes first: what is found with more of them may be smaller only where it needs fewer approvals.
        for more in 0..=MOST_MORE {
            for (facts, at) in &permits {
                let Some(permit) = self.permits.get(*at).cloned() else { continue };
                let enough = self.found.len() >= MOST_TOLD;
                let largest = self.found.iter().map(Remedy::size).max().unwrap_or(usize::MAX);
                if enough && facts.len() + more >= largest {
                    continue;
                }
                let same = |own: &Remedy| own.rule == permit.rule.id;
                if self.found.iter().any(|own| same(own) && own.size() <= facts.len() + more) {
                    continue;
                }
                let Some(remedy) = self.with_more(&permit, facts, more) else { continue };
                match self.found.iter_mut().find(|own| same(own)) {
                    Some(own) if own.size() <= remedy.size() => {}
                    Some(own) => *own = remedy,
                    None => self.found.push(remedy),
                }
            }
        }
        self.found.sort_by_key(Remedy::size);
        self.found.truncate(MOST_TOLD);
    }

    /// The parts of the question that a permit wants to be others.
    fn wanted_otherwise(&self, permit: &Prepared<'_>) -> BTreeSet<Fact> {
        let question = self.question;
        let meter = question.setting.meter;
        let mut facts: BTreeSet<Fact> = BTreeSet::new();
        for own in permit.conditions() {
            if own.holds(Stance::Cover, question, meter) != Truth::True {
                facts.insert(own.fact.clone());
            }
        }
        if !permit.rule.openness.other_args {
            let named = |name: &str| {
                permit.conditions().iter().any(|own| own.fact.as_argument() == Some(name))
            };
            let unnamed = question.what.args.keys().filter(|name| !named(name));
            facts.extend(unnamed.map(Fact::arg));
        }
        if !permit.rule.openness.resource.fits(question.what.resource.is_some()) {
            facts.extend([Fact::ResourceType, Fact::ResourceId]);
        }
        facts
    }

    /// Tries a permit with `more` parts changed that guards speak of, or an exception of it.
    fn with_more(
        &mut self,
        permit: &Prepared<'p>,
        facts: &BTreeSet<Fact>,
        more: usize,
    ) -> Option<Remedy> {
        let others = self.spoken_of(permit, facts);
        let choices: Vec<Vec<Fact>> = match more {
            0 => vec![Vec::new()],
            1 => others.iter().map(|own| vec![own.clone()]).collect(),
            _ => {
                let pairs = others.iter().enumerate();
                pairs
                    .flat_map(|(at, one)| {
                        others.iter().skip(at + 1).map(move |two| vec![one.clone(), two.clone()])
                    })
                    .collect()
            }
        };
        // Few approvals first: none, one, as many as it takes.
        let one = (0..self.asks.len().min(MOST_PARTS)).map(|at| at..at + 1);
        let mut asking: Vec<Range<usize>> = iter::once(0..0).chain(one).collect();
        asking.push(0..self.asks.len());
        asking.dedup();
        for asking in asking {
            for choice in &choices {
                let mut free = facts.clone();
                free.extend(choice.iter().cloned());
                let remedy = self.attempt(permit, &free, &asking);
                if remedy.is_some() {
                    return remedy;
                }
            }
        }
        None
    }

    /// The parts that guards, or the permit's own exceptions, look at.
    fn spoken_of(&self, permit: &Prepared<'p>, but: &BTreeSet<Fact>) -> Vec<Fact> {
        let meter = self.question.setting.meter;
        let guards = self.forbids.iter().chain(&self.asks);
        let acting = guards.filter(|own| {
            let may = |c: &Condition| c.holds(Stance::Guard, self.question, meter).may_hold();
            own.conditions().iter().all(|c| but.contains(&c.fact) || may(c))
        });
        let conditions = acting.flat_map(|own| own.all_conditions()).chain(permit.exceptional());
        let facts: BTreeSet<&Fact> = conditions.map(|own| &own.fact).collect();
        let others = facts.into_iter().filter(|own| !but.contains(own) && **own != Fact::Tool);
        others.take(MOST_PARTS).cloned().collect()
    }

    /// Looks for a question that is another in these parts alone, about which no others than these ask.
    fn attempt(
        &mut self,
        permit: &Prepared<'p>,
        free: &BTreeSet<Fact>,
        asking: &Range<usize>,
    ) -> Option<Remedy> {
        let (policy, asked, question) = (self.policy, self.asked, self.question);
        let forbids = &self.forbids;
        // Of sets first more than there is: somebody stays in the groups they are in.
        for keeps in [true, false] {
            let known = |fact: &Fact| {
                let own = question.fact(fact);
                match (free.contains(fact), fact) {
                    (true, Fact::WhoGroups | Fact::WhoActsFor) if keeps => match own {
                        Some(Value::List(all)) if !all.is_empty() => {
                            Some(Domain::in_question(fact).and(has_all(all.iter().cloned())))
                        }
                        _ => None,
                    },
                    (true, _) | (false, Fact::Tool) => None,
                    (false, _) => Some(match own {
                        Some(own) => Domain::exactly(own.clone()),
                        None => Domain::nothing(),
                    }),
                }
            };
            let listed = policy.catalogue.get(question.what.tool)?;
            let labels = match &listed.labels {
                Value::List(labels) => labels.clone(),
                _ => Vec::new(),
            };
            let search = ToolSearch::of_tool(&listed.typed, labels).knowing(&known);
            let others = (0..).zip(&self.asks).filter(|(at, _)| !asking.contains(at));
            let guards = forbids.iter().chain(others.map(|(_, own)| own));
            let searches = (&mut self.searches, STEPS);
            let found = search.find(&[permit], guards, searches, &mut |found| {
                remedy(policy, asked, question, (permit, forbids), (&found, free))
            });
            if let Outcome::Found(remedy) = found {
                return Some(remedy);
            }
            let has_sets = free.iter().any(|own| matches!(own, Fact::WhoGroups | Fact::WhoActsFor));
            if !has_sets {
                break;
            }
        }
        None
    }
}

/// What was found, if the rules permit it or ask about it, with numbers as near to what they were as they may be.
fn remedy(
    policy: &Compiled,
    asked: RulesQuestion<'_>,
    question: &Question<'_>,
    (permit, forbids): (&Prepared<'_>, &[Prepared<'_>]),
    (found, free): (&Found, &BTreeSet<Fact>),
) -> Option<Remedy> {
    let mut changes = Changes::new();
    for fact in free {
        let is = match (fact.is_of_the_resource(), found.resource) {
            (true, false) => None,
            // A part of the resource that the permit leaves open.
            (true, true) if found.get(fact).is_none() && !matches!(fact, Fact::ResourceAttr(_)) => {
                Some(question.fact(fact).cloned().unwrap_or_else(|| Value::from("x")))
            }
            _ => found.get(fact).cloned(),
        };
        if is.as_ref() != question.fact(fact) {
            changes.insert(fact.clone(), is);
        }
    }
    let approvals = |changes: &Changes| match verdict_of(policy, asked, changes)? {
        Verdict::Permit(_) => Some(Vec::new()),
        Verdict::Ask { asks, .. } => {
            let ids = asks.as_slice().iter().filter_map(|at| policy.rule(*at));
            Some(ids.map(|rule| rule.id.clone()).collect::<Vec<_>>())
        }
        Verdict::Forbid(_) | Verdict::NoPermit => None,
    };
    let own = approvals(&changes)?;
    let was = |fact: &Fact| question.fact(fact).cloned();
    let constraints = |fact: &Fact| -> Vec<&Constraint> {
        let rules = [permit].into_iter().chain(forbids);
        let all = rules.flat_map(|own| own.all_conditions()).filter(|own| own.fact == *fact);
        all.map(|own| &own.constraint).collect()
    };
    nearer(&mut changes, &was, &constraints, &|changes| {
        approvals(changes).is_some_and(|its| its == own)
    });
    let changes = changes.into_iter().map(|(fact, is)| Change {
        was: was(&fact),
        part: fact.to_string().into(),
        is,
    });
    Some(Remedy { rule: permit.rule.id.clone(), changes: changes.collect(), approvals: own })
}
