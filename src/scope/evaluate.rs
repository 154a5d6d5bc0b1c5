//! Does a value match? Answered in three values.

use super::constraint::{Constraint, Node};
use super::fact::{Absence, Fact};
use super::kind::{Fields, Set, Sort};
use super::truth::Truth;
use crate::value::Value;

/// Where `same_as` finds the other part of the question.
pub(crate) trait Facts {
    fn fact(&self, fact: &Fact) -> Option<&Value>;
}

/// Which side a constraint works for: that decides what a list must do, and what unnamed fields mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// Of a permit or a capability: every element must match, and nothing unnamed may be there.
    Cover,
    /// Of a forbid or an ask: one element that matches, or may match, is enough.
    Guard,
}

/// What a constraint is asked of.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    There(&'a Value),
    Missing(Absence),
}

impl<'a> Subject<'a> {
    fn of(value: Option<&'a Value>, absence: Absence) -> Self {
        value.map_or(Subject::Missing(absence), Subject::There)
    }
}

impl Constraint {
    /// Whether `fact` is as the constraint says.
    pub(crate) fn holds<F: Facts>(&self, fact: &Fact, stance: Stance, facts: &F) -> Truth {
        let absence = fact.absence();
        let subject = Subject::of(facts.fact(fact), absence);
        Evaluation { stance, facts, absence }.ask(self, subject, false)
    }
}

/// One evaluation; `not` is pushed to the leaves by carrying `negated` down.
struct Evaluation<'a, F> {
    stance: Stance,
    facts: &'a F,
    absence: Absence,
}

impl<F: Facts> Evaluation<'_, F> {
    /// The whole constraint is asked of each element of a list, unless it is of the kinds that see
    /// the list itself.
    fn ask(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        if let Subject::There(Value::List(elements)) = subject
            && !matches!(constraint.0, Node::Fields(_))
            && let Ok(Sort::Element(_)) = constraint.sort()
        {
            return self.ask_each(constraint, elements, negated);
        }
        self.ask_one(constraint, subject, negated)
    }

    fn ask_each(&self, constraint: &Constraint, elements: &[Value], negated: bool) -> Truth {
        let answers =
            elements.iter().map(|element| self.ask(constraint, Subject::There(element), negated));
        match self.stance {
            Stance::Cover if elements.is_empty() => Truth::False,
            Stance::Cover => answers.fold(Truth::True, |all, one| all & one),
            Stance::Guard => answers.fold(Truth::False, |any, one| any | one),
        }
    }

    fn ask_one(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        match &constraint.0 {
            Node::Not(inner) => self.ask_one(inner, subject, !negated),
            // De Morgan: under `not`, all becomes any, and the other way round.
            Node::All(parts) => self.combine(parts, subject, negated, !negated),
            Node::AnyOf(parts) => self.combine(parts, subject, negated, negated),
            Node::Fields(fields) => self.ask_fields(fields, subject, negated),
            Node::Each(inner) => self.ask_elements(inner, subject, negated, true),
            Node::Some(inner) => self.ask_elements(inner, subject, negated, false),
            Node::Present(wanted) => {
                let there = match subject {
                    Subject::There(Value::Null) | Subject::Missing(_) => false,
                    Subject::There(Value::Text(text)) => !text.is_empty(),
                    Subject::There(_) => true,
                };
                Truth::of((there == *wanted) != negated)
            }
            leaf => match subject {
                Subject::There(value) => {
                    let plain = self.ask_leaf(leaf, value);
                    if negated { !plain } else { plain }
                }
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::Missing(_) => Truth::Unknown,
            },
        }
    }

    fn combine(
        &self,
        parts: &[Constraint],
        subject: Subject<'_>,
        negated: bool,
        conjunction: bool,
    ) -> Truth {
        let answers = parts.iter().map(|part| self.ask_one(part, subject, negated));
        if conjunction {
            answers.fold(Truth::True, |all, one| all & one)
        } else {
            answers.fold(Truth::False, |any, one| any | one)
        }
    }

    /// `each` and `some`: an empty list has no element that is so, hence neither holds of it.
    fn ask_elements(
        &self,
        inner: &Constraint,
        subject: Subject<'_>,
        negated: bool,
        every: bool,
    ) -> Truth {
        let elements = match subject {
            Subject::There(Value::List(elements)) => elements,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::There(_) | Subject::Missing(_) => return Truth::Unknown,
        };
        if elements.is_empty() {
            return Truth::of(negated);
        }
        let answers =
            elements.iter().map(|element| self.ask(inner, Subject::There(element), negated));
        if every != negated {
            answers.fold(Truth::True, |all, one| all & one)
        } else {
            answers.fold(Truth::False, |any, one| any | one)
        }
    }

    fn ask_fields(&self, fields: &Fields, subject: Subject<'_>, negated: bool) -> Truth {
        let object = match subject {
            Subject::There(Value::Object(object)) => object,
            Subject::There(_) => return Truth::Unknown,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::Missing(_) => return Truth::Unknown,
        };
        let named = fields.iter().map(|(name, field)| {
            self.ask(field, Subject::of(object.get(name), self.absence), negated)
        });
        // A guard looks only at what it names.
        let closed = self.stance == Stance::Cover && !fields.open;
        let unnamed = closed && object.keys().any(|key| fields.get(key).is_none());
        if negated {
            named.fold(Truth::of(unnamed), |any, one| any | one)
        } else {
            named.fold(Truth::of(!unnamed), |all, one| all & one)
        }
    }

    fn ask_leaf(&self, leaf: &Node, value: &Value) -> Truth {
        match (leaf, value) {
            (Node::Any, _) => Truth::True,
            (Node::Is(set), value) => is_one_of(set, value),
            (Node::SameAs(fact), value) => match self.facts.fact(fact) {
                Some(other) if value == other => Truth::True,
                Some(other) if value.kind_name() == other.kind_name() => Truth::False,
                _ => Truth::Unknown,
            },
            (Node::Range(range), Value::Number(number)) => Truth::of(range.contains(*number)),
            (Node::Prefix(start), Value::Text(text)) => Truth::of(text.starts_with(&**start)),
            (Node::Suffix(end), Value::Text(text)) => Truth::of(text.ends_with(&**end)),
            (Node::Contains(part), Value::Text(text)) => Truth::of(text.contains(&**part)),
            (Node::Glob(glob), Value::Text(text)) => Truth::of(glob.matches(text)),
            (Node::Len(count), Value::Text(text)) => {
                Truth::of(count.contains(text.chars().count() as u64))
            }
            (Node::Count(count), Value::List(elements)) => {
                Truth::of(count.contains(elements.len() as u64))
            }
            (Node::SubsetOf(set), Value::List(elements)) => elements
                .iter()
                .map(|element| is_one_of(set, element))
                .fold(Truth::True, |all, one| all & one),
            (Node::HasAny(set), Value::List(elements)) => {
                Truth::of(elements.iter().any(|element| set.contains(element)))
            }
            (Node::HasAll(set), Value::List(elements)) => {
                Truth::of(set.iter().all(|wanted| elements.contains(wanted)))
            }
            // The wrong kind of value, or a constraint that was never valid: nothing can be said.
            _ => Truth::Unknown,
        }
    }
}

fn is_one_of(set: &Set, value: &Value) -> Truth {
    if set.contains(value) {
        Truth::True
    } else if set.has_kind_of(value) {
        Truth::False
    } else {
        Truth::Unknown
    }
}
