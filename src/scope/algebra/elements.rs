//! Where no list has to be put together, since one of its elements tells as much.
//!
//! A cover takes a list if it takes every element, and a guard acts on one if it acts on any. So some of what is
//! looked for holds of a list where it holds of each element: that a cover takes it, that a guard leaves it. The rest
//! holds where it holds of one: that a guard acts on it, that a cover does not take it. Where at most one thing of the
//! second kind is looked for, the element of which it holds does for the whole list. The empty list is one of its own.

use super::super::constraint::{Constraint, Node};
use super::cells::Lists;
use crate::meter::Meter;

impl Constraint {
    /// Whether it asks of a list what it asks of each element, and asks a list of one what it asks of that.
    fn asks_elements_alone(&self) -> bool {
        let asks_elements = || self.is_by_element() && !self.names_type() && !self.compares();
        matches!(&self.0, Node::Any) || asks_elements()
    }
}

/// Which lists are needed of a fact of which all of `covers` have to be true, and `others` are asked as well: of
/// everything that is looked for, `of_one` things hold of a list where they hold of one element.
pub(super) fn lists_needed<'c>(
    covers: &[&'c Constraint],
    others: impl IntoIterator<Item = &'c Constraint>,
    of_one: usize,
    meter: &Meter,
) -> Lists {
    let mut all = covers.iter().copied().chain(others);
    let tell_all = of_one <= 1 && all.all(Constraint::asks_elements_alone);
    match tell_all || covers.iter().any(|own| own.takes_no_list(meter)) {
        true => Lists::Empty,
        false => Lists::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::reference;
    use crate::scope::value_type::ValueType;
    use crate::scope::words::{
        any, count, each, eq, has_any, max, min, of_type, prefix, present, same_as,
    };
    use serde_json::json;

    fn needed(covers: &[&Constraint], others: &[&Constraint], of_one: usize) -> Lists {
        lists_needed(covers, others.iter().copied(), of_one, &Meter::ample())
    }

    #[test]
    fn elements_tell_all_where_at_most_one_of_them_decides() {
        let (low, high) = (max(5), min(90));
        assert_eq!(needed(&[&low, &any()], &[&high], 0), Lists::Empty);
        assert_eq!(needed(&[&low], &[&high], 1), Lists::Empty);
        // A list of a low and a high one is what no element is.
        assert_eq!(needed(&[&any()], &[&low, &high], 2), Lists::All);
    }

    #[test]
    fn elements_do_not_tell_what_sees_the_list_or_what_is_not_known() {
        let typed = of_type(ValueType::Text);
        let sees = [each(min(3)), count(2..=3), has_any(["a"]), eq(json!(["a"])), present()];
        let others =
            [typed.clone().and(prefix("a")), same_as("who.id"), reference("args.y").as_max()];
        for own in sees.into_iter().chain(others) {
            assert_eq!(needed(&[&any()], &[&own], 0), Lists::All, "{own:?}");
        }
        assert_eq!(needed(&[&typed.clone().and(prefix("a"))], &[&each(min(3))], 2), Lists::Empty);
        assert_eq!(needed(&[&any()], &[&typed], 0), Lists::All, "what is not to be true of it");
    }
}
