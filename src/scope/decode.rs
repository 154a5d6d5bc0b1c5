//! Scopes read back from their byte form, which came with a token: nothing in it is trusted.

use super::capability::Capability;
use super::capability_draft::{check_json, check_patterns, check_resource};
use super::constraint::{Constraint, Node};
use super::constraint_error::MAX_NESTING;
use super::cover::{Condition, Openness, ResourceOpenness};
use super::fact::Fact;
use super::instant::Instants;
use super::kind::{Bound, Count, Range, Set};
use super::layout::{
    AFTER, BEFORE, LOWER, LOWER_INCLUSIVE, OTHER_ARGS, RESOURCE_ANY, RESOURCE_NAMED,
    ScopeBytesError, UPPER, UPPER_INCLUSIVE, kind, operand, part,
};
use super::network::Network;
use super::operand::Piece;
use super::path::canonical_path;
use super::reference::Reference;
use super::relation::Relation;
use super::scope_error::{MAX_CAPABILITIES, MAX_CONDITIONS, ScopeError};
#[cfg(feature = "url")]
use super::url::UrlPattern;
use super::value_type::ValueType;
use super::weekly::Weekly;
use super::words::{
    all_of, any, any_of, contains, count, each, fields, glob, items, json, len, not, of_type,
    prefix, some, suffix, under,
};
use crate::clock::Timestamp;
use crate::tool::ToolName;
use crate::value::{DecodeError, Decoder};

/// How many parts (capabilities, conditions, constraints and values) a scope in a token may have.
/// Twenty tools with five conditions on sets of four values come to 500; the bound keeps what a
/// reader builds for one block in sight, since a part can be as small as a byte.
pub(crate) const MAX_PARTS: usize = 512;

/// How many levels of lists and objects a value in a token's scope may have. Values that are compared
/// whole are names and numbers, seldom a list of them; the bound keeps the reader's stack small.
pub(crate) const MAX_VALUE_LEVELS: usize = 8;

/// Reads a scope's byte form, all of it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Capability>, ScopeBytesError> {
    decode_after(bytes, &[])
}

/// As [`decode`], after capabilities that were read before: a tool that they name is not copied.
pub(crate) fn decode_after(
    bytes: &[u8],
    before: &[Capability],
) -> Result<Vec<Capability>, ScopeBytesError> {
    let mut decoder = Decoder::new(bytes, MAX_PARTS);
    let capabilities = read(&mut decoder, before)?;
    decoder.end()?;
    Ok(capabilities)
}

/// Reads a scope that something may follow.
pub(crate) fn decode_from(decoder: &mut Decoder<'_>) -> Result<Vec<Capability>, ScopeBytesError> {
    read(decoder, &[])
}

fn read(
    decoder: &mut Decoder<'_>,
    before: &[Capability],
) -> Result<Vec<Capability>, ScopeBytesError> {
    // What can be read and not be meant is told apart only for the message.
    let mut meaning = None;
    let read = decoder.ascending(|own| capability(own, before, &mut meaning));
    if let Some(error) = meaning {
        return Err(ScopeBytesError::Meaning(error));
    }
    let capabilities = read?;
    check_patterns(capabilities.iter().flat_map(|own| &own.conditions))?;
    check_json(capabilities.iter().flat_map(|own| &own.conditions))?;
    match capabilities.len() {
        0 => Err(ScopeBytesError::Meaning(ScopeError::Empty)),
        1..=MAX_CAPABILITIES => Ok(capabilities),
        _ => Err(ScopeBytesError::Meaning(ScopeError::TooLarge)),
    }
}

fn capability(
    decoder: &mut Decoder<'_>,
    before: &[Capability],
    meaning: &mut Option<ScopeError>,
) -> Result<Capability, DecodeError> {
    decoder.spend()?;
    let mut meant = |error: ScopeError| {
        *meaning = Some(error);
        DecodeError::Unknown("what a capability means")
    };
    let name = decoder.text()?;
    let tool = match before.iter().find(|known| known.tool.as_str() == name) {
        Some(known) => known.tool.clone(),
        None => ToolName::new(name).map_err(|error| meant(error.into()))?,
    };
    let openness = openness(decoder.byte()?)?;
    let conditions = decoder.ascending(condition)?;
    if conditions.len() > MAX_CONDITIONS {
        return Err(meant(ScopeError::TooLarge));
    }
    check_resource(tool.as_str(), &conditions, &openness).map_err(&mut meant)?;
    for Condition { fact, constraint } in &conditions {
        constraint.check().map_err(|error| {
            meant(ScopeError::Constraint {
                tool: tool.as_str().into(),
                fact: fact.to_string().into(),
                error,
            })
        })?;
    }
    Ok(Capability { tool, conditions: conditions.into_boxed_slice(), openness })
}

