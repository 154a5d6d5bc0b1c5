//! Approval terms: who must agree before an ask lets a permit through.

use std::time::Duration;

use super::offer::WidthOffer;
use super::values::condition_fault;
use crate::approval::quorum::MOST_DEPTH;
use crate::approval::width::Width;
use crate::clock::{format_duration, unstatable};
use crate::scope::{Condition, Constraint, Fact, Node, Set};
use crate::visible::ATTRIBUTE_NAME;

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
    /// All of them.
    pub(crate) review: Vec<Reviewers>,
    pub(crate) confirm: bool,
    pub(crate) per: Per,
    pub(crate) expires: Option<Duration>,
    pub(crate) good_for: Option<Duration>,
    pub(crate) cool_down: Option<Duration>,
    /// What a call has to bring a digest of.
    pub(crate) material: Vec<Box<str>>,
    pub(crate) offer: WidthOffer,
}

/// How many people of which description, or several of such lines.
///
/// ```
/// use hallpass::policy::Reviewers;
/// use hallpass::scope::{eq, has_any};
///
/// let finance = Reviewers::in_groups(has_any(["finance"])).count(2);
/// let either = Reviewers::any([finance, Reviewers::with_id(eq("cfo@acme.test"))]);
/// # let _ = either;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewers(pub(crate) Line);

/// A line of reviewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    People { conditions: Vec<Condition>, count: u32 },
    All(Vec<Reviewers>),
    Any(Vec<Reviewers>),
}

/// How long people have to answer, where a rule does not say.
pub(crate) const EXPIRES: Duration = Duration::from_secs(15 * 60);
/// How long nothing is asked after a rule's questions were denied too often, where it does not say.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(10 * 60);
impl ApprovalTerms {
    /// Terms that can't be met yet: say who, with [`review`](Self::review) or
    /// [`confirm`](Self::confirm).
    pub fn per(per: Per) -> Self {
        ApprovalTerms {
            review: Vec::new(),
            confirm: false,
            per,
            expires: None,
            good_for: None,
            cool_down: None,
            material: Vec::new(),
            offer: WidthOffer::default(),
        }
    }

    /// Adds people who must agree, in addition to those named before.
    pub fn review(mut self, reviewers: Reviewers) -> Self {
        self.review.push(reviewers);
        self
    }

    /// The human whom the agent acts for must agree: the last of its `acts_for` chain.
    pub fn confirm(mut self) -> Self {
        self.confirm = true;
        self
    }

    /// How long people have to answer: 15 minutes, unless said otherwise.
    pub fn expires(mut self, within: Duration) -> Self {
        self.expires = Some(within);
        self
    }

    /// How long their yes is good for, from when it is complete: as long as they had to answer, unless said
    /// otherwise.
    pub fn good_for(mut self, length: Duration) -> Self {
        self.good_for = Some(length);
        self
    }

    /// How long nothing of this rule is asked about a tool in a task after three of its questions were denied:
    /// 10 minutes, unless said otherwise.
    pub fn cool_down(mut self, length: Duration) -> Self {
        self.cool_down = Some(length);
        self
    }

    /// The call has to bring a digest of what it refers to by this name: see
    /// [`Call::material`](crate::Call::material).
    pub fn material(mut self, name: &str) -> Self {
        self.material.push(name.into());
        self
    }

    /// How long people have to answer.
    pub(crate) fn time_to_answer(&self) -> Duration {
        self.expires.unwrap_or(EXPIRES)
    }

    /// How long a yes is good for.
    pub(crate) fn time_to_use(&self) -> Duration {
        self.good_for.unwrap_or_else(|| self.time_to_answer())
    }

