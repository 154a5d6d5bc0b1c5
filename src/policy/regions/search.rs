//! A search for a question that some rules speak of and others do not.

use super::prepared::Prepared;
use crate::meter::Meter;
use crate::scope::{
    Condition, Constraint, Cover, Domain, Fact, Found, MOST_REGIONS, Node, Openness, Region,
    ResourceOpenness, Search, ValueType, any_of, has_all, not, of_type, one_of, texts,
};
use crate::spelling::{ArgType, TypedArgs};
use crate::value::Value;

/// In how many ways a question may be past rules that have exceptions.
const MOST_WAYS: usize = 64;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// A question was found, and confirmed by asking it.
    Found(T),
    /// There is shown to be none.
    Nothing,
    /// It can't be told.
    Undecided,
}

/// What all searches about one tool have in common.
pub(crate) struct ToolSearch<'t> {
    typed: &'t TypedArgs,
    /// The labels of the tool, which are seen with its call.
    labels: Vec<Value>,
    /// Of tools that no rule names: that it is none of those that one names.
    elsewhere: Vec<Condition>,
    /// What is known of the question before the call.
    known: &'t dyn Fn(&Fact) -> Option<Domain>,
}

impl<'t> ToolSearch<'t> {
    /// Of a tool that rules name.
    pub(crate) fn of_tool(typed: &'t TypedArgs, labels: Vec<Value>) -> Self {
        ToolSearch { typed, labels, elsewhere: Vec::new(), known: &|_| None }
    }

    /// Of all tools but these.
    pub(crate) fn elsewhere(named: &Value) -> Self {
        static UNTYPED: TypedArgs = TypedArgs::NONE;
        let elsewhere = match named {
            Value::List(names) if !names.is_empty() => {
                vec![Condition::new(Fact::Tool, not(one_of(names.iter().cloned())))]
            }
            _ => Vec::new(),
        };
        ToolSearch { typed: &UNTYPED, labels: Vec::new(), elsewhere, known: &|_| None }
    }

    /// Where this much is known of the question.
    pub(crate) fn knowing(self, known: &'t dyn Fn(&Fact) -> Option<Domain>) -> Self {
        ToolSearch { known, ..self }
    }

    /// Looks for a question that all of `within` speak of and none of `outside`, and that `confirm` makes something of.
    /// Each search takes one of `searches`.
    pub(crate) fn find<'q, 'p: 'q, T>(
        &self,
        within: &[&'q Prepared<'p>],
        outside: impl Iterator<Item = &'q Prepared<'p>>,
        (searches, steps): (&mut usize, u64),
        confirm: &mut dyn FnMut(Found) -> Option<T>,
    ) -> Outcome<T> {
        let meter = Meter::of(steps);
        let open = Openness { other_args: true, resource: ResourceOpenness::Any };
        let elsewhere = Region::covered(Cover { conditions: &self.elsewhere, openness: &open });
        let mut start = Way {
            within: within.iter().map(|own| own.region()).chain([elsewhere]).collect(),
            outside: within.iter().flat_map(|own| own.exceptions()).collect(),
        };
        let (mut is_decided, mut ways) = (true, Vec::new());
        for other in outside {
            if !start.may_meet(&other.region(), &meter) {
                continue;
            }
            match other.exceptions().next() {
                None => start.outside.push(other.region()),
                Some(_) => ways.push(other),
            }
        }
        // A rule does not speak of what is outside of its region, nor of its exceptions.
        let mut all = vec![start];
        for other in ways {
            all = all.iter().flat_map(|way| way.past(other)).collect();
            if all.len() > MOST_WAYS {
                return Outcome::Undecided;
            }
        }
        for way in &all {
            let Some(left) = searches.checked_sub(1) else { return Outcome::Undecided };
            *searches = left;
            match self.find_way(way, &meter, confirm) {
                Outcome::Found(found) => return Outcome::Found(found),
                Outcome::Nothing => {}
                Outcome::Undecided => is_decided = false,
            }
        }
        if is_decided { Outcome::Nothing } else { Outcome::Undecided }
    }

    fn find_way<T>(
        &self,
        way: &Way<'_>,
        meter: &Meter,
        confirm: &mut dyn FnMut(Found) -> Option<T>,
    ) -> Outcome<T> {
        let Way { within, outside } = way;
        if outside.len() > MOST_REGIONS {
            return Outcome::Undecided;
        }
        let times = within.iter().chain(outside).flat_map(|region| region.on(&Fact::Now));
        let by_week = times.map(|own| &own.constraint).any(is_by_week);
        let domain = |fact: &Fact| match fact {
            Fact::Now if by_week => Domain::hours_of_the_week(),
            fact => self.domain(fact),
        };
        let domain = |fact: &Fact| (self.known)(fact).unwrap_or_else(|| domain(fact));
        let mut search = Search::new(within, outside, |_| true, &domain, meter);
        let mut is_confirmed = true;
        for resource in [false, true] {
            let Some(found) = search.run(resource) else { continue };
            let settled = with_comparisons(found.clone(), within);
            match [settled, found].into_iter().find_map(&mut *confirm) {
                Some(confirmed) => return Outcome::Found(confirmed),
                None => is_confirmed = false,
            }
        }
        match is_confirmed && search.is_complete() {
            true => Outcome::Nothing,
            false => Outcome::Undecided,
        }
    }

    fn domain(&self, fact: &Fact) -> Domain {
        let domain = Domain::in_question(fact);
        match fact {
            // The labels of the call's own tool are seen with it.
            Fact::Seen if !self.labels.is_empty() => {
                domain.and(has_all(self.labels.iter().cloned()))
            }
            fact => {
                let named = fact.as_argument();
                let typed = named.and_then(|name| self.typed.get(name));
                typed.map_or(domain, |own| match own.default {
                    // It stands for what is left out.
                    Some(_) => domain_of(own.of).there(),
                    None => domain_of(own.of),
                })
            }
        }
    }
}

