//! Scopes read back from their byte form, which came with a token: nothing in it is trusted.

use super::capability::{Capability, MAX_CAPABILITIES, MAX_CONDITIONS, ScopeError};
use super::constraint::{
    Constraint, MAX_NESTING, Node, all_of, any, any_of, contains, count, each, fields, glob, len,
    not, prefix, some, suffix,
};
use super::cover::{Condition, Openness, ResourceOpenness};
use super::encode::{
    LOWER, LOWER_INCLUSIVE, OTHER_ARGS, RESOURCE_ANY, RESOURCE_NAMED, ScopeBytesError, UPPER,
    UPPER_INCLUSIVE, kind, part,
};
use super::fact::Fact;
use super::kind::{Bound, Count, Range, Set};
use crate::tool::ToolName;
use crate::value::{DecodeError, Decoder};

/// How many parts (capabilities, conditions, constraints and values) a scope in a token may have.
/// Twenty tools with five conditions on sets of four values come to 500; the bound keeps what a
/// reader builds for one block in sight, since a part can be as small as a byte.
pub const MAX_PARTS: usize = 512;

/// How many levels of lists and objects a value in a token's scope may have. Values that are compared
/// whole are names and numbers, seldom a list of them; the bound keeps the reader's stack small.
pub const MAX_VALUE_LEVELS: usize = 8;

/// Reads a scope's byte form, all of it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Capability>, ScopeBytesError> {
    let mut decoder = Decoder::new(bytes, MAX_PARTS);
    // What can be read and not be meant is told apart only for the message.
    let mut meaning = None;
    let read = decoder.ascending(|own| capability(own, &mut meaning));
    if let Some(error) = meaning {
        return Err(ScopeBytesError::Meaning(error));
    }
    let capabilities = read?;
    decoder.end()?;
    match capabilities.len() {
        0 => Err(ScopeBytesError::Meaning(ScopeError::Empty)),
        1..=MAX_CAPABILITIES => Ok(capabilities),
        _ => Err(ScopeBytesError::Meaning(ScopeError::TooLarge)),
    }
}

fn capability(
    decoder: &mut Decoder<'_>,
    meaning: &mut Option<ScopeError>,
) -> Result<Capability, DecodeError> {
    decoder.spend()?;
    let mut meant = |error: ScopeError| {
        *meaning = Some(error);
        DecodeError::Unknown("what a capability means")
    };
    let tool = ToolName::new(decoder.text()?).map_err(|error| meant(error.into()))?;
    let openness = openness(decoder.byte()?)?;
    let conditions = decoder.ascending(condition)?;
    if conditions.len() > MAX_CONDITIONS {
        return Err(meant(ScopeError::TooLarge));
    }
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

fn openness(flags: u8) -> Result<Openness, DecodeError> {
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
        kind::IS => Constraint(Node::Is(set(decoder)?)),
        kind::RANGE => Constraint(Node::Range(range(decoder)?)),
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
        _ => return Err(DecodeError::Unknown("a kind of constraint")),
    })
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

fn set(decoder: &mut Decoder<'_>) -> Result<Set, DecodeError> {
    let values = decoder.ascending(|own| own.value(MAX_VALUE_LEVELS))?;
    Set::new(values).ok_or(DecodeError::NotCanonical("a set is empty"))
}

