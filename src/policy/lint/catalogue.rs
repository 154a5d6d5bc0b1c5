//! Tools and labels that the catalogue does not have.

use super::guess::Guesses;
use super::warning::{Findings, WarningCode};
use crate::policy::Catalogue;
use crate::policy::error::place_of;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Condition, Constraint, Fact, Node, note_parts};
use crate::value::Value;
use crate::visible::Shown;

/// How many names a message lists at most.
const MOST_LISTED: usize = 12;

/// The names of a catalogue, sorted, each once.
pub(super) struct CatalogueNames<'c> {
    tools: Vec<&'c str>,
    labels: Vec<&'c str>,
    guesses: &'c Guesses,
}

impl<'c> CatalogueNames<'c> {
    /// `None` without a catalogue: every well-formed name is then a tool.
    pub(super) fn of(catalogue: &'c Catalogue, guesses: &'c Guesses) -> Option<Self> {
        if !catalogue.is_there() {
            return None;
        }
        let mut tools: Vec<&str> = catalogue.names().collect();
        tools.sort_unstable();
        let lists = tools.iter().filter_map(|name| catalogue.labels_of(name)?.as_list());
        let mut labels: Vec<&str> = lists.flatten().filter_map(Value::as_text).collect();
        labels.sort_unstable();
        labels.dedup();
        Some(CatalogueNames { tools, labels, guesses })
    }

    /// Warns of the names that a rule speaks of and the catalogue does not have.
    pub(super) fn look_at(&self, rule: &Rule, findings: &mut Findings<'_>) {
        if let Tools::Named(names) = &rule.tools {
            for name in names.iter().filter(|name| self.tools.binary_search(&&***name).is_err()) {
                let mut guess = self.guesses.of(name, self.tools.iter().copied());
                if guess.is_empty() && self.tools.len() <= MOST_LISTED {
                    guess = format!(", expected one of `{}`", self.tools.join("`, `"));
                }
                let message = format!("the catalogue has no tool `{name}`{guess}");
                findings.add(WarningCode::UnknownTool, "what.tool", message);
            }
        }
        for condition in rule.all_conditions() {
            condition
                .constraint
                .for_each_fact(&mut |fact| self.look_at_note(condition, fact, findings));
            if !matches!(condition.fact, Fact::Labels | Fact::Seen) {
                continue;
            }
            for label in named_texts(&condition.constraint) {
                if self.labels.binary_search(&label).is_err() {
                    let guess = self.guesses.of(label, self.labels.iter().copied());
                    let shown = Shown(label);
                    let message = format!("no tool of the catalogue has the label {shown}{guess}");
                    findings.add(WarningCode::UnknownLabel, &place_of(&condition.fact), message);
                }
            }
        }
    }

    /// A call notes what its own tool gave: a note of any other tool is never there.
    fn look_at_note(&self, condition: &Condition, fact: &Fact, findings: &mut Findings<'_>) {
        let Fact::Note(name) = fact else { return };
        let Ok((tool, _)) = note_parts(name) else { return };
        if self.tools.binary_search(&tool).is_err() {
            let guess = self.guesses.of(tool, self.tools.iter().copied());
            let message =
                format!("the catalogue has no tool `{tool}`, whose calls `{fact}` is of{guess}");
            findings.add(WarningCode::UnknownTool, &place_of(&condition.fact), message);
        }
    }
}

/// The texts that a constraint names as members of sets.
fn named_texts(constraint: &Constraint) -> Vec<&str> {
    let mut named = Vec::new();
    constraint.for_each_leaf(&mut |leaf| {
        if let Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) = leaf {
            named.extend(set.iter().filter_map(Value::as_text));
        }
    });
    named
}
