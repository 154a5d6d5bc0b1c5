//! Is one constraint within another; can both hold?
//!
//! Asked of the structure first, which settles most and what the algebra can't (`same_as`), then of the
//! algebra. What can't be shown is "not contained" and "may overlap", so that doubt denies.

use super::algebra::{Algebra, Difference, all_but};
use super::capability::Capability;
use super::constraint::{Constraint, Node};
use super::cover::{Condition, Cover, ResourceOpenness};
use super::evaluate::Stance;
use super::fact::{Absence, Fact};
use super::inside::Inside;
use super::items::Items;
use super::kind::{Count, Fields, Range, Sort};
use super::path::is_under;
use super::segments::{has_dot_segment, is_of_paths};
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::{Number, Object, Value};

impl Constraint {
    /// Whether every value of which `self` is true is one of which `wider` is true.
    ///
    /// `false` also where it can't be shown.
    pub(crate) fn is_within(&self, wider: &Constraint, meter: &Meter) -> bool {
        // A value that is named and not covered settles it: there is nothing to search for.
        if let Node::Is(set) = &self.0
            && !wider.compares()
            && !set.iter().all(|value| wider.is_true_of(value, meter))
        {
            return false;
        }
        self.is_plainly_within(wider, meter)
            || (!self.is_plainly_beyond(wider, meter) && self.contained_in(wider, meter))
    }

    /// [`Constraint::is_within`] as far as it is seen from the structure: sound, and not complete.
    fn is_plainly_within(&self, wider: &Constraint, meter: &Meter) -> bool {
        // Each look at both goes through all of their parts.
        if !meter.charge(self.parts() + wider.parts(), Work::Containing) {
            return false;
        }
        if self == wider {
            return true;
        }
        if let Some(within) = self.is_within_whatever(wider, meter) {
            return within;
        }
        // Not taken apart where it is open how lists are taken, or where that is in both ways at once, as
        // next to a comparison with a list that is known: alone, some part would ask the elements.
        if [self, wider].iter().any(|one| one.takes_lists_as_known() || one.sort().is_err()) {
            return self.says_plainly(wider);
        }
        // A list is asked element by element or as a whole. Taking one side apart keeps the meaning
        // only where both sides take lists the same way, or the taken one says more.
        let (by_element, wider_by_element) = (self.is_by_element(), wider.is_by_element());
        let take_self = !by_element || wider_by_element;
        // What names a type may be true of a list and of none of its elements: a part that is asked of those within the
        // whole, and of the list alone, as whether it is filled in, is then another.
        let take_wider = |parts: &[Constraint]| {
            (by_element && !self.names_type())
                || !wider_by_element
                || parts.iter().all(Constraint::is_by_element)
        };
        match (&self.0, &wider.0) {
            (Node::Is(set), _) if take_self && !wider.compares() => {
                // The set is also of lists of its values, of which the type is another.
                let in_list = |value: &Value| {
                    let list = Value::List(vec![value.clone()]);
                    !by_element || !wider.names_type() || wider.is_true_of(&list, meter)
                };
                set.iter().all(|value| wider.is_true_of(value, meter) && in_list(value))
            }
            (Node::AnyOf(parts), _) if take_self => {
                parts.iter().all(|part| part.is_plainly_within(wider, meter))
            }
            (_, Node::All(parts)) if take_wider(parts) => {
                parts.iter().all(|part| self.is_plainly_within(part, meter))
            }
            (Node::All(parts), _)
                if take_self && parts.iter().any(|part| part.is_plainly_within(wider, meter)) =>
            {
                true
            }
            (_, Node::AnyOf(parts)) if take_wider(parts) => {
                parts.iter().any(|part| self.is_plainly_within(part, meter))
            }
            (Node::Type(narrow), Node::Type(wide)) => narrow.is_within(*wide),
            (Node::Range(narrow), Node::Range(wide)) => {
                range_within(&narrow.range(), &wide.range())
            }
            (Node::Levels(narrow), Node::Levels(wide)) => narrow.is_within(wide),
            // Most patterns that people write are settled by how they begin.
            // Where the narrow one speaks of segments `.` and `..`, the wide one may know nothing of them.
            (Node::Prefix(narrow), Node::Prefix(wide)) => {
                narrow.starts_with(&**wide) && !has_dot_segment(narrow)
            }
            (Node::Glob(narrow), Node::Prefix(wide)) => {
                narrow.beginning().starts_with(&**wide)
                    && (narrow.is_of_paths() || !is_of_paths(wide))
            }
            // Not a prefix in a glob, which is asked of no text that is too long for it.
            (Node::Glob(narrow), Node::Glob(wide)) => {
                wide.is_beginning()
                    && narrow.beginning().starts_with(wide.beginning())
                    && (narrow.is_of_paths() || !wide.is_of_paths())
            }
            (Node::Under(narrow), Node::Under(wide)) => is_under(narrow, wide),
            (Node::Under(narrow), Node::Prefix(wide)) => {
                // What is under `.` does not begin with a dot.
                &**narrow != "." && narrow.starts_with(&**wide)
            }
            (Node::Cidr(narrow), Node::Cidr(wide)) => {
                narrow.iter().all(|own| wide.iter().any(|wide| own.is_within(wide)))
            }
            (Node::Url(narrow), Node::Url(wide)) => narrow.is_within(wide),
            (Node::Instants(narrow), Node::Instants(wide)) => narrow.is_within(wide),
            (Node::Weekly(narrow), Node::Weekly(wide)) => narrow.is_within(wide),
            (Node::Json(narrow), Node::Json(wide)) => narrow.is_plainly_within(wide, meter),
            (Node::Fields(narrow), Node::Fields(wide)) => fields_within(narrow, wide, meter),
            (Node::Items(narrow), Node::Items(wide)) => items_within(narrow, wide, meter),
            (Node::Items(narrow), Node::Each(wide)) => {
                narrow.iter().all(|own| own.is_within(wide, meter))
            }
            (Node::Items(narrow), Node::Count(wide)) => {
                let least = narrow.places.len() as u64;
                let all = Count { min: least, max: narrow.rest.is_none().then_some(least) };
                wide.min <= all.min
                    && wide.max.is_none_or(|most| all.max.is_some_and(|own| own <= most))
            }
            (Node::Each(narrow), Node::Each(wide)) => narrow.is_plainly_within(wide, meter),
            (Node::Each(narrow), Node::Some(wide)) | (Node::Some(narrow), Node::Some(wide)) => {
                narrow.is_plainly_within(wide, meter)
            }
            _ => false,
        }
    }

