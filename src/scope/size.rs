//! How much a constraint says: what comparing it may cost grows with that.

use super::constraint::{Constraint, Node};
use crate::value::Value;

/// What a kind counts for in addition to the bytes in it.
const BYTES_OF_KIND: usize = 8;

impl Constraint {
    /// The bytes of names, texts and patterns, and some for each value and kind.
    pub(crate) fn size(&self) -> usize {
        let inside = match &self.0 {
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().map(Constraint::size).sum(),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.size()
            }
            Node::Items(items) => items.iter().map(Constraint::size).sum(),
            Node::Fields(fields) => {
                fields.iter().map(|(name, field)| name.len() + field.size()).sum()
            }
            Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
                set.iter().map(Value::size).sum()
            }
            Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) | Node::Under(text) => {
                text.len()
            }
            Node::Glob(glob) => glob.as_str().len(),
            Node::Regex(regex) => regex.as_str().len(),
            Node::Cidr(networks) => networks.len() * BYTES_OF_KIND,
            Node::Url(pattern) => pattern.size(),
            // What it compares with may be a list, and is gone through where it is put in its place.
            Node::Compared(_) => 4 * BYTES_OF_KIND,
            Node::Levels(levels) => levels.size(),
            _ => 0,
        };
        inside + BYTES_OF_KIND
    }

    /// How many parts it has, for looking at each of them once.
    pub(crate) fn parts(&self) -> usize {
        let inside = match &self.0 {
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().map(Constraint::parts).sum(),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.parts()
            }
            Node::Items(items) => items.iter().map(Constraint::parts).sum(),
            Node::Fields(fields) => fields.iter().map(|(_, field)| field.parts()).sum(),
            Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
                set.len() / 8
            }
            Node::Cidr(networks) => networks.len() / 8,
            Node::Levels(levels) => levels.order().len() / 8,
            _ => 0,
        };
        inside + 1
    }
}
