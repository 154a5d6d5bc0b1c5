//! A constraint: what one value must be.

use std::sync::Arc;

use super::bounds::Bounds;
use super::constraint_error::{ConstraintError, MAX_NESTING};
use super::fact::Fact;
use super::glob::Glob;
use super::instant::Instants;
use super::items::Items;
use super::kind::{Count, Fields, Range, Set, Sort};
use super::network::Network;
use super::operand::Comparison;
use super::order::Levels;
use super::regex::Regex;
use super::url::UrlPattern;
use super::value_type::ValueType;
use super::weekly::Weekly;
use crate::value::Value;

/// What one value (an argument, an attribute, a part of the question) must be.
///
/// Made by the functions of this module ([`eq`](super::eq), [`one_of`](super::one_of), [`min`](super::min),
/// [`glob`](super::glob()), …) or read from a
/// policy. A constraint that cannot be meant (an empty set, a pattern that does not parse) carries
/// its error: whatever it is put into refuses it, and until then it matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint(pub(crate) Node);

/// The kinds. Text policies name them by the same words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// `"any"`: every value that is there.
    Any,
    /// `present = true | false`.
    Present(bool),
    /// `type`: of the value itself, be it a list.
    Type(ValueType),
    /// `eq` and `one_of`: one of finitely many values.
    Is(Set),
    /// `same_as`: equal to another part of the question.
    SameAs(Fact),
    /// A kind that takes a value, and the part of the question that stands in its place.
    Compared(Box<Comparison>),
    /// `min`, `max`, `above`, `below`.
    Range(Bounds),
    /// The same of texts, by an order of the policy's.
    Levels(Box<Levels>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Glob(Arc<Glob>),
    /// `regex`: for policies only, for it has to be compiled.
    Regex(Arc<Regex>),
    /// `under`: a path that is this folder or lies in it.
    Under(Box<str>),
    /// `url`: a URL, part by part.
    Url(Box<UrlPattern>),
    /// `cidr`: an address in one of these networks, sorted and each once.
    Cidr(Box<[Network]>),
    /// `after` and `before`.
    Instants(Box<Instants>),
    Weekly(Weekly),
    /// `json`: a text that is JSON, and what that says.
    Json(Box<Constraint>),
    /// `len`: how many characters a text has.
    Len(Count),
    /// `fields`: an object's own fields, closed unless said otherwise.
    Fields(Fields<Constraint>),
    /// `each`: every element, and there is at least one.
    Each(Box<Constraint>),
    /// `some`: at least one element.
    Some(Box<Constraint>),
    /// `items` and `rest`: each element by its place.
    Items(Box<Items<Constraint>>),
    /// `count`: how many elements.
    Count(Count),
    SubsetOf(Set),
    HasAny(Set),
    HasAll(Set),
    All(Vec<Constraint>),
    AnyOf(Vec<Constraint>),
    Not(Box<Constraint>),
    /// Not a constraint: what was wrong with it.
    Faulty(Box<ConstraintError>),
}

impl Constraint {
    /// This and another constraint.
    pub fn and(self, other: Constraint) -> Constraint {
        match (self.0, other.0) {
            // Two bounds are one range, as the keys of one table are.
            (Node::Range(own), Node::Range(other)) => {
                Constraint(Node::Range(own.range().intersect(other.range()).into()))
            }
            (Node::All(mut parts), other) => {
                parts.push(Constraint(other));
                Constraint(Node::All(parts))
            }
            (own, other) => Constraint(Node::All(vec![Constraint(own), Constraint(other)])),
        }
    }

    /// Opens [`fields`](super::fields): fields that are not named may be there, with any value.
    pub fn other_fields(self) -> Constraint {
        match self {
            Constraint(Node::Fields(fields)) => Constraint(Node::Fields(fields.open())),
            other => other,
        }
    }

    /// What each element behind the places of [`items`](super::items()) must be: [`any`](super::any) for
    /// whatever follows. Unsaid, none may follow; what excludes, a forbid or `not`, then looks at the places alone.
    pub fn rest(self, rest: Constraint) -> Constraint {
        match self {
            Constraint(Node::Items(items)) => {
                Constraint(Node::Items(Box::new(Items { rest: Some(rest), ..*items })))
            }
            other => other,
        }
    }

