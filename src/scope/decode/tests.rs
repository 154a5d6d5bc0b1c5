use proptest::arbitrary::any as arbitrary;
use proptest::prelude::*;
use proptest::sample;

use super::super::evaluate::Stance;
use super::super::fuzzing::READ;
use super::super::model::{Small, constraints, mixed_constraints, sound_constraints, values};
use super::super::{ConstraintError, Scope, ScopeError};
use super::*;
use crate::meter::Meter;
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
        constraint in prop_oneof![mixed_constraints(), constraints()],
        value in prop::option::of(prop_oneof![values(), sample::select(&READ[..]).prop_map(Value::from)]),
        other in prop::option::of(values()),
    ) {
        prop_assume!(is_spelled(&constraint));
        let scope = Scope::tool("t").arg("a", constraint.clone()).other_args().and_tool("s");
        let bytes = scope.encode().unwrap();
        let read = decode(&bytes).unwrap();
        prop_assert_eq!(encoded(&read), bytes);
        let condition = &read[1].conditions[0];
        let facts = Small { value, other };
        prop_assert_eq!(
            condition.holds(Stance::Cover, &facts, &Meter::ample()),
            constraint.holds(&Fact::arg("a"), Stance::Cover, &facts, &Meter::ample())
        );
    }

    #[test]
    fn order_and_repetition_in_a_scope_leave_no_trace(
        first in mixed_constraints(), second in sound_constraints(),
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
        constraint in mixed_constraints(),
        edits in prop::collection::vec((0..3u8, arbitrary::<prop::sample::Index>(), prop_oneof![0..26u8, arbitrary::<u8>()]), 0..4),
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
        bytes in prop::collection::vec(prop_oneof![0..26u8, arbitrary::<u8>()], 0..80),
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
    let network = NotCanonical("a network is not in its one form");
    let window = NotCanonical("a weekly window is out of range");
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
        (with_constraint(b"\x1d"), Unknown("a kind of constraint")),
        (with_constraint(b"\x1c\x01\x01\x02"), Unknown("a flag")),
        (with_constraint(b"\x1c\x01\x01"), Cut),
        (with_constraint(b"\x1b"), Cut),
        (with_constraint(b"\x1b\0\x01\x01\x01b"), Unknown("a kind that compares with an argument")),
        (
            with_constraint(b"\x1b\x10\x01\x01\x01b"),
            Unknown("a kind that compares with an argument"),
        ),
        (with_constraint(b"\x1b\x04\0\x01\x01b"), Unknown("what is compared with")),
        (with_constraint(b"\x1b\x04\x03\x01\x01b"), Unknown("what is compared with")),
        (with_constraint(b"\x1b\x04\x01\0"), NotCanonical("no argument has such a name")),
        (with_constraint(b"\x1b\x04\x01\x01\0"), NotCanonical("no argument has such a name")),
        (with_constraint(b"\x1b\x04\x01\x01\x03b.c"), NotCanonical("no argument has such a name")),
        (with_constraint(b"\x1b\x0c\x02\x02\x02\x02/a\0\x01\x01b"), Unknown("a piece of a text")),
        (with_constraint(b"\x1a"), Cut),
        (with_constraint(b"\x1a\x07"), Unknown("a type of value")),
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
        (with_constraint(b"\x14\x06/data/"), NotCanonical("a folder is not in its one spelling")),
        (with_constraint(b"\x14\x07/./data"), NotCanonical("a folder is not in its one spelling")),
        (with_constraint(b"\x15\0"), NotCanonical("a set is empty")),
        (with_constraint(b"\x15\x01\x05\x0a\0\0\0\x08"), Unknown("a length of an address")),
        (with_constraint(b"\x15\x01\x04\x0a\0\0\0"), Cut),
        (with_constraint(b"\x15\x01\x04\x0a\0\0\0\x21"), network),
        (with_constraint(b"\x15\x01\x04\x0a\0\0\x01\x08"), network),
        (
            // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
            with_constraint(b"\x15\x01\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0\x68"),
            network,
        ),
        (with_constraint(b"\x15\x02\x04\x0b\0\0\0\x08\x04\x0a\0\0\0\x08"), order),
        (with_constraint(b"\x17\0"), NotCanonical("instants have neither beginning nor end")),
        (with_constraint(b"\x17\x04"), Unknown("a flag of instants")),
        (with_constraint(b"\x17\x01\0\0\0\0\0\0\0"), Cut),
        (
            with_constraint(b"\x17\x01\xff\xff\xff\xff\xff\xff\xff\xff"),
            NotCanonical("an instant is out of range"),
        ),
        // No day, an eighth day, an empty window, one past midnight, one further than 14 hours.
        (with_constraint(b"\x18\0\0\0\0\x01\0\0"), window),
        (with_constraint(b"\x18\x80\0\0\0\x01\0\0"), window),
        (with_constraint(b"\x18\x01\0\x01\0\x01\0\0"), window),
        (with_constraint(b"\x18\x01\0\0\x05\xa1\0\0"), window),
        (with_constraint(b"\x18\x01\0\0\0\x01\x03\x49"), window),
        (with_constraint(b"\x18\x01\0\0\0\x01\xfc\xb7"), window),
        (with_constraint(b"\x18\x01\0\0\0\x01\0"), Cut),
        (with_constraint(&[&[0x16; 8][..], b"\x01"].concat()), TooDeep),
        (with_constraint(&[&[0x13; 8][..], b"\x01"].concat()), TooDeep),
        (
            with_constraint(&[b"\x03\x01".as_slice(), &b"\x05\x01".repeat(8), b"\x05\0"].concat()),
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
        with_constraint(b"\x14\x05/data"),
        with_constraint(b"\x15\x01\x04\x0a\0\0\0\x08"),
        with_constraint(b"\x15\x02\x04\x0a\0\0\0\x08\x04\x0b\0\0\0\x20"),
        with_constraint(b"\x16\x01"),
        with_constraint(b"\x17\x02\0\0\0\0\0\0\0\x01"),
        with_constraint(b"\x1b\x01\x01\x01\x01b"),
        with_constraint(b"\x1c\x02\x05\x01b\x05\x01a\x00"),
        with_constraint(b"\x1c\x01\x01\x01\x02\x01"),
        with_constraint(b"\x1b\x0f\x01\x02\x01b\x01c"),
        with_constraint(b"\x1b\x0c\x02\x02\x02\x02/a\x01\x01\x01b"),
        with_constraint(b"\x18\x7f\0\0\x05\xa0\xfc\xb8"),
        with_constraint(b"\x18\x01\0\0\0\x01\x03\x48"),
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
        b"\x14\0",
        b"\x14\x08/data/..",
        b"\x14\x05/d%61",
        b"\x17\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01",
        b"\x16\x11\x02\x05\x01a\x0d\0\x01",
    ] {
        let error = meaning(&with_constraint(constraint));
        assert!(matches!(error, ScopeError::Constraint { .. }), "{constraint:02x?}: {error}");
    }
    let mixed = with_constraint(b"\x11\x02\x05\x01a\x0d\0\x01");
    let ScopeError::Constraint { error, .. } = meaning(&mixed) else { panic!("another error") };
    assert!(matches!(error, ConstraintError::MixedSorts { .. }));
}

