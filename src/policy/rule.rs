//! A rule: when it applies, and what then.

use std::sync::Arc;

use super::approval::ApprovalTerms;
use super::break_glass::BreakGlassTerms;
use super::conditions::Conditions;
use super::effect::Effect;
use super::exception::Exception;
use super::limits::Limits;
use super::moment::{Moment, Moments};
use super::rule_notes::{RuleNotes, Validity};
use crate::clock::Timestamp;
use crate::form::Form;
use crate::scope::{Condition, Constraint, Fact, Openness, ResourceOpenness};

/// Which tools a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tools {
    /// Not said. A guard then looks at every tool; a permit may not leave it unsaid.
    Unsaid,
    /// `tool = "any"`.
    Any,
    /// By name.
    Named(Arc<[Box<str>]>),
    /// By a constraint on the name.
    Like(Box<Constraint>),
}

/// A rule, built in Rust; policies in text make the same thing.
///
/// Building never fails: [`PolicyBuilder::build`](super::PolicyBuilder::build) refuses a rule that
/// cannot be meant. Two constraints on one thing are one conjunction, as the keys of one table are.
///
/// ```
/// use std::time::Duration;
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::{below, eq, has_any, max, one_of};
///
/// let rule = Rule::permit("analysts-read-orders")
///     .who_groups(has_any(["analytics"]))
///     .tool("db.query")
///     .arg("table", one_of(["orders", "customers"]))
///     .arg("limit", max(1000))
///     .when("env", eq("prod"))
///     .when("risk", below(50))
///     .ttl(Duration::from_secs(300))
///     .uses(20);
/// let policy = Policy::builder().rule(rule).build()?;
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) effect: Effect,
    pub(crate) moments: Moments,
    pub(crate) tools: Tools,
    pub(crate) conditions: Conditions,
    pub(crate) exceptions: Box<[Exception]>,
    pub(crate) openness: Openness,
    /// `args = "any"` was said, which excludes conditions on arguments.
    pub(crate) any_args: bool,
    /// Shared with what the rule puts on grants; mostly one for all rules that limit nothing.
    pub(crate) limits: Arc<Limits>,
    pub(crate) approval: Option<Box<ApprovalTerms>>,
    /// What breaking the glass under this permit leaves behind.
    pub(crate) break_glass: Option<Box<BreakGlassTerms>>,
    pub(crate) notes: Option<Box<RuleNotes>>,
    /// How the token must be presented; asked at calls only.
    pub(crate) presentation: Option<Form>,
}

impl Rule {
    /// Whether its answer depends on what was done before: it looks at a task's history, or permits only so much or for
    /// so long. A host that begins such tasks anew, with another history, gives again what was spent.
    ///
    /// ```
    /// # use hallpass::policy::Rule;
    /// assert!(Rule::permit("once").tool("bank.pay").any_args().uses(1).remembers());
    /// assert!(!Rule::permit("often").tool("bank.pay").any_args().remembers());
    /// ```
    pub fn remembers(&self) -> bool {
        let Limits { max_life, idle, .. } = &*self.limits;
        let limits = self.limits.count_calls() || max_life.is_some() || idle.is_some();
        // Nothing is compared with a history: it is a condition's own fact, or not looked at.
        limits || self.all_conditions().any(|own| own.fact == Fact::Seen)
    }

    /// A rule that gives access.
    pub fn permit(id: impl Into<Arc<str>>) -> Self {
        Rule::new(id.into(), Effect::Permit)
    }

    /// A rule that withholds access until people agree.
    pub fn ask(id: impl Into<Arc<str>>) -> Self {
        Rule::new(id.into(), Effect::Ask)
    }

    /// A rule that refuses.
    pub fn forbid(id: impl Into<Arc<str>>) -> Self {
        Rule::new(id.into(), Effect::Forbid)
    }

    pub(crate) fn new(id: Arc<str>, effect: Effect) -> Self {
        Rule {
            id,
            effect,
            moments: effect.usual_moments(),
            tools: Tools::Unsaid,
            conditions: Conditions::default(),
            exceptions: Box::default(),
            openness: Openness::default(),
            any_args: false,
            limits: Limits::unsaid(),
            approval: None,
            break_glass: None,
            notes: None,
            presentation: None,
        }
    }

