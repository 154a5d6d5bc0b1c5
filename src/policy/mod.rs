//! Policy: rules as data.
//!
//! A [`Policy`] is a set of rules that has been checked as a whole and indexed for deciding. It is
//! read from TOML or JSON text, or built in Rust; the three make the same thing.

mod access;
mod agreement;
mod approval;
mod approvers;
mod asked;
mod break_glass;
#[cfg(test)]
mod brute_force;
mod builder;
mod catalogue;
mod compiled;
mod conditions;
mod decide;
mod deciders;
mod decision;
mod describe;
mod described;
mod descriptions;
mod diff;
mod effect;
mod emergencies;
mod error;
mod exception;
mod exception_faults;
mod fold;
mod guards;
mod index;
mod kinds;
mod known;
mod limiting;
mod limits;
mod lint;
mod load;
mod logged;
mod moment;
mod nearest;
mod noted;
mod offer;
mod orders;
mod origin;
mod price;
mod question;
mod regions;
mod remedy;
mod replayed;
mod request;
mod reviewer;
mod rule;
mod rule_limits;
mod rule_notes;
mod seen;
mod sets;
mod settled;
mod shared;
mod tool_alone;
mod tool_faults;
mod trim;
mod typed_tools;
mod values;
mod wanted;

use std::fmt;
use std::sync::Arc;

pub use crate::approval::pin::Part;
pub use crate::approval::width::{Width, WidthError};
pub use crate::spelling::ArgType;
pub use access::{Access, AccessSearch, Accesses};
pub(crate) use approval::COOL_DOWN;
pub use approval::{ApprovalTerms, Per, Reviewers};
pub use break_glass::BreakGlassTerms;
pub use builder::PolicyBuilder;
pub use catalogue::Tool;
pub use decision::Decision;
pub use described::{DescribedArg, DescribedTool};
pub use diff::{DiffWitness, Differences, PolicyDiff, RuleChange};
pub use effect::Effect;
pub use error::PolicyError;
pub use lint::{LintOptions, LintReport, Warning, WarningCode};
pub use load::MAX_POLICY_TEXT;
pub(crate) use load::{ArgsPlace, PolicyDraft, TEST as KEYS_OF_TESTS, args_places};
pub use moment::Moment;
pub use remedy::Remedy;
pub use rule::Rule;

use crate::value::Digest;
pub(crate) use asked::{AskedCall, DeniedCall, DeniedRequest};
pub(crate) use catalogue::{Catalogue, Listed};
pub(crate) use compiled::Compiled;
pub(crate) use decide::{Obstacle, Verdict, decide, passed_over};
pub(crate) use deciders::Deciders;
pub(crate) use limits::{Limits, MOST_COUNTED};
pub(crate) use noted::NotesFault;
pub(crate) use offer::{WidthOffer, offered_by_all, varied_by_all};
pub(crate) use question::{Question, Setting, What};
pub(crate) use replayed::{AskedFacts, RecordedQuestion, RecordedRequest, RuledAgain};
pub(crate) use request::{Answer, decide_request, passed_over_at_request};
pub(crate) use reviewer::Reviewer;
pub(crate) use seen::Seen;
pub(crate) use trim::{could_permit, parts_covered};
pub(crate) use wanted::{Wanted, When};

/// How many rules a policy may have. A decision does not grow with them, loading does: a million is
/// ten times the largest policy this crate is measured with.
pub(crate) const MAX_RULES: usize = 1_000_000;

/// Rules that have been checked as a whole. Cloning shares them.
#[derive(Clone)]
pub struct Policy(pub(crate) Arc<Compiled>);

/// Shows how many rules there are and the digest: the rules themselves may be very many.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("rules", &self.len())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// Starts a policy in Rust.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

    /// The digest of what the policy says: equal for equal rules and tools, in whatever order and
    /// format they were written.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.0.rules.len()
    }

    /// Whether there is no rule: everything is denied.
    pub fn is_empty(&self) -> bool {
        self.0.rules.is_empty()
    }

    /// The tools whose definitions the catalogue [pins](Tool::pinned), and the digest of each, in no order.
    pub fn pins(&self) -> impl Iterator<Item = (&str, crate::value::Digest)> {
        self.0.catalogue.pins()
    }

    /// The rules, by id.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.rules.iter()
    }
}
