//! The byte form of scopes: the numbers that both sides share, and what can be wrong with it.
//!
//! Written out in `docs/token-format.md`.

use super::scope_error::ScopeError;
use crate::value::DecodeError;

/// The byte that begins each constraint.
pub(super) mod kind {
    pub(in crate::scope) const ANY: u8 = 1;
    pub(in crate::scope) const PRESENT: u8 = 2;
    pub(in crate::scope) const IS: u8 = 3;
    pub(in crate::scope) const RANGE: u8 = 4;
    pub(in crate::scope) const PREFIX: u8 = 5;
    pub(in crate::scope) const SUFFIX: u8 = 6;
    pub(in crate::scope) const CONTAINS: u8 = 7;
    pub(in crate::scope) const GLOB: u8 = 8;
    pub(in crate::scope) const LEN: u8 = 9;
    pub(in crate::scope) const FIELDS: u8 = 10;
    pub(in crate::scope) const EACH: u8 = 11;
    pub(in crate::scope) const SOME: u8 = 12;
    pub(in crate::scope) const COUNT: u8 = 13;
    pub(in crate::scope) const SUBSET_OF: u8 = 14;
    pub(in crate::scope) const HAS_ANY: u8 = 15;
    pub(in crate::scope) const HAS_ALL: u8 = 16;
    pub(in crate::scope) const ALL: u8 = 17;
    pub(in crate::scope) const ANY_OF: u8 = 18;
    pub(in crate::scope) const NOT: u8 = 19;
    pub(in crate::scope) const UNDER: u8 = 20;
    pub(in crate::scope) const CIDR: u8 = 21;
    pub(in crate::scope) const JSON: u8 = 22;
    pub(in crate::scope) const INSTANTS: u8 = 23;
    pub(in crate::scope) const WEEKLY: u8 = 24;
    /// Taken, whether or not the feature `url` is built.
    pub(in crate::scope) const URL: u8 = 25;
    pub(in crate::scope) const TYPE: u8 = 26;
    pub(in crate::scope) const COMPARED: u8 = 27;
    pub(in crate::scope) const ITEMS: u8 = 28;
}

/// The byte that begins what is compared with, and each piece of a text that is joined.
pub(super) mod operand {
    pub(in crate::scope) const ARG: u8 = 1;
    pub(in crate::scope) const JOINED: u8 = 2;
    pub(in crate::scope) const TEXT: u8 = 2;
}

/// The byte that begins each part of a call.
pub(super) mod part {
    pub(in crate::scope) const ARG: u8 = 1;
    pub(in crate::scope) const RESOURCE_TYPE: u8 = 2;
    pub(in crate::scope) const RESOURCE_ID: u8 = 3;
    pub(in crate::scope) const RESOURCE_ATTR: u8 = 4;
}

pub(super) const OTHER_ARGS: u8 = 1;
pub(super) const RESOURCE_NAMED: u8 = 2;
pub(super) const RESOURCE_ANY: u8 = 4;

pub(super) const LOWER: u8 = 1;
pub(super) const LOWER_INCLUSIVE: u8 = 2;
pub(super) const UPPER: u8 = 4;
pub(super) const UPPER_INCLUSIVE: u8 = 8;

pub(super) const AFTER: u8 = 1;
pub(super) const BEFORE: u8 = 2;

/// Why a scope cannot travel in a token, or bytes in one are not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeBytesError {
    /// The bytes are not the byte form, or pass one of its limits.
    #[error("the scope: {0}")]
    Form(#[from] DecodeError),
    /// The scope cannot be meant.
    #[error(transparent)]
    Meaning(#[from] ScopeError),
    /// A kind of constraint that has no spelling in a token.
    #[error("`{0}` has no spelling in a token: say what it comes to in other words")]
    NoSpelling(&'static str),
    /// A condition on something that has no spelling in a token.
    #[error("`{0}` is not part of a call that a token can speak of")]
    NoSuchPart(Box<str>),
}
