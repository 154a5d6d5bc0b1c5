//! A fact: one part of the question a rule can look at.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::visible::Shown;

/// One part of the question: of who asks, what for, what exactly, and in which context.
///
/// Written as in a policy: `who.id`, `who.attrs.team`, `why.ticket`, `when.env`, `resource.id`,
/// `args.filter.owner`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fact {
    WhoId,
    WhoKind,
    WhoGroups,
    WhoActsFor,
    WhoAttr(Box<str>),
    /// The same of who asked, where the question is about somebody else: of reviewers alone.
    Asker(Box<Fact>),
    Purpose,
    Ticket,
    Context(Box<str>),
    /// The broker's time, as RFC 3339 text.
    Now,
    /// Labels of the tools used in this task, the one asked for included.
    Seen,
    /// What the host noted of results in this task, under this name: only ever compared with.
    Note(Box<str>),
    Tool,
    /// Labels of the tool asked for.
    Labels,
    ResourceType,
    ResourceId,
    ResourceAttr(Box<str>),
    /// An argument, or what lies inside it.
    Arg(Path),
}

/// Where an argument is: its name, and the names of fields further in.
///
/// Nearly all have one name, which is kept in place, since reading a token's narrowings makes
/// a fact for each argument they name.
#[derive(Clone)]
pub(crate) enum Path {
    Name([Box<str>; 1]),
    Names(Box<[Box<str>]>),
}

impl Path {
    fn of(mut names: Vec<Box<str>>) -> Self {
        match (names.len(), names.pop()) {
            (1, Some(name)) => Path::Name([name]),
            (_, last) => Path::Names(names.into_iter().chain(last).collect()),
        }
    }
}

impl Deref for Path {
    type Target = [Box<str>];

    fn deref(&self) -> &[Box<str>] {
        match self {
            Path::Name(name) => name,
            Path::Names(names) => names,
        }
    }
}

/// By the names alone.
impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Path {}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Path {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Text that names no part of the question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} names no part of the question: expected `who.id`, `who.kind`, `who.groups`, \
     `who.acts_for`, `who.attrs.NAME`, `why.purpose`, `why.ticket`, `when.NAME`, `resource.type`, \
     `resource.id`, `resource.attrs.NAME`, `args.NAME` or `notes.TOOL#FIELD`{}",
    Shown(.0),
    attribute_meant(.0)
)]
pub(crate) struct UnknownFact(Box<str>);

/// What was meant: attributes stand one step further in, and other systems name the roots otherwise.
fn attribute_meant(text: &str) -> String {
    let bare = text.trim_start_matches(['$', '{', ' ']).trim_end_matches(['}', ' ']);
    let (root, name) = bare.split_once('.').unwrap_or((bare, ""));
    let meant = match (root, name) {
        ("who" | "resource", "attrs" | "attributes" | "attr" | "") => {
            format!("{root}.attrs.NAME")
        }
        ("context" | "env" | "ctx", "") => "when.NAME".to_owned(),
        ("context" | "env" | "ctx", name) => format!("when.{name}"),
        ("what", name) => name.to_owned(),
        ("arg" | "arguments" | "params" | "input", name) => format!("args.{name}"),
        ("principal" | "user" | "subject" | "agent" | "caller", name) => {
            let name = name.strip_prefix("attrs.").unwrap_or(name);
            match name {
                "id" | "kind" | "groups" | "acts_for" => format!("who.{name}"),
                _ => format!("who.attrs.{name}"),
            }
        }
        ("who" | "resource", name) => {
            let inner = ["attr.", "attributes."].into_iter().find_map(|own| name.strip_prefix(own));
            match inner.unwrap_or(name) {
                name if name.contains('.') => bare.to_owned(),
                name => format!("{root}.attrs.{name}"),
            }
        }
        _ => bare.to_owned(),
    };
    let is_one = |own: &str| Fact::parse(own).is_ok();
    if meant == text || (!is_one(&meant) && !meant.ends_with(".NAME")) {
        return String::new();
    }
    format!(": did you mean {}?", Shown(&meant))
}

impl Fact {
    /// The argument called `name`.
    pub(crate) fn arg(name: &str) -> Self {
        Fact::Arg(Path::Name([name.into()]))
    }

