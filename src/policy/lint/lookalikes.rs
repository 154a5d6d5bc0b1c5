//! Names that a reader takes for others: letters of two scripts that look the same.

use std::collections::HashMap;

use super::warning::{Findings, WarningCode};
use crate::policy::Catalogue;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Constraint, Fact, Node};
use crate::value::Value;
use crate::visible::plain_letter;

/// The names of a policy in plain letters, by what they are names of.
pub(super) struct Lookalikes<'p> {
    known: HashMap<(Of, &'p str), ()>,
}

/// What a name is the name of: the same letters may well name an argument and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Argument,
    Identity,
    Context,
    Resource,
    Group,
}

impl<'p> Lookalikes<'p> {
    pub(super) fn of(rules: &'p [Rule], catalogue: &'p Catalogue) -> Self {
        let mut known = HashMap::new();
        for rule in rules {
            each_name(rule, &mut |of, name, _| {
                if name.is_ascii() {
                    known.insert((of, name), ());
                }
            });
        }
        let listed = catalogue.names().filter_map(|name| catalogue.get(name));
        let typed = listed.flat_map(|listed| listed.typed.iter());
        known.extend(typed.map(|(name, _)| ((Of::Argument, name), ())));
        Lookalikes { known }
    }

    /// Warns of names that look like a known one and are another, or mix letters that look the same.
    pub(super) fn look_at(&self, rule: &'p Rule, findings: &mut Findings<'_>) {
        each_name(rule, &mut |of, name, place| {
            if name.is_ascii() {
                return;
            }
            let plain: String = name.chars().map(|c| plain_letter(c).unwrap_or(c)).collect();
            let changed = plain != name;
            let spelled: String = name
                .chars()
                .map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() })
                .collect();
            if changed && self.known.contains_key(&(of, plain.as_str())) {
                let message = format!(
                    "the name `{spelled}` looks like `{plain}`, which the policy knows, and is another"
                );
                findings.add(WarningCode::LooksAlike, place, message);
            } else if changed && name.chars().any(|c| c.is_ascii_alphabetic()) {
                let message = format!(
                    "the name `{spelled}` mixes letters of scripts that look the same, and reads like `{plain}`"
                );
                findings.add(WarningCode::LooksAlike, place, message);
            }
        });
    }
}

/// Visits the names that a rule speaks of, and where.
fn each_name<'r>(rule: &'r Rule, visit: &mut impl FnMut(Of, &'r str, &str)) {
    for condition in rule.all_conditions() {
        let place = place_of(&condition.fact);
        of_fact(&condition.fact, &place, visit);
        of_constraint(&condition.constraint, &place, visit);
        if condition.fact == Fact::WhoGroups {
            condition.constraint.for_each_leaf(&mut |leaf| {
                if let Node::Is(set) | Node::HasAny(set) | Node::HasAll(set) | Node::SubsetOf(set) =
                    leaf
                {
                    let groups = set.iter().filter_map(Value::as_text);
                    groups.for_each(|group| visit(Of::Group, group, &place));
                }
            });
        }
    }
    for budget in &rule.limits.budgets {
        of_fact(&budget.argument, "grant.budget", visit);
    }
}

fn of_fact<'r>(fact: &'r Fact, place: &str, visit: &mut impl FnMut(Of, &'r str, &str)) {
    match fact {
        Fact::Arg(path) => path.iter().for_each(|name| visit(Of::Argument, name, place)),
        Fact::WhoAttr(name) => visit(Of::Identity, name, place),
        Fact::Context(name) => visit(Of::Context, name, place),
        Fact::ResourceAttr(name) => visit(Of::Resource, name, place),
        _ => {}
    }
}

fn of_constraint<'r>(
    constraint: &'r Constraint,
    place: &str,
    visit: &mut impl FnMut(Of, &'r str, &str),
) {
    match &constraint.0 {
        leaf @ (Node::SameAs(_) | Node::Compared(_)) => {
            leaf.facts().for_each(|fact| of_fact(fact, place, visit));
        }
        Node::All(parts) | Node::AnyOf(parts) => {
            parts.iter().for_each(|part| of_constraint(part, place, visit));
        }
        Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
            of_constraint(inner, place, visit);
        }
        Node::Items(items) => items.iter().for_each(|item| of_constraint(item, place, visit)),
        Node::Fields(fields) => fields.iter().for_each(|(name, field)| {
            visit(Of::Argument, name, place);
            of_constraint(field, place, visit);
        }),
        _ => {}
    }
}
