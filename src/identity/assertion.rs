//! What a host states about a caller.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::subject::{Subject, SubjectError, claims_spiffe};
use super::{Actor, Attested, AttestedFacts, Fold, Identity, Kind, Who};
use crate::clock::Timestamp;
use crate::value::{Key, Object, Value, ValueError};
use crate::visible::{ATTRIBUTE_NAME, SHOWN, TextFault, TextRule, escape_for_people, is_hidden};

/// Large directories put a person in some hundred groups; a thousand is already a mistake of the
/// host, and more would make every `has_any` walk far.
const GROUPS_MAX: usize = 1024;
/// An OIDC token or a directory entry has some dozen claims.
const ATTRIBUTES_MAX: usize = 256;
/// One per account a principal has in other systems. Each is compared for every approval.
const ALIASES_MAX: usize = 64;
/// A person, a planner and a few workers make four; a chain twice as long is one that no reader follows.
const ACTS_FOR_MAX: usize = 8;

const ALIAS: TextRule = TextRule {
    max: 255,
    refuses: |text| {
        // A space at an end is not seen, and so never meant.
        let last = text.chars().count().saturating_sub(1);
        let refused =
            |(at, c): (usize, char)| is_hidden(c) || c.is_whitespace() && (at == 0 || at == last);
        text.chars().enumerate().position(refused)
    },
    expected: "visible characters, without spaces around them",
};

/// Whether an identity can be known by this name: as its id, or as an alias.
///
/// # Errors
/// Why not.
pub(crate) fn check_known_name(name: &str) -> Result<(), IdentityError> {
    if claims_spiffe(name) {
        Subject::new(name).map_err(Problem::Subject)?;
    } else if Subject::new(name).is_err() {
        check_alias(name)?;
    }
    Ok(())
}

/// An alias is any visible text; one that would be taken for a SPIFFE id must be one.
fn check_alias(alias: &str) -> Result<(), IdentityError> {
    ALIAS.check(alias).map_err(|fault| Problem::Text { field: "alias", fault })?;
    if claims_spiffe(alias) {
        Subject::new(alias).map_err(Problem::Alias)?;
    }
    Ok(())
}

/// What a host states about a caller: plain data, worth nothing until a broker's attestor makes it
/// an [`Identity`](super::Identity).
///
/// Building never fails; attesting does, where
/// - the id is not a [`Subject`](super::Subject);
/// - a group or attribute name is empty, longer than 128 bytes or has hidden characters, or an alias
///   is empty, longer than 255 bytes, has hidden characters or spaces at its ends, or starts with `spiffe:` and is
///   not a SPIFFE id;
/// - an attribute is given twice or is not a [`Value`], such as NaN (groups and aliases are sets: a second mention changes nothing);
/// - there are more than 1024 groups, 256 attributes, 64 aliases or 8 links in `acts_for`;
/// - the chain comes back to the caller, under its id or an alias, or names anyone twice.
///
/// All text is compared byte for byte, so `é` composed and decomposed are two groups: a host whose
/// sources differ in that normalises before it asserts. Where a policy folds names
/// ([`PolicyBuilder::fold_names`](crate::policy::PolicyBuilder::fold_names)), ids, groups, aliases and those acted
/// for are folded first.
///
/// ```
/// use hallpass::identity::{Assertion, Kind};
/// use hallpass::value::Value;
///
/// let caller = Assertion::agent("spiffe://acme.test/agent/analyst/7")
///     .group("analytics")
///     .attr("team", Value::Text("growth".into()))
///     .acts_for("alice@acme.test", Kind::Human);
/// # let _ = caller;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    id: Box<str>,
    kind: Kind,
    groups: Vec<Box<str>>,
    attributes: Vec<(Key, Result<Value, ValueError>)>,
    aliases: Vec<Box<str>>,
    acts_for: Vec<(Box<str>, Kind)>,
    until: Option<Timestamp>,
}

