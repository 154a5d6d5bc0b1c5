//! What a host states about a caller.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::subject::{Subject, SubjectError};
use super::{Actor, Facts, Identity, Kind};
use crate::text::{ATTRIBUTE_NAME, SHOWN, TextFault, TextRule, escape_for_people};
use crate::value::{Key, Object, Value};

/// Large directories put a person in some hundred groups; a thousand is already a mistake of the
/// host, and more would make every `has_any` walk far.
const GROUPS_MAX: usize = 1024;
/// An OIDC token or a directory entry has some dozen claims.
const ATTRIBUTES_MAX: usize = 256;
/// One per account a principal has in other systems. Each is compared for every approval.
const ALIASES_MAX: usize = 64;
/// A person, a planner and a few workers make four; a chain twice as long has nobody who follows it.
const ACTS_FOR_MAX: usize = 8;

const ALIAS: TextRule =
    TextRule { max: 255, refuses: ATTRIBUTE_NAME.refuses, expected: "visible characters" };

/// What a host states about a caller: plain data, worth nothing until a broker's attestor makes it
/// an [`Identity`](super::Identity).
///
/// Building never fails; attesting does, where
/// - the id is no [`Subject`](super::Subject);
/// - a group or attribute name is empty, longer than 128 bytes or has hidden characters, or an alias
///   is empty, longer than 255 bytes or has hidden characters;
/// - an attribute is given twice (groups and aliases are sets: a second mention changes nothing);
/// - there are more than 1024 groups, 256 attributes, 64 aliases or 8 links in `acts_for`;
/// - the chain comes back to the caller, under its id or an alias, or names anyone twice.
///
/// All text is compared byte for byte, so `é` composed and decomposed are two groups: a host whose
/// sources differ in that normalises before it asserts.
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
    attributes: Vec<(Key, Value)>,
    aliases: Vec<Box<str>>,
    acts_for: Vec<(Box<str>, Kind)>,
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
    pub fn attr(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.attributes.push((name.into(), value.into()));
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

    /// Makes the identity: the only way to one.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub(crate) fn attest(self, broker: u64) -> Result<Identity, IdentityError> {
        let subject = Subject::new(&self.id).map_err(Problem::Subject)?;
        let groups = set_of(self.groups, "group", &ATTRIBUTE_NAME, GROUPS_MAX)?;
        let attributes = object_of(self.attributes)?;
        let aliases = set_of(self.aliases, "alias", &ALIAS, ALIASES_MAX)?;
        let acts_for = chain_of(&subject, &aliases, self.acts_for)?;
        let facts = Facts {
            attested_by: broker,
            subject_value: text(subject.as_str()),
            subject,
            kind: self.kind,
            kind_value: text(self.kind.as_str()),
            groups_value: Value::List(groups.iter().map(|group| text(group)).collect()),
            groups,
            attributes,
            aliases,
            acts_for_value: Value::List(
                acts_for.iter().map(|actor| text(actor.subject.as_str())).collect(),
            ),
            acts_for,
        };
        Ok(Identity { facts: Arc::new(facts) })
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

/// Sorted, each once. The limit counts what was given, so that nobody sorts a million repetitions.
fn set_of(
    mut given: Vec<Box<str>>,
    field: &'static str,
    rule: &TextRule,
    max: usize,
) -> Result<Vec<Box<str>>, IdentityError> {
    at_most(field, given.len(), max)?;
    for name in &given {
        rule.check(name).map_err(|fault| Problem::Text { field, fault })?;
    }
    given.sort_unstable();
    given.dedup();
    Ok(given)
}

fn object_of(given: Vec<(Key, Value)>) -> Result<Object, IdentityError> {
    at_most("attribute", given.len(), ATTRIBUTES_MAX)?;
    let mut attributes = Object::new();
    for (name, value) in given {
        ATTRIBUTE_NAME
            .check(&name)
            .map_err(|fault| Problem::Text { field: "attribute name", fault })?;
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
    #[error("has {given} of {field}, expected at most {max}")]
    TooMany { field: &'static str, given: usize, max: usize },
    #[error("acts_for {0}")]
    ActsFor(SubjectError),
    #[error("acts_for comes back to `{0}`")]
    Cycle(Subject),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(assertion: Assertion) -> String {
        assertion.attest(1).unwrap_err().to_string()
    }

    fn texts(texts: &[&str]) -> Value {
        Value::List(texts.iter().map(|t| text(t)).collect())
    }

    #[test]
    fn an_identity_says_what_was_asserted() {
        let who = Assertion::workload("spiffe://acme.test/ci")
            .groups(["deploy", "build"])
            .attr("team", text("growth"))
            .alias("ci@acme")
            .acts_for("bob", Kind::Agent)
            .acts_for("alice", Kind::Human)
            .attest(7)
            .unwrap();
        assert_eq!(who.attested_by(), 7);
        assert_eq!(who.subject().as_str(), "spiffe://acme.test/ci");
        assert_eq!(who.subject_value(), &text("spiffe://acme.test/ci"));
        assert_eq!((who.kind(), who.kind_value()), (Kind::Workload, &text("workload")));
        assert_eq!(who.groups().collect::<Vec<_>>(), ["build", "deploy"]);
        assert_eq!(who.groups_value(), &texts(&["build", "deploy"]));
        assert!(who.in_group("build") && !who.in_group("Build"));
        assert_eq!(who.attributes().get("team"), Some(&text("growth")));
        assert!(who.is_known_as("ci@acme") && who.is_known_as("spiffe://acme.test/ci"));
        assert!(!who.is_known_as("alice"));
        assert_eq!(who.acts_for_value(), &texts(&["bob", "alice"]));
        let kinds: Vec<_> = who.acts_for().iter().map(|actor| actor.kind).collect();
        assert_eq!(kinds, [Kind::Agent, Kind::Human]);
    }

    #[test]
    fn a_plain_id_is_an_agents() {
        let who = Assertion::from("planner").attest(1).unwrap();
        assert_eq!(who.kind(), Kind::Agent);
        assert_eq!(Assertion::human("alice").attest(1).unwrap().kind(), Kind::Human);
    }

    #[test]
    fn an_identity_shared_is_the_same_and_shows_no_attributes() {
        let who = Assertion::agent("a").group("secret-g").attr("k", text("secret-v")).attest(3);
        let again = who.unwrap().share();
        assert_eq!((again.subject().as_str(), again.attested_by()), ("a", 3));
        let shown = format!("{again:?}");
        assert!(shown.contains("Agent") && !shown.contains("secret"), "{shown}");
    }

    /// attack 104: nothing is folded; each spelling counts as declared
    #[test]
    fn aliases_are_recorded_verbatim() {
        let given = [" alice@x", "ALICE@x", "alice+1@x", "\u{FF41}lice@x"];
        let who = given.iter().fold(Assertion::human("alice@x"), |a, alias| a.alias(*alias));
        let who = who.alias("ALICE@x").attest(1).unwrap();
        assert_eq!(who.aliases().collect::<Vec<_>>(), given);
        assert!(given.iter().all(|alias| who.is_known_as(alias)));
        assert!(!who.is_known_as("Alice@x"));
    }

    /// attack 10: a host whose sources differ normalises before it asserts
    #[test]
    fn two_unicode_spellings_are_two_groups() {
        let who = Assertion::agent("a").groups(["caf\u{E9}", "cafe\u{301}"]).attest(1).unwrap();
        assert_eq!(who.groups().len(), 2);
    }

    /// attack 12
    #[test]
    fn hidden_characters_are_refused_and_the_field_is_named() {
        let hidden = "a\u{200B}b";
        for (assertion, field) in [
            (Assertion::agent("a").group(hidden), "identity group "),
            (Assertion::agent("a").alias(hidden), "identity alias "),
            (Assertion::agent("a").attr(hidden, Value::Null), "identity attribute name "),
            (Assertion::agent("a").acts_for(hidden, Kind::Human), "identity acts_for "),
            (Assertion::agent(hidden), "identity subject "),
        ] {
            let complaint = complaint(assertion);
            assert!(complaint.starts_with(field) && complaint.contains(r"\u{200b}"), "{complaint}");
        }
    }

    #[test]
    fn empty_and_overlong_names_are_refused() {
        for long in ["".to_owned(), "n".repeat(129)] {
            assert!(Assertion::agent("a").group(&*long).attest(1).is_err());
            assert!(Assertion::agent("a").attr(long, Value::Null).attest(1).is_err());
        }
        assert!(Assertion::agent("a").group("n".repeat(128)).attest(1).is_ok());
        assert!(Assertion::agent("a").alias("").attest(1).is_err());
        assert!(Assertion::agent("a").alias("n".repeat(255)).attest(1).is_ok());
        assert!(Assertion::agent("a").alias("n".repeat(256)).attest(1).is_err());
    }

    #[test]
    fn an_attribute_given_twice_is_refused() {
        let twice = Assertion::agent("a").attr("team", Value::Null).attr("team", Value::Null);
        assert_eq!(complaint(twice), "identity attribute `team` is given twice");
    }

    #[test]
    fn what_is_listed_is_bounded() {
        let numbers = |count: usize| (0..count).map(|n| n.to_string());
        let groups = |count| Assertion::agent("a").groups(numbers(count));
        let attrs =
            |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.attr(n, Value::Null));
        let aliases = |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.alias(n));
        let links =
            |count| numbers(count).fold(Assertion::agent("a"), |a, n| a.acts_for(n, Kind::Agent));
        for fits in [groups(1024), attrs(256), aliases(64), links(8)] {
            assert!(fits.attest(1).is_ok());
        }
        for (exceeds, said) in [
            (groups(1025), "1025 of group"),
            (attrs(257), "257 of attribute"),
            (aliases(65), "65 of alias"),
            (links(9), "9 of acts_for"),
        ] {
            assert!(complaint(exceeds).contains(said));
        }
    }

    #[test]
    fn nobody_acts_for_themselves_or_for_anyone_twice() {
        let caller = || Assertion::agent("a").alias("a2");
        for chain in [&["a"][..], &["b", "a"], &["a2"], &["b", "c", "b"]] {
            let looped =
                chain.iter().fold(caller(), |caller, id| caller.acts_for(*id, Kind::Agent));
            assert!(complaint(looped).starts_with("identity acts_for comes back"), "{chain:?}");
        }
    }

    proptest! {
        #[test]
        fn groups_are_a_set(given in prop::collection::vec("[a-c]{1,2}", 0..20)) {
            let model: BTreeSet<&str> = given.iter().map(String::as_str).collect();
            let who = Assertion::agent("x").groups(given.iter().map(String::as_str)).attest(1).unwrap();
            prop_assert!(who.groups().eq(model.iter().copied()));
            prop_assert!(model.iter().all(|group| who.in_group(group)));
        }

        #[test]
        fn a_chain_is_attested_only_if_it_names_everyone_once(
            chain in prop::collection::vec("[a-f]", 0..8),
        ) {
            let mut names: BTreeSet<&str> = chain.iter().map(String::as_str).collect();
            names.insert("a");
            let built =
                chain.iter().fold(Assertion::agent("a"), |a, id| a.acts_for(&**id, Kind::Agent));
            prop_assert_eq!(built.attest(1).is_ok(), names.len() == chain.len() + 1);
        }
    }
}
