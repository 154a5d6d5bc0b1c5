//! What breaking the glass leaves behind: who has to look at it afterwards, and until when.

use std::time::Duration;

use super::approval::{ApprovalTerms, Per, Reviewers};
use super::reviewer::Reviewer;
use crate::identity::Identity;

/// How long a reviewer has, where a rule does not say.
const DUE: Duration = Duration::from_secs(24 * 60 * 60);

/// The terms of a permit that speaks at [`Moment::BreakGlass`](super::Moment::BreakGlass): who reviews afterwards what was done by it.
///
/// ```
/// use std::time::Duration;
/// use hallpass::policy::{BreakGlassTerms, Moment, Policy, Reviewers, Rule};
/// use hallpass::scope::has_any;
///
/// let security = Reviewers::in_groups(has_any(["security"]));
/// let rule = Rule::permit("incident")
///     .on([Moment::BreakGlass])
///     .who_groups(has_any(["sre"]))
///     .tool("db.admin")
///     .any_args()
///     .ttl(Duration::from_secs(900))
///     .uses(5)
///     .break_glass(BreakGlassTerms::reviewed_by(security).due(Duration::from_secs(24 * 3600)));
/// let policy = Policy::builder().rule(rule).build()?;
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlassTerms {
    /// One person of them.
    pub(crate) review: ApprovalTerms,
    pub(crate) due: Duration,
    /// What is given does not wait for the alert.
    pub(crate) best_effort: bool,
    /// A debt that is open refuses, due or not.
    pub(crate) refuses_while_open: bool,
}

impl BreakGlassTerms {
    /// One person of these reviews it, and is another than who broke the glass.
    pub fn reviewed_by(reviewers: Reviewers) -> Self {
        BreakGlassTerms::of(ApprovalTerms::per(Per::Call).review(reviewers))
    }

    pub(super) fn of(review: ApprovalTerms) -> Self {
        BreakGlassTerms { review, due: DUE, best_effort: false, refuses_while_open: false }
    }

    /// How long the reviewer has, from when the glass is broken: 24 hours, unless said otherwise. From
    /// then on the person can't break the glass again before it is reviewed.
    pub fn due(mut self, within: Duration) -> Self {
        self.due = within;
        self
    }

    /// What is given takes effect although the alert fails. Unless this is said, it does not.
    pub fn alert_best_effort(mut self) -> Self {
        self.best_effort = true;
        self
    }

    /// The person can't break the glass again before this is reviewed, due or not.
    pub fn refuse_while_open(mut self) -> Self {
        self.refuses_while_open = true;
        self
    }

    /// Whether somebody may review what this person did. Whether it is another person is not asked here.
    pub(crate) fn describe(&self, who: &Identity, broke: &Identity) -> bool {
        let fits = self.review.fits(Reviewer { who, asker: broke });
        self.review.reviewed_by(&[fits]).is_some_and(|progress| progress.is_met())
    }
}