/// A way in which a question can be one that some rules speak of and others do not.
#[derive(Clone)]
struct Way<'r> {
    within: Vec<Region<'r>>,
    outside: Vec<Region<'r>>,
}

impl<'r> Way<'r> {
    fn may_meet(&self, region: &Region<'_>, meter: &Meter) -> bool {
        self.within.iter().all(|own| own.may_meet(region, meter))
    }

    /// The ways in which a rule does not speak of it, either.
    fn past(&self, rule: &'r Prepared<'_>) -> impl Iterator<Item = Way<'r>> {
        let mut outside = self.clone();
        outside.outside.push(rule.region());
        let excepted = rule.exceptions().map(|own| {
            let mut inside = self.clone();
            inside.within.push(own);
            inside
        });
        std::iter::once(outside).chain(excepted)
    }
}

/// What an argument of a type can be, in its one spelling. `null`, where it stands for one that is left out, is taken out
/// of calls.
fn domain_of(of: ArgType) -> Domain {
    Domain::of(match of {
        ArgType::Path | ArgType::Url => any_of([of_type(ValueType::Text), texts()]),
        ArgType::Text => of_type(ValueType::Text),
        ArgType::Number => of_type(ValueType::Number),
        ArgType::Integer => of_type(ValueType::Integer),
        ArgType::Bool => of_type(ValueType::Bool),
        ArgType::List => of_type(ValueType::List),
        ArgType::Texts => texts(),
        ArgType::Object => of_type(ValueType::Object),
    })
}

/// Whether it says hours of a week.
fn is_by_week(constraint: &Constraint) -> bool {
    match &constraint.0 {
        Node::Weekly(_) => true,
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(is_by_week),
        Node::Not(inner) => is_by_week(inner),
        _ => false,
    }
}

/// With each fact that is to be the same as another made so: a search does not know comparisons.
fn with_comparisons(mut found: Found, within: &[Region<'_>]) -> Found {
    for condition in within.iter().flat_map(Region::conditions) {
        let Some(other) = compared_with(&condition.constraint) else { continue };
        match (found.get(other).cloned(), found.get(&condition.fact).cloned()) {
            (Some(value), _) => found.set(&condition.fact, value),
            (None, Some(value)) => found.set(other, value),
            (None, None) => {}
        }
    }
    found
}

fn compared_with(constraint: &Constraint) -> Option<&Fact> {
    match &constraint.0 {
        Node::SameAs(fact) => Some(fact),
        Node::All(parts) => parts.iter().find_map(compared_with),
        _ => None,
    }
}