pub(super) fn openness(flags: u8) -> Result<Openness, DecodeError> {
    let resource = match flags & !OTHER_ARGS {
        0 => ResourceOpenness::None,
        RESOURCE_NAMED => ResourceOpenness::Named,
        RESOURCE_ANY => ResourceOpenness::Any,
        _ => return Err(DecodeError::Unknown("a flag of a capability")),
    };
    Ok(Openness { other_args: flags & OTHER_ARGS != 0, resource })
}

fn condition(decoder: &mut Decoder<'_>) -> Result<Condition, DecodeError> {
    let fact = match decoder.byte()? {
        part::ARG => Fact::arg(decoder.text()?),
        part::RESOURCE_TYPE => Fact::ResourceType,
        part::RESOURCE_ID => Fact::ResourceId,
        part::RESOURCE_ATTR => Fact::ResourceAttr(decoder.text()?.into()),
        _ => return Err(DecodeError::Unknown("a part of the call")),
    };
    Ok(Condition::new(fact, constraint(decoder, MAX_NESTING)?))
}

/// A constraint of at most `depth` levels. One that cannot be meant is found by
/// [`Constraint::check`], which its capability asks for.
fn constraint(decoder: &mut Decoder<'_>, depth: usize) -> Result<Constraint, DecodeError> {
    let inner = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    decoder.spend()?;
    Ok(match decoder.byte()? {
        kind::ANY => any(),
        kind::PRESENT => Constraint(Node::Present(flag(decoder)?)),
        kind::TYPE => of_type(value_type(decoder)?),
        kind::IS => Constraint(Node::Is(set(decoder)?)),
        kind::RANGE => Constraint(Node::Range(range(decoder)?.into())),
        kind::PREFIX => prefix(decoder.text()?),
        kind::SUFFIX => suffix(decoder.text()?),
        kind::CONTAINS => contains(decoder.text()?),
        kind::GLOB => glob(decoder.text()?),
        kind::LEN => len(how_many(decoder)?),
        kind::FIELDS => named_fields(decoder, inner)?,
        kind::EACH => each(constraint(decoder, inner)?),
        kind::SOME => some(constraint(decoder, inner)?),
        kind::COUNT => count(how_many(decoder)?),
        kind::SUBSET_OF => Constraint(Node::SubsetOf(set(decoder)?)),
        kind::HAS_ANY => Constraint(Node::HasAny(set(decoder)?)),
        kind::HAS_ALL => Constraint(Node::HasAll(set(decoder)?)),
        kind::ALL => all_of(decoder.ascending(|own| constraint(own, inner))?),
        kind::ANY_OF => any_of(decoder.ascending(|own| constraint(own, inner))?),
        kind::NOT => not(constraint(decoder, inner)?),
        kind::UNDER => folder(decoder.text()?)?,
        kind::CIDR => Constraint(Node::Cidr(networks(decoder)?)),
        kind::JSON => json(constraint(decoder, inner)?),
        kind::INSTANTS => Constraint(Node::Instants(Box::new(instants(decoder)?))),
        kind::WEEKLY => weekly(decoder)?,
        kind::URL => url_pattern(decoder)?,
        kind::COMPARED => compared(decoder)?,
        kind::ITEMS => {
            let places = items(decoder.repeat(|own| constraint(own, inner))?);
            if flag(decoder)? { places.rest(constraint(decoder, inner)?) } else { places }
        }
        _ => return Err(DecodeError::Unknown("a kind of constraint")),
    })
}

fn compared(decoder: &mut Decoder<'_>) -> Result<Constraint, DecodeError> {
    let relation = Relation::numbered(decoder.byte()?)
        .ok_or(DecodeError::Unknown("a kind that compares with an argument"))?;
    let reference = match decoder.byte()? {
        operand::ARG => Reference::of(argument(decoder)?),
        operand::JOINED => Reference::of_pieces(decoder.repeat(|own| {
            own.spend()?;
            match own.byte()? {
                operand::TEXT => Ok(Piece::Text(own.text()?.into())),
                operand::ARG => Ok(Piece::Fact(argument(own)?)),
                _ => Err(DecodeError::Unknown("a piece of a text")),
            }
        })?),
        _ => return Err(DecodeError::Unknown("what is compared with")),
    };
    Ok(reference.compared(relation))
}

/// An argument, or what lies inside it, by names as `args.NAME` has them.
fn argument(decoder: &mut Decoder<'_>) -> Result<Fact, DecodeError> {
    let names = decoder.repeat(|own| {
        own.spend()?;
        own.text()
    })?;
    Fact::inside(&names).ok_or(DecodeError::NotCanonical("no argument has such a name"))
}

