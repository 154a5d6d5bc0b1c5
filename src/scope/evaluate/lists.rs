//! A constraint asked of a list, element by element.

use std::borrow::Cow;

use super::{Evaluation, Facts, Stance, Subject};
use crate::meter::Work;
use crate::scope::constraint::{Constraint, Node};
use crate::scope::fact::Absence;
use crate::scope::items::Items;
use crate::scope::kind::Sort;
use crate::scope::membership::Union;
use crate::scope::truth::Truth;
use crate::value::Value;

/// How long a list is before it is worth making something ready to ask its elements.
const FEW: usize = 8;

impl<'q, F: Facts<'q>> Evaluation<'_, 'q, F> {
    /// Apart, so that asking one value, which is nearly always asked, stays small.
    #[inline(never)]
    pub(super) fn takes_elements(&self, constraint: &Constraint) -> bool {
        // These are asked most, and say by themselves that they see the list: there are no parts to pay for.
        if matches!(&constraint.0, Node::HasAny(_) | Node::HasAll(_) | Node::SubsetOf(_)) {
            return false;
        }
        if !self.pays_for_parts(constraint) {
            return false;
        }
        let sort = constraint.sort_among(&|fact| self.facts.fact(fact));
        matches!(sort, Ok(Sort::Element(_)))
    }

    /// Takes the steps of looking at each part once.
    fn pays_for_parts(&self, constraint: &Constraint) -> bool {
        self.meter.charge(1, Work::Visiting)
            && match &constraint.0 {
                Node::All(parts) | Node::AnyOf(parts) => {
                    parts.iter().all(|part| self.pays_for_parts(part))
                }
                Node::Not(inner) => self.pays_for_parts(inner),
                _ => true,
            }
    }

    pub(super) fn ask_each(
        &self,
        constraint: &Constraint,
        elements: &[Value],
        negated: bool,
    ) -> Truth {
        match self.stance {
            // Without an element, a comparison has nothing to compare.
            _ if elements.is_empty() && constraint.takes_lists_as_known() => Truth::Unknown,
            Stance::Cover if elements.is_empty() => Truth::False,
            stance => {
                let inside = Evaluation { in_list: true, ..*self };
                inside.ask_elements(constraint, elements, negated, stance == Stance::Cover)
            }
        }
    }

    /// `items`: each element by its place.
    #[inline(never)]
    pub(super) fn ask_places(
        &self,
        items: &Items<Constraint>,
        subject: Subject<'_>,
        negated: bool,
    ) -> Truth {
        let elements = match subject {
            Subject::There(Value::List(elements)) => elements,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::There(_) | Subject::Missing(_) => return Truth::Unknown,
        };
        let (first, more) = match elements.split_at_checked(items.places.len()) {
            Some(parts) => parts,
            None => return Truth::of(negated),
        };
        // What a cover leaves unsaid is not there; what it excludes it takes widely, as a guard does what it
        // names: `git push` is that command with any options, too.
        let strict = (self.stance == Stance::Cover) != negated;
        if strict && items.rest.is_none() && !more.is_empty() {
            return Truth::of(negated);
        }
        let inside = Evaluation { in_list: false, ..*self };
        let placed = items.places.iter().zip(first);
        let rest = items.rest.iter().flat_map(|rest| more.iter().map(move |own| (rest, own)));
        let answers = placed
            .chain(rest)
            .map(|(item, element)| inside.ask(item, Subject::There(element), negated));
        if negated { self.any(answers) } else { self.all(answers) }
    }

    /// Every element, or any, of those that there are.
    pub(super) fn ask_elements(
        &self,
        constraint: &Constraint,
        elements: &[Value],
        negated: bool,
        every: bool,
    ) -> Truth {
        let searched = match elements.len() {
            0..=FEW => Cow::Borrowed(constraint),
            _ => self.with_sets(constraint),
        };
        let constraint = &*searched;
        let union = match elements.len() {
            0..=FEW => None,
            _ => Union::of(constraint, self.meter),
        };
        let answers = elements.iter().map(|element| match (&union, element) {
            // Of a list in it, its own elements are asked.
            (Some(union), element) if !matches!(element, Value::List(_)) => {
                self.ask_union(union, element, negated)
            }
            _ => self.ask(constraint, Subject::There(element), negated),
        });
        if every { self.all(answers) } else { self.any(answers) }
    }

    /// One element that is not a list, of a constraint that was put together for asking many.
    fn ask_union(&self, union: &Union<'_>, element: &Value, negated: bool) -> Truth {
        let says = union.says_of(element, self.meter);
        let says = if negated { !says } else { says };
        let (rest, any) = union.rest();
        let rest = rest.iter().map(|part| self.ask_one(part, Subject::There(element), negated));
        let answers = std::iter::once(says).chain(rest);
        if any != negated { self.any(answers) } else { self.all(answers) }
    }
}
