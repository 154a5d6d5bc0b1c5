//! What a rule demands of the question: without it, the rule has no effect.
//!
//! A permit needs true, so it is filed by anything that has to be there for that. A forbid and an ask act on
//! unknown too: they are filed by what has to be there lest they be known to be false.

use std::hash::{Hash, Hasher};

use super::Side;
use super::intervals::Interval;
use crate::meter::Meter;
use crate::policy::kinds::Kinds;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Constraint, Fact, Network, Node, Reader, Set, Truth};
use crate::spread::Spread;
use crate::value::Value;

/// What is looked at, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Topic<'r> {
    pub(super) kind: Kind,
    pub(super) fact: &'r Fact,
    /// Whether the members of the list that the fact is are looked at, in place of the fact itself.
    pub(super) members: bool,
}

/// As what a value is looked at; what costs least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// The value itself. Of a value of another kind than these it is unknown whether it is the one.
    Value(Kinds),
    /// The number that it is.
    Number,
    /// How its text begins.
    Beginning(Reader),
    /// The address that its text is.
    Address,
    /// The time that its text is.
    Instant,
    /// That it is there.
    There,
}

/// One of the keys under which a rule is filed.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// The hash of a value: rules of two values that share one are both looked at.
    Value(u64),
    Beginning(Box<str>),
    Interval(Interval),
    Network(Network),
    There,
}

/// Keys of which the question has to meet one.
pub(super) type Demand<'r> = Vec<(Topic<'r>, Key)>;

/// More values of one `has_all` are not compared for the rarest of them.
const MOST_OF_ALL: usize = 8;

/// Everything that a rule demands, each of which is enough to file it by.
pub(super) fn demands(rule: &Rule, side: Side) -> Vec<Demand<'_>> {
    static TOOL: Fact = Fact::Tool;
    let mut all = Vec::new();
    if let Tools::Like(constraint) = &rule.tools {
        Demands { fact: &TOOL, side, members: false }.of(constraint, &mut all);
    }
    for condition in &rule.conditions {
        let (fact, constraint) = (&condition.fact, &condition.constraint);
        let demands = Demands { fact, side, members: false };
        demands.of(constraint, &mut all);
        if demands.needs_it_there(constraint) {
            all.push(vec![(demands.topic(Kind::There), Key::There)]);
        }
    }
    all
}

#[derive(Clone, Copy)]
struct Demands<'r> {
    fact: &'r Fact,
    side: Side,
    members: bool,
}

impl<'r> Demands<'r> {
    fn topic(self, kind: Kind) -> Topic<'r> {
        // A permit needs true: why it is not is one.
        let kind = match (self.side, kind) {
            (Side::Permits, Kind::Value(_)) => Kind::Value(Kinds::NONE),
            (Side::Permits, Kind::Beginning(_)) => Kind::Beginning(Reader::Text),
            (_, kind) => kind,
        };
        Topic { kind, fact: self.fact, members: self.members }
    }

    fn of(self, constraint: &'r Constraint, all: &mut Vec<Demand<'r>>) {
        let members = Demands { members: true, ..self };
        match &constraint.0 {
            Node::Is(set) => all.extend(self.one_of(set)),
            // What is no level is unknown, on which a guard acts.
            Node::Levels(levels) if self.side == Side::Permits => {
                let meant = levels.meant().iter().map(|own| self.value(own, Kinds::NONE));
                all.push(meant.collect());
            }
            Node::HasAny(set) if !self.members => all.extend(members.one_of(set)),
            Node::HasAll(set) if !self.members => {
                let plain = set.iter().filter(|value| is_plain(value)).take(MOST_OF_ALL);
                all.extend(plain.map(|value| vec![members.value(value, Kinds::of([value]))]));
            }
            Node::Each(inner) | Node::Some(inner) if !self.members => members.of(inner, all),
            Node::Range(own) => {
                let key = Key::Interval(Interval::of_range(&own.range()));
                all.push(vec![(self.topic(Kind::Number), key)]);
            }
            Node::Instants(range) => {
                let key = Key::Interval(Interval::of_instants(range));
                all.push(vec![(self.topic(Kind::Instant), key)]);
            }
            Node::Cidr(networks) => {
                let topic = self.topic(Kind::Address);
                all.push(networks.iter().map(|own| (topic, Key::Network(*own))).collect());
            }
            // Next to a comparison with a list, all parts look at the list itself: of that, those that
            // demand an element know nothing.
            Node::All(_) | Node::AnyOf(_) if constraint.takes_lists_as_known() => {}
            Node::All(parts) => parts.iter().for_each(|part| self.of(part, all)),
            Node::AnyOf(parts) => {
                let first = |part: &'r Constraint| {
                    let mut demands = Vec::new();
                    self.of(part, &mut demands);
                    demands.into_iter().next()
                };
                let each: Option<Vec<Demand<'r>>> = parts.iter().map(first).collect();
                all.extend(each.map(|each| each.concat()).filter(|keys| !keys.is_empty()));
            }
            leaf => {
                if let Some(own) = leaf.beginning() {
                    let topic = self.topic(Kind::Beginning(own.reader));
                    all.push(vec![(topic, Key::Beginning(own.text))]);
                }
            }
        }
    }

    /// Values that are lists or objects are compared whole: rare, so left to evaluation.
    fn one_of(self, set: &'r Set) -> Option<Demand<'r>> {
        let kinds = Kinds::of(set.iter());
        let each = set.iter().map(|value| self.value(value, kinds));
        set.iter().all(is_plain).then(|| each.collect())
    }

    fn value(self, value: &Value, kinds: Kinds) -> (Topic<'r>, Key) {
        (self.topic(Kind::Value(kinds)), Key::Value(hash(value)))
    }

    /// Whether the rule has no effect where the fact is not there, and it may not be there.
    fn needs_it_there(self, constraint: &Constraint) -> bool {
        let without = || constraint.admits_absence(&Meter::of(u64::MAX / 2));
        match (self.side, self.fact) {
            (_, Fact::WhoId | Fact::WhoKind | Fact::WhoGroups | Fact::WhoActsFor) => false,
            (_, Fact::Purpose | Fact::Now | Fact::Seen | Fact::Labels | Fact::Tool) => false,
            (Side::Permits, _) => without() != Truth::True,
            (Side::Guards, Fact::Arg(_)) => without() == Truth::False,
            (Side::Guards, _) => false,
        }
    }
}

/// Whether a value is filed by what it is.
pub(super) fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::Text(_))
}

/// Of a plain value; no policy has another.
#[inline]
pub(super) fn hash(value: &Value) -> u64 {
    let mut hasher = Spread::default();
    match value {
        Value::Text(text) => return hash_text(text),
        Value::Number(number) => number.hash(&mut hasher),
        Value::Bool(bool) => hasher.write_u8(u8::from(*bool)),
        Value::Null | Value::List(_) | Value::Object(_) => {}
    }
    hasher.finish()
}

/// Of a value that is this text.
#[inline]
pub(super) fn hash_text(text: &str) -> u64 {
    let mut hasher = Spread::default();
    hasher.write_usize(text.len());
    hasher.write(text.as_bytes());
    hasher.finish()
}