    /// Whether the constraint can be meant: sets not empty, bounds that leave a value, list kinds and
    /// element kinds not mixed.
    ///
    /// # Errors
    /// The first [`ConstraintError`] found, outermost first.
    pub fn check(&self) -> Result<(), ConstraintError> {
        self.check_at(0)?;
        self.sort().map(|_| ())
    }

    fn check_at(&self, depth: usize) -> Result<(), ConstraintError> {
        if depth >= MAX_NESTING {
            return Err(ConstraintError::TooDeep);
        }
        match &self.0 {
            Node::Faulty(error) => Err(error.as_ref().clone()),
            Node::Range(own) => own.range().check(),
            Node::Levels(levels) => levels.check(),
            Node::All(parts) => {
                interval(parts).check()?;
                let instants = parts.iter().fold(Instants::default(), |all, part| match &part.0 {
                    Node::Instants(range) => all.intersect(**range),
                    _ => all,
                });
                instants.check()?;
                parts.iter().try_for_each(|part| part.check_at(depth + 1))
            }
            Node::AnyOf(parts) => parts.iter().try_for_each(|part| part.check_at(depth + 1)),
            Node::Not(inner) => inner.check_at(depth + 1),
            Node::Instants(range) => range.check(),
            Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.check_at(depth + 1)?;
                inner.sort().map(|_| ())
            }
            Node::Items(items) => items.iter().try_for_each(|item| {
                item.check_at(depth + 1)?;
                item.sort().map(|_| ())
            }),
            Node::Fields(fields) => fields.iter().try_for_each(|(_, field)| {
                field.check_at(depth + 1)?;
                field.sort().map(|_| ())
            }),
            _ => Ok(()),
        }
    }

    /// The first kind inside that only a policy may use: it takes more than reading the text once, or data that a
    /// reader of tokens may not have.
    pub(crate) fn policy_only(&self) -> Option<&'static str> {
        match &self.0 {
            Node::Regex(_) => Some(self.word()),
            Node::Weekly(own) => own.zone().map(|_| "zone"),
            Node::Levels(_) => Some("order"),
            Node::Compared(own) => own.order.as_ref().map(|_| "order"),
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().find_map(Constraint::policy_only),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.policy_only()
            }
            Node::Items(items) => items.iter().find_map(Constraint::policy_only),
            Node::Fields(fields) => fields.iter().find_map(|(_, field)| field.policy_only()),
            _ => None,
        }
    }

    /// How many bytes its patterns have together.
    pub(crate) fn pattern_bytes(&self) -> usize {
        match &self.0 {
            Node::Glob(glob) => glob.as_str().len(),
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().map(Constraint::pattern_bytes).sum()
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.pattern_bytes()
            }
            Node::Items(items) => items.iter().map(Constraint::pattern_bytes).sum(),
            Node::Fields(fields) => fields.iter().map(|(_, field)| field.pattern_bytes()).sum(),
            Node::Url(pattern) => pattern.pattern_bytes(),
            _ => 0,
        }
    }

    /// How often a text is read as JSON to ask it.
    pub(crate) fn json_texts(&self) -> usize {
        match &self.0 {
            Node::Json(inner) => 1 + inner.json_texts(),
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().map(Constraint::json_texts).sum(),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => inner.json_texts(),
            Node::Items(items) => items.iter().map(Constraint::json_texts).sum(),
            Node::Fields(fields) => fields.iter().map(|(_, field)| field.json_texts()).sum(),
            _ => 0,
        }
    }

    /// Whether it asks for the type of the value itself.
    pub(super) fn names_type(&self) -> bool {
        match &self.0 {
            Node::Type(_) => true,
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(Constraint::names_type),
            Node::Not(inner) => inner.names_type(),
            _ => false,
        }
    }

    /// Whether the constraint sees a list itself or each of its elements, as far as its text tells.
    pub(crate) fn sort(&self) -> Result<Sort, ConstraintError> {
        self.sort_among(&|_| None)
    }

    /// As [`sort`](Self::sort), where more is known: a `same_as` is the `eq` of what it compares with.
    pub(super) fn sort_among<'v>(
        &self,
        known: &dyn Fn(&Fact) -> Option<&'v Value>,
    ) -> Result<Sort, ConstraintError> {
        Ok(match &self.0 {
            Node::Any | Node::Present(_) | Node::Type(_) | Node::Faulty(_) => Sort::Neutral,
            Node::Is(set) => set.sort(self.word())?,
            Node::SameAs(fact) => match known(fact) {
                Some(Value::List(_)) => Sort::List("eq"),
                Some(_) => Sort::Element("eq"),
                None => Sort::Open,
            },
            Node::Compared(own) => own.relation.sort(),
            Node::Each(_) | Node::Some(_) | Node::Items(_) | Node::Count(_) => {
                Sort::List(self.word())
            }
            Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_) => Sort::List(self.word()),
            Node::All(parts) | Node::AnyOf(parts) => {
                let mut sort = Sort::Neutral;
                for part in parts {
                    sort = sort.with(part.sort_among(known)?)?;
                }
                sort
            }
            Node::Not(inner) => inner.sort_among(known)?,
            _ => Sort::Element(self.word()),
        })
    }

    /// Every kind in it that has no constraint inside.
    pub(crate) fn for_each_leaf<'c>(&'c self, visit: &mut impl FnMut(&'c Node)) {
        match &self.0 {
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().for_each(|part| part.for_each_leaf(visit));
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.for_each_leaf(visit);
            }
            Node::Items(items) => items.iter().for_each(|item| item.for_each_leaf(visit)),
            Node::Fields(fields) => fields.iter().for_each(|(_, field)| field.for_each_leaf(visit)),
            leaf => visit(leaf),
        }
    }

    /// The values this is limited to, if they are finitely many and known.
    pub(crate) fn finite(&self) -> Option<&Set> {
        match &self.0 {
            Node::Is(set) => Some(set),
            Node::All(parts) => parts.iter().find_map(Constraint::finite),
            _ => None,
        }
    }

    /// The word by which policies name this kind.
    pub(crate) fn word(&self) -> &'static str {
        match &self.0 {
            Node::Any => "any",
            Node::Present(_) => "present",
            Node::Type(_) => "type",
            Node::Is(set) if set.len() == 1 => "eq",
            Node::Is(_) => "one_of",
            Node::SameAs(_) => "same_as",
            Node::Compared(own) => own.relation.as_str(),
            Node::Range(own) => own.range().word(),
            Node::Levels(levels) => levels.word(),
            Node::Prefix(_) => "prefix",
            Node::Suffix(_) => "suffix",
            Node::Contains(_) => "contains",
            Node::Glob(_) => "glob",
            Node::Regex(_) => "regex",
            Node::Under(_) => "under",
            Node::Url(_) => "url",
            Node::Cidr(_) => "cidr",
            Node::Instants(own) if own.after.is_some() => "after",
            Node::Instants(_) => "before",
            Node::Weekly(_) => "weekly",
            Node::Json(_) => "json",
            Node::Len(_) => "len",
            Node::Fields(_) => "fields",
            Node::Each(_) => "each",
            Node::Items(_) => "items",
            Node::Some(_) => "some",
            Node::Count(_) => "count",
            Node::SubsetOf(_) => "subset_of",
            Node::HasAny(_) => "has_any",
            Node::HasAll(_) => "has_all",
            Node::All(_) => "all",
            Node::AnyOf(_) => "any",
            Node::Not(_) => "not",
            Node::Faulty(_) => "faulty",
        }
    }
}

/// The interval that all ranges among `parts` leave.
fn interval(parts: &[Constraint]) -> Range {
    parts.iter().fold(Range::default(), |range, part| match &part.0 {
        Node::Range(other) => range.intersect(other.range()),
        Node::All(parts) => range.intersect(interval(parts)),
        _ => range,
    })
}

#[cfg(test)]
mod tests;