    /// The times, and how far a yes may reach, as people are shown them.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let mut shown = vec![
            ("to answer", format_duration(self.time_to_answer())),
            ("good for", format_duration(self.time_to_use())),
        ];
        shown.extend(self.offer.shown());
        shown
    }

    /// Changes each condition on reviewers.
    pub(super) fn for_each_condition(&mut self, change: &mut impl FnMut(&mut Condition)) {
        self.review.iter_mut().for_each(|line| line.for_each_condition(change));
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
        if let Some((at, problem)) = fault_of_lines(&self.review, MOST_DEPTH) {
            return Some((format!("approval.review{at}"), problem));
        }
        if let Some(problem) = self.fault_of_quorum(&|_| false) {
            return Some(("approval.review".into(), problem));
        }
        if let Some((key, problem)) = self.offer.fault(self.per == Per::Task) {
            return Some((format!("approval.{key}"), problem));
        }
        if self.review.is_empty() && self.offer.widths.iter().any(|width| *width != Width::CALL) {
            let problem = "a width is what a reviewer chooses, and a confirmation is of the one call: add \
                           `review`, or leave `offer` out";
            return Some(("approval.offer".into(), problem.into()));
        }
        if self.per == Per::Task && !self.material.is_empty() {
            let problem = "a scope has no material: this belongs to `per = \"call\"`";
            return Some(("approval.material".into(), problem.into()));
        }
        if let Some(fault) = self.material.iter().find_map(|name| ATTRIBUTE_NAME.check(name).err())
        {
            return Some(("approval.material".into(), format!("the name {fault}")));
        }
        let times = [
            ("expires", self.expires, "leaves no time to answer"),
            ("good_for", self.good_for, "leaves no time to use a yes"),
            ("cool_down", self.cool_down, "is none"),
        ];
        times.into_iter().find_map(|(key, length, zero)| {
            let problem = match length? {
                Duration::ZERO => format!("`0s` {zero}"),
                length => format!("`{length:?}`: {}", unstatable(length)?),
            };
            Some((format!("approval.{key}"), problem))
        })
    }
}

/// What is wrong with the first faulty line, and where it stands.
fn fault_of_lines(lines: &[Reviewers], depth: usize) -> Option<(String, String)> {
    lines.iter().enumerate().find_map(|(index, line)| {
        let (at, problem) = line.fault(depth)?;
        Some((format!("[{index}]{at}"), problem))
    })
}

impl Reviewers {
    /// People with such groups.
    pub fn in_groups(constraint: Constraint) -> Self {
        Reviewers::of(Fact::WhoGroups, constraint)
    }

    /// People with such ids.
    pub fn with_id(constraint: Constraint) -> Self {
        Reviewers::of(Fact::WhoId, constraint)
    }

    /// All of these lines: one person fills one place.
    pub fn all(lines: impl IntoIterator<Item = Reviewers>) -> Self {
        Reviewers(Line::All(lines.into_iter().collect()))
    }

    /// Any one of these lines.
    pub fn any(lines: impl IntoIterator<Item = Reviewers>) -> Self {
        Reviewers(Line::Any(lines.into_iter().collect()))
    }

    fn of(fact: Fact, constraint: Constraint) -> Self {
        Reviewers(Line::People { conditions: vec![Condition::new(fact, constraint)], count: 1 })
    }

