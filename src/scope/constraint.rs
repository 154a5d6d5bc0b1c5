//! A constraint: what one value must be.

use std::sync::Arc;

use super::fact::Fact;
use super::glob::Glob;
use super::instant::{Instants, Weekly};
use super::kind::{Bound, Count, Fields, Range, Set, Sort};
use super::network::Network;
use super::path::canonical_path;
use super::regex::Regex;
use super::url::UrlPattern;
use crate::clock::Timestamp;
use crate::value::{Number, Value};

/// What one value (an argument, an attribute, a part of the question) must be.
///
/// Made by the functions of this module ([`eq`], [`one_of`], [`min`], [`glob`], …) or read from a
/// policy. A constraint that cannot be meant (an empty set, a pattern that does not parse) carries
/// its error: whatever it is put into refuses it, and until then it matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint(pub(crate) Node);

/// The kinds. Text policies name them by the same words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// `"any"`: every value that is there.
    Any,
    /// `present = true | false`.
    Present(bool),
    /// `eq` and `one_of`: one of finitely many values.
    Is(Set),
    /// `same_as`: equal to another part of the question.
    SameAs(Fact),
    /// `min`, `max`, `above`, `below`.
    Range(Range),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Glob(Arc<Glob>),
    /// `regex`: for policies only, for it has to be compiled.
    Regex(Arc<Regex>),
    /// `under`: a path that is this folder or lies in it.
    Under(Box<str>),
    /// `url`: a URL, part by part.
    Url(Box<UrlPattern>),
    /// `cidr`: an address in one of these networks, sorted and each once.
    Cidr(Box<[Network]>),
    /// `after` and `before`.
    Instants(Instants),
    Weekly(Weekly),
    /// `json`: a text that is JSON, and what that says.
    Json(Box<Constraint>),
    /// `len`: how many characters a text has.
    Len(Count),
    /// `fields`: an object's own fields, closed unless said otherwise.
    Fields(Fields),
    /// `each`: every element, and there is at least one.
    Each(Box<Constraint>),
    /// `some`: at least one element.
    Some(Box<Constraint>),
    /// `count`: how many elements.
    Count(Count),
    SubsetOf(Set),
    HasAny(Set),
    HasAll(Set),
    All(Vec<Constraint>),
    AnyOf(Vec<Constraint>),
    Not(Box<Constraint>),
    /// Not a constraint: what was wrong with it.
    Faulty(ConstraintError),
}

