//! Scopes: what is asked for, and what a grant covers.
//!
//! A [`Scope`] is a set of capabilities: each names one tool and what its arguments and resource must
//! be. It is a closed world: an argument that is not named is not covered.
//!
//! ```
//! use hallpass::scope::{Scope, eq, max, one_of};
//!
//! let scope = Scope::tool("bank.pay")
//!     .arg("to", eq("CH93 0076"))
//!     .arg("amount", max(100))
//!     .and_tool("bank.balance")
//!     .arg("account", one_of(["main", "savings"]));
//! # assert!(scope.check().is_ok());
//! ```

mod algebra;
mod apart;
mod automaton;
mod beginning;
mod bounds;
mod capability;
mod capability_draft;
mod comparison;
mod constraint;
mod constraint_error;
mod contain;
#[cfg(test)]
mod corpus;
mod cover;
mod decode;
mod describe;
mod embedded;
mod encode;
mod evaluate;
mod expression;
mod fact;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod glob;
mod grammar;
mod inside;
mod instant;
mod items;
mod kind;
mod known;
mod layout;
mod levels;
mod membership;
#[cfg(test)]
mod model;
mod names;
mod network;
mod operand;
mod order;
mod outside;
mod path;
mod patterns;
mod plain;
mod read;
mod readings;
mod reference;
mod regex;
mod relation;
mod respell;
#[expect(clippy::module_inception, reason = "a type lives in the file of its name")]
mod scope;
mod scope_error;
mod segments;
mod size;
mod truth;
#[cfg_attr(
    not(feature = "url"),
    allow(unreachable_pub, dead_code, reason = "without the feature all of it refuses")
)]
mod url;
mod value_type;
mod weekly;
mod words;
mod zone;

pub use constraint::Constraint;
pub use constraint_error::ConstraintError;
pub(crate) use decode::MAX_PARTS;
pub use glob::{MAX_PATTERN_TEXT, MAX_SCOPE_PATTERNS};
pub(crate) use instant::Instants;
pub use kind::Count;
pub(crate) use kind::{Bound, Range, Set};
pub use layout::ScopeBytesError;
pub use levels::{above_in, below_in, max_in, min_in};
pub use read::MAX_SCOPE_TEXT;
pub use reference::{Reference, joined, reference};
pub use scope::Scope;
pub(crate) use scope_error::MAX_CONDITIONS;
pub use scope_error::{MAX_SCOPE_JSON, ScopeError};
pub(crate) use truth::Truth;
#[cfg(feature = "url")]
pub use url::UrlPattern;
pub use value_type::ValueType;
#[cfg(feature = "url")]
pub use words::url;
pub use words::{
    above, absent, after, all_of, any, any_of, before, below, cidr, contains, count, each, eq,
    fields, glob, has_all, has_any, items, json, len, max, min, not, of_type, one_of, optional,
    prefix, present, regex, same_as, some, subset_of, suffix, under, weekly, weekly_in,
};
pub use zone::zone_data_version;

pub(crate) use algebra::{
    Algebra, Difference, Domain, Found, MOST_REGIONS, Region, Search, condition_may_overlap,
    cover_difference, put_argument, texts,
};
pub(crate) use automaton::{Automaton, Step};
pub(crate) use beginning::Reader;
pub(crate) use capability::Capability;
pub(crate) use comparison::Place;
pub(crate) use constraint::Node;
pub(crate) use contain::{condition_within, cover_admits_an_empty_list, openness_within};
pub(crate) use cover::{Condition, Cover, Openness, Outside, ResourceOpenness};
pub(crate) use decode::decode as decode_scope;
pub(crate) use decode::{decode_after as decode_scope_after, decode_from as decode_scope_from};
pub(crate) use describe::is_reference;
pub(crate) use encode::encode as encode_scope;
pub(crate) use evaluate::{Facts, Stance};
pub(crate) use fact::{Absence, Fact};
pub(crate) use grammar::{constraint_words, named_constraints, read_constraint, read_levels};
pub(crate) use names::note_parts;
pub(crate) use network::{Meant, Network, address};
pub(crate) use operand::Operand;
pub(crate) use order::{Order, Orders};
pub(crate) use outside::{beyond, doubt, failed, held, not_shown, outside_of, shown, wider};
pub(crate) use path::{PathFault, canonical_path};
pub(crate) use plain::{CallParts, Plainly, plainly};
pub(crate) use readings::Readings;
pub(crate) use relation::{Expected, Relation};
pub(crate) use url::{UrlFault, canonical_url};
