//! Does a value match? Answered in three values.

mod compared;
mod direct;
mod leaf;
mod lists;

pub(super) use self::leaf::is_filled_in;
use super::constraint::{Constraint, Node};
use super::fact::{Absence, Fact};
use super::kind::Fields;
use super::readings::{Reading, Readings, read_json, read_url};
use super::truth::Truth;
use super::url::UrlPattern;
use super::value_type::ValueType;
use crate::meter::{Meter, Work};
use crate::value::Value;

/// The parts of a question, which last as long as it does. That is where `same_as` finds the other one.
pub(crate) trait Facts<'q>: Copy {
    fn fact(self, fact: &Fact) -> Option<&'q Value>;

    /// Where texts of the question that were read are kept, if they are.
    fn readings(self) -> Option<&'q Readings<'q>> {
        None
    }
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
    /// Whether `value` alone is as the constraint (or, `negated`, its negation) says; a `same_as`
    /// finds nothing and stays unknown.
    pub(super) fn holds_of(
        &self,
        value: Option<&Value>,
        absence: Absence,
        stance: Stance,
        negated: bool,
        meter: &Meter,
    ) -> Truth {
        let readings = None;
        let evaluation =
            Evaluation { stance, facts: Nothing, absence, meter, readings, in_list: false };
        evaluation.ask(self, Subject::of(value, absence), negated)
    }

    /// As [`holds_of`](Self::holds_of), of an element of a list of which the whole is asked so.
    pub(super) fn holds_of_element(
        &self,
        element: &Value,
        absence: Absence,
        stance: Stance,
        negated: bool,
        meter: &Meter,
    ) -> Truth {
        let readings = None;
        let evaluation =
            Evaluation { stance, facts: Nothing, absence, meter, readings, in_list: true };
        evaluation.ask(self, Subject::There(element), negated)
    }

    /// Whether the constraint is true of an argument that is not there.
    pub(crate) fn admits_absence(&self, meter: &Meter) -> Truth {
        self.holds_of(None, Absence::Argument, Stance::Cover, false, meter)
    }

    /// Whether the constraint, of a cover, may be true of a list of one of these values. Copies each, and pays for that.
    pub(crate) fn admits_a_list_of<'v>(
        &self,
        values: impl IntoIterator<Item = &'v Value>,
        meter: &Meter,
    ) -> bool {
        if self.takes_no_list(meter) {
            return false;
        }
        values.into_iter().filter(|value| !matches!(value, Value::List(_))).any(|value| {
            if !meter.charge_bytes(value.size(), Work::Containing) {
                return true;
            }
            let list = Value::List(vec![value.clone()]);
            self.holds_of(Some(&list), Absence::Argument, Stance::Cover, false, meter).may_hold()
        })
    }

    /// Whether it names another type than lists.
    pub(super) fn takes_no_list(&self, meter: &Meter) -> bool {
        meter.charge(1, Work::Visiting)
            && match &self.0 {
                Node::Type(own) => *own != ValueType::List,
                Node::All(parts) => parts.iter().any(|part| part.takes_no_list(meter)),
                _ => false,
            }
    }

    /// Whether `fact` is as the constraint says.
    #[inline]
    pub(crate) fn holds<'q>(
        &self,
        fact: &Fact,
        stance: Stance,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Truth {
        self.holds_at(facts.fact(fact), fact, stance, facts, meter)
    }

    /// As [`holds`](Self::holds), of a fact that has been looked up.
    #[inline]
    pub(super) fn holds_at<'q>(
        &self,
        value: Option<&'q Value>,
        fact: &Fact,
        stance: Stance,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Truth {
        if let Some(value) = value
            && let Some(truth) = self.ask_directly(value, meter)
        {
            return truth;
        }
        self.walk(value, fact, stance, facts, meter)
    }

    /// Apart, so that what is asked directly stays small.
    #[inline(never)]
    fn walk<'q>(
        &self,
        value: Option<&'q Value>,
        fact: &Fact,
        stance: Stance,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Truth {
        let (readings, absence) = (facts.readings(), fact.absence());
        let evaluation = Evaluation { stance, facts, absence, meter, readings, in_list: false };
        evaluation.ask(self, Subject::of(value, absence), false)
    }
}

/// A question of which nothing is known.
#[derive(Clone, Copy)]
struct Nothing;

impl<'q> Facts<'q> for Nothing {
    fn fact(self, _: &Fact) -> Option<&'q Value> {
        None
    }
}

/// One evaluation; `not` is pushed to the leaves by carrying `negated` down.
struct Evaluation<'a, 'q, F> {
    stance: Stance,
    facts: F,
    absence: Absence,
    meter: &'a Meter,
    readings: Option<&'q Readings<'q>>,
    /// Whether what is asked is an element, in place of the list that the constraint is of.
    in_list: bool,
}

impl<'q, F: Facts<'q>> Evaluation<'_, 'q, F> {
    /// The whole constraint is asked of each element of a list, unless it is of the kinds that see
    /// the list itself. One that turns out to be of both, by what it compares with, knows nothing of
    /// elements.
    #[inline]
    fn ask(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        if let Subject::There(Value::List(elements)) = subject
            && self.takes_elements(constraint)
        {
            return self.ask_each(constraint, elements, negated);
        }
        self.ask_one(constraint, subject, negated)
    }

