//! Approval terms: who must agree before an ask lets a permit through.

use std::time::Duration;

use super::values::condition_fault;
use crate::clock::unstatable;
use crate::scope::{Condition, Constraint, Fact};

/// How far one approval reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One call with exactly the arguments shown.
    Call,
    /// The calls of one task within the scope shown.
    Task,
}

/// Who must agree, how far that reaches and how long it may take.
///
/// ```
/// use std::time::Duration;
/// use hallpass::policy::{ApprovalTerms, Per, Reviewers};
/// use hallpass::scope::has_any;
///
/// let terms = ApprovalTerms::per(Per::Call)
///     .review(Reviewers::in_groups(has_any(["data-owners"])).count(1))
///     .expires(Duration::from_secs(900));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalTerms {
    pub(crate) review: Vec<Reviewers>,
    pub(crate) confirm: bool,
    pub(crate) per: Per,
    pub(crate) expires: Option<Duration>,
}

/// How many people of which description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewers {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) count: u32,
}

impl ApprovalTerms {
    /// Terms that can't be met yet: say who, with [`review`](Self::review) or
    /// [`confirm`](Self::confirm).
    pub fn per(per: Per) -> Self {
        ApprovalTerms { review: Vec::new(), confirm: false, per, expires: None }
    }

    /// Adds people who must agree, in addition to those named before.
    pub fn review(mut self, reviewers: Reviewers) -> Self {
        self.review.push(reviewers);
        self
    }

    /// The human whom the agent acts for must agree.
    pub fn confirm(mut self) -> Self {
        self.confirm = true;
        self
    }

    /// How long people have to answer.
    pub fn expires(mut self, within: Duration) -> Self {
        self.expires = Some(within);
        self
    }

    /// What is wrong with the terms, and where.
    pub(crate) fn fault(&self) -> Option<(String, String)> {
        if self.review.is_empty() && !self.confirm {
            return Some((
                "approval".into(),
                "no one is asked: name `review = [{ groups = { has_any = [..] }, count = 1 }]` \
                 or `confirm = true`"
                    .into(),
            ));
        }
        let mut reviews = self.review.iter().enumerate();
        if let Some((index, (at, problem))) =
            reviews.find_map(|(index, reviewers)| Some((index, reviewers.fault()?)))
        {
            return Some((format!("approval.review[{index}]{at}"), problem));
        }
        match self.expires {
            Some(Duration::ZERO) => {
                Some(("approval.expires".into(), "`0s` leaves no time to answer".into()))
            }
            Some(length) => {
                let fault = unstatable(length)?;
                Some(("approval.expires".into(), format!("`{length:?}`: {fault}")))
            }
            None => None,
        }
    }
}

impl Reviewers {
    /// People with such groups.
    pub fn in_groups(constraint: Constraint) -> Self {
        Reviewers { conditions: vec![Condition::new(Fact::WhoGroups, constraint)], count: 1 }
    }

    /// People with such ids.
    pub fn with_id(constraint: Constraint) -> Self {
        Reviewers { conditions: vec![Condition::new(Fact::WhoId, constraint)], count: 1 }
    }

    /// They must be of such a kind, too.
    pub fn kind(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoKind, constraint)
    }

    /// They must have such an attribute, too.
    pub fn attr(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::WhoAttr(name.into()), constraint)
    }

    /// How many of them: one, unless said otherwise.
    pub fn count(mut self, count: u32) -> Self {
        self.count = count;
        self
    }

    fn condition(mut self, fact: Fact, constraint: Constraint) -> Self {
        Condition::add(&mut self.conditions, fact, constraint);
        self
    }

    /// What is wrong, and at which key.
    fn fault(&self) -> Option<(&'static str, String)> {
        if self.count == 0 {
            return Some((".count", "`count = 0` would ask no one: expected at least 1".into()));
        }
        if self.conditions.is_empty() {
            let problem = "it does not say who may review: name `id`, `groups`, `kind` or `attrs`";
            return Some(("", problem.into()));
        }
        self.conditions.iter().find_map(|condition| {
            let faulty = condition.constraint.check().err().map(|error| error.to_string());
            let problem = faulty.or_else(|| condition_fault(condition))?;
            Some((key_of(&condition.fact), problem))
        })
    }
}

fn key_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::WhoId => ".id",
        Fact::WhoKind => ".kind",
        Fact::WhoGroups => ".groups",
        Fact::WhoAttr(_) => ".attrs",
        _ => "",
    }
}
