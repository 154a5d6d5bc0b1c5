//! What people are shown of a question.

use super::question::OpenQuestion;
use super::question_subject::Subject;
use crate::approval::view::{Asked, RuleShown, Source, View};
use crate::identity::Identity;
use crate::scope::Capability;
use crate::value::Digest;

impl OpenQuestion {
    /// What people are shown, from what was kept when it was asked.
    pub(super) fn rendered(&self) -> View {
        // Its rules say today what they said then, or it is void and shows what it showed.
        let policy = self.standing.lock().policy.clone();
        let asks = self.binding.asks.iter().map(|bound| ("ask", bound));
        let rules = asks.chain(self.binding.permits.iter().map(|bound| ("permit", bound)));
        let rules: Vec<RuleShown<'_>> = rules
            .filter_map(|(effect, bound)| {
                let rule = policy.rule(policy.place_of(&bound.id)?)?;
                let limits = match (&rule.approval, effect) {
                    (Some(terms), "ask") => terms.shown(),
                    _ => rule.limits.shown(),
                };
                Some(RuleShown { effect, id: &rule.id, owner: rule.owned_by(), limits })
            })
            .collect();
        let material = self.call().into_iter().flat_map(|call| call.materials().iter());
        let material: Vec<(&str, &Digest)> = material.collect();
        let items: Vec<Capability>;
        let asked = match &self.subject {
            Subject::Call { call, .. } => Asked::Call(call),
            Subject::Scope(plan) => {
                items = plan.withheld().cloned().collect();
                Asked::Scope(&items, &plan.scope)
            }
        };
        let amended = self.amended();
        // Those who amended it have lines of their own.
        let amended_it = |party: &Identity| {
            amended.is_some_and(|own| own.by.iter().any(|by| by.subject() == party.subject()))
        };
        let others = self.parties().iter().filter(|own| own.subject() != self.holder.subject());
        let parties: Vec<Identity> = others.filter(|own| !amended_it(own)).cloned().collect();
        let by = amended.into_iter().flat_map(|own| &own.by);
        let amended_by: Vec<&str> = by.map(|own| own.subject().as_str()).collect();
        View::of(&Source {
            asked,
            holder: &self.holder,
            parties: &parties,
            amended_by: &amended_by,
            task: (&self.task, self.generation),
            purpose: &self.purpose,
            rules: &rules,
            material: &material,
            before: amended.map(|own| &own.before),
        })
    }
}
