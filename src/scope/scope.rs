//! A scope as it is asked for: built tool by tool, and checked where it is taken.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::capability::{Capability, Part};
use super::capability_draft::{CapabilityDraft, check_json, check_patterns};
use super::constraint::Constraint;
use super::cover::{Condition, Openness, ResourceOpenness};
use super::fact::Fact;
use super::scope_error::{MAX_CAPABILITIES, ScopeError};
use crate::clock::Timestamp;
use crate::tool::ToolName;
use crate::value::Value;

/// What is asked for: a set of capabilities, built tool by tool.
///
/// A scope is data: building it never fails, and whatever takes it (a request) refuses one that
/// cannot be meant. An empty scope is refused: it would ask for nothing, and must not be misread as
/// asking for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a scope is data: it asks for nothing until something takes it"]
pub struct Scope {
    drafts: Vec<CapabilityDraft>,
    /// The audiences of verifiers, each once.
    verifiers: BTreeSet<Box<str>>,
    /// Whether records have its digest in its place.
    is_digested: bool,
    /// For how long at most, and from when on at the earliest.
    ttl: Option<Duration>,
    starts: Option<Timestamp>,
}

impl Scope {
    /// Asks for a tool, called without arguments or resource; the methods that follow say which.
    pub fn tool(name: &str) -> Self {
        Scope::default().and_tool(name)
    }

    /// Asks for one more tool; the methods that follow speak of it.
    pub fn and_tool(mut self, name: &str) -> Self {
        self.drafts.push(CapabilityDraft {
            tool: name.into(),
            conditions: Vec::new(),
            openness: Openness::default(),
            any_args: false,
        });
        self
    }

    /// Asks for all that another scope asks for, too.
    pub fn and(mut self, other: Scope) -> Self {
        self.drafts.extend(other.drafts);
        self.verifiers.extend(other.verifiers);
        self.is_digested |= other.is_digested;
        self.ttl = [self.ttl, other.ttl].into_iter().flatten().min();
        self.starts = self.starts.max(other.starts);
        self
    }