    /// Where `wider` is true of everything but what is not filled in, and perhaps of that too, there is
    /// nothing to search for: what it leaves out is three values. `None` where it says more.
    fn is_within_whatever(&self, wider: &Constraint, meter: &Meter) -> Option<bool> {
        if wider.sort() != Ok(Sort::Neutral) || !wider.is_true_of(&Value::Bool(true), meter) {
            return None;
        }
        // One of each type that is told apart.
        let others = [
            Value::from("x"),
            Value::from(1),
            Value::Number(Number::parse("0.5").ok()?),
            Value::List(Vec::new()),
            Value::Object(Object::new()),
        ];
        if !others.iter().all(|value| wider.is_true_of(value, meter)) {
            return None;
        }
        let is_true = |one: &Constraint, value: Option<&Value>| {
            one.holds_of(value, Absence::Argument, Stance::Cover, false, meter) == Truth::True
        };
        let [null, empty] = [Value::Null, Value::from("")];
        let mut left_out = [None, Some(&null), Some(&empty)].into_iter();
        // Whatever a part of the question is, the empty text does not begin with it, and `not` of that holds.
        let may_be_empty = |value: Option<&Value>| value == Some(&empty) && self.relates();
        let within = left_out
            .all(|value| is_true(wider, value) || !(is_true(self, value) || may_be_empty(value)));
        // What could not be asked of `self` any more may be true of it.
        Some(within && !meter.is_spent())
    }