impl Assertion {
    /// The caller is the agent of this id.
    pub fn agent(id: impl Into<Box<str>>) -> Self {
        Self::of(id.into(), Kind::Agent)
    }

    /// The caller is the workload of this id.
    pub fn workload(id: impl Into<Box<str>>) -> Self {
        Self::of(id.into(), Kind::Workload)
    }

    /// The caller is the person of this id.
    pub fn human(id: impl Into<Box<str>>) -> Self {
        Self::of(id.into(), Kind::Human)
    }

    fn of(id: Box<str>, kind: Kind) -> Self {
        Assertion {
            id,
            kind,
            groups: Vec::new(),
            attributes: Vec::new(),
            aliases: Vec::new(),
            acts_for: Vec::new(),
            until: None,
        }
    }

    /// The caller is in this group.
    #[must_use]
    pub fn group(mut self, group: impl Into<Box<str>>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// The caller is in these groups too.
    #[must_use]
    pub fn groups<G: Into<Box<str>>>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }

    /// The caller has this attribute.
    #[must_use]
    pub fn attr<V>(mut self, name: impl Into<Cow<'static, str>>, value: V) -> Self
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        self.attributes.push((name.into(), value.try_into().map_err(ValueError::from)));
        self
    }

    /// The same principal also goes by this name. Kept verbatim: no case, space or tag is folded, so
    /// each spelling in use is declared.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<Box<str>>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// The caller acts for this principal; said again, that principal acts for the next, and so on
    /// away from the caller.
    #[must_use]
    pub fn acts_for(mut self, id: impl Into<Box<str>>, kind: Kind) -> Self {
        self.acts_for.push((id.into(), kind));
        self
    }

    /// What vouches for the caller (a certificate, a token of its own) is good until then: at that instant
    /// of the broker's clock, and later, what is asked with the identity is denied as
    /// [`identity_expired`](crate::Reason::IdentityExpired). Said twice, the earlier counts.
    ///
    /// Unsaid, the identity is good as long as the host keeps it.
    #[must_use]
    pub fn until(mut self, end: Timestamp) -> Self {
        self.until = Some(self.until.map_or(end, |own| own.min(end)));
        self
    }

    /// With its names in one spelling, where a policy folds them.
    pub(crate) fn folded(mut self, fold: Fold) -> Self {
        let others = self.groups.iter_mut().chain(&mut self.aliases);
        let actors = self.acts_for.iter_mut().map(|(id, _)| id);
        others.chain(actors).chain([&mut self.id]).for_each(|name| fold.fold(name));
        self
    }

    /// Makes the identity: the only way to one.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub(crate) fn attest(self, broker: u64) -> Result<Identity, IdentityError> {
        let subject = Subject::new(&self.id).map_err(Problem::Subject)?;
        let groups = set_of(self.groups, "group", check_group, GROUPS_MAX)?;
        let attributes = object_of(self.attributes)?;
        let aliases = set_of(self.aliases, "alias", check_alias, ALIASES_MAX)?;
        let acts_for = chain_of(&subject, &aliases, self.acts_for)?;
        let who = Who {
            attested_by: broker,
            subject_value: text(subject.as_str()),
            subject,
            kind: self.kind,
            kind_value: text(self.kind.as_str()),
            aliases,
            acts_for_value: Value::List(
                acts_for.iter().map(|actor| text(actor.subject.as_str())).collect(),
            ),
            acts_for,
            until: self.until,
        };
        let attested = Attested {
            groups_value: Value::List(groups.iter().map(|group| text(group)).collect()),
            groups,
            attributes,
        };
        let facts = AttestedFacts { who: Arc::new(who), attested: Arc::new(attested) };
        Ok(Identity { facts: Arc::new(facts) })
    }

    /// Checks what can be restated of a subject: groups and attributes, in the form of an identity.
    ///
    /// # Errors
    /// As of attesting, and of an assertion that says what each attestation says for itself.
    pub(crate) fn restate(self, broker: u64) -> Result<Identity, IdentityError> {
        let fixed = [
            ("aliases", !self.aliases.is_empty()),
            ("acts_for", !self.acts_for.is_empty()),
            ("until", self.until.is_some()),
        ];
        match fixed.into_iter().find(|(_, said)| *said) {
            Some((field, _)) => Err(Problem::NotRestated(field).into()),
            None => self.attest(broker),
        }
    }
}

