//! Strategies of `proptest` for host test suites (feature `proptest`): identities, calls, scopes and whole lives that are near
//! to what a policy speaks of, and policies.
//!
//! What is drawn of a policy begins with questions that it permits, and changes up to three parts of each: to values that its
//! rules name, to their neighbours, to what [`attacks`](super::attacks) sends, to nothing. So about half is permitted, and the rest
//! is denied for one reason or two. A failure shrinks towards a question that is permitted as it is.
//!
//! ```
//! use hallpass::policy::{Policy, Rule};
//! use hallpass::scope::{has_any, max, min};
//! use hallpass::testing::strategies;
//! use proptest::prelude::*;
//! use proptest::test_runner::TestRunner;
//!
//! let payers = Rule::permit("payers").who_groups(has_any(["payers"])).tool("bank.pay");
//! let policy = Policy::builder().rule(payers.arg("amount", min(0).and(max(500)))).build()?;
//! // As in `proptest! { #[test] fn no_one_pays_more(call in strategies::questions(&policy())) { .. } }`.
//! TestRunner::deterministic().run(&strategies::questions(&policy), |question| {
//!     let (Some(who), Some(call), Some(at)) = (question.who(), question.call(), question.at()) else {
//!         return Err(TestCaseError::fail("a question has all of its parts"));
//!     };
//!     let decision = policy.decide(who, question.purpose(), call, question.context(), at);
//!     if decision.is_ok_and(|own| own.is_permit()) {
//!         prop_assert!(who.in_group("payers"));
//!     }
//!     Ok(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod edit;
mod life;
mod policies;
mod scopes;
mod seeds;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::policy_question::PolicyQuestion;
use super::replay::who;
use crate::call::Call;
use crate::identity::Assertion;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::value::Object;
use edit::{Edit, edits};
pub use life::Life;
use life::moves;
pub use policies::policies;
use scopes::{Widening, scope_of, widenings};
use seeds::Seeds;

/// How many parts of a question are changed at most.
const MOST_EDITS: usize = 3;

/// Questions to the rules: who asks, why, which call, in which context and when, all of them said.
///
/// The identities are attested for such questions alone: no broker knows them.
pub fn questions(policy: &Policy) -> BoxedStrategy<PolicyQuestion> {
    drawn(policy, |seeds, object| seeds.read(object))
}

/// Who may ask: an assertion, for a host's broker to attest. Each can be attested.
pub fn identities(policy: &Policy) -> BoxedStrategy<Assertion> {
    drawn(policy, |_, object| who("who", object.get("who")?).ok())
}

/// Calls.
pub fn calls(policy: &Policy) -> BoxedStrategy<Call> {
    drawn(policy, |seeds, object| seeds.read(object)?.call().cloned())
}

/// Scopes of one to three capabilities, each of exactly one such call or of more. Each can be meant.
pub fn scopes(policy: &Policy) -> BoxedStrategy<Scope> {
    let seeds = Arc::new(Seeds::of(policy));
    let capability = (any::<Index>(), vec(edits(), 0..MOST_EDITS), widenings());
    vec(capability, 1..4)
        .prop_map(move |capabilities: Vec<(Index, Vec<Edit>, Vec<Widening>)>| {
            let scopes = capabilities.iter().filter_map(|(at, edits, widenings)| {
                let question = seeds.question(at, edits);
                Some(scope_of(seeds.read(&question)?.call()?, widenings))
            });
            scopes.reduce(Scope::and).unwrap_or_else(|| Scope::tool("t"))
        })
        .boxed()
}

/// Whole lives of tasks, as traces for [`replay`](super::replay()): see [`Life`].
pub fn lives(policy: &Policy) -> BoxedStrategy<Life> {
    let seeds = Arc::new(Seeds::of(policy));
    moves().prop_map(move |moves| Life::of(&seeds, &moves)).boxed()
}

/// What `tell` makes of a question in words, or of the one it began with.
fn drawn<T: std::fmt::Debug>(
    policy: &Policy,
    tell: impl Fn(&Seeds, &Object) -> Option<T> + 'static,
) -> BoxedStrategy<T> {
    let seeds = Seeds::of(policy);
    (any::<Index>(), vec(edits(), 0..MOST_EDITS + 1))
        .prop_filter_map("can be told", move |(at, edits): (Index, Vec<Edit>)| {
            tell(&seeds, &seeds.question(&at, &edits))
        })
        .boxed()
}

#[cfg(test)]
mod tests;