/// What is wrong with a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// A set, a list of constraints or a pattern without anything in it: it would match nothing, or
    /// be misread as matching all.
    #[error("`{0}` is empty: it must name at least one value")]
    Empty(&'static str),
    /// The bounds leave no value.
    #[error("no value lies within {0}")]
    Impossible(String),
    /// A kind that looks at a list as a whole beside one that is asked of each element.
    #[error(
        "`{list}` looks at a list as a whole and `{element}` at one value: they can't be mixed in one constraint"
    )]
    MixedSorts {
        /// The kind that sees the list itself.
        list: &'static str,
        /// The kind asked of one value.
        element: &'static str,
    },
    /// A bound that is not a number of at most 38 digits.
    #[error("the bound of `{0}` is not a number of at most 38 digits")]
    NotANumber(&'static str),
    /// A pattern that does not parse.
    #[error("{0}")]
    Pattern(String),
    /// `same_as` names no part of the question.
    #[error("{0}")]
    UnknownFact(String),
    /// The same field is named twice.
    #[error("field `{0}` is named twice")]
    DuplicateField(Box<str>),
    /// A kind that only policies may use, in a scope.
    #[error("`{0}` is for policies only: a scope may not make anything be compiled")]
    PolicyOnly(&'static str),
    /// `same_as` of the broker's time, in a scope: what is asked for would hold at one instant.
    #[error("`when.now` is for rules: a scope says nothing of the time")]
    TimeInScope,
    /// Constraints nested deeper than [`MAX_NESTING`].
    #[error("constraints are nested deeper than {MAX_NESTING} levels")]
    TooDeep,
}

/// How deep constraints may be nested. Eight is twice what hand-written policies use; the bound keeps
/// evaluation's stack small whatever a policy or a scope says.
pub const MAX_NESTING: usize = 8;

/// Exactly this value. Numbers by value: `1` is `1.0`.
pub fn eq(value: impl Into<Value>) -> Constraint {
    Constraint(Node::Is(Set::one(value.into())))
}

/// One of these values.
pub fn one_of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Constraint {
    set("one_of", values, Node::Is)
}

/// Every value, as long as there is one.
pub fn any() -> Constraint {
    Constraint(Node::Any)
}

/// There, and neither `null` nor the empty text: a field that was filled in with nothing counts as
/// left out. `0`, `false`, `[]` and `{}` are there.
pub fn present() -> Constraint {
    Constraint(Node::Present(true))
}

/// Not there, or `null`, or the empty text.
pub fn absent() -> Constraint {
    Constraint(Node::Present(false))
}

/// Absent, or as `constraint` says: for an argument that the caller may leave out.
pub fn optional(constraint: Constraint) -> Constraint {
    any_of([absent(), constraint])
}

/// Equal to another part of the question, named as in a policy: `who.attrs.team`, `args.owner`.
pub fn same_as(fact: &str) -> Constraint {
    match Fact::parse(fact) {
        Ok(fact) => Constraint(Node::SameAs(fact)),
        Err(error) => faulty(ConstraintError::UnknownFact(error.to_string())),
    }
}

/// At least this number.
pub fn min(bound: impl TryInto<Number>) -> Constraint {
    range("min", bound, |n| Range { lower: Some(Bound::at(n)), upper: None })
}

/// At most this number.
pub fn max(bound: impl TryInto<Number>) -> Constraint {
    range("max", bound, |n| Range { lower: None, upper: Some(Bound::at(n)) })
}

/// More than this number.
pub fn above(bound: impl TryInto<Number>) -> Constraint {
    range("above", bound, |n| Range { lower: Some(Bound::beyond(n)), upper: None })
}

/// Less than this number.
pub fn below(bound: impl TryInto<Number>) -> Constraint {
    range("below", bound, |n| Range { lower: None, upper: Some(Bound::beyond(n)) })
}

/// Text that begins so.
pub fn prefix(text: &str) -> Constraint {
    text_kind("prefix", text, Node::Prefix)
}

/// Text that ends so.
pub fn suffix(text: &str) -> Constraint {
    text_kind("suffix", text, Node::Suffix)
}

/// Text that has this in it.
pub fn contains(text: &str) -> Constraint {
    text_kind("contains", text, Node::Contains)
}

/// Text that matches a pattern from end to end: `*` stays within a `/` segment, `**` crosses, `?` is
/// one character other than `/`.
pub fn glob(pattern: &str) -> Constraint {
    match Glob::new(pattern) {
        Ok(glob) => Constraint(Node::Glob(Arc::new(glob))),
        Err(error) => faulty(ConstraintError::Pattern(error.to_string())),
    }
}

/// Text that matches a regular expression from end to end. For policies only: a scope that an agent
/// asks for may not make the broker compile anything.
pub fn regex(pattern: &str) -> Constraint {
    match Regex::new(pattern) {
        Ok(regex) => Constraint(Node::Regex(Arc::new(regex))),
        Err(error) => faulty(ConstraintError::Pattern(error.to_string())),
    }
}

/// A path that is this folder or lies in it, by its spelling alone: links are the file system's.
///
/// The path asked about must be in its one spelling: a `..`, a `.`, an empty segment, a `/` at the end,
/// a backslash, a `%`, a leading `~` or a hidden character leaves it unknown, which a permit refuses and
/// a forbid acts on.
pub fn under(folder: &str) -> Constraint {
    match canonical_path(folder) {
        Ok(folder) => Constraint(Node::Under(folder.into())),
        Err(fault) => {
            let given = crate::text::escape_for_people(folder, crate::text::SHOWN);
            faulty(ConstraintError::Pattern(format!("`{given}` is no folder: {fault}")))
        }
    }
}

/// Text that is an address in one of these networks (`10.0.0.0/8`, `2001:db8::1`). An IPv4 address
/// written as IPv6 is that IPv4 address; other spellings than the dotted and the colon form are none.
pub fn cidr<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Constraint {
    let parsed: Result<Vec<Network>, _> =
        networks.into_iter().map(|network| Network::parse(network.as_ref())).collect();
    match parsed {
        Ok(networks) if networks.is_empty() => faulty(ConstraintError::Empty("cidr")),
        Ok(mut networks) => {
            networks.sort();
            networks.dedup();
            Constraint(Node::Cidr(networks.into()))
        }
        Err(error) => faulty(ConstraintError::Pattern(error.to_string())),
    }
}

/// Text that is an instant (RFC 3339): this one or a later.
pub fn after(instant: Timestamp) -> Constraint {
    Constraint(Node::Instants(Instants { after: Some(instant), before: None }))
}

/// Text that is an instant (RFC 3339) earlier than this one.
pub fn before(instant: Timestamp) -> Constraint {
    Constraint(Node::Instants(Instants { after: None, before: Some(instant) }))
}

/// Text that is an instant (RFC 3339) on one of these days of the week (`mon` to `sun`), from one time
/// of day (`09:00`) up to and without another (`24:00` at most), on a clock so far from UTC (`+01:00`).
///
/// The offset is fixed: a place that moves its clocks in summer needs two rules with validity.
pub fn weekly(days: &[&str], from: &str, until: &str, offset: &str) -> Constraint {
    match Weekly::new(days, from, until, offset) {
        Ok(weekly) => Constraint(Node::Weekly(weekly)),
        Err(error) => faulty(error),
    }
}

/// Text that is JSON, read as strictly as arguments are, and of which this is true: for tools that
/// carry a call inside a text. What does not parse is unknown.
pub fn json(constraint: Constraint) -> Constraint {
    Constraint(Node::Json(Box::new(constraint)))
}

/// Text of so many characters (Unicode scalar values, not bytes).
pub fn len(range: impl Into<Count>) -> Constraint {
    counted("len", range.into(), Node::Len)
}

/// A list of so many elements.
pub fn count(range: impl Into<Count>) -> Constraint {
    counted("count", range.into(), Node::Count)
}

/// An object with exactly these fields. [`Constraint::other_fields`] opens it.
pub fn fields<N: Into<Box<str>>>(named: impl IntoIterator<Item = (N, Constraint)>) -> Constraint {
    match Fields::closed(named.into_iter().map(|(n, c)| (n.into(), c)).collect()) {
        Ok(fields) => Constraint(Node::Fields(fields)),
        Err(error) => faulty(error),
    }
}

/// A list of at least one element, each of which is so.
pub fn each(constraint: Constraint) -> Constraint {
    Constraint(Node::Each(Box::new(constraint)))
}

/// A list with at least one element that is so.
pub fn some(constraint: Constraint) -> Constraint {
    Constraint(Node::Some(Box::new(constraint)))
}

/// A list without any element but these; the empty list is a subset.
pub fn subset_of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Constraint {
    set("subset_of", values, Node::SubsetOf)
}

/// A list with at least one of these elements.
pub fn has_any<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Constraint {
    set("has_any", values, Node::HasAny)
}

/// A list with all of these elements.
pub fn has_all<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Constraint {
    set("has_all", values, Node::HasAll)
}

/// All of these constraints.
pub fn all_of(constraints: impl IntoIterator<Item = Constraint>) -> Constraint {
    combined("all", constraints.into_iter().collect(), Node::All)
}

/// At least one of these constraints.
pub fn any_of(constraints: impl IntoIterator<Item = Constraint>) -> Constraint {
    combined("any", constraints.into_iter().collect(), Node::AnyOf)
}

/// Not so. Unknown stays unknown: a value of the wrong kind is not made right by `not`.
pub fn not(constraint: Constraint) -> Constraint {
    Constraint(Node::Not(Box::new(constraint)))
}

impl Constraint {
    /// This and another constraint.
    pub fn and(self, other: Constraint) -> Constraint {
        match self {
            Constraint(Node::All(mut parts)) => {
                parts.push(other);
                Constraint(Node::All(parts))
            }
            first => Constraint(Node::All(vec![first, other])),
        }
    }

    /// Opens [`fields`]: fields that are not named may be there, with any value.
    pub fn other_fields(self) -> Constraint {
        match self {
            Constraint(Node::Fields(fields)) => Constraint(Node::Fields(fields.open())),
            other => other,
        }
    }

    /// Whether the constraint can be meant: sets not empty, bounds that leave a value, list kinds and
    /// element kinds not mixed.
    ///
    /// # Errors
    /// The first [`ConstraintError`] found, outermost first.
    pub fn check(&self) -> Result<(), ConstraintError> {
        self.check_at(0)?;
        self.sort().map(|_| ())
    }

    fn check_at(&self, depth: usize) -> Result<(), ConstraintError> {
        if depth >= MAX_NESTING {
            return Err(ConstraintError::TooDeep);
        }
        match &self.0 {
            Node::Faulty(error) => Err(error.clone()),
            Node::Range(range) => range.check(),
            Node::All(parts) => {
                Range::of_all(parts).check()?;
                let instants = parts.iter().fold(Instants::default(), |all, part| match &part.0 {
                    Node::Instants(range) => all.intersect(*range),
                    _ => all,
                });
                instants.check()?;
                parts.iter().try_for_each(|part| part.check_at(depth + 1))
            }
            Node::AnyOf(parts) => parts.iter().try_for_each(|part| part.check_at(depth + 1)),
            Node::Not(inner) => inner.check_at(depth + 1),
            Node::Instants(range) => range.check(),
            Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.check_at(depth + 1)?;
                inner.sort().map(|_| ())
            }
            Node::Fields(fields) => fields.iter().try_for_each(|(_, field)| {
                field.check_at(depth + 1)?;
                field.sort().map(|_| ())
            }),
            _ => Ok(()),
        }
    }

    /// The first kind inside that only a policy may use, for it takes more than reading the text once.
    pub(crate) fn policy_only(&self) -> Option<&'static str> {
        match &self.0 {
            Node::Regex(_) => Some(self.word()),
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().find_map(Constraint::policy_only),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.policy_only()
            }
            Node::Fields(fields) => fields.iter().find_map(|(_, field)| field.policy_only()),
            _ => None,
        }
    }

    /// How many bytes its patterns have together.
    pub(crate) fn pattern_bytes(&self) -> usize {
        match &self.0 {
            Node::Glob(glob) => glob.as_str().len(),
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().map(Constraint::pattern_bytes).sum()
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.pattern_bytes()
            }
            Node::Fields(fields) => fields.iter().map(|(_, field)| field.pattern_bytes()).sum(),
            Node::Url(pattern) => pattern.pattern_bytes(),
            _ => 0,
        }
    }

    /// How often a text is read as JSON to ask it.
    pub(crate) fn json_texts(&self) -> usize {
        match &self.0 {
            Node::Json(inner) => 1 + inner.json_texts(),
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().map(Constraint::json_texts).sum(),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => inner.json_texts(),
            Node::Fields(fields) => fields.iter().map(|(_, field)| field.json_texts()).sum(),
            _ => 0,
        }
    }

    /// Whether it compares with a list as a whole.
    pub(crate) fn names_lists(&self) -> bool {
        match &self.0 {
            Node::Is(set) => set.iter().any(|value| matches!(value, Value::List(_))),
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(Constraint::names_lists),
            Node::Not(inner) => inner.names_lists(),
            _ => false,
        }
    }

    /// Whether the constraint sees a list itself or each of its elements.
    pub(crate) fn sort(&self) -> Result<Sort, ConstraintError> {
        Ok(match &self.0 {
            Node::Any | Node::Present(_) | Node::Faulty(_) => Sort::Neutral,
            Node::Is(set) => set.sort(self.word())?,
            Node::SameAs(_) => Sort::List("same_as"),
            Node::Each(_) | Node::Some(_) | Node::Count(_) => Sort::List(self.word()),
            Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_) => Sort::List(self.word()),
            Node::All(parts) | Node::AnyOf(parts) => {
                let mut sort = Sort::Neutral;
                for part in parts {
                    sort = sort.with(part.sort()?)?;
                }
                sort
            }
            Node::Not(inner) => inner.sort()?,
            _ => Sort::Element(self.word()),
        })
    }

    /// The word by which policies name this kind.
    pub(crate) fn word(&self) -> &'static str {
        match &self.0 {
            Node::Any => "any",
            Node::Present(_) => "present",
            Node::Is(set) if set.len() == 1 => "eq",
            Node::Is(_) => "one_of",
            Node::SameAs(_) => "same_as",
            Node::Range(range) => range.word(),
            Node::Prefix(_) => "prefix",
            Node::Suffix(_) => "suffix",
            Node::Contains(_) => "contains",
            Node::Glob(_) => "glob",
            Node::Regex(_) => "regex",
            Node::Under(_) => "under",
            Node::Url(_) => "url",
            Node::Cidr(_) => "cidr",
            Node::Instants(Instants { after: Some(_), .. }) => "after",
            Node::Instants(_) => "before",
            Node::Weekly(_) => "weekly",
            Node::Json(_) => "json",
            Node::Len(_) => "len",
            Node::Fields(_) => "fields",
            Node::Each(_) => "each",
            Node::Some(_) => "some",
            Node::Count(_) => "count",
            Node::SubsetOf(_) => "subset_of",
            Node::HasAny(_) => "has_any",
            Node::HasAll(_) => "has_all",
            Node::All(_) => "all",
            Node::AnyOf(_) => "any",
            Node::Not(_) => "not",
            Node::Faulty(_) => "faulty",
        }
    }
}

