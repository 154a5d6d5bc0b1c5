//! Scopes in tokens that are plain: asked of a call where they lie, without being built.
//!
//! Most of what holders write compares a few arguments with names, numbers and the beginnings of texts,
//! and most of it covers the call it is asked of. That is found out in one walk over the bytes.
//!
//! INVARIANT: what is said to be plain, [`decode`](super::decode::decode) reads, and what is said to
//! cover a call, [`Capability::first_covering`](super::Capability::first_covering) of what it read
//! covers. The other way round nothing is promised: whatever else is met, or in doubt, is left to those
//! two, and so is every refusal and its explanation.

use std::borrow::Cow;

use super::cover::{Named, Openness};
use super::decode::{MAX_PARTS, flag, how_many, openness, range, value_type};
use super::evaluate::is_filled_in;
use super::kind::Range;
use super::layout::{kind, part};
use super::path::canonical_path;
use super::path::lies_under;
use super::scope_error::{MAX_CAPABILITIES, MAX_CONDITIONS};
use super::segments::{begins_with, is_of_paths};
use super::truth::Truth;
use crate::tool::ToolName;
use crate::value::{DecodeError, Decoder, Object, Value};

/// A call's tool, its arguments, and whether it has a resource.
pub(crate) type CallParts<'c> = (&'c ToolName, &'c Object, bool);

/// The most bytes of an argument that are looked through here. A gate makes the walk before it knows
/// whether its presenter holds the token and whether the grant lives: what would cost more than
/// reading the block does is left to be asked after that.
const MAX_LOOKED_THROUGH: usize = 1024;

/// Met by the walk where it goes no further.
const NOT_PLAIN: DecodeError = DecodeError::Unknown("something that is not plain");

/// Whether these bytes are a plain scope that covers the call. `false` says nothing.
pub(crate) fn plainly_covers(bytes: &[u8], call: CallParts<'_>) -> bool {
    walk(bytes, Some(call)).unwrap_or(false)
}

/// Whether these bytes are a plain scope, which can be read. `false` says nothing.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    walk(bytes, None).is_ok()
}

/// Walks all of a scope that is plain: whether a capability of it covers the call.
fn walk(bytes: &[u8], call: Option<CallParts<'_>>) -> Result<bool, DecodeError> {
    let mut decoder = Decoder::new(bytes, MAX_PARTS);
    let mut covered = false;
    let capabilities = decoder.walk(|own| {
        covered |= capability(own, call.filter(|_| !covered))?;
        Ok(())
    })?;
    decoder.end()?;
    match capabilities {
        1..=MAX_CAPABILITIES => Ok(covered),
        _ => Err(NOT_PLAIN),
    }
}

fn capability(decoder: &mut Decoder<'_>, call: Option<CallParts<'_>>) -> Result<bool, DecodeError> {
    decoder.spend()?;
    let tool = decoder.text()?;
    let call = call.filter(|(own, ..)| own.as_str() == tool);
    if call.is_none() && !ToolName::accepts(tool) {
        return Err(NOT_PLAIN);
    }
    let Openness { other_args, resource } = openness(decoder.byte()?)?;
    let mut holds = true;
    let mut named = Named::default();
    let conditions = decoder.walk(|own| {
        if own.byte()? != part::ARG {
            return Err(NOT_PLAIN);
        }
        let name = own.text()?;
        let value = call.and_then(|(_, args, _)| named.find(name, args));
        // What is not needed any more is read, and not asked.
        holds &= constraint(own, value.filter(|_| holds))?;
        Ok(())
    })?;
    if conditions > MAX_CONDITIONS {
        return Err(NOT_PLAIN);
    }
    Ok(call.is_some_and(|(_, args, has_resource)| {
        holds && resource.fits(has_resource) && (other_args || named.are_all_of(args))
    }))
}

/// One kind that is plain, or all of several.
fn constraint(decoder: &mut Decoder<'_>, value: Option<&Value>) -> Result<bool, DecodeError> {
    decoder.spend()?;
    match decoder.byte()? {
        kind::ALL => all_of(decoder, value),
        kind => leaf(decoder, kind, value, None),
    }
}

fn all_of(decoder: &mut Decoder<'_>, value: Option<&Value>) -> Result<bool, DecodeError> {
    let mut left = Range::default();
    let mut holds = true;
    let parts = decoder.walk(|own| {
        own.spend()?;
        let kind = own.byte()?;
        holds &= leaf(own, kind, value, Some(&mut left))?;
        Ok(())
    })?;
    if parts == 0 || left.is_empty() { Err(NOT_PLAIN) } else { Ok(holds) }
}

/// Whether the argument is as one kind says. A range is taken off what the ranges before it have `left`.
///
/// A list holds for none but the kinds that say the same of it and of its elements.
fn leaf(
    decoder: &mut Decoder<'_>,
    kind: u8,
    value: Option<&Value>,
    left: Option<&mut Range>,
) -> Result<bool, DecodeError> {
    let text = value.and_then(Value::as_text);
    let short = text.filter(|text| text.len() <= MAX_LOOKED_THROUGH);
    Ok(match kind {
        kind::ANY => value.is_some(),
        kind::PRESENT => flag(decoder)? == is_filled_in(value),
        kind::TYPE => {
            let own = value_type(decoder)?;
            value.is_some_and(|value| own.includes(value))
        }
        kind::IS => is_one_of(decoder, value)?,
        kind::RANGE => {
            let range = range(decoder)?;
            if range.is_empty() {
                return Err(NOT_PLAIN);
            }
            if let Some(left) = left {
                *left = left.intersect(range);
            }
            value.and_then(Value::as_number).is_some_and(|number| range.contains(number))
        }
        kind::PREFIX => {
            let start = some_text(decoder)?;
            let asked = if is_of_paths(start) { short } else { text };
            asked.is_some_and(|text| begins_with(text, start) == Truth::True)
        }
        kind::SUFFIX => {
            let end = some_text(decoder)?;
            text.is_some_and(|text| text.ends_with(end))
        }
        kind::CONTAINS => {
            let part = some_text(decoder)?;
            short.is_some_and(|text| text.contains(part))
        }
        kind::UNDER => {
            let folder = decoder.text()?;
            if !matches!(canonical_path(folder), Ok(Cow::Borrowed(_))) {
                return Err(NOT_PLAIN);
            }
            short.is_some_and(|text| lies_under(text, folder) == Truth::True)
        }
        kind::LEN => {
            let count = how_many(decoder)?;
            if count.max.is_some_and(|max| max < count.min) {
                return Err(NOT_PLAIN);
            }
            short.is_some_and(|text| count.contains(text.chars().count() as u64))
        }
        _ => return Err(NOT_PLAIN),
    })
}

fn is_one_of(decoder: &mut Decoder<'_>, value: Option<&Value>) -> Result<bool, DecodeError> {
    let mut is_one = false;
    let values = decoder.walk(|own| {
        let one = own.scalar()?;
        is_one |= value.is_some_and(|value| one == *value);
        Ok(())
    })?;
    if values == 0 { Err(NOT_PLAIN) } else { Ok(is_one) }
}

fn some_text<'b>(decoder: &mut Decoder<'b>) -> Result<&'b str, DecodeError> {
    match decoder.text()? {
        "" => Err(NOT_PLAIN),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests;
