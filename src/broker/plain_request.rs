//! What the record of a request keeps in plain: the parts that the policy names, of all who take part.

use super::grant_request::GrantRequest;
use super::offer::OfferInputs;
use super::plain_record::PlainDecision;
use crate::audit::{KeptPlain, Plain, PlainDraft, Stage};
use crate::denial::{Denial, Reason};
use crate::scope::Fact;
use crate::scrub::UsedSecrets;
use crate::value::Value;

/// What a record says of its plain values, and the values.
type GivenPlain = (Option<Box<Plain<'static>>>, Option<Box<str>>);

impl<'a> OfferInputs<'a> {
    /// Has the record of this request keep what the policy names in plain.
    pub(super) fn recorded(self, request: &'a GrantRequest<'a>, respelled: bool) -> Self {
        OfferInputs { recorded: Some((request, respelled)), ..self }
    }
}

impl OfferInputs<'_> {
    /// What the record of a grant keeps in plain, and the values for the line next to it.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn plain_given(&self) -> Result<GivenPlain, Denial> {
        let kept = match self.recorded {
            Some((request, respelled)) if !self.current.policy.plain.is_empty() => {
                Some(self.kept(request, respelled)?)
            }
            _ => None,
        };
        Ok(kept.map(|own| (Box::new(own.plain), own.values)).unzip())
    }

    /// What the record of a denial by rules keeps in plain. It says that rules decided, if nothing else, where not all that
    /// is denied for this reason is denied by them: delegations, renewals, and what waits for people.
    #[cold]
    pub(super) fn decided(&self, reason: Reason) -> Option<PlainDecision> {
        let (request, respelled) = self.recorded?;
        let is_clear =
            request.occasion.stage == Stage::Request && reason != Reason::ApprovalRequired;
        if self.current.policy.plain.is_empty() && is_clear {
            return None;
        }
        // Without randomness nothing is kept, and the denial stands.
        let kept = self.kept(request, respelled).ok()?;
        Some(PlainDecision { kept: Box::new(kept), at: self.now, epoch: self.current.epoch })
    }

    /// What the record keeps of a request that was to be trimmed, and of which nothing is given.
    pub(super) fn decided_by_parts(&self) -> PlainDecision {
        let kept = Box::new(PlainDraft::of_request(false, true).finish());
        PlainDecision { kept, at: self.now, epoch: self.current.epoch }
    }

    #[cold]
    fn kept(&self, request: &GrantRequest<'_>, respelled: bool) -> Result<KeptPlain, Denial> {
        let OfferInputs { current, life, holder, .. } = *self;
        let mut parties = vec![("who".to_owned(), holder)];
        match self.parent {
            None if request.parties().len() > 1 => {
                parties.push(("requester".to_owned(), &*request.cell.requester));
            }
            None => {}
            Some(parent) => parties.extend(
                (1..).zip(life.holders(parent)).map(|(n, own)| (format!("delegator-{n}"), own)),
            ),
        }
        let mut draft = PlainDraft::of_request(respelled, false);
        let finder = life.secrets().map(UsedSecrets::finder);
        let mut keep = |name: String, value: Option<&Value>| match value {
            None => {
                draft.note_absent(name);
                Ok(())
            }
            Some(value) => draft
                .keep(name, value, |text| finder.as_ref().is_some_and(|own| own.stands_in(text)))
                .map_err(|error| Denial::new(Reason::NoRandomness).because(error)),
        };
        for fact in &current.policy.plain {
            match fact {
                Fact::Context(name) => keep(fact.to_string(), self.context.get(name))?,
                // Not kept where no rule looks at it: then it is not absent either.
                Fact::Seen if current.policy.looks_at_history => {
                    keep(fact.to_string(), Some(life.history().seen(current.listing()).labels()))?;
                }
                fact if fact.is_of_the_asker() => {
                    let name = fact.to_string();
                    let own = name.strip_prefix("who").unwrap_or(&name);
                    for (party, who) in &parties {
                        let who = current.restated.seen(who);
                        keep(format!("{party}{own}"), who.fact(fact))?;
                    }
                }
                // What a scope says of resources stands in it.
                _ => {}
            }
        }
        Ok(draft.finish())
    }
}
