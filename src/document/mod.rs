//! What people wrote, TOML or JSON, as one tree that knows where everything stands.
//!
//! Policies and scopes are read from this tree by hand rather than derived: every key must be known,
//! and a message names the place, what was expected and the likely fix.

mod misfit;
mod nearest;
mod table;
mod toml;
mod tree;

pub(crate) use misfit::Misfit;
pub(crate) use nearest::did_you_mean;
pub(crate) use table::Table;
pub(crate) use toml::parse_toml;
pub(crate) use tree::{
    Written, any_word, choice, is_quoted_number, list, text, tree_of, value, whole_number,
};
