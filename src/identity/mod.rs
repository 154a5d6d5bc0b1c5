//! Who asks: identities, what a host states about a caller, and ids of principals.

mod assertion;
mod attestor;
mod fold;
mod kept;
mod restated;
mod spiffe;
mod subject;

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::value::{Object, Value};

pub(crate) use assertion::check_known_name;
pub use assertion::{Assertion, IdentityError};
pub use attestor::Attestor;
pub(crate) use fold::Fold;
pub(crate) use kept::KeptIdentity;
pub(crate) use restated::Restatements;
pub use spiffe::{SpiffeId, SpiffeIdError};
pub use subject::{Subject, SubjectError};

/// An attested caller: proof that this broker's attestor vouched for who it is.
///
/// The only way to one is an attestor at a broker; another broker refuses it. It cannot be built
/// from parts or read from text. Cloning is cheap, and a clone is the same attestation.
///
/// ```
/// use hallpass::identity::Identity;
/// fn name(who: &Identity) -> &str {
///     who.subject().as_str()
/// }
/// ```
///
/// It has no part a host could set, so it cannot be built:
///
/// ```
/// use hallpass::identity::Identity;
/// fn open(who: Identity) {
///     let Identity { .. } = who;
/// }
/// ```
/// ```compile_fail
/// use hallpass::identity::Identity;
/// fn open(who: Identity) {
///     let Identity { facts: _, .. } = who;
/// }
/// ```
///
/// nor attested outside a broker, where a host may state anything it likes:
///
/// ```
/// use hallpass::identity::Assertion;
/// fn state() -> Assertion {
///     Assertion::agent("planner")
/// }
/// ```
/// ```compile_fail
/// use hallpass::identity::{Assertion, Identity};
/// fn make() -> Option<Identity> {
///     Assertion::agent("planner").attest(1).ok()
/// }
/// ```
///
/// It cannot be read from text, though its kind can:
///
/// ```
/// use hallpass::identity::Kind;
/// fn read(text: &str) -> Option<Kind> {
///     serde_json::from_str(text).ok()
/// }
/// ```
/// ```compile_fail
/// use hallpass::identity::Identity;
/// fn read(text: &str) -> Option<Identity> {
///     serde_json::from_str(text).ok()
/// }
/// ```
#[derive(Clone)]
pub struct Identity {
    facts: Arc<AttestedFacts>,
}

/// What is attested, each part checked, in the form rules read so that evaluating copies nothing.
struct AttestedFacts {
    who: Arc<Who>,
    attested: Arc<Attested>,
}

/// Who it is: the same for the life of an identity.
struct Who {
    attested_by: u64,
    subject: Subject,
    subject_value: Value,
    kind: Kind,
    kind_value: Value,
    /// Sorted, each once.
    aliases: Vec<Box<str>>,
    acts_for: Vec<Actor>,
    acts_for_value: Value,
    until: Option<Timestamp>,
}

/// What is said of it, which the host may [restate](crate::Control::restate).
struct Attested {
    /// Sorted, each once.
    groups: Vec<Box<str>>,
    groups_value: Value,
    attributes: Object,
}

impl Identity {
    /// The id of the caller.
    pub fn subject(&self) -> &Subject {
        &self.facts.who.subject
    }

    /// What kind of caller it is.
    pub fn kind(&self) -> Kind {
        self.facts.who.kind
    }