    /// Whether `self` says just what `wider` does, and at most something more that leaves lists to it.
    fn says_plainly(&self, wider: &Constraint) -> bool {
        match &self.0 {
            Node::All(parts) => {
                let mut others = parts.iter().filter(|part| *part != wider);
                parts.contains(wider) && others.all(|part| part.sort() == Ok(Sort::Neutral))
            }
            _ => false,
        }
    }

    pub(super) fn is_by_element(&self) -> bool {
        matches!(self.sort(), Ok(Sort::Element(_)))
    }

    fn is_true_of(&self, value: &Value, meter: &Meter) -> bool {
        self.holds_of(Some(value), Absence::Argument, Stance::Cover, false, meter) == Truth::True
    }
}

impl Capability {
    /// Whether every call that this covers is one that `wider` covers; `false` also where it can't be
    /// shown.
    pub(crate) fn is_within(&self, wider: &Capability, meter: &Meter) -> bool {
        self.is_plainly_within(wider, meter) || self.contained_in(wider, meter)
    }

    /// As far as it is seen condition by condition, without a search. What is delegated is mostly the same
    /// as what it is delegated from, or one condition narrower.
    pub(super) fn is_plainly_within(&self, wider: &Capability, meter: &Meter) -> bool {
        let says = |wide: &Condition| {
            let mut own = self.conditions.iter().filter(|own| own.fact == wide.fact);
            own.any(|own| own.constraint.is_plainly_within(&wide.constraint, meter))
        };
        self.tool == wider.tool
            && openness_within(self.cover(), wider.cover())
            && wider.conditions.iter().all(says)
    }
}

/// Whether the calls of a cover all satisfy `wider`, a condition on the call.
pub(crate) fn condition_within(
    cover: Cover<'_>,
    (fact, wider): (&Fact, &Constraint),
    meter: &Meter,
) -> bool {
    let Cover { conditions, .. } = cover;
    if !meter.charge(4 + conditions.len() / 2, Work::Containing) {
        return false;
    }
    let own: Vec<&Constraint> =
        conditions.iter().filter(|own| own.fact == *fact).map(|own| &own.constraint).collect();
    match (own.as_slice(), fact) {
        // Not named: with a closed cover that argument, and what would lie in it, is never there.
        ([], Fact::Arg(path)) if matches!(cover.inside(path), Inside::Absent) => {
            wider.admits_absence(meter) == Truth::True
        }
        ([], _) => false,
        ([only], _) => only.is_within(wider, meter),
        // Not as one `all`: each of them takes lists in its own way.
        (several, fact) => {
            several.iter().any(|own| own.is_plainly_within(wider, meter))
                || all_but(several, wider, fact.absence(), meter) == Difference::Empty
        }
    }
}

/// Whether a call of a cover may have an empty list as `fact`, or a list with one in it however deep. Its
/// elements tell nothing of what they are compared with.
pub(crate) fn cover_admits_an_empty_list(cover: Cover<'_>, fact: &Fact, meter: &Meter) -> bool {
    let own = cover.conditions.iter().filter(|own| own.fact == *fact);
    own.map(|own| &own.constraint).all(|own| match (own.finite(), own.sort()) {
        (Some(set), _) => set.iter().any(holds_an_empty_list),
        // Of a list, each element has to be one of it, and an empty list in it has none.
        (None, Ok(Sort::Element(_))) => false,
        // What it says of a list may leave room for another element.
        (None, Ok(Sort::List(_) | Sort::Open) | Err(_)) => true,
        (None, Ok(Sort::Neutral)) => {
            own.holds_of(
                Some(&Value::List(Vec::new())),
                fact.absence(),
                Stance::Cover,
                false,
                meter,
            ) != Truth::False
        }
    })
}

fn holds_an_empty_list(value: &Value) -> bool {
    match value {
        Value::List(elements) => elements.is_empty() || elements.iter().any(holds_an_empty_list),
        _ => false,
    }
}

