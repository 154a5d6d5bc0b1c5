//! What records of calls and requests keep in plain: the arguments that the catalogue lists, and the parts that the policy
//! names.

use super::grant_request::GrantRequest;
use super::offer::OfferInputs;
use crate::audit::{KeptPlain, Plain, PlainDraft, Stage};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::policy::{Compiled, Listed, Question};
use crate::scope::{Fact, Facts};
use crate::scrub::UsedSecrets;
use crate::value::Value;

/// What a record says of its plain values, and the values.
type GivenPlain = (Option<Box<Plain<'static>>>, Option<Box<str>>);

/// What the record of a question keeps in plain, and of one that the catalogue respelled, that it did; `None` where policy
/// and catalogue list nothing.
///
/// # Errors
/// A [`Denial`] where there is no randomness for salts: a value without one could be tried out.
#[inline]
pub(super) fn plain_of(
    policy: &Compiled,
    listed: &Listed,
    (question, respelled): (&Question<'_>, bool),
    used: Option<&UsedSecrets>,
) -> Result<Option<Box<KeptPlain>>, Denial> {
    match listed.plain.is_empty() && policy.plain.is_empty() {
        true => Ok(None),
        false => kept_of(policy, listed, (question, respelled), used).map(Some),
    }
}

#[cold]
fn kept_of(
    policy: &Compiled,
    listed: &Listed,
    (question, respelled): (&Question<'_>, bool),
    used: Option<&UsedSecrets>,
) -> Result<Box<KeptPlain>, Denial> {
    let args = question.what.args;
    let others = args.keys().filter(|name| !listed.plain.iter().any(|own| **own == **name)).count();
    let mut draft = PlainDraft::new(others, question.what.form == Form::CallBound, respelled);
    let mut finder = None;
    // Made for the first value alone: it costs more than all values do.
    let mut holds_secret = |text: &str| {
        used.is_some_and(|used| finder.get_or_insert_with(|| used.finder()).stands_in(text))
    };
    let arguments = listed.plain.iter().map(|name| Fact::arg(name));
    for fact in arguments.chain(policy.plain.iter().cloned()) {
        // Not kept where no rule looks at it: then it is not absent either.
        if fact == Fact::Seen && !policy.looks_at_history {
            continue;
        }
        match question.fact(&fact) {
            None => draft.note_absent(fact.to_string()),
            Some(value) => draft
                .keep(fact.to_string(), value, &mut holds_secret)
                .map_err(|error| Denial::new(Reason::NoRandomness).because(error))?,
        }
    }
    Ok(Box::new(draft.finish()))
}

/// What was decided by rules that gave nothing, as far as its record keeps it in plain.
pub(super) struct PlainDecision {
    pub(super) kept: Box<KeptPlain>,
    /// The time that was decided by.
    pub(super) at: Timestamp,
    pub(super) epoch: u64,
}

impl PlainDecision {
    /// What a record of that time says of it, and the line next to it.
    pub(super) fn recorded_at(&self, at: Timestamp) -> (Plain<'static>, Box<str>) {
        let KeptPlain { mut plain, values } = (*self.kept).clone();
        plain.decided = (at != self.at).then_some(self.at);
        (plain, values)
    }
}

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
    /// As [`plain_of`].
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