fn range(decoder: &mut Decoder<'_>) -> Result<Range, DecodeError> {
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

fn how_many(decoder: &mut Decoder<'_>) -> Result<Count, DecodeError> {
    let bounded = flag(decoder)?;
    let min = decoder.count()?;
    Ok(Count { min, max: if bounded { Some(decoder.count()?) } else { None } })
}

fn flag(decoder: &mut Decoder<'_>) -> Result<bool, DecodeError> {
    match decoder.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Unknown("a flag")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::arbitrary::any as arbitrary;
    use proptest::prelude::*;

    use super::super::evaluate::Stance;
    use super::super::model::{Small, sound_constraints, values};
    use super::super::{ConstraintError, Scope, ScopeError};
    use super::*;
    use crate::scope::encode_scope;
    use crate::value::Value;

    fn encoded(capabilities: &[Capability]) -> Vec<u8> {
        encode_scope(&capabilities.iter().collect::<Vec<_>>()).unwrap()
    }

    /// A scope of one condition whose bytes are these, behind `db.query` and a closed cover.
    fn with_condition(condition: &[u8]) -> Vec<u8> {
        [b"\x01\x01t\0\x01".as_slice(), condition].concat()
    }

    fn with_constraint(constraint: &[u8]) -> Vec<u8> {
        with_condition(&[b"\x01\x01a".as_slice(), constraint].concat())
    }

    /// Whether the constraint is of kinds that tokens can say at all.
    fn is_spelled(constraint: &Constraint) -> bool {
        let scope = Scope::tool("t").arg("a", constraint.clone());
        scope.check().is_ok() && !matches!(scope.encode(), Err(ScopeBytesError::NoSpelling(_)))
    }

    fn form(bytes: &[u8]) -> DecodeError {
        match decode(bytes) {
            Err(ScopeBytesError::Form(error)) => error,
            other => panic!("{other:?} of {bytes:02x?}"),
        }
    }

    fn meaning(bytes: &[u8]) -> ScopeError {
        match decode(bytes) {
            Err(ScopeBytesError::Meaning(error)) => error,
            other => panic!("{other:?} of {bytes:02x?}"),
        }
    }

    proptest! {
        #[test]
        fn a_scope_reads_back_and_means_the_same(
            constraint in sound_constraints(), value in prop::option::of(values()),
        ) {
            prop_assume!(is_spelled(&constraint));
            let scope = Scope::tool("t").arg("a", constraint.clone()).other_args().and_tool("s");
            let bytes = scope.encode().unwrap();
            let read = decode(&bytes).unwrap();
            prop_assert_eq!(encoded(&read), bytes);
            let condition = &read[1].conditions[0];
            let facts = Small { value, other: None };
            prop_assert_eq!(
                condition.holds(Stance::Cover, &facts),
                constraint.holds(&Fact::arg("a"), Stance::Cover, &facts)
            );
        }

        #[test]
        fn order_and_repetition_in_a_scope_leave_no_trace(
            first in sound_constraints(), second in sound_constraints(),
        ) {
            prop_assume!(is_spelled(&first) && is_spelled(&second));
            let (one, other) = (
                Scope::tool("t").arg("a", first.clone()).arg("b", second.clone()).and_tool("s"),
                Scope::tool("s").and_tool("t").arg("b", second).arg("a", first),
            );
            prop_assert_eq!(one.encode().unwrap(), other.clone().and(other).encode().unwrap());
        }

        /// attack 66, attack 152
        #[test]
        fn bytes_that_are_read_are_the_one_form_of_what_was_read(
            constraint in sound_constraints(),
            edits in prop::collection::vec((0..3u8, arbitrary::<prop::sample::Index>(), prop_oneof![0..20u8, arbitrary::<u8>()]), 0..4),
        ) {
            prop_assume!(is_spelled(&constraint));
            let mut bytes = Scope::tool("t").arg("a", constraint).encode().unwrap();
            for (edit, at, byte) in edits {
                let at = at.index(bytes.len().max(1));
                match edit {
                    0 if !bytes.is_empty() => bytes[at] = byte,
                    1 if !bytes.is_empty() => { bytes.remove(at); }
                    _ => bytes.insert(at.min(bytes.len()), byte),
                }
            }
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encoded(&read), bytes);
            }
        }

        #[test]
        fn no_bytes_at_all_make_the_reader_panic(
            bytes in prop::collection::vec(prop_oneof![0..20u8, arbitrary::<u8>()], 0..80),
        ) {
            for bytes in [bytes.clone(), with_condition(&bytes), with_constraint(&bytes)] {
                if let Ok(read) = decode(&bytes) {
                    prop_assert_eq!(encoded(&read), bytes);
                }
            }
        }
    }

    /// attack 68, attack 152
    #[test]
    fn what_has_no_number_or_another_spelling_is_refused() {
        use DecodeError::{Cut, NotCanonical, TooDeep, Trailing, Unknown};
        let order = NotCanonical("parts are not in order, each once");
        for (bytes, error) in [
            (vec![], Cut),
            (b"\x01\x01t\0\0\0".to_vec(), Trailing),
            (b"\x01\x01t\x06\0".to_vec(), Unknown("a flag of a capability")),
            (b"\x01\x01t\x08\0".to_vec(), Unknown("a flag of a capability")),
            (b"\x02\x01u\0\0\x01t\0\0".to_vec(), order),
            (b"\x02\x01t\0\0\x01t\0\0".to_vec(), order),
            (with_condition(b"\0\x01"), Unknown("a part of the call")),
            (with_condition(b"\x05\x01"), Unknown("a part of the call")),
            (with_constraint(b"\0"), Unknown("a kind of constraint")),
            (with_constraint(b"\x14"), Unknown("a kind of constraint")),
            (with_constraint(b"\x02\x02"), Unknown("a flag")),
            (with_constraint(b"\x03\0"), NotCanonical("a set is empty")),
            (with_constraint(b"\x03\x02\x02\x01"), order),
            (with_constraint(b"\x03\x02\x01\x01"), order),
            (with_constraint(b"\x04\0"), NotCanonical("a range has no bound")),
            (with_constraint(b"\x04\x02"), Unknown("a flag of a range")),
            (with_constraint(b"\x04\x10"), Unknown("a flag of a range")),
            (with_constraint(b"\x04\x01\x04\x01a"), Unknown("something where a number stands")),
            (
                with_constraint(b"\x0a\0\x02\x01b\x01\x01a\x01"),
                NotCanonical("fields are not in order, each once"),
            ),
            (
                with_constraint(b"\x0a\0\x02\x01a\x01\x01a\x01"),
                NotCanonical("fields are not in order, each once"),
            ),
            (with_constraint(b"\x11\x02\x05\x01b\x05\x01a"), order),
            (with_constraint(&[&[0x13; 8][..], b"\x01"].concat()), TooDeep),
            (
                with_constraint(
                    &[b"\x03\x01".as_slice(), &b"\x05\x01".repeat(8), b"\x05\0"].concat(),
                ),
                TooDeep,
            ),
        ] {
            assert_eq!(form(&bytes), error, "{bytes:02x?}");
        }
        // The neighbours of what is refused are read.
        for bytes in [
            b"\x01\x01t\x05\0".to_vec(),
            with_constraint(b"\x13\x13\x13\x13\x13\x13\x13\x01"),
            with_constraint(&[b"\x03\x01".as_slice(), &b"\x05\x01".repeat(7), b"\x05\0"].concat()),
            with_constraint(b"\x0a\0\0"),
        ] {
            assert_eq!(encoded(&decode(&bytes).unwrap()), bytes);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(meaning(b"\0"), ScopeError::Empty);
        assert!(matches!(meaning(b"\x01\x01 \0\0"), ScopeError::Tool(_)));
        for constraint in [
            &b"\x05\0"[..],
            b"\x08\0",
            b"\x08\x01[",
            b"\x11\0",
            b"\x12\0",
            b"\x09\x01\x02\x01",
            b"\x03\x02\x00\x05\x00",
            b"\x13\x0b\x08\x00",
        ] {
            let error = meaning(&with_constraint(constraint));
            assert!(matches!(error, ScopeError::Constraint { .. }), "{constraint:02x?}: {error}");
        }
        let mixed = with_constraint(b"\x11\x02\x05\x01a\x0d\0\x01");
        let ScopeError::Constraint { error, .. } = meaning(&mixed) else { panic!("another error") };
        assert!(matches!(error, ConstraintError::MixedSorts { .. }));
    }

    #[test]
    fn the_reader_builds_only_so_many_parts() {
        let scope = |values: usize| {
            let values = (0..values).map(|value| Value::from(value as u64));
            Scope::tool("t").arg("a", super::super::one_of(values)).encode()
        };
        // One capability, one constraint, and the rest are values.
        assert!(scope(MAX_PARTS - 2).is_ok());
        assert_eq!(scope(MAX_PARTS - 1), Err(DecodeError::TooManyNodes.into()));
        let capabilities = |count: usize| {
            (0..count)
                .fold(Scope::default(), |scope, at| scope.and_tool(&format!("t{at}")))
                .encode()
        };
        assert!(capabilities(MAX_CAPABILITIES).is_ok());
        let conditions = |count: usize| {
            (0..count)
                .fold(Scope::tool("t"), |scope, at| {
                    scope.arg(&format!("a{at}"), super::super::any())
                })
                .encode()
        };
        assert!(conditions(MAX_CONDITIONS).is_ok());
        let many: Vec<u8> = (0..=MAX_CAPABILITIES as u8)
            .flat_map(|at| [&[2][..], format!("{at:02x}").as_bytes(), &[0, 0]].concat())
            .collect();
        let many = [&[0x81, 0x01][..], &many].concat();
        assert_eq!(meaning(&many), ScopeError::TooLarge);
    }
}
