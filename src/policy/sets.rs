//! Facts that are sets (groups, `acts_for`, labels, the history), and what may be asked of them.

use crate::document::{Misfit, Written};
use crate::scope::{
    Condition, Constraint, Expected, Fact, Node, Relation, all_of, any_of, count, has_all, not,
    subset_of,
};
use crate::value::{SpannedNode, Value};
use crate::visible::Shown;

/// What a condition asks of one value although its fact is a set. A forbid of that looks right and
/// forbids next to nothing; a permit gives to sets of which each element happens to be so.
pub(super) fn fault(condition: &Condition) -> Option<String> {
    if condition.fact.is_a_set() { fault_of(&condition.constraint) } else { None }
}

fn fault_of(constraint: &Constraint) -> Option<String> {
    match &constraint.0 {
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().find_map(fault_of),
        Node::Not(inner) => fault_of(inner),
        Node::Is(set) => {
            let odd = set.iter().filter_map(Value::as_list).flatten();
            if let Some(odd) = odd.into_iter().find(|element| element.as_text().is_none()) {
                let given = odd.to_json();
                return Some(format!(
                    "this is a set of texts, and {} is not one: no set is ever equal to it",
                    Shown(&given)
                ));
            }
            let one = set.iter().find(|value| !matches!(value, Value::List(_)))?;
            let text = one.to_json();
            Some(format!(
                "this is a set, never one value like {}: in its place write `{{ has_any = [{text}] }}` for a \
                 set with it, and `{{ eq = [{text}] }}` for exactly this set",
                Shown(&text)
            ))
        }
        Node::SameAs(other) if is_one_text(other) => Some(format!(
            "this is a set, and never the same as `{other}`, which is one text: for a set with it \
             write `{{ some = {{ same_as = \"{other}\" }} }}`"
        )),
        Node::Compared(own)
            if own.expects() == Expected::List && own.relation != Relation::OneOf =>
        {
            None
        }
        Node::Any
        | Node::Present(_)
        | Node::SameAs(_)
        | Node::Each(_)
        | Node::Some(_)
        | Node::Count(_)
        | Node::SubsetOf(_)
        | Node::HasAny(_)
        | Node::HasAll(_)
        | Node::Faulty(_) => None,
        Node::Items(_) => Some(
            "this is a set, which has no order: for exactly these write `{ eq = [ … ] }`"
                .to_owned(),
        ),
        Node::Contains(part) => {
            let text = Value::from(&**part).to_json();
            Some(format!(
                "this is a set, and `contains` is asked of a text: for a set with {} write `{{ has_any = [{text}] }}`, \
                 for one with an element of which that is a part `{{ some = {{ contains = {text} }} }}`",
                Shown(&text)
            ))
        }
        _ => {
            let word = constraint.word();
            Some(format!(
                "this is a set, and `{word}` is asked of one value: for a set with such an element \
                 write `{{ some = {{ {word} = … }} }}`, for one of only such elements \
                 `{{ each = {{ {word} = … }} }}`"
            ))
        }
    }
}

/// Facts that are one text, whatever the question.
pub(super) const fn is_one_text(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::WhoId
            | Fact::WhoKind
            | Fact::Purpose
            | Fact::Ticket
            | Fact::Now
            | Fact::ResourceType
            | Fact::ResourceId
    )
}

/// The condition with `eq` of a list said of the set: sets have no order, and lists do.
///
/// Only of facts whose order means nothing: `acts_for` is a chain.
pub(super) fn as_set(condition: &mut Condition) {
    if matches!(condition.fact, Fact::WhoGroups | Fact::Labels | Fact::Seen)
        && let Some(constraint) = said_of_set(&condition.constraint)
    {
        condition.constraint = constraint;
    }
}

/// `None` where nothing is to be said otherwise.
fn said_of_set(constraint: &Constraint) -> Option<Constraint> {
    let parts_of = |parts: &[Constraint]| {
        let said: Vec<_> = parts.iter().map(said_of_set).collect();
        said.iter().any(Option::is_some).then(|| {
            let pairs = said.into_iter().zip(parts);
            pairs.map(|(said, own)| said.unwrap_or_else(|| own.clone())).collect::<Vec<_>>()
        })
    };
    match &constraint.0 {
        Node::All(parts) => Some(all_of(parts_of(parts)?)),
        Node::AnyOf(parts) => Some(any_of(parts_of(parts)?)),
        Node::Not(inner) => Some(not(said_of_set(inner)?)),
        Node::Is(set) => {
            let lists: Option<Vec<&[Value]>> = set.iter().map(Value::as_list).collect();
            let mut exactly: Vec<Constraint> = lists?.into_iter().map(exactly).collect();
            if exactly.len() == 1 { exactly.pop() } else { Some(any_of(exactly)) }
        }
        _ => None,
    }
}

fn exactly(elements: &[Value]) -> Constraint {
    if elements.is_empty() {
        return count(0);
    }
    all_of([has_all(elements.iter().cloned()), subset_of(elements.iter().cloned())])
}