fn named_fields(decoder: &mut Decoder<'_>, inner: usize) -> Result<Constraint, DecodeError> {
    let open = flag(decoder)?;
    let named: Vec<(Box<str>, Constraint)> =
        decoder.repeat(|own| Ok((own.text()?.into(), constraint(own, inner)?)))?;
    if !named.is_sorted_by(|(left, _), (right, _)| left < right) {
        return Err(DecodeError::NotCanonical("fields are not in order, each once"));
    }
    let closed = fields(named);
    Ok(if open { closed.other_fields() } else { closed })
}

/// What is not a folder at all is left to [`Constraint::check`].
fn folder(text: &str) -> Result<Constraint, DecodeError> {
    match canonical_path(text) {
        Ok(own) if own != text => {
            Err(DecodeError::NotCanonical("a folder is not in its one spelling"))
        }
        _ => Ok(under(text)),
    }
}

fn networks(decoder: &mut Decoder<'_>) -> Result<Box<[Network]>, DecodeError> {
    let mut networks = decoder.ascending(|own| {
        own.spend()?;
        Network::decode(own)
    })?;
    if networks.is_empty() {
        return Err(DecodeError::NotCanonical("a set is empty"));
    }
    networks.sort();
    Ok(networks.into())
}

fn instants(decoder: &mut Decoder<'_>) -> Result<Instants, DecodeError> {
    let flags = decoder.byte()?;
    if flags & !(AFTER | BEFORE) != 0 {
        return Err(DecodeError::Unknown("a flag of instants"));
    }
    if flags == 0 {
        return Err(DecodeError::NotCanonical("instants have neither beginning nor end"));
    }
    let mut end = |there: u8| match flags & there {
        0 => Ok(None),
        _ => Timestamp::from_unix_millis(i64::from_be_bytes(decoder.array()?))
            .map(Some)
            .ok_or(DecodeError::NotCanonical("an instant is out of range")),
    };
    Ok(Instants { after: end(AFTER)?, before: end(BEFORE)? })
}

fn weekly(decoder: &mut Decoder<'_>) -> Result<Constraint, DecodeError> {
    Weekly::from_bytes(decoder.array()?)
        .map(|own| Constraint(Node::Weekly(own)))
        .ok_or(DecodeError::NotCanonical("a weekly window is out of range"))
}

#[cfg(feature = "url")]
fn url_pattern(decoder: &mut Decoder<'_>) -> Result<Constraint, DecodeError> {
    Ok(super::words::url(UrlPattern::decode(decoder)?))
}

/// Known and not read: what this build can't judge must not be taken for anything it can.
#[cfg(not(feature = "url"))]
fn url_pattern(_: &mut Decoder<'_>) -> Result<Constraint, DecodeError> {
    Err(DecodeError::Unknown("the kind of constraint `url`, in a build without the feature `url`,"))
}

fn set(decoder: &mut Decoder<'_>) -> Result<Set, DecodeError> {
    let values = decoder.ascending(|own| own.value(MAX_VALUE_LEVELS))?;
    Set::new(values).ok_or(DecodeError::NotCanonical("a set is empty"))
}

#[inline]
pub(super) fn range(decoder: &mut Decoder<'_>) -> Result<Range, DecodeError> {
    let flags = decoder.byte()?;
    let mut bound = |there: u8, inclusive: u8| match (flags & there != 0, flags & inclusive != 0) {
        (false, false) => Ok(None),
        (false, true) => Err(DecodeError::Unknown("a flag of a range")),
        (true, inclusive) => Ok(Some(Bound { number: decoder.number()?, inclusive })),
    };
    let range =
        Range { lower: bound(LOWER, LOWER_INCLUSIVE)?, upper: bound(UPPER, UPPER_INCLUSIVE)? };
    let known = LOWER | LOWER_INCLUSIVE | UPPER | UPPER_INCLUSIVE;
    if flags & !known != 0 {
        return Err(DecodeError::Unknown("a flag of a range"));
    }
    if range == Range::default() {
        return Err(DecodeError::NotCanonical("a range has no bound"));
    }
    Ok(range)
}

pub(super) fn how_many(decoder: &mut Decoder<'_>) -> Result<Count, DecodeError> {
    let bounded = flag(decoder)?;
    let min = decoder.count()?;
    Ok(Count { min, max: if bounded { Some(decoder.count()?) } else { None } })
}

pub(super) fn value_type(decoder: &mut Decoder<'_>) -> Result<ValueType, DecodeError> {
    ValueType::numbered(decoder.byte()?).ok_or(DecodeError::Unknown("a type of value"))
}

pub(super) fn flag(decoder: &mut Decoder<'_>) -> Result<bool, DecodeError> {
    match decoder.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Unknown("a flag")),
    }
}

#[cfg(test)]
mod tests;
