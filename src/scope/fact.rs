//! A fact: one part of the question a rule can look at.

use std::fmt;

use crate::value::Shown;

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
    Purpose,
    Ticket,
    Context(Box<str>),
    /// The broker's time, as RFC 3339 text.
    Now,
    /// Labels of the tools used in this task, the one asked for included.
    Seen,
    Tool,
    /// Labels of the tool asked for.
    Labels,
    ResourceType,
    ResourceId,
    ResourceAttr(Box<str>),
    /// An argument, or what lies inside it.
    Arg(Box<[Box<str>]>),
}

/// Text that names no part of the question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} names no part of the question: expected `who.id`, `who.kind`, `who.groups`, \
     `who.acts_for`, `who.attrs.NAME`, `why.purpose`, `why.ticket`, `when.NAME`, `resource.type`, \
     `resource.id`, `resource.attrs.NAME` or `args.NAME`",
    Shown(.0)
)]
pub struct UnknownFact(Box<str>);

impl Fact {
    /// The argument called `name`.
    pub(crate) fn arg(name: &str) -> Self {
        Fact::Arg(Box::new([name.into()]))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, UnknownFact> {
        let unknown = || UnknownFact(text.into());
        let (root, rest) = text.split_once('.').ok_or_else(unknown)?;
        if rest.is_empty() {
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
            ("why", "purpose") => Fact::Purpose,
            ("why", "ticket") => Fact::Ticket,
            ("when", "now") => Fact::Now,
            ("when", "seen") => return Err(unknown()),
            ("when", name) => Fact::Context(name.into()),
            ("resource", "type") => Fact::ResourceType,
            ("resource", "id") => Fact::ResourceId,
            ("resource", _) => Fact::ResourceAttr(attr()?),
            ("args", path) => {
                let path: Box<[Box<str>]> = path.split('.').map(Into::into).collect();
                if path.iter().any(|name| name.is_empty()) {
                    return Err(unknown());
                }
                Fact::Arg(path)
            }
            _ => return Err(unknown()),
        })
    }

    /// What kind of nothing it is when the fact is not there.
    pub(crate) fn absence(&self) -> Absence {
        match self {
            Fact::Arg(_) => Absence::Argument,
            _ => Absence::Attribute,
        }
    }

    /// Whether the fact is of the call itself, and so open until a call is made.
    pub(crate) fn is_of_the_call(&self) -> bool {
        matches!(self, Fact::Arg(_)) || self.is_of_the_resource()
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
            Fact::Purpose => f.write_str("why.purpose"),
            Fact::Ticket => f.write_str("why.ticket"),
            Fact::Context(name) => write!(f, "when.{name}"),
            Fact::Now => f.write_str("when.now"),
            Fact::Seen => f.write_str("when.seen"),
            Fact::Tool => f.write_str("what.tool"),
            Fact::Labels => f.write_str("what.labels"),
            Fact::ResourceType => f.write_str("resource.type"),
            Fact::ResourceId => f.write_str("resource.id"),
            Fact::ResourceAttr(name) => write!(f, "resource.attrs.{name}"),
            Fact::Arg(path) => write!(f, "args.{}", path.join(".")),
        }
    }
}
