//! A small universe: few tools, arguments and values, so that what is random meets often.

use std::collections::BTreeMap;

use hallpass::clock::Timestamp;
use hallpass::identity::Kind;
use hallpass::policy::{Effect, Moment};
use hallpass::scope::ValueType;
use hallpass::token::Form;
use proptest::prelude::*;

pub(crate) use crate::random::*;
pub(crate) use crate::random_constraints::*;
pub(crate) use crate::spelling::*;

pub(crate) const TOOLS: [&str; 3] = ["db.read", "db.write", "mail.send"];
pub(crate) const OUTSIDE: &str = "shell";
pub(crate) const ARGS: [&str; 3] = ["x", "y", "n"];
/// What policies have the log keep in plain, beyond arguments.
pub(crate) const PLAIN: [&str; 10] = [
    "who.kind",
    "who.groups",
    "who.acts_for",
    "who.attrs.team",
    "when.env",
    "when.risk",
    "when.seen",
    "resource.attrs.owner",
    "notes.db.read#id",
    "notes.mail.send#id",
];
pub(crate) const START: i64 = 1_800_000_000_000;

/// How many cases to try, unless `PROPTEST_CASES` says: few enough that all promises take a minute.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases, ..usual },
    }
}

/// This many seconds after [`START`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

/// A value. Numbers count halves, so that decimals are among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum V {
    Null,
    Bool(bool),
    Halves(i64),
    Text(String),
    List(Vec<V>),
    Object(BTreeMap<String, V>),
}

/// A constraint, as policies write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum C {
    Any,
    Present(bool),
    Eq(V),
    OneOf(Vec<V>),
    SameAs(String),
    /// A kind by its word, and the part of the question in the place of its value.
    Ref(&'static str, RefSaid),
    Min(i64),
    Max(i64),
    Above(i64),
    Below(i64),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Glob(String),
    Len(u64, u64),
    Type(ValueType),
    Regex(&'static str),
    Under(&'static str),
    Cidr(Vec<&'static str>),
    /// This many seconds after [`START`].
    After(i64),
    Before(i64),
    /// Days, and hours of them, in UTC.
    Weekly(Vec<&'static str>, i64, i64),
    /// The same by the clocks of Berlin.
    #[cfg(feature = "zones")]
    WeeklyIn(Vec<&'static str>, i64, i64),
    /// `min_in` and the like, and a level of [`ORDER`].
    Level(&'static str, &'static str),
    Json(Box<C>),
    #[cfg(feature = "url")]
    Url(UrlSaid),
    Fields(BTreeMap<String, C>, bool),
    Each(Box<C>),
    Some(Box<C>),
    /// By place, and each behind the places.
    Items(Vec<C>, Option<Box<C>>),
    Count(u64, u64),
    SubsetOf(Vec<V>),
    HasAny(Vec<V>),
    HasAll(Vec<V>),
    All(Vec<C>),
    AnyOf(Vec<C>),
    Not(Box<C>),
}

/// Levels, from the lowest to the highest: not as the alphabet has them.
pub(crate) const ORDER: [&str; 3] = ["b", "a", "ab"];

/// What stands in the place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefSaid {
    Part(String),
    /// A text before, a part of the question, and a text behind.
    Joined(&'static str, String, Option<&'static str>),
}

impl RefSaid {
    pub(crate) fn part(&self) -> &str {
        match self {
            RefSaid::Part(name) | RefSaid::Joined(_, name, _) => name,
        }
    }
}

/// Which URLs: of the scheme `https` and its own port where they are to be covered.
#[cfg(feature = "url")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UrlSaid {
    AnyHost,
    Host(&'static str),
    Below(&'static str),
    /// Below this path of any host.
    Under(&'static str),
    /// A path of any host that is this, begins so, or matches a glob.
    Path(&'static str),
    Begins(&'static str),
    Like(&'static str),
    /// This host by `http`.
    Http(&'static str),
    /// This port of any host.
    Port(u16),
}

/// One part of the question, as policies name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum F {
    WhoId,
    WhoKind,
    WhoGroups,
    WhoActsFor,
    WhoAttr(String),
    Purpose,
    Ticket,
    When(String),
    Seen,
    Labels,
    ResourceType,
    ResourceId,
    ResourceAttr(String),
    Arg(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToolsSaid {
    Unsaid,
    Any,
    Named(Vec<String>),
    Like(C),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitsSaid {
    pub(crate) ttl: Option<u64>,
    pub(crate) max_life: Option<u64>,
    pub(crate) idle: Option<u64>,
    pub(crate) uses: Option<u64>,
    /// Instead of `uses`: how many within how many seconds.
    pub(crate) uses_in: Option<(u64, u64)>,
    pub(crate) rate: Option<(u64, u64)>,
    pub(crate) budget_halves: Option<i64>,
    /// Instead: how many halves within how many seconds.
    pub(crate) budget_in: Option<(i64, u64)>,
    pub(crate) depth: Option<u8>,
    pub(crate) per_identity: bool,
}

impl LimitsSaid {
    /// Whether calls are counted.
    pub(crate) fn counts(&self) -> bool {
        self.lasts() || self.rate.is_some() || self.uses_in.is_some() || self.budget_in.is_some()
    }

    pub(crate) fn has_budget(&self) -> bool {
        self.budget_halves.is_some() || self.budget_in.is_some()
    }

    /// Whether what is counted never passes.
    pub(crate) fn lasts(&self) -> bool {
        self.uses.is_some() || self.budget_halves.is_some()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleSaid {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) moments: Vec<Moment>,
    pub(crate) tools: ToolsSaid,
    pub(crate) conditions: Vec<(F, C)>,
    /// Each is an exception.
    pub(crate) unless: Vec<Vec<(F, C)>>,
    pub(crate) other_args: bool,
    pub(crate) any_args: bool,
    pub(crate) any_resource: bool,
    pub(crate) per_task: bool,
    /// How a token has to be presented for the rule to speak of the call.
    pub(crate) form: Option<Form>,
    pub(crate) limits: LimitsSaid,
    /// Seconds after [`START`].
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
}

/// The catalogue: labels by tool.
pub(crate) type Labels = BTreeMap<String, Vec<String>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct PolicySaid {
    pub(crate) catalogue: Option<Labels>,
    pub(crate) rules: Vec<RuleSaid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhoSaid {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) groups: Vec<String>,
    pub(crate) attrs: BTreeMap<String, V>,
    pub(crate) acts_for: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhySaid {
    pub(crate) name: String,
    pub(crate) ticket: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceSaid {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) attrs: BTreeMap<String, V>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallSaid {
    pub(crate) tool: String,
    pub(crate) args: BTreeMap<String, V>,
    pub(crate) resource: Option<ResourceSaid>,
}

pub(crate) type ContextSaid = BTreeMap<String, V>;

/// What the host noted in a task, by name: texts and numbers, and no empty list.
pub(crate) type NotesSaid = BTreeMap<String, Vec<V>>;

pub(crate) static NO_NOTES: NotesSaid = NotesSaid::new();

/// As rules name them.
pub(crate) const NOTES: [&str; 2] = ["notes.db.read#id", "notes.db.write#id"];

/// One capability of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CapabilitySaid {
    pub(crate) tool: String,
    pub(crate) args: Vec<(String, C)>,
    pub(crate) other_args: bool,
    /// `None`: calls without a resource only. Otherwise what type, id and `owner` must be.
    pub(crate) resource: Option<(C, C, Option<C>)>,
    pub(crate) any_resource: bool,
}
