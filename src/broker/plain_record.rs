//! What the record of a call keeps in plain: the arguments that the catalogue lists, and the parts that the policy names.

use crate::audit::{KeptPlain, Plain, PlainDraft};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::policy::{Compiled, Listed, Question};
use crate::scope::{Fact, Facts};
use crate::scrub::UsedSecrets;

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
        if matches!(fact, Fact::Seen | Fact::Note(_)) && !policy.looks_at_history {
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
