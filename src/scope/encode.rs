//! The byte form of a scope: how it travels in a token.
//!
//! Written out in `docs/token-format.md`. Only what narrows has a spelling, and each scope has one:
//! parts whose order means nothing stand in ascending order of their bytes, each once.

use super::capability::{Capability, Part};
use super::constraint::{Constraint, Node};
use super::cover::{Condition, Openness, ResourceOpenness};
use super::decode::decode;
use super::fact::Fact;
use super::instant::Instants;
use super::kind::{Bound, Count, Range, Set};
use super::layout::{
    AFTER, BEFORE, LOWER, LOWER_INCLUSIVE, OTHER_ARGS, RESOURCE_ANY, RESOURCE_NAMED,
    ScopeBytesError, UPPER, UPPER_INCLUSIVE, kind, operand, part,
};
use super::operand::{Comparison, Operand, Piece};
use super::plain::is_plain;
use super::relation::Relation;
use super::scope::Scope;
use crate::clock::Timestamp;
use crate::value::{Value, ascending, encode_count, encode_text};

impl Scope {
    /// The byte form of the scope.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, ScopeBytesError> {
        encode_parts(&self.parts()?)
    }
}

/// The byte form of these capabilities.
pub(crate) fn encode(capabilities: &[&Capability]) -> Result<Vec<u8>, ScopeBytesError> {
    encode_parts(&capabilities.iter().map(|capability| capability.part()).collect::<Vec<_>>())
}

fn encode_parts(parts: &[Part<'_>]) -> Result<Vec<u8>, ScopeBytesError> {
    let mut out = Vec::with_capacity(128);
    ascending(&mut out, parts, |out, part| {
        encode_text(out, part.tool);
        out.push(openness(part.cover.openness));
        ascending(out, part.cover.conditions, condition)
    })?;
    // What could not be read back is not written: the reader's limits are the only ones.
    if !is_plain(&out) {
        decode(&out)?;
    }
    Ok(out)
}

fn openness(openness: &Openness) -> u8 {
    let resource = match openness.resource {
        ResourceOpenness::None => 0,
        ResourceOpenness::Named => RESOURCE_NAMED,
        ResourceOpenness::Any => RESOURCE_ANY,
    };
    resource | if openness.other_args { OTHER_ARGS } else { 0 }
}

fn condition(out: &mut Vec<u8>, condition: &Condition) -> Result<(), ScopeBytesError> {
    match &condition.fact {
        Fact::Arg(path) => match &**path {
            [name] => {
                out.push(part::ARG);
                encode_text(out, name);
            }
            // `fields` says the same.
            _ => return Err(ScopeBytesError::NoSuchPart(condition.fact.to_string().into())),
        },
        Fact::ResourceType => out.push(part::RESOURCE_TYPE),
        Fact::ResourceId => out.push(part::RESOURCE_ID),
        Fact::ResourceAttr(name) => {
            out.push(part::RESOURCE_ATTR);
            encode_text(out, name);
        }
        other => return Err(ScopeBytesError::NoSuchPart(other.to_string().into())),
    }
    constraint(out, &condition.constraint)
}

fn constraint(out: &mut Vec<u8>, of: &Constraint) -> Result<(), ScopeBytesError> {
    match &of.0 {
        Node::Any => out.push(kind::ANY),
        Node::Present(wanted) => out.extend_from_slice(&[kind::PRESENT, u8::from(*wanted)]),
        Node::Type(own) => out.extend_from_slice(&[kind::TYPE, own.number()]),
        Node::Is(own) => set(out, kind::IS, own)?,
        Node::Range(own) => range(out, &own.range()),
        Node::Prefix(own) => text(out, kind::PREFIX, own),
        Node::Suffix(own) => text(out, kind::SUFFIX, own),
        Node::Contains(own) => text(out, kind::CONTAINS, own),
        Node::Glob(own) => text(out, kind::GLOB, own.as_str()),
        Node::Len(own) => count(out, kind::LEN, own),
        Node::Count(own) => count(out, kind::COUNT, own),
        Node::Fields(fields) => {
            out.extend_from_slice(&[kind::FIELDS, u8::from(fields.open)]);
            encode_count(out, fields.iter().len() as u64);
            for (name, field) in fields.iter() {
                encode_text(out, name);
                constraint(out, field)?;
            }
        }
        Node::Items(items) => {
            out.push(kind::ITEMS);
            encode_count(out, items.places.len() as u64);
            items.places.iter().try_for_each(|item| constraint(out, item))?;
            out.push(u8::from(items.rest.is_some()));
            items.rest.iter().try_for_each(|rest| constraint(out, rest))?;
        }
        Node::Each(inner) => inside(out, kind::EACH, inner)?,
        Node::Some(inner) => inside(out, kind::SOME, inner)?,
        Node::SubsetOf(own) => set(out, kind::SUBSET_OF, own)?,
        Node::HasAny(own) => set(out, kind::HAS_ANY, own)?,
        Node::HasAll(own) => set(out, kind::HAS_ALL, own)?,
        Node::All(parts) => {
            out.push(kind::ALL);
            ascending(out, parts, constraint)?;
        }
        Node::AnyOf(parts) => {
            out.push(kind::ANY_OF);
            ascending(out, parts, constraint)?;
        }
        Node::Not(inner) => inside(out, kind::NOT, inner)?,
        Node::Under(folder) => text(out, kind::UNDER, folder),
        Node::Cidr(networks) => {
            out.push(kind::CIDR);
            ascending(out, networks, |out, network| {
                network.encode(out);
                Ok::<_, ScopeBytesError>(())
            })?;
        }
        Node::Json(inner) => inside(out, kind::JSON, inner)?,
        Node::Instants(own) => instants(out, own),
        Node::Weekly(own) => {
            let bytes = own.to_bytes().ok_or(ScopeBytesError::NoSpelling("zone"))?;
            out.push(kind::WEEKLY);
            out.extend_from_slice(&bytes);
        }
        Node::Url(own) => {
            out.push(kind::URL);
            own.encode::<ScopeBytesError>(out)?;
        }
        Node::SameAs(fact) => {
            out.extend_from_slice(&[kind::COMPARED, Relation::Eq.number(), operand::ARG]);
            argument(out, fact)?;
        }
        Node::Compared(own) => compared(out, own)?,
        // An order would have to travel with it, where `one_of` says the same.
        Node::Levels(_) => return Err(ScopeBytesError::NoSpelling("order")),
        // A `regex` would make every reader compile what a holder wrote.
        Node::Regex(_) | Node::Faulty(_) => {
            return Err(ScopeBytesError::NoSpelling(of.word()));
        }
    }
    Ok(())
}

fn compared(out: &mut Vec<u8>, own: &Comparison) -> Result<(), ScopeBytesError> {
    if own.order.is_some() {
        return Err(ScopeBytesError::NoSpelling("order"));
    }
    out.extend_from_slice(&[kind::COMPARED, own.relation.number()]);
    match &own.with {
        Operand::Fact(fact) => {
            out.push(operand::ARG);
            argument(out, fact)
        }
        Operand::Joined(pieces) => {
            out.push(operand::JOINED);
            encode_count(out, pieces.len() as u64);
            pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(own) => {
                    text(out, operand::TEXT, own);
                    Ok(())
                }
                Piece::Fact(fact) => {
                    out.push(operand::ARG);
                    argument(out, fact)
                }
            })
        }
    }
}