    fn ask_one(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        if !self.meter.charge(1, Work::Visiting) {
            return Truth::Unknown;
        }
        match &constraint.0 {
            Node::Not(inner) => self.ask_one(inner, subject, !negated),
            // De Morgan: under `not`, all becomes any, and the other way round.
            Node::All(parts) => self.combine(parts, subject, negated, !negated),
            Node::AnyOf(parts) => self.combine(parts, subject, negated, negated),
            Node::Fields(fields) => self.ask_fields(fields, subject, negated),
            Node::Each(inner) => self.ask_inside(inner, subject, negated, true),
            Node::Some(inner) => self.ask_inside(inner, subject, negated, false),
            Node::Items(items) => self.ask_places(items, subject, negated),
            Node::Json(inner) => match subject {
                Subject::There(Value::Text(text)) => self.ask_json(inner, text, negated),
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::There(_) | Subject::Missing(_) => Truth::Unknown,
            },
            Node::Url(pattern) => match subject {
                // What a cover leaves unsaid it takes strictly; what it excludes it takes widely, as a
                // guard does what it names.
                Subject::There(Value::Text(text)) => {
                    let strict = (self.stance == Stance::Cover) != negated;
                    let plain = self.ask_url(pattern, text, strict);
                    if negated { !plain } else { plain }
                }
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::There(_) | Subject::Missing(_) => Truth::Unknown,
            },
            Node::Present(wanted) => {
                let value = match subject {
                    Subject::There(value) => Some(value),
                    Subject::Missing(_) => None,
                };
                Truth::of((is_filled_in(value) == *wanted) != negated)
            }
            Node::SameAs(_) if matches!(subject, Subject::Missing(_)) => Truth::Unknown,
            Node::Compared(own)
                if matches!(subject, Subject::Missing(_)) && !self.is_known(own) =>
            {
                Truth::Unknown
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

    fn ask_json(&self, inner: &Constraint, text: &str, negated: bool) -> Truth {
        let read = match self.readings {
            Some(readings) => readings.json(text, self.meter),
            None => read_json(text, self.meter),
        };
        // What is not strict JSON leaves it open, under `not` too.
        let ask = |evaluation: &Self, read: &Option<Value>| match read {
            Some(value) => evaluation.ask(inner, Subject::There(value), negated),
            None => Truth::Unknown,
        };
        match &read {
            Reading::Kept(read) => ask(&Evaluation { in_list: false, ..*self }, read),
            Reading::Passing(read) => {
                ask(&Evaluation { readings: None, in_list: false, ..*self }, read)
            }
            Reading::TooCostly => Truth::Unknown,
        }
    }

    fn ask_url(&self, pattern: &UrlPattern, text: &str, strict: bool) -> Truth {
        let read = match self.readings {
            Some(readings) => readings.url(text, self.meter),
            None => read_url(text, self.meter),
        };
        let url = match &read {
            Reading::Kept(read) => (**read).as_ref(),
            Reading::Passing(read) => read.as_ref(),
            Reading::TooCostly => None,
        };
        url.map_or(Truth::Unknown, |url| pattern.matches(url, strict, self.meter))
    }

    fn combine(
        &self,
        parts: &[Constraint],
        subject: Subject<'_>,
        negated: bool,
        conjunction: bool,
    ) -> Truth {
        let answers = parts.iter().map(|part| self.ask_one(part, subject, negated));
        if conjunction { self.all(answers) } else { self.any(answers) }
    }

    /// All of them: no more are asked for once one settles it, or nothing more can be paid for.
    fn all(&self, answers: impl Iterator<Item = Truth>) -> Truth {
        let mut all = Truth::True;
        for one in answers {
            all = all & one;
            if all == Truth::False || (all == Truth::Unknown && self.meter.is_spent()) {
                break;
            }
        }
        all
    }

    /// Any of them, as [`all`](Self::all).
    fn any(&self, answers: impl Iterator<Item = Truth>) -> Truth {
        !self.all(answers.map(|one| !one))
    }

    /// `each` and `some`: an empty list has no element that is so, hence neither holds of it.
    fn ask_inside(
        &self,
        inner: &Constraint,
        subject: Subject<'_>,
        negated: bool,
        every: bool,
    ) -> Truth {
        match subject {
            Subject::There(Value::List(elements)) if elements.is_empty() => Truth::of(negated),
            Subject::There(Value::List(elements)) => {
                let inside = Evaluation { in_list: false, ..*self };
                inside.ask_elements(inner, elements, negated, every != negated)
            }
            Subject::Missing(Absence::Argument) if !negated => Truth::False,
            Subject::There(_) | Subject::Missing(_) => Truth::Unknown,
        }
    }

    fn ask_fields(
        &self,
        fields: &Fields<Constraint>,
        subject: Subject<'_>,
        negated: bool,
    ) -> Truth {
        let object = match subject {
            Subject::There(Value::Object(object)) => object,
            Subject::There(_) => return Truth::Unknown,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::Missing(_) => return Truth::Unknown,
        };
        let inside = Evaluation { in_list: false, ..*self };
        let named = fields.iter().map(|(name, field)| {
            inside.ask(field, Subject::of(object.get(name), self.absence), negated)
        });
        // A guard looks only at what it names.
        let closed = self.stance == Stance::Cover && !fields.open;
        if closed && !self.meter.charge(object.len(), Work::Visiting) {
            return Truth::Unknown;
        }
        let unnamed = closed && object.keys().any(|key| fields.get(key).is_none());
        match (unnamed, negated) {
            (true, _) => Truth::of(negated),
            (false, true) => self.any(named),
            (false, false) => self.all(named),
        }
    }
}

#[cfg(test)]
mod tests;