/// The number is taken whether or not it is read: what a build can't judge, it refuses.
#[test]
#[cfg(not(feature = "url"))]
fn a_constraint_on_urls_is_unknown_without_the_feature() {
    let error = form(&with_constraint(b"\x19\x01\0\0\0\0"));
    let said = "the kind of constraint `url`, in a build without the feature `url`, is unknown";
    assert_eq!(error.to_string(), said);
    assert!(matches!(error, DecodeError::Unknown(_)));
}

/// attack 68
#[test]
#[cfg(feature = "url")]
fn a_constraint_on_urls_has_one_spelling() {
    use DecodeError::{Cut, NotCanonical, Unknown};
    let order = NotCanonical("parts are not in order, each once");
    let host = NotCanonical("a host is not in its one spelling");
    let urls = |parts: &[u8]| with_constraint(&[b"\x19", parts].concat());
    for (parts, error) in [
        (&b"\x01\x03\x01a\0\0\0"[..], Unknown("a kind of host")),
        (b"\x01\x01\x06A.test\0\0\0", host),
        (b"\x01\x01\x07a.test.\0\0\0", host),
        (b"\x01\x01\x05127.1\0\0\0", host),
        (b"\x01\x02\x06A.test\0\0\0", host),
        (b"\x02\x01\x01b\x01\x01a\0\0\0", order),
        (b"\x02\0\0\0\0\0", order),
        (b"\x01\0\x01\x04\x01/\0\0", Unknown("a kind of path")),
        (b"\x01\0\x01\x02\x03/a/\0\0", NotCanonical("a path is not in its one spelling")),
        (b"\x01\0\0\x02\0\x50\0\x50\0", order),
        (b"\x01\0\0\x01\x50", Cut),
    ] {
        assert_eq!(form(&urls(parts)), error, "{parts:02x?}");
    }
    for parts in [
        &b"\0\0\0\0"[..],
        b"\x01\x01\x03a/b\0\0\0",
        b"\x01\x02\x09127.0.0.1\0\0\0",
        b"\x01\0\x01\0\x01a\0\0",
        b"\x01\0\x01\0\x04/%61\0\0",
        b"\x01\0\x01\x03\x01[\0\0",
        b"\x01\0\0\x01\0\0\0",
        b"\x01\0\0\0\x01\x06gopher",
    ] {
        let error = meaning(&urls(parts));
        assert!(matches!(error, ScopeError::Constraint { .. }), "{parts:02x?}: {error}");
    }
    for parts in [
        &b"\x01\0\0\0\0"[..],
        b"\x02\x01\x06a.test\x02\x06b.test\x02\x02\x02/a\x03\x03/*b\x01\x01\xbb\x02\x04http\x05https",
    ] {
        assert_eq!(encoded(&decode(&urls(parts)).unwrap()), urls(parts));
    }
}