    /// The rule's name, unique within a policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it does when it applies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The moments at which the rule speaks, instead of the default of its effect.
    pub fn on(mut self, moments: impl IntoIterator<Item = Moment>) -> Self {
        let moments: Vec<Moment> = moments.into_iter().collect();
        self.moments = Moments::of(&moments);
        self
    }

    /// Whether it speaks at this moment: forbids hold whenever the glass is broken, whatever they say of it.
    pub(crate) fn speaks_at(&self, moment: Moment) -> bool {
        self.moments.include(moment)
            || (moment == Moment::BreakGlass && self.effect == Effect::Forbid)
    }

    /// What the acting identity's id must be.
    pub fn who_id(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoId, constraint)
    }

    /// What the acting identity's kind must be: `agent`, `workload` or `human`.
    pub fn who_kind(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoKind, constraint)
    }

    /// What the list of the acting identity's groups must be.
    pub fn who_groups(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoGroups, constraint)
    }

    /// What the list of those the identity acts for must be.
    pub fn who_acts_for(self, constraint: Constraint) -> Self {
        self.condition(Fact::WhoActsFor, constraint)
    }

    /// What an attribute of the acting identity must be.
    pub fn who_attr(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::WhoAttr(name.into()), constraint)
    }

    /// What the purpose's name must be.
    pub fn purpose(self, constraint: Constraint) -> Self {
        self.condition(Fact::Purpose, constraint)
    }

    /// What the ticket must be.
    pub fn ticket(self, constraint: Constraint) -> Self {
        self.condition(Fact::Ticket, constraint)
    }

    /// What an attribute of the moment's context must be.
    pub fn when(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::Context(name.into()), constraint)
    }

    /// What the labels of tools used in the task must be, the current call's own included.
    pub fn seen(self, constraint: Constraint) -> Self {
        self.condition(Fact::Seen, constraint)
    }

    /// When: what the broker's time must be, with [`after`](crate::scope::after),
    /// [`before`](crate::scope::before) and [`weekly`](crate::scope::weekly).
    pub fn now(self, constraint: Constraint) -> Self {
        self.condition(Fact::Now, constraint)
    }

    /// The tool, by name. Several: [`Rule::tools`].
    pub fn tool(self, name: &str) -> Self {
        self.tools([name])
    }

    /// One of these tools.
    pub fn tools<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.tools = Tools::Named(names.into_iter().map(Into::into).collect());
        self
    }

    /// Tools whose name is so.
    pub fn tool_like(mut self, constraint: Constraint) -> Self {
        self.tools = Tools::Like(Box::new(constraint));
        self
    }

    /// Any tool.
    pub fn any_tool(mut self) -> Self {
        self.tools = Tools::Any;
        self
    }

    /// What the list of the tool's labels must be.
    pub fn labels(self, constraint: Constraint) -> Self {
        self.condition(Fact::Labels, constraint)
    }

    /// What the argument `name` must be.
    pub fn arg(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::arg(name), constraint)
    }

    /// Any arguments.
    pub fn any_args(mut self) -> Self {
        self.any_args = true;
        self.openness.other_args = true;
        self
    }

    /// Arguments that are not named may be there, with any value.
    pub fn other_args(mut self) -> Self {
        self.openness.other_args = true;
        self
    }

    /// What the resource's type must be.
    pub fn resource_type(mut self, constraint: Constraint) -> Self {
        self.openness.resource = ResourceOpenness::Named;
        self.condition(Fact::ResourceType, constraint)
    }

    /// What the resource's id must be.
    pub fn resource_id(mut self, constraint: Constraint) -> Self {
        self.openness.resource = ResourceOpenness::Named;
        self.condition(Fact::ResourceId, constraint)
    }

    /// What an attribute of the resource must be.
    pub fn resource_attr(mut self, name: &str, constraint: Constraint) -> Self {
        self.openness.resource = ResourceOpenness::Named;
        self.condition(Fact::ResourceAttr(name.into()), constraint)
    }

    /// Any resource, or none.
    pub fn any_resource(mut self) -> Self {
        self.openness.resource = ResourceOpenness::Any;
        self
    }

    /// An exception: what is so in all of these parts of the question is not what the rule speaks of. Several are
    /// said one by one.
    ///
    /// Parts are named as in a policy: `who.id`, `when.env`, `args.NAME`, `what.tool`. What can't be told is an
    /// exception of a permit and none of a forbid or an ask. In a permit it takes away what a forbid of the same
    /// words would refuse; in the others, what a permit of the same words would cover.
    ///
    /// ```
    /// use hallpass::policy::{Policy, Rule};
    /// use hallpass::scope::{eq, has_any};
    ///
    /// let freeze = Rule::forbid("freeze")
    ///     .tool("deploy.run")
    ///     .unless([("who.groups", has_any(["release-managers"]))])
    ///     .unless([("args.env", eq("staging")), ("args.dry_run", eq(true))]);
    /// let policy = Policy::builder().rule(freeze).build()?;
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    pub fn unless<'n>(mut self, parts: impl IntoIterator<Item = (&'n str, Constraint)>) -> Self {
        let mut exceptions = std::mem::take(&mut self.exceptions).into_vec();
        exceptions.push(Exception::of(parts));
        self.exceptions = exceptions.into();
        self
    }

    /// Who must agree, for an ask rule.
    pub fn approval(mut self, terms: ApprovalTerms) -> Self {
        self.approval = Some(Box::new(terms));
        self
    }

    /// Who reviews afterwards what was done by this permit, which speaks at
    /// [`Moment::BreakGlass`].
    pub fn break_glass(mut self, terms: BreakGlassTerms) -> Self {
        self.break_glass = Some(Box::new(terms));
        self
    }

    /// The rule applies to calls whose token is presented so. A permit that asks for
    /// [`Form::CallBound`] makes a captured token alone useless.
    ///
    /// At a request nothing is presented yet: a permit then covers, and a forbid waits for the calls.
    pub fn presentation(mut self, form: Form) -> Self {
        self.presentation = Some(form);
        self
    }

    /// Who answers for the rule, if it says so.
    pub fn owned_by(&self) -> Option<&str> {
        self.notes.as_ref()?.owner.as_deref()
    }

    /// Who answers for the rule.
    pub fn owner(mut self, owner: &str) -> Self {
        self.notes_mut().owner = Some(owner.into());
        self
    }

    /// The rule applies from this instant on.
    pub fn valid_from(mut self, from: Timestamp) -> Self {
        self.notes_mut().validity.from = Some(from);
        self
    }

    /// The rule no longer applies at this instant and later.
    pub fn valid_until(mut self, until: Timestamp) -> Self {
        self.notes_mut().validity.until = Some(until);
        self
    }

    /// When somebody has to look at the rule again.
    pub fn review_by(mut self, when: Timestamp) -> Self {
        self.notes_mut().review_by = Some(when);
        self
    }

    /// From when until when it applies.
    pub(crate) fn validity(&self) -> Validity {
        self.notes.as_ref().map_or_else(Validity::default, |own| own.validity)
    }

    #[inline]
    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.notes.as_ref().is_none_or(|own| own.validity.holds_at(now))
    }

    /// When somebody has to look at it again.
    pub(super) fn review_date(&self) -> Option<Timestamp> {
        self.notes.as_ref()?.review_by
    }

    /// What was compared with a list that stood bare in a policy's text.
    pub(super) fn bare_lists(&self) -> &[Fact] {
        self.notes.as_ref().map_or(&[], |own| &own.bare_lists)
    }

    pub(super) fn notes_mut(&mut self) -> &mut RuleNotes {
        self.notes.get_or_insert_default()
    }

    /// The tools that it names, one by one.
    #[cfg(feature = "proptest")]
    pub(crate) fn named_tools(&self) -> impl Iterator<Item = &str> {
        let named: &[_] = match &self.tools {
            Tools::Named(names) => names,
            Tools::Unsaid | Tools::Any | Tools::Like(_) => &[],
        };
        named.iter().map(|name| &**name)
    }

    /// The same rule under another name.
    #[cfg(feature = "proptest")]
    pub(crate) fn called(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    /// Its conditions, and those of its exceptions.
    pub(crate) fn all_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().chain(self.exceptions.iter().flat_map(|own| &own.conditions))
    }

    pub(crate) fn condition(mut self, fact: Fact, constraint: Constraint) -> Self {
        self.conditions.add(fact, constraint);
        self
    }
}