fn faulty(error: ConstraintError) -> Constraint {
    Constraint(Node::Faulty(error))
}

fn set<V: Into<Value>>(
    word: &'static str,
    values: impl IntoIterator<Item = V>,
    node: fn(Set) -> Node,
) -> Constraint {
    match Set::new(values.into_iter().map(Into::into).collect()) {
        Some(set) => Constraint(node(set)),
        None => faulty(ConstraintError::Empty(word)),
    }
}

fn range(
    word: &'static str,
    bound: impl TryInto<Number>,
    range: impl FnOnce(Number) -> Range,
) -> Constraint {
    match bound.try_into() {
        Ok(number) => Constraint(Node::Range(range(number))),
        Err(_) => faulty(ConstraintError::NotANumber(word)),
    }
}

fn text_kind(word: &'static str, text: &str, node: fn(Box<str>) -> Node) -> Constraint {
    if text.is_empty() {
        faulty(ConstraintError::Empty(word))
    } else {
        Constraint(node(text.into()))
    }
}

fn counted(word: &'static str, count: Count, node: fn(Count) -> Node) -> Constraint {
    match count.check(word) {
        Ok(()) => Constraint(node(count)),
        Err(error) => faulty(error),
    }
}

fn combined(
    word: &'static str,
    parts: Vec<Constraint>,
    node: fn(Vec<Constraint>) -> Node,
) -> Constraint {
    if parts.is_empty() { faulty(ConstraintError::Empty(word)) } else { Constraint(node(parts)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Scope, ScopeError};

    /// attack 19: what an agent asks for compiles nothing, wherever it hides it.
    #[test]
    fn a_scope_may_not_hold_a_regular_expression() {
        for hidden in [
            regex("a+"),
            not(regex("a+")),
            all_of([any(), regex("a+")]),
            any_of([any(), regex("a+")]),
            each(regex("a+")),
            some(regex("a+")),
            json(regex("a+")),
            fields([("a", regex("a+"))]),
        ] {
            assert_eq!(hidden.check(), Ok(()), "a policy may");
            let error = Scope::tool("t").arg("a", hidden).check().unwrap_err();
            let ScopeError::Constraint { error, .. } = error else { panic!("{error}") };
            assert_eq!(error, ConstraintError::PolicyOnly("regex"));
        }
    }

    #[test]
    fn a_scope_may_not_compare_with_the_time() {
        let now = same_as("when.now");
        for hidden in [now.clone(), not(now.clone()), fields([("a", now)])] {
            assert_eq!(hidden.check(), Ok(()), "a policy may");
            let error = Scope::tool("t").arg("a", hidden).check().unwrap_err();
            let ScopeError::Constraint { error, .. } = error else { panic!("{error}") };
            assert_eq!(error, ConstraintError::TimeInScope);
        }
    }

    /// attacks 31, 43
    #[test]
    fn what_cannot_be_meant_is_refused() {
        let now = Timestamp::MIN;
        for constraint in [
            one_of::<&str>([]),
            prefix(""),
            suffix(""),
            contains(""),
            glob(""),
            regex(""),
            under(""),
            under("/data/../etc"),
            cidr::<&str>([]),
            cidr(["10.0.0.1/8"]),
            subset_of::<&str>([]),
            has_any::<&str>([]),
            has_all::<&str>([]),
            all_of([]),
            any_of([]),
            min(f64::NAN),
            max(f64::INFINITY),
            min(2).and(max(1)),
            above(1).and(max(1)),
            after(now).and(before(now)),
            weekly(&[], "09:00", "17:00", "+00:00"),
            all_of([prefix("a"), count(1)]),
            json(all_of([prefix("a"), count(1)])),
            same_as("args"),
        ] {
            assert!(constraint.check().is_err(), "{constraint}");
            assert!(not(constraint.clone()).check().is_err(), "{constraint}");
            assert!(fields([("a", constraint.clone())]).check().is_err(), "{constraint}");
        }
    }

    #[test]
    fn constraints_are_written_as_policies_write_them() {
        let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        for (constraint, written) in [
            (regex("a+"), r#"{"regex":"a+"}"#),
            (under("/data/"), r#"{"under":"/data"}"#),
            (cidr(["::1", "10.0.0.0/8"]), r#"{"cidr":["10.0.0.0/8","::1"]}"#),
            (after(start), r#"{"after":"2026-01-01T00:00:00Z"}"#),
            (before(start), r#"{"before":"2026-01-01T00:00:00Z"}"#),
            (
                weekly(&["tue", "mon"], "09:00", "24:00", "-01:30"),
                r#"{"weekly":{"days":["mon","tue"],"from":"09:00","offset":"-01:30","until":"24:00"}}"#,
            ),
            (json(max(1)), r#"{"json":{"max":1}}"#),
            (all_of([max(1), max(1), eq(0)]), r#"{"eq":0,"max":1}"#),
            (all_of([min(1), eq(1), eq(2)]), r#"{"all":[{"eq":1},{"eq":2},{"min":1}]}"#),
        ] {
            assert_eq!(constraint.to_string(), written);
        }
    }
}
