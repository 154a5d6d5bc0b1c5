//! The words for constraints: a function for each kind, named as policies name it.

use super::constraint::{Constraint, Node};
use super::constraint_error::ConstraintError;
use super::fact::Fact;
use super::instant::Instants;
use super::items::Items;
use super::kind::{Bound, Count, Fields, Range, Set};
use super::network::Network;
use super::path::canonical_path;
use super::url::UrlPattern;
use super::value_type::ValueType;
use super::weekly::{Place, Weekly};
use crate::clock::Timestamp;
use crate::value::{Number, Value, ValueError};

pub use super::patterns::{glob, regex};

/// Exactly this value. Numbers by value: `1` is `1.0`, and a float is the decimal it is written as.
///
/// ```
/// use hallpass::scope::{Scope, eq};
///
/// let scope = Scope::tool("bank.pay").arg("amount", eq(99.95));
/// assert_eq!(scope.to_string(), r#"[{"args":{"amount":{"eq":99.95}},"tool":"bank.pay"}]"#);
/// ```
pub fn eq<V>(value: V) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
    match value.try_into() {
        Ok(value) => Constraint(Node::Is(Set::one(value))),
        Err(error) => no_value("eq", error.into()),
    }
}

/// One of these values.
pub fn one_of<V>(values: impl IntoIterator<Item = V>) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
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

/// A value of this type. Unlike other kinds it looks at a list itself, also next to kinds that are asked of
/// each element: so a list can be excluded, or asked for.
///
/// ```
/// use hallpass::scope::{Scope, ValueType, of_type, prefix};
///
/// let one_file = prefix("/data/").and(of_type(ValueType::Text));
/// let scope = Scope::tool("file.read").arg("path", one_file);
/// # assert!(scope.check().is_ok());
/// ```
pub fn of_type(own: ValueType) -> Constraint {
    Constraint(Node::Type(own))
}

/// Equal to another part of the question, named as in a policy: `who.attrs.team`, `args.owner`. Unknown where
/// either is absent, null, or an empty text, list or object.
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

/// Text that begins so. A beginning with a `/` is one of paths: it knows nothing of a text with a segment
/// `.` or `..`, unless it has one itself.
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

/// A path that is this folder or lies in it, by its spelling alone: links are the file system's.
///
/// The path asked about must be in its one spelling: a `..`, a `.`, an empty segment, a `/` at the end,
/// a backslash, a `%`, a leading `~` or a hidden character leaves it unknown, which a permit refuses and
/// a forbid acts on. So does a relative path of a folder from the root, and the other way round.
pub fn under(folder: &str) -> Constraint {
    match canonical_path(folder) {
        Ok(folder) => Constraint(Node::Under(folder.into())),
        Err(fault) => {
            let given = crate::visible::escape_for_people(folder, crate::visible::SHOWN);
            faulty(ConstraintError::Pattern(format!("`{given}` is not a folder: {fault}")))
        }
    }
}

/// Text that is a URL, in the spelling that the catalogue's type `url` gives it, and as the pattern
/// says. Another spelling is unknown.
#[cfg_attr(not(feature = "url"), allow(unreachable_pub, reason = "without the feature it refuses"))]
pub fn url(pattern: UrlPattern) -> Constraint {
    if !cfg!(feature = "url") {
        // It would match nothing: a forbid that says it would act on every call instead.
        let problem = "this build reads no URLs: it needs the feature `url`";
        return faulty(ConstraintError::Pattern(problem.to_owned()));
    }
    match pattern.check() {
        Ok(()) => Constraint(Node::Url(Box::new(pattern))),
        Err(fault) => faulty(fault),
    }
}

/// Text that is an address in one of these networks (`10.0.0.0/8`, `2001:db8::1`). An IPv4 address
/// written as IPv6 is that IPv4 address; other spellings than the dotted and the colon form are none. Of an
/// IPv6 address that stands for an IPv4 one (NAT64, 6to4, …), both have to lie in the networks.
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
    Constraint(Node::Instants(Box::new(Instants { after: Some(instant), before: None })))
}

/// Text that is an instant (RFC 3339) earlier than this one.
pub fn before(instant: Timestamp) -> Constraint {
    Constraint(Node::Instants(Box::new(Instants { after: None, before: Some(instant) })))
}