/// Whether nothing that `narrow` leaves open is closed in `wide`.
pub(crate) fn openness_within(narrow: Cover<'_>, wide: Cover<'_>) -> bool {
    let resource = matches!(
        (narrow.openness.resource, wide.openness.resource),
        (_, ResourceOpenness::Any)
            | (ResourceOpenness::None, ResourceOpenness::None)
            | (ResourceOpenness::Named, ResourceOpenness::Named)
    );
    let names = |name: &str| wide.names_argument(name);
    let args = wide.openness.other_args
        || (!narrow.openness.other_args
            && narrow.conditions.iter().all(|own| own.fact.as_argument().is_none_or(names)));
    resource && args
}

fn range_within(narrow: &Range, wide: &Range) -> bool {
    narrow.is_empty() || narrow.intersect(*wide) == *narrow
}

fn items_within(narrow: &Items<Constraint>, wide: &Items<Constraint>, meter: &Meter) -> bool {
    // A list has the places of `narrow`, or more, of which nothing is said where there is no `rest`.
    let of_narrow = narrow.places.iter().chain(narrow.rest.iter().cycle());
    let of_wide = wide.places.iter().map(Some).chain(std::iter::repeat(wide.rest.as_ref()));
    let looked_at = narrow.places.len().max(wide.places.len()) + usize::from(narrow.rest.is_some());
    // Where `narrow` goes on and nothing is said of that in `wide`, it has no constraint to lie within.
    narrow.places.len() >= wide.places.len()
        && of_narrow
            .zip(of_wide)
            .take(looked_at)
            .all(|(own, wide)| wide.is_some_and(|wide| own.is_within(wide, meter)))
}

fn fields_within(narrow: &Fields<Constraint>, wide: &Fields<Constraint>, meter: &Meter) -> bool {
    let named = wide.iter().all(|(name, wide_field)| match narrow.get(name) {
        // Not all fields at once, of which there may be many ways to be.
        Some(field) => field.is_within(wide_field, meter),
        None => !narrow.open && wide_field.admits_absence(meter) == Truth::True,
    });
    let unnamed =
        wide.open || (!narrow.open && narrow.iter().all(|(name, _)| wide.get(name).is_some()));
    named && unnamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{
        ValueType, all_of, contains, eq, fields, of_type, optional, prefix, present, suffix,
    };

    /// What policies narrow most is one condition more: it is seen without a search.
    #[test]
    fn what_says_more_lies_plainly_within_what_says_a_part_of_it() {
        let narrow = all_of([prefix("a"), contains("b")]);
        let meter = Meter::ample();
        assert!(narrow.is_plainly_within(&prefix("a"), &meter));
        assert!(narrow.is_plainly_within(&contains("b"), &meter));
        assert!(!narrow.is_plainly_within(&suffix("b"), &meter));
    }

    /// An object that lacks a field, or may have any, lies within one that has to have it in neither case.
    #[test]
    fn an_object_without_a_field_lies_within_no_object_that_has_to_have_it() {
        let meter = Meter::ample();
        let alone = fields([("a", eq(1))]);
        let both = |b| fields([("a", eq(1)), ("b", b)]);
        assert!(!alone.is_plainly_within(&both(eq(2)), &meter));
        assert!(alone.is_plainly_within(&both(optional(eq(2))), &meter));
        assert!(!both(eq(2)).is_plainly_within(&alone, &meter));
        assert!(!alone.clone().other_fields().is_plainly_within(&alone, &meter));
        assert!(!alone.other_fields().is_plainly_within(&both(optional(eq(2))), &meter));
    }
    /// Whether a list is filled in is asked of it; next to what is asked of its elements, of each of them.
    #[test]
    fn lists_of_what_is_not_filled_in_lie_within_no_constraint_that_asks_its_elements_for_more() {
        let meter = Meter::ample();
        let lists = all_of([eq(""), of_type(ValueType::List)]);
        let list = Value::List(vec![Value::from("")]);
        let both = all_of([lists.clone(), present()]);
        assert!(lists.is_true_of(&list, &meter) && present().is_true_of(&list, &meter));
        assert!(!both.is_true_of(&list, &meter) && !lists.is_within(&both, &meter));
        assert!(lists.is_within(&present(), &meter) && both.is_within(&lists, &meter));
    }
}