    /// The groups the caller is in: sorted, each once.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &str> {
        self.facts.attested.groups.iter().map(|group| &**group)
    }

    /// Whether the caller is in this group, spelled exactly so.
    pub fn in_group(&self, group: &str) -> bool {
        self.facts.attested.groups.binary_search_by(|g| (**g).cmp(group)).is_ok()
    }

    /// The attributes attested of the caller.
    pub fn attributes(&self) -> &Object {
        &self.facts.attested.attributes
    }

    /// Other names of the same principal, exactly as the attestor declared them: sorted, each once.
    pub fn aliases(&self) -> impl ExactSizeIterator<Item = &str> {
        self.facts.who.aliases.iter().map(|alias| &**alias)
    }

    /// Whether `name` is the caller's subject or one of its aliases.
    pub fn is_known_as(&self, name: &str) -> bool {
        self.facts.who.subject.as_str() == name
            || self.facts.who.aliases.binary_search_by(|a| (**a).cmp(name)).is_ok()
    }

    /// Whom the caller acts for, nearest first. Rules may look at it; it lends no authority.
    pub fn acts_for(&self) -> &[Actor] {
        &self.facts.who.acts_for
    }

    /// Whether the same is attested of both, whatever vouches for it and until when.
    pub(crate) fn states_as(&self, other: &Identity) -> bool {
        if self.is_shared_with(other) {
            return true;
        }
        let (own, its) = (&*self.facts.who, &*other.facts.who);
        let (said, also) = (&*self.facts.attested, &*other.facts.attested);
        own.attested_by == its.attested_by
            && own.subject == its.subject
            && own.kind == its.kind
            && own.aliases == its.aliases
            && own.acts_for == its.acts_for
            && said.groups == also.groups
            && said.attributes == also.attributes
    }

    /// Whether the same is attested of both, by the same broker and for as long.
    pub(crate) fn is_attested_as(&self, other: &Identity) -> bool {
        self.states_as(other) && self.until() == other.until()
    }

    /// When it is good no more, if [the host said so](Assertion::until).
    pub fn until(&self) -> Option<Timestamp> {
        self.facts.who.until
    }

    /// # Errors
    /// [`Reason::IdentityExpired`] from its end on.
    pub(crate) fn check_validity(&self, now: Timestamp) -> Result<(), Denial> {
        match self.until() {
            Some(end) if self.is_past(now) => Err(Denial::new(Reason::IdentityExpired)
                .because(format_args!("`{}` was attested until {end}", self.subject()))),
            _ => Ok(()),
        }
    }

    /// Whether it is one human who acts for no one.
    ///
    /// # Errors
    /// [`Reason::NotOneHuman`].
    pub(crate) fn check_is_one_human(&self) -> Result<(), Denial> {
        let (who, kind) = (self.subject(), self.kind());
        match kind == Kind::Human && self.acts_for().is_empty() {
            true => Ok(()),
            false => Err(Denial::new(Reason::NotOneHuman).because(format_args!(
                "`{who}` is of the kind `{kind}`{}: expected a human who acts for no one",
                if self.acts_for().is_empty() { "" } else { " and acts for others" }
            ))),
        }
    }

    /// Whether it is good no more.
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        self.facts.who.until.is_some_and(|end| now >= end)
    }

    /// Whether `name` is the caller, or somebody it acts for.
    pub(crate) fn is_or_acts_for(&self, name: &str) -> bool {
        self.is_known_as(name) || self.acts_for().iter().any(|own| own.subject.as_str() == name)
    }

    /// Every name of which [`is_or_acts_for`](Self::is_or_acts_for) is true.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let subject = std::iter::once(self.subject().as_str());
        let acts_for = self.acts_for().iter().map(|own| own.subject.as_str());
        subject.chain(self.aliases()).chain(acts_for)
    }

    pub(crate) fn subject_value(&self) -> &Value {
        &self.facts.who.subject_value
    }

    pub(crate) fn kind_value(&self) -> &Value {
        &self.facts.who.kind_value
    }

    /// A list of texts.
    pub(crate) fn groups_value(&self) -> &Value {
        &self.facts.attested.groups_value
    }

    /// A list of texts, the subjects acted for, nearest first.
    pub(crate) fn acts_for_value(&self) -> &Value {
        &self.facts.who.acts_for_value
    }

    /// The broker whose attestor vouched: no other takes this identity.
    pub(crate) fn attested_by(&self) -> u64 {
        self.facts.who.attested_by
    }

    /// Whether both are one attestation. Two of one subject may say different things of it.
    pub(crate) fn is_shared_with(&self, other: &Identity) -> bool {
        Arc::ptr_eq(&self.facts, &other.facts)
    }
}

/// Attributes may be personal: only subject and kind are shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.facts.who.subject)
            .field("kind", &self.facts.who.kind)
            .finish_non_exhaustive()
    }
}

/// What kind of caller an identity is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A program that decides for itself what to do next.
    Agent,
    /// A program that does what it was written to do.
    Workload,
    /// A person.
    Human,
}

impl Kind {
    /// The name rules and records use: `agent`, `workload` or `human`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Agent => "agent",
            Kind::Workload => "workload",
            Kind::Human => "human",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One link of the chain an identity acts for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Actor {
    /// Who is acted for.
    pub subject: Subject,
    /// What kind of principal that is.
    pub kind: Kind,
}