    /// What the argument `name` must be.
    pub fn arg(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::arg(name), constraint)
    }

    /// Any arguments at all.
    pub fn any_args(self) -> Self {
        self.last(|draft| {
            draft.any_args = true;
            draft.openness.other_args = true;
        })
    }

    /// Arguments that are not named may be there, with any value.
    pub fn other_args(self) -> Self {
        self.last(|draft| draft.openness.other_args = true)
    }

    /// What the resource's type and id must be.
    pub fn resource(self, kind: Constraint, id: Constraint) -> Self {
        self.last(|draft| draft.openness.resource = ResourceOpenness::Named)
            .condition(Fact::ResourceType, kind)
            .condition(Fact::ResourceId, id)
    }

    /// What an attribute of the resource must be.
    pub fn resource_attr(self, name: &str, constraint: Constraint) -> Self {
        self.condition(Fact::ResourceAttr(name.into()), constraint)
    }

    /// Any resource, or none.
    pub fn any_resource(self) -> Self {
        self.last(|draft| draft.openness.resource = ResourceOpenness::Any)
    }

    /// Asks for a second token, which a [`Verifier`](crate::token::Verifier) of this audience takes and the
    /// gate does not: what is granted travels in it, and it is signed with the key of that audience. The
    /// grant gives it out by [`token_for`](crate::Grant::token_for). Anyone who sees it sees the scope.
    ///
    /// A scope may be for as many as eight verifiers. Their audiences are not part of the scope as data
    /// ([`to_value`](Scope::to_value), JSON): it is for the host to say them.
    pub fn embedded_for(mut self, audience: &str) -> Self {
        self.verifiers.insert(audience.into());
        self
    }

    /// Has the log keep the names of the tools and a keyed digest, and nothing else of the scope: for one that pins
    /// values which belong into no record, as that of [exactly one call](Scope::exactly) does. Put together with
    /// another scope, both are kept so.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("note").tool("notes.add").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("notes"))?;
    /// let call = Call::new("notes.add", serde_json::json!({ "text": "between us" }))?;
    /// task.request(Scope::exactly(&call).digested(), &Context::new())?;
    /// let log = broker.log().ok_or("no log")?;
    /// assert!(log.lines().iter().all(|line| !line.contains("between us")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn digested(mut self) -> Self {
        self.is_digested = true;
        self
    }

    /// Asks for it for less time than policy gives: a renewal gives as much again. Said twice, and of scopes that are put
    /// together, the shorter counts. It is not part of the scope as data.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use hallpass::prelude::*;
    /// # use hallpass::clock::ManualClock;
    /// # let rule = Rule::permit("note").tool("notes.add").ttl(Duration::from_secs(300));
    /// # let policy = Policy::builder().rule(rule).build()?;
    /// # let now = hallpass::clock::Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?;
    /// # let broker = Broker::builder(policy).clock(ManualClock::new(now)).build()?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open(&agent, Purpose::new("notes"))?;
    /// let notes = || Scope::tool("notes.add");
    /// let grant = task.request(notes().ttl(Duration::from_secs(30)), &Context::new())?;
    /// assert_eq!(grant.expires().to_string(), "2026-01-01T12:00:30Z");
    /// // Not for more than policy gives.
    /// let grant = task.request(notes().ttl(Duration::from_secs(3600)), &Context::new())?;
    /// assert_eq!(grant.expires().to_string(), "2026-01-01T12:05:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(self.ttl.map_or(ttl, |own| own.min(ttl)));
        self
    }

    /// Asks for it from an instant on: until then what is granted is denied with [`not_yet`](crate::Reason::NotYet). Its
    /// [`ttl`](Self::ttl) counts from there; what policy gives counts from the request, so that whatever starts later
    /// ends no later. An instant that is past says nothing. Of scopes that are put together, the later counts. It is not
    /// part of the scope as data, and a [`Verifier`](crate::token::Verifier) can't tell it: a scope that is
    /// [embedded](Self::embedded_for) is not granted so.
    pub fn starting(mut self, at: Timestamp) -> Self {
        self.starts = self.starts.max(Some(at));
        self
    }

    /// For how long it is asked for at most.
    pub(crate) fn asked_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// From when on it is asked for, if that is to come.
    pub(crate) fn starts_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.starts.filter(|own| *own > now)
    }

    /// For how long and from when on it is asked for.
    pub(crate) fn asked_times(&self) -> (Option<Duration>, Option<Timestamp>) {
        (self.ttl, self.starts)
    }

    pub(crate) fn is_digested(&self) -> bool {
        self.is_digested
    }

    /// The names of the tools, in the order in which they are asked for.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &str> {
        self.drafts.iter().map(|draft| &*draft.tool)
    }

    /// The scope that says these capabilities, and otherwise what this one does.
    pub(crate) fn with(&self, capabilities: &[Capability]) -> Scope {
        let scope = Scope::of(capabilities, self.verifiers.clone());
        let Scope { is_digested, ttl, starts, .. } = *self;
        Scope { is_digested, ttl, starts, ..scope }
    }

    pub(crate) fn verifiers(&self) -> &BTreeSet<Box<str>> {
        &self.verifiers
    }

    /// How many capabilities are asked for.
    pub fn len(&self) -> usize {
        self.drafts.len()
    }

    /// How much there is to look at: the bytes of names, texts and patterns, and some for each value and
    /// kind.
    pub(crate) fn size(&self) -> usize {
        self.drafts.iter().flat_map(|draft| &draft.conditions).map(Condition::size).sum()
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// The scope that says these capabilities.
    pub(crate) fn of(capabilities: &[Capability], verifiers: BTreeSet<Box<str>>) -> Scope {
        let draft = |own: &Capability| CapabilityDraft {
            tool: own.tool.as_str().into(),
            conditions: own.conditions.to_vec(),
            openness: own.openness.clone(),
            any_args: false,
        };
        let drafts = capabilities.iter().map(draft).collect();
        Scope { drafts, verifiers, ..Scope::default() }
    }

    /// Whether the scope can be meant.
    ///
    /// # Errors
    /// The first [`ScopeError`] found.
    pub fn check(&self) -> Result<(), ScopeError> {
        self.capabilities().map(|_| ())
    }

    /// The scope as data, in the shape in which traces and records write it.
    pub fn to_value(&self) -> Value {
        Value::List(self.drafts.iter().map(|draft| draft.part().to_value()).collect())
    }

    pub(crate) fn capabilities(&self) -> Result<Vec<Capability>, ScopeError> {
        self.meant(|draft, tool| Capability {
            tool,
            conditions: draft.conditions.clone().into_boxed_slice(),
            openness: draft.openness.clone(),
        })
    }

    /// The same without copying what was said.
    pub(super) fn parts(&self) -> Result<Vec<Part<'_>>, ScopeError> {
        self.meant(|draft, _| draft.part())
    }

    /// What `make` makes of each draft, if all of them can be meant.
    fn meant<'s, T>(
        &'s self,
        make: impl Fn(&'s CapabilityDraft, ToolName) -> T,
    ) -> Result<Vec<T>, ScopeError> {
        if self.drafts.is_empty() {
            return Err(ScopeError::Empty);
        }
        if self.drafts.len() > MAX_CAPABILITIES {
            return Err(ScopeError::TooLarge);
        }
        check_patterns(self.drafts.iter().flat_map(|draft| &draft.conditions))?;
        check_json(self.drafts.iter().flat_map(|draft| &draft.conditions))?;
        self.drafts.iter().map(|draft| draft.check().map(|tool| make(draft, tool))).collect()
    }

    pub(crate) fn condition(self, fact: Fact, constraint: Constraint) -> Self {
        self.last(|draft| Condition::add(&mut draft.conditions, fact, constraint))
    }

    fn last(mut self, change: impl FnOnce(&mut CapabilityDraft)) -> Self {
        // Before the first `tool` there is nothing to speak of; `check` then reports the empty scope.
        if let Some(draft) = self.drafts.last_mut() {
            change(draft);
        }
        self
    }
}