    /// What lies at these names inside the arguments; `None` where no text names that.
    pub(super) fn inside(names: &[&str]) -> Option<Self> {
        let are_names = names.iter().all(|name| !name.is_empty() && !name.contains('.'));
        (are_names && !names.is_empty())
            .then(|| Fact::Arg(Path::of(names.iter().map(|name| Box::from(*name)).collect())))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, UnknownFact> {
        let unknown = || UnknownFact(text.into());
        let (root, rest) = text.split_once('.').ok_or_else(unknown)?;
        // Nothing is computed: `who.attrs.limit * 2` would be an attribute that no one has. Names may well have spaces.
        let is_sum = [" * ", " + ", " - ", " / "].iter().any(|sign| rest.contains(sign));
        if rest.is_empty() || is_sum {
            return Err(unknown());
        }
        let attr = || match rest.strip_prefix("attrs.") {
            Some(name) if !name.is_empty() => Ok(Box::<str>::from(name)),
            _ => Err(unknown()),
        };
        Ok(match (root, rest) {
            ("who", "id") => Fact::WhoId,
            ("who", "kind") => Fact::WhoKind,
            ("who", "groups") => Fact::WhoGroups,
            ("who", "acts_for") => Fact::WhoActsFor,
            ("who", _) => Fact::WhoAttr(attr()?),
            ("asker", _) => {
                let own = Fact::parse(&format!("who.{rest}")).map_err(|_| unknown())?;
                Fact::Asker(Box::new(own))
            }
            ("why", "purpose") => Fact::Purpose,
            ("why", "ticket") => Fact::Ticket,
            ("when", "now") => Fact::Now,
            ("when", "seen") => return Err(unknown()),
            ("when", name) => Fact::Context(name.into()),
            ("notes", name) => Fact::Note(name.into()),
            ("resource", "type") => Fact::ResourceType,
            ("resource", "id") => Fact::ResourceId,
            ("resource", _) => Fact::ResourceAttr(attr()?),
            ("args", path) => {
                let names: Vec<Box<str>> = path.split('.').map(Into::into).collect();
                if names.iter().any(|name| name.is_empty()) {
                    return Err(unknown());
                }
                Fact::Arg(Path::of(names))
            }
            _ => return Err(unknown()),
        })
    }

    /// The name of the argument that it is as a whole.
    pub(crate) fn as_argument(&self) -> Option<&str> {
        match self {
            Fact::Arg(Path::Name([name])) => Some(name),
            _ => None,
        }
    }

    /// What kind of nothing it is when the fact is not there.
    pub(crate) fn absence(&self) -> Absence {
        match self {
            Fact::Arg(_) => Absence::Argument,
            _ => Absence::Attribute,
        }
    }

    /// Whether it is a set of texts, whatever the question.
    pub(crate) const fn is_a_set(&self) -> bool {
        matches!(self, Fact::WhoGroups | Fact::WhoActsFor | Fact::Labels | Fact::Seen)
    }

    /// Whether the fact is of the call itself, and so open until a call is made.
    pub(crate) fn is_of_the_call(&self) -> bool {
        matches!(self, Fact::Arg(_)) || self.is_of_the_resource()
    }

    /// Whether the fact is of who asks.
    pub(crate) fn is_of_the_asker(&self) -> bool {
        use Fact::{WhoActsFor, WhoAttr, WhoGroups, WhoId, WhoKind};
        matches!(self, WhoId | WhoKind | WhoGroups | WhoActsFor | WhoAttr(_))
    }

    pub(crate) fn is_of_the_resource(&self) -> bool {
        matches!(self, Fact::ResourceType | Fact::ResourceId | Fact::ResourceAttr(_))
    }
}

/// A fact can be missing in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// The call leaves the argument out: that is known, and a plain condition on it is false.
    Argument,
    /// The host or attestor did not say: nothing is known.
    Attribute,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::WhoId => f.write_str("who.id"),
            Fact::WhoKind => f.write_str("who.kind"),
            Fact::WhoGroups => f.write_str("who.groups"),
            Fact::WhoActsFor => f.write_str("who.acts_for"),
            Fact::WhoAttr(name) => write!(f, "who.attrs.{name}"),
            Fact::Asker(own) => {
                let own = own.to_string();
                write!(f, "asker.{}", own.strip_prefix("who.").unwrap_or(&own))
            }
            Fact::Purpose => f.write_str("why.purpose"),
            Fact::Ticket => f.write_str("why.ticket"),
            Fact::Context(name) => write!(f, "when.{name}"),
            Fact::Now => f.write_str("when.now"),
            Fact::Seen => f.write_str("when.seen"),
            Fact::Note(name) => write!(f, "notes.{name}"),
            Fact::Tool => f.write_str("what.tool"),
            Fact::Labels => f.write_str("what.labels"),
            Fact::ResourceType => f.write_str("resource.type"),
            Fact::ResourceId => f.write_str("resource.id"),
            Fact::ResourceAttr(name) => write!(f, "resource.attrs.{name}"),
            Fact::Arg(path) => write!(f, "args.{}", path.join(".")),
        }
    }
}
