//! The kinds of constraint that take a value, and so may take one that a reference names.

use super::kind::Sort;

/// How a value stands to the one that a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Eq,
    OneOf,
    Min,
    Max,
    Above,
    Below,
    After,
    Before,
    Prefix,
    Suffix,
    Contains,
    Under,
    SubsetOf,
    HasAny,
    HasAll,
}

/// What has to stand where a reference leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Any value that is filled in.
    Value,
    Number,
    Text,
    /// A list of at least one value.
    List,
}

impl Relation {
    pub(crate) const ALL: [Relation; 15] = [
        Relation::Eq,
        Relation::OneOf,
        Relation::Min,
        Relation::Max,
        Relation::Above,
        Relation::Below,
        Relation::After,
        Relation::Before,
        Relation::Prefix,
        Relation::Suffix,
        Relation::Contains,
        Relation::Under,
        Relation::SubsetOf,
        Relation::HasAny,
        Relation::HasAll,
    ];

    /// The word of policies.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Relation::Eq => "eq",
            Relation::OneOf => "one_of",
            Relation::Min => "min",
            Relation::Max => "max",
            Relation::Above => "above",
            Relation::Below => "below",
            Relation::After => "after",
            Relation::Before => "before",
            Relation::Prefix => "prefix",
            Relation::Suffix => "suffix",
            Relation::Contains => "contains",
            Relation::Under => "under",
            Relation::SubsetOf => "subset_of",
            Relation::HasAny => "has_any",
            Relation::HasAll => "has_all",
        }
    }

    /// Its number in tokens.
    pub(super) fn number(self) -> u8 {
        Relation::ALL
            .iter()
            .zip(1..)
            .find_map(|(own, at)| (*own == self).then_some(at))
            .unwrap_or(0)
    }

    pub(super) fn numbered(number: u8) -> Option<Self> {
        Relation::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    pub(crate) const fn expects(self) -> Expected {
        match self {
            Relation::Eq => Expected::Value,
            Relation::Min | Relation::Max | Relation::Above | Relation::Below => Expected::Number,
            Relation::OneOf | Relation::SubsetOf | Relation::HasAny | Relation::HasAll => {
                Expected::List
            }
            Relation::After
            | Relation::Before
            | Relation::Prefix
            | Relation::Suffix
            | Relation::Contains
            | Relation::Under => Expected::Text,
        }
    }

    /// Whether a list is looked at as a whole, or each element of it.
    pub(super) const fn sort(self) -> Sort {
        match self {
            Relation::SubsetOf | Relation::HasAny | Relation::HasAll => Sort::List(self.as_str()),
            _ => Sort::Element(self.as_str()),
        }
    }
}