/// Each reads the same text anew: a block's bytes alone would allow a thousand.
#[test]
fn a_scope_reads_texts_as_json_only_so_often() {
    use super::super::{MAX_SCOPE_JSON, all_of, max};
    let scope =
        |many: usize| Scope::tool("t").arg("a", all_of((0..many).map(|at| json(max(at as u64)))));
    assert!(scope(MAX_SCOPE_JSON).encode().is_ok());
    let refused = ScopeError::TooManyJson(MAX_SCOPE_JSON + 1);
    assert_eq!(scope(MAX_SCOPE_JSON + 1).check(), Err(refused.clone()));
    let parts: Vec<u8> = (0..=MAX_SCOPE_JSON as u8).flat_map(|at| [0x16, 9, 0, at]).collect();
    let bytes = with_constraint(&[&[0x11, MAX_SCOPE_JSON as u8 + 1][..], &parts].concat());
    assert_eq!(meaning(&bytes), refused);
    let nested = (0..3).fold(json(max(1)), |inner, _| json(inner));
    let nested = Scope::tool("t").arg("a", nested).arg("b", scope_json(MAX_SCOPE_JSON - 4));
    assert!(nested.check().is_ok());
    assert!(nested.arg("c", json(max(1))).check().is_err());
}

/// What a holder writes is bounded as what an agent asks for is.
#[test]
fn a_scope_read_from_a_token_has_only_so_much_pattern() {
    use super::super::MAX_SCOPE_PATTERNS;
    let read = |globs: usize| {
        let glob = |name: usize| {
            let pattern = format!("{}*", "a".repeat(1023));
            [&[1, 1, b'a' + name as u8, 8, 0x80, 8][..], pattern.as_bytes()].concat()
        };
        let globs: Vec<u8> = (0..globs).flat_map(glob).collect();
        let count = globs.len() / 1030;
        decode(&[&[1, 1, b't', 0, count as u8][..], &globs].concat())
    };
    assert!(read(4).is_ok());
    let refused = ScopeError::TooManyPatterns(MAX_SCOPE_PATTERNS + 1024);
    assert_eq!(read(5), Err(ScopeBytesError::Meaning(refused)));
}

fn scope_json(many: usize) -> Constraint {
    super::super::all_of((0..many).map(|_| json(super::super::max(1))))
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
    let networks = |count: u32| {
        let networks = (0..count).map(|at| std::net::Ipv4Addr::from_bits(at).to_string());
        Scope::tool("t").arg("a", super::super::cidr(networks)).encode()
    };
    assert!(networks(MAX_PARTS as u32 - 2).is_ok());
    assert_eq!(networks(MAX_PARTS as u32 - 1), Err(DecodeError::TooManyNodes.into()));
    #[cfg(feature = "url")]
    {
        use super::super::url;
        let all = |count: u16| (1..=count).fold(UrlPattern::any_host(), UrlPattern::port);
        let ports = |count| Scope::tool("t").arg("a", url(all(count))).encode();
        assert!(ports(MAX_PARTS as u16 - 3).is_ok());
        assert_eq!(ports(MAX_PARTS as u16 - 2), Err(DecodeError::TooManyNodes.into()));
    }
    let capabilities = |count: usize| {
        (0..count).fold(Scope::default(), |scope, at| scope.and_tool(&format!("t{at}"))).encode()
    };
    assert!(capabilities(MAX_CAPABILITIES).is_ok());
    let conditions = |count: usize| {
        (0..count)
            .fold(Scope::tool("t"), |scope, at| scope.arg(&format!("a{at}"), super::super::any()))
            .encode()
    };
    assert!(conditions(MAX_CONDITIONS).is_ok());
    let many: Vec<u8> = (0..=MAX_CAPABILITIES as u8)
        .flat_map(|at| [&[2][..], format!("{at:02x}").as_bytes(), &[0, 0]].concat())
        .collect();
    let many = [&[0x81, 0x01][..], &many].concat();
    assert_eq!(meaning(&many), ScopeError::TooLarge);
}
