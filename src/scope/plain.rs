//! Scopes in tokens that are plain: asked of a call where they lie, without being built.
//!
//! Most of what holders write compares a few arguments with names, numbers and the beginnings of texts,
//! and most of it covers the call it is asked of. That is found out in one walk over the bytes.
//!
//! INVARIANT: what is said to be plain, [`decode`](super::decode::decode) reads, and of what is said to
//! cover or to refuse a call, [`Capability::first_covering`](super::Capability::first_covering) of what it
//! read says the same. Whatever else is met, or in doubt, is left to those two, and so is the explanation of
//! a refusal.

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

/// What a scope says of a call, as far as that is plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plainly {
    Covers,
    Refuses,
    /// Asking the scope itself tells.
    Untold,
}

/// What the scope of these bytes plainly says of the call.
pub(crate) fn plainly(bytes: &[u8], call: CallParts<'_>) -> Plainly {
    walk(bytes, Some(call)).unwrap_or(Plainly::Untold)
}

/// Whether these bytes are a plain scope, which can be read. `false` says nothing.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    walk(bytes, None).is_ok()
}

/// Walks all of a scope that is plain: what its capabilities say of the call, of which one that covers it is
/// enough.
fn walk(bytes: &[u8], call: Option<CallParts<'_>>) -> Result<Plainly, DecodeError> {
    let mut decoder = Decoder::new(bytes, MAX_PARTS);
    let mut told = Plainly::Refuses;
    let capabilities = decoder.walk(|own| {
        match capability(own, call.filter(|_| told != Plainly::Covers))? {
            Plainly::Refuses => {}
            other => told = other,
        }
        Ok(())
    })?;
    decoder.end()?;
    match capabilities {
        1..=MAX_CAPABILITIES => Ok(told),
        _ => Err(NOT_PLAIN),
    }
}

fn capability(
    decoder: &mut Decoder<'_>,
    call: Option<CallParts<'_>>,
) -> Result<Plainly, DecodeError> {
    decoder.spend()?;
    let tool = decoder.text()?;
    let call = call.filter(|(own, ..)| own.as_str() == tool);
    if call.is_none() && !ToolName::accepts(tool) {
        return Err(NOT_PLAIN);
    }
    let Openness { other_args, resource } = openness(decoder.byte()?)?;
    let mut told = Plainly::Covers;
    let mut named = Named::default();
    let conditions = decoder.walk(|own| {
        if own.byte()? != part::ARG {
            return Err(NOT_PLAIN);
        }
        let name = own.text()?;
        let value = call.and_then(|(_, args, _)| named.find(name, args));
        // What is not needed any more is read, and not asked.
        let holds = constraint(own, value.filter(|_| told == Plainly::Covers))?;
        if told == Plainly::Covers && !holds {
            told = if is_asked_whole(value) { Plainly::Refuses } else { Plainly::Untold };
        }
        Ok(())
    })?;
    if conditions > MAX_CONDITIONS {
        return Err(NOT_PLAIN);
    }
    let Some((_, args, has_resource)) = call else { return Ok(Plainly::Refuses) };
    Ok(match told {
        Plainly::Covers if !resource.fits(has_resource) => Plainly::Refuses,
        Plainly::Covers if other_args || named.are_all_of(args) => Plainly::Covers,
        Plainly::Covers if named.can_count(args) => Plainly::Refuses,
        Plainly::Covers => Plainly::Untold,
        told => told,
    })
}

/// Whether a plain condition that does not hold of this is known not to. Lists are asked element by element
/// elsewhere, and long texts are not looked through here.
fn is_asked_whole(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Text(text)) => text.len() <= MAX_LOOKED_THROUGH,
        Some(Value::List(_) | Value::Object(_)) => false,
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_)) => true,
    }
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