/// As JSON text, which [`Scope::from_json`] reads.
///
/// ```
/// use hallpass::scope::{Scope, max};
///
/// let scope = Scope::tool("bank.pay").arg("amount", max(100));
/// assert_eq!(scope.to_string(), r#"[{"args":{"amount":{"max":100}},"tool":"bank.pay"}]"#);
/// assert_eq!(Scope::from_json(&scope.to_string())?, scope);
/// # Ok::<(), hallpass::scope::ScopeError>(())
/// ```
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_value().to_json())
    }
}

/// All that any of the scopes asks for.
///
/// ```
/// use hallpass::scope::{Scope, eq};
///
/// let files = ["a.txt", "b.txt"];
/// let scope: Scope = files.map(|file| Scope::tool("file.read").arg("path", eq(file))).into_iter().collect();
/// assert_eq!(scope.len(), 2);
/// ```
impl FromIterator<Scope> for Scope {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Scope::default(), Scope::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_does_not_say_both_any_resource_and_which() {
        use crate::scope::{any, eq};

        let tool = || Scope::tool("t");
        let named = tool().resource(eq("file"), any());
        for said in [
            tool().any_resource().resource_attr("owner", eq("ada")),
            named.clone().any_resource(),
            named.clone().resource_attr("owner", eq("ada")).any_resource(),
        ] {
            assert_eq!(said.check(), Err(ScopeError::AnyResourceWithNamed("t".into())));
        }
        let unsaid = tool().resource_attr("owner", eq("ada"));
        assert_eq!(unsaid.check(), Err(ScopeError::ResourceUnsaid("t".into())));
        // Another tool's is its own.
        let one_each = tool().any_resource().and(named.resource_attr("owner", eq("ada")));
        assert_eq!(one_each.check(), Ok(()));
        assert_eq!(tool().any_resource().resource(eq("file"), any()).check(), Ok(()));
    }
}