/// Text that is an instant (RFC 3339) on one of these days of the week (`mon` to `sun`), from one time
/// of day (`09:00`) up to and without another (`24:00` at most), on a clock so far from UTC (`+01:00`).
///
/// The offset is fixed: of a place that moves its clocks, see [`weekly_in`].
pub fn weekly(days: &[&str], from: &str, until: &str, offset: &str) -> Constraint {
    weekly_at(days, from, until, Place::at_offset(offset))
}

/// As [`weekly`], by the clocks of a place, which is named as in the IANA database of time zones (`Europe/Berlin`). It
/// takes the feature `zones`, and is for policies only: a scope says an offset.
///
/// An instant lies in the window if the clocks there show a time in it, whatever was moved before: where they are put
/// forward, what they leave out is in no window, and where they are put back, what they show twice is in it twice.
///
/// ```
/// # #[cfg(feature = "zones")] {
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::weekly_in;
///
/// let office = weekly_in(&["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00", "Europe/Berlin");
/// let rule = Rule::permit("office").tool("ledger.post").any_args().now(office);
/// assert!(Policy::builder().rule(rule).build().is_ok());
/// # }
/// ```
pub fn weekly_in(days: &[&str], from: &str, until: &str, zone: &str) -> Constraint {
    weekly_at(days, from, until, Place::in_zone(zone))
}

pub(super) fn weekly_at(
    days: &[&str],
    from: &str,
    until: &str,
    place: Result<Place, ConstraintError>,
) -> Constraint {
    match place.and_then(|place| Weekly::new(days, from, until, place)) {
        Ok(weekly) => Constraint(Node::Weekly(weekly)),
        Err(error) => faulty(error),
    }
}

/// Text that is JSON, read as strictly as arguments are, and of which this is true: for tools that
/// carry a call inside a text. What does not parse is unknown.
pub fn json(constraint: Constraint) -> Constraint {
    Constraint(Node::Json(Box::new(constraint)))
}

/// Text of this many characters (Unicode scalar values, not bytes).
pub fn len(range: impl Into<Count>) -> Constraint {
    counted("len", range.into(), Node::Len)
}

/// A list of which the first element is as the first constraint says, the second as the second, and so on:
/// the words of a command. [`Constraint::rest`] says what may follow.
///
/// ```
/// use hallpass::scope::{eq, items, one_of, Scope};
///
/// let log = items([eq("git"), one_of(["log", "status"])]).rest(one_of(["--oneline", "--stat"]));
/// assert!(Scope::tool("exec").arg("argv", log).check().is_ok());
/// ```
pub fn items(places: impl IntoIterator<Item = Constraint>) -> Constraint {
    match Items::new(places.into_iter().collect()) {
        Ok(items) => Constraint(Node::Items(Box::new(items))),
        Err(error) => faulty(error),
    }
}

/// A list of this many elements.
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
pub fn subset_of<V>(values: impl IntoIterator<Item = V>) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
    set("subset_of", values, Node::SubsetOf)
}

/// A list with at least one of these elements.
pub fn has_any<V>(values: impl IntoIterator<Item = V>) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
    set("has_any", values, Node::HasAny)
}

/// A list with all of these elements.
pub fn has_all<V>(values: impl IntoIterator<Item = V>) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
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

pub(super) fn faulty(error: ConstraintError) -> Constraint {
    Constraint(Node::Faulty(Box::new(error)))
}

fn set<V>(
    word: &'static str,
    values: impl IntoIterator<Item = V>,
    node: fn(Set) -> Node,
) -> Constraint
where
    V: TryInto<Value>,
    ValueError: From<V::Error>,
{
    let values = values.into_iter().map(|value| value.try_into().map_err(ValueError::from));
    match values.collect::<Result<_, _>>().map(Set::new) {
        Ok(Some(set)) => Constraint(node(set)),
        Ok(None) => faulty(ConstraintError::Empty(word)),
        Err(error) => no_value(word, error),
    }
}

fn no_value(word: &'static str, error: ValueError) -> Constraint {
    faulty(ConstraintError::NotAValue(word, error.to_string()))
}

fn range(
    word: &'static str,
    bound: impl TryInto<Number>,
    range: impl FnOnce(Number) -> Range,
) -> Constraint {
    match bound.try_into() {
        Ok(number) => Constraint(Node::Range(range(number).into())),
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