/// Of the question, all readers of a block know the call's arguments alone.
fn argument(out: &mut Vec<u8>, fact: &Fact) -> Result<(), ScopeBytesError> {
    let Fact::Arg(path) = fact else {
        return Err(ScopeBytesError::NoSuchPart(fact.to_string().into()));
    };
    encode_count(out, path.len() as u64);
    path.iter().for_each(|name| encode_text(out, name));
    Ok(())
}

fn inside(out: &mut Vec<u8>, kind: u8, inner: &Constraint) -> Result<(), ScopeBytesError> {
    out.push(kind);
    constraint(out, inner)
}

fn text(out: &mut Vec<u8>, kind: u8, text: &str) {
    out.push(kind);
    encode_text(out, text);
}

fn set(out: &mut Vec<u8>, kind: u8, set: &Set) -> Result<(), ScopeBytesError> {
    out.push(kind);
    ascending(out, set.as_slice(), |out, value| {
        value.encode(out);
        Ok(())
    })
}

fn range(out: &mut Vec<u8>, range: &Range) {
    let flag = |bound: Option<Bound>, there, inclusive| match bound {
        None => 0,
        Some(bound) if bound.inclusive => there | inclusive,
        Some(_) => there,
    };
    let lower = flag(range.lower, LOWER, LOWER_INCLUSIVE);
    out.extend_from_slice(&[kind::RANGE, lower | flag(range.upper, UPPER, UPPER_INCLUSIVE)]);
    for bound in [range.lower, range.upper].into_iter().flatten() {
        Value::Number(bound.number).encode(out);
    }
}

fn instants(out: &mut Vec<u8>, own: &Instants) {
    let flag = |end: Option<Timestamp>, there| if end.is_some() { there } else { 0 };
    out.extend_from_slice(&[kind::INSTANTS, flag(own.after, AFTER) | flag(own.before, BEFORE)]);
    for end in [own.after, own.before].into_iter().flatten() {
        out.extend_from_slice(&end.unix_millis().to_be_bytes());
    }
}

fn count(out: &mut Vec<u8>, kind: u8, count: &Count) {
    out.extend_from_slice(&[kind, u8::from(count.max.is_some())]);
    for number in [Some(count.min), count.max].into_iter().flatten() {
        encode_count(out, number);
    }
}