    /// They must be of such a kind, too: people, unless it is said.
    pub fn kind(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoKind, &constraint)
    }

    /// They must have such an attribute, too.
    pub fn attr(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::WhoAttr(name.into()), &constraint)
    }

    /// How many of them: one, unless said otherwise. Of several lines: of each.
    pub fn count(mut self, number: u32) -> Self {
        match &mut self.0 {
            Line::People { count, .. } => *count = number,
            Line::All(lines) | Line::Any(lines) => {
                let each = std::mem::take(lines).into_iter().map(|line| line.count(number));
                *lines = each.collect();
            }
        }
        self
    }

    fn condition(mut self, fact: Fact, constraint: &Constraint) -> Self {
        match &mut self.0 {
            Line::People { conditions, .. } => {
                Condition::add(conditions, fact, constraint.clone());
            }
            Line::All(lines) | Line::Any(lines) => {
                let each = std::mem::take(lines).into_iter();
                *lines = each.map(|line| line.condition(fact.clone(), constraint)).collect();
            }
        }
        self
    }

    pub(super) fn for_each_condition(&mut self, change: &mut impl FnMut(&mut Condition)) {
        match &mut self.0 {
            Line::People { conditions, .. } => conditions.iter_mut().for_each(change),
            Line::All(lines) | Line::Any(lines) => {
                lines.iter_mut().for_each(|line| line.for_each_condition(change));
            }
        }
    }

    /// What is wrong, and at which key.
    pub(super) fn fault(&self, depth: usize) -> Option<(String, String)> {
        let (conditions, count) = match &self.0 {
            Line::People { conditions, count } => (conditions, *count),
            Line::All(lines) | Line::Any(lines) => {
                let word = if matches!(self.0, Line::All(_)) { "all" } else { "any" };
                if lines.is_empty() {
                    return Some((String::new(), format!("`{word}` has no line, and asks no one")));
                }
                let Some(depth) = depth.checked_sub(1) else {
                    let problem = format!("`any` and `all` stand more than {MOST_DEPTH} deep");
                    return Some((String::new(), problem));
                };
                let (at, problem) = fault_of_lines(lines, depth)?;
                return Some((format!(".{word}{at}"), problem));
            }
        };
        if count == 0 {
            let problem = "`count = 0` would ask no one: expected at least 1";
            return Some((".count".into(), problem.into()));
        }
        if conditions.is_empty() {
            let problem = "it does not say who may review: name `id`, `groups`, `kind` or `attrs`";
            return Some((String::new(), problem.into()));
        }
        let faulty = conditions.iter().find_map(|condition| {
            let faulty = condition.constraint.check().err().map(|error| error.to_string());
            let problem = faulty
                .or_else(|| condition_fault(condition))
                .or_else(|| compared_with(&condition.constraint))
                .or_else(|| of_one_person(condition))?;
            Some((key_of(&condition.fact).into(), problem))
        });
        faulty.or_else(|| {
            let ids = conditions.iter().filter(|own| own.fact == Fact::WhoId);
            let pinned = ids.filter_map(|own| own.constraint.finite()).map(Set::len).min()?;
            (pinned < count as usize).then(|| {
                let problem = format!(
                    "it pins {pinned} and asks for {count} of them: they could never agree"
                );
                (".count".into(), problem)
            })
        })
    }
}

/// What a reviewer is compared with that is neither the reviewer nor who asked.
fn compared_with(constraint: &Constraint) -> Option<String> {
    let other = |fact: &Fact| !matches!(fact, Fact::Asker(_)) && !fact.is_of_the_asker();
    constraint.compares_with(&other).then(|| {
        "a reviewer is compared with `asker.id`, `asker.attrs.NAME`, … or with the reviewer's own \
         `who.attrs.NAME`"
            .to_owned()
    })
}

/// What loads of a rule, and of a line of reviewers would make one of two, or let each who is their own manager answer.
fn of_one_person(condition: &Condition) -> Option<String> {
    let mut counts = false;
    condition.constraint.for_each_leaf(&mut |leaf| counts |= matches!(leaf, Node::Count(_)));
    if condition.fact == Fact::WhoGroups && counts {
        return Some(
            "`count` here is of the groups that one person is in: how many people it takes stands next to it, as in \
             `{ groups = { has_any = [ … ] }, count = 2 }`"
                .to_owned(),
        );
    }
    let mut own = None;
    condition.constraint.for_each_fact(&mut |fact| {
        if fact.is_of_the_asker() {
            own.get_or_insert_with(|| fact.to_string());
        }
    });
    let own = own.filter(|_| condition.fact == Fact::WhoId)?;
    let asker = own.replacen("who.", "asker.", 1);
    Some(format!("`{own}` is of the one who answers: of the one who asks it is `{asker}`"))
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