/// An agent of this id: what asks for access is an agent unless the host says otherwise.
impl From<&str> for Assertion {
    fn from(id: &str) -> Self {
        Assertion::agent(id)
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Sorted, each once. The limit counts what was given, so that a million repetitions are never sorted.
fn set_of(
    mut given: Vec<Box<str>>,
    field: &'static str,
    check: impl Fn(&str) -> Result<(), IdentityError>,
    max: usize,
) -> Result<Vec<Box<str>>, IdentityError> {
    at_most(field, given.len(), max)?;
    given.iter().try_for_each(|name| check(name))?;
    given.sort_unstable();
    given.dedup();
    Ok(given)
}

fn check_group(group: &str) -> Result<(), IdentityError> {
    ATTRIBUTE_NAME.check(group).map_err(|fault| Problem::Text { field: "group", fault }.into())
}

fn object_of(given: Vec<(Key, Result<Value, ValueError>)>) -> Result<Object, IdentityError> {
    at_most("attribute", given.len(), ATTRIBUTES_MAX)?;
    let mut attributes = Object::new();
    for (name, value) in given {
        ATTRIBUTE_NAME
            .check(&name)
            .map_err(|fault| Problem::Text { field: "attribute name", fault })?;
        let value = value.map_err(|error| Problem::Value { name: name.as_ref().into(), error })?;
        attributes.insert(name, value).map_err(|twice| Problem::Twice(twice.0))?;
    }
    Ok(attributes)
}

fn chain_of(
    subject: &Subject,
    aliases: &[Box<str>],
    given: Vec<(Box<str>, Kind)>,
) -> Result<Vec<Actor>, IdentityError> {
    at_most("acts_for link", given.len(), ACTS_FOR_MAX)?;
    let mut met: BTreeSet<Box<str>> = aliases.iter().cloned().collect();
    met.insert(subject.as_str().into());
    let mut chain = Vec::with_capacity(given.len());
    for (id, kind) in given {
        let subject = Subject::new(&id).map_err(Problem::ActsFor)?;
        if !met.insert(id) {
            return Err(Problem::Cycle(subject).into());
        }
        chain.push(Actor { subject, kind });
    }
    Ok(chain)
}

fn at_most(field: &'static str, given: usize, max: usize) -> Result<(), IdentityError> {
    if given > max { Err(Problem::TooMany { field, given, max }.into()) } else { Ok(()) }
}

/// Why an [`Assertion`] is not attested: names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity {0}")]
pub struct IdentityError(#[from] Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Subject(SubjectError),
    #[error("{field} {fault}")]
    Text { field: &'static str, fault: TextFault },
    #[error("attribute `{}` is given twice", escape_for_people(.0, SHOWN))]
    Twice(Box<str>),
    #[error("attribute `{}` is not a value: {error}", escape_for_people(.name, SHOWN))]
    Value { name: Box<str>, error: ValueError },
    #[error("has {given} of {field}, expected at most {max}")]
    TooMany { field: &'static str, given: usize, max: usize },
    #[error("alias {0}")]
    Alias(SubjectError),
    #[error("acts_for {0}")]
    ActsFor(SubjectError),
    #[error("acts_for comes back to `{0}`")]
    Cycle(Subject),
    #[error("`{0}` can't be restated: expected groups and attributes alone")]
    NotRestated(&'static str),
    #[error("is restated at all nodes of a fleet at once, expected `Fleet::restate`")]
    OneNode,
}

impl IdentityError {
    /// Of facts that were to be restated at one node of a fleet.
    pub(crate) fn of_one_node() -> Self {
        Problem::OneNode.into()
    }
}

#[cfg(test)]
mod tests;