/// # Errors
/// A list that stands bare where a set is spoken of: it could mean two things.
pub(super) fn no_bare_list(written: &Written) -> Result<(), Misfit> {
    match bare_list(written) {
        Some(at) => Err(Misfit::new(
            at,
            "a bare list could mean two things: for one of these write `{ has_any = [ … ] }`, for \
             exactly this set `{ eq = [ … ] }`",
        )),
        None => Ok(()),
    }
}

/// Where a constraint compares with a list that is written bare, instead of as `eq`.
pub(super) fn bare_list(written: &Written) -> Option<usize> {
    match &written.node {
        // An empty one has words of its own.
        SpannedNode::List(elements) if !elements.is_empty() => Some(written.span.start),
        SpannedNode::Object(entries) => {
            entries.iter().find_map(|(_, key, own)| match (&**key, &own.node) {
                ("not", _) => bare_list(own),
                ("all" | "any", SpannedNode::List(parts)) => parts.iter().find_map(bare_list),
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Meter;
    use crate::scope::{Facts, Stance, Truth, contains, eq, has_any, one_of, prefix, some};

    fn texts(names: &[&str]) -> Value {
        Value::List(names.iter().map(|name| Value::from(*name)).collect())
    }

    struct Alone(Value);

    impl<'q> Facts<'q> for &'q Alone {
        fn fact(self, _: &Fact) -> Option<&'q Value> {
            Some(&self.0)
        }
    }

    fn holds(constraint: Constraint, names: &[&str]) -> Truth {
        let mut condition = Condition::new(Fact::Seen, constraint);
        as_set(&mut condition);
        condition.holds(Stance::Guard, &Alone(texts(names)), &Meter::ample())
    }

    #[test]
    fn exactly_a_set_is_that_set_in_any_order_and_nothing_else() {
        let both = || eq(texts(&["b", "a"]));
        for names in [&["a", "b"][..], &["b", "a"], &["a", "b", "a"]] {
            assert_eq!(holds(both(), names), Truth::True, "{names:?}");
            assert_eq!(holds(not(both()), names), Truth::False, "{names:?}");
            assert_eq!(holds(any_of([has_any(["x"]), both()]), names), Truth::True, "{names:?}");
        }
        for names in [&[][..], &["a"], &["b"], &["a", "b", "c"], &["c", "d"]] {
            assert_eq!(holds(both(), names), Truth::False, "{names:?}");
            assert_eq!(holds(not(both()), names), Truth::True, "{names:?}");
        }
        let none = || eq(Value::List(Vec::new()));
        assert_eq!(holds(none(), &[]), Truth::True);
        assert_eq!(holds(none(), &["a"]), Truth::False);
        let either = || one_of([texts(&["a"]), texts(&["c", "b"])]);
        assert_eq!(holds(either(), &["b", "c"]), Truth::True);
        assert_eq!(holds(all_of([either(), not(none())]), &["a"]), Truth::True);
        assert_eq!(holds(either(), &["a", "b"]), Truth::False);
    }

    /// A chain of those who are acted for has an order, and is compared as it is.
    #[test]
    fn a_chain_is_compared_in_order() {
        let mut condition = Condition::new(Fact::WhoActsFor, eq(texts(&["bob", "ada"])));
        as_set(&mut condition);
        assert_eq!(condition.constraint, eq(texts(&["bob", "ada"])));
    }

    /// Wherever it stands: in a part, or where it is excluded.
    #[test]
    fn what_is_asked_of_one_value_is_a_fault_of_a_set() {
        for at_fault in
            [contains("admin"), eq("admin"), prefix("a"), eq(Value::List(vec![1.into()]))]
        {
            let sound = has_any(["x"]);
            for whole in [
                at_fault.clone(),
                not(at_fault.clone()),
                all_of([sound.clone(), at_fault.clone()]),
                any_of([sound.clone(), not(at_fault.clone())]),
            ] {
                let of_set = Condition::new(Fact::WhoGroups, whole.clone());
                assert!(fault(&of_set).is_some(), "{whole}");
                assert_eq!(fault(&Condition::new(Fact::WhoId, whole)), None);
            }
        }
        for sound in [some(contains("admin")), not(has_any(["x"])), eq(texts(&["a"]))] {
            assert_eq!(fault(&Condition::new(Fact::WhoGroups, sound)), None);
        }
    }

    #[test]
    fn a_bare_list_does_not_load_wherever_it_stands_on_a_set() {
        let loads = |groups: &str| {
            let rule = "version = 1\n\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }\n";
            crate::policy::Policy::from_toml(&format!("{rule}who = {{ groups = {groups} }}\n"))
        };
        for list in [r#"["a"]"#, r#"["a", "b"]"#] {
            for whole in [
                list.to_owned(),
                format!("{{ not = {list} }}"),
                format!("{{ any = [{{ has_any = [\"x\"] }}, {list}] }}"),
                format!("{{ all = [{{ not = {list} }}, {{ has_any = [\"x\"] }}] }}"),
            ] {
                let error = loads(&whole).unwrap_err().to_string();
                assert!(error.contains("a bare list could mean two things"), "{whole}: {error}");
            }
            for said in ["has_any", "eq"] {
                loads(&format!("{{ not = {{ {said} = {list} }} }}")).unwrap();
            }
        }
    }
}
