mod random;

use proptest::arbitrary::any as arbitrary;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{self, Index};

use super::super::algebra::CallWitness;
use super::super::capability::Capability;
use super::super::constraint::Constraint;
use super::super::cover::{Condition, Openness, ResourceOpenness};
use super::super::decode::decode;
use super::super::fact::Fact;
use super::super::fuzzing::{READ, plainness};
use super::super::model::{mixed_constraints, scalars, values};
use super::super::words::{
    absent, all_of, any, below, contains, each, eq, glob, len, max, min, not, one_of, prefix,
    present, suffix, under,
};
use super::*;
use crate::meter::Meter;
use crate::scope::encode_scope;

const TOOLS: [&str; 2] = ["t", "db.query"];
const ARGS: [&str; 4] = ["a", "b", "ab", ""];

fn tool(name: &str) -> ToolName {
    ToolName::new(name).unwrap()
}

fn encoded(capabilities: &[Capability]) -> Option<Vec<u8>> {
    encode_scope(&capabilities.iter().collect::<Vec<_>>()).ok()
}

fn covers(bytes: &[u8], tool: &ToolName, call: &CallWitness) -> bool {
    plainly(bytes, (tool, &call.args, call.resource.is_some())) == Plainly::Covers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
}

fn count(of: usize) -> Vec<u8> {
    let mut out = Vec::new();
    crate::value::encode_count(&mut out, of as u64);
    out
}

/// These parts behind their count, in whatever order and number they come.
fn row(parts: &[Vec<u8>]) -> Vec<u8> {
    [count(parts.len()), parts.concat()].concat()
}

fn text(text: &[u8]) -> Vec<u8> {
    [count(text.len()), text.to_vec()].concat()
}

fn capability_of(name: &[u8], conditions: &[Vec<u8>]) -> Vec<u8> {
    [text(name), vec![0], row(conditions)].concat()
}

fn condition_of(name: &[u8], constraint: &[u8]) -> Vec<u8> {
    [&[part::ARG], &text(name)[..], constraint].concat()
}

/// A scope of one condition on `a`.
fn with(constraint: &[u8]) -> Vec<u8> {
    row(&[capability_of(b"t", &[condition_of(b"a", constraint)])])
}

/// Whether a scope whose bytes these are is plain, and that it can be read just where it is.
fn agreed(bytes: &[u8]) -> bool {
    let plain = is_plain(bytes);
    assert_eq!(plain, decode(bytes).is_ok(), "{bytes:02x?}");
    plain
}

/// attack 68, attack 152
#[test]
fn what_cannot_be_meant_or_has_another_spelling_is_not_plain() {
    for good in [
        row(&[capability_of(b"t", &[])]),
        with(b"\x01"),
        with(b"\x02\x01"),
        with(b"\x03\x02\x01\x02"),
        with(b"\x05\x01a"),
        with(b"\x09\x01\x01\x02"),
        with(b"\x11\x02\x01\x05\x01a"),
        with(b"\x14\x05/data"),
    ] {
        assert!(agreed(&good), "{good:02x?}");
    }
    let bound = |flags: u8, number: u8| [&[flags, 3][..], &[0; 16], &[number]].concat();
    let range = |flags: u8, low: u8, high: u8| {
        let (low, high) = (bound(flags, low), bound(3, high));
        [&[kind::RANGE], &low[..], &high[1..]].concat()
    };
    assert!(agreed(&with(&range(5, 1, 2))));
    let either = |low: &[u8], high: &[u8]| row(&[[&[4], low].concat(), [&[4], high].concat()]);
    let together =
        |low, high| [&[kind::ALL], &either(&bound(1, low), &bound(4, high))[..]].concat();
    assert!(agreed(&with(&together(1, 2))));
    for bad in [
        vec![],
        vec![0],
        b"\x01\x01t\0\0\0".to_vec(),
        b"\x01\x01t\x08\0".to_vec(),
        b"\x01\x01t\x06\0".to_vec(),
        b"\x81\0\x01t\0\0".to_vec(),
        row(&[capability_of(b"", &[])]),
        row(&[capability_of(b"a b", &[])]),
        row(&[capability_of(&[b'a'; 129], &[])]),
        row(&[capability_of(b"u", &[]), capability_of(b"t", &[])]),
        row(&[capability_of(b"t", &[]), capability_of(b"t", &[])]),
        row(&[capability_of(b"t", &[condition_of(b"b", b"\x01"), condition_of(b"a", b"\x01")])]),
        row(&[capability_of(b"t", &[condition_of(b"a", b"\x01"), condition_of(b"a", b"\x01")])]),
        row(&[capability_of(b"t", &[condition_of(b"\xff", b"\x01")])]),
        row(&[capability_of(b"t", &[vec![part::RESOURCE_ID, 1]])]),
        row(&[capability_of(b"t", &[b"\x04\x01a\x01".to_vec()])]),
        row(&[capability_of(b"t", &[b"\x09\x01a\x01".to_vec()])]),
        with(b"\0"),
        with(b"\x1a"),
        with(b"\x02\x02"),
        with(b"\x03\0"),
        with(b"\x03\x02\x02\x01"),
        with(b"\x03\x02\x01\x01"),
        with(b"\x03\x01\x09"),
        with(b"\x04\0"),
        with(b"\x04\x02"),
        with(b"\x04\x10"),
        with(&range(5, 2, 1)),
        with(&range(5, 1, 1)),
        with(&together(2, 1)),
        with(b"\x05\0"),
        with(b"\x06\0"),
        with(b"\x07\0"),
        with(b"\x09\x01\x02\x01"),
        with(b"\x09\x02\x02\x01"),
        with(b"\x11\0"),
        with(b"\x11\x02\x05\x01b\x05\x01a"),
        with(b"\x11\x01\x05\0"),
        with(b"\x14\0"),
        with(b"\x14\x06/data/"),
        with(b"\x14\x07/./data"),
        with(b"\x14\x08/data/.."),
    ] {
        assert!(!agreed(&bad), "{bad:02x?}");
    }
}

/// What a reader builds is bounded, and the walk takes nothing that the reader does not.
#[test]
fn a_scope_is_plain_up_to_what_can_be_read() {
    let name = |n: usize| format!("{n:03}").into_bytes();
    let tools = |n| row(&(0..n).map(|n| capability_of(&name(n), &[])).collect::<Vec<_>>());
    assert!(agreed(&tools(MAX_CAPABILITIES)) && !agreed(&tools(MAX_CAPABILITIES + 1)));

    let conditions = |n: usize, constraint: &[u8]| -> Vec<Vec<u8>> {
        (0..n).map(|n| condition_of(&name(n), constraint)).collect()
    };
    let named = |n| row(&[capability_of(b"t", &conditions(n, b"\x01"))]);
    assert!(agreed(&named(MAX_CONDITIONS)) && !agreed(&named(MAX_CONDITIONS + 1)));

    // As many parts as there may be, and one more: values, bounds, kinds side by side, capabilities.
    let texts = |n| row(&(0..n).map(|n| [&[4][..], &text(&name(n))].concat()).collect::<Vec<_>>());
    let set = |n| with(&[&[kind::IS], &texts(n)[..]].concat());
    assert!(agreed(&set(MAX_PARTS - 2)) && !agreed(&set(MAX_PARTS - 1)));
    let starts = |n| row(&(0..n).map(|n| [&[5][..], &text(&name(n))].concat()).collect::<Vec<_>>());
    let all = |n| with(&[&[kind::ALL], &starts(n)[..]].concat());
    assert!(agreed(&all(MAX_PARTS - 2)) && !agreed(&all(MAX_PARTS - 1)));
    let bound = [&[kind::RANGE, 1, 3][..], &[0; 17]].concat();
    // A capability, its conditions, and in each a kind and a bound: 1 + 127 * 2, twice over and less.
    let ranges = |first, second| {
        row(&[
            capability_of(b"t", &conditions(first, &bound)),
            capability_of(b"u", &conditions(second, &bound)),
        ])
    };
    assert!(agreed(&ranges(128, 127)) && !agreed(&ranges(128, 128)));
    let kinds = |n| {
        let full = |name| capability_of(name, &conditions(MAX_CONDITIONS, b"\x01"));
        let last = capability_of(b"w", &conditions(n, b"\x01"));
        row(&[full(b"t"), full(b"u"), full(b"v"), last])
    };
    assert!(agreed(&kinds(MAX_PARTS - 4 - 3 * MAX_CONDITIONS)));
    assert!(!agreed(&kinds(MAX_PARTS - 3 - 3 * MAX_CONDITIONS)));
}

fn call_of(pairs: &[(&'static str, Value)]) -> CallWitness {
    let args = Object::from_pairs(pairs.iter().map(|(name, value)| (*name, value.clone())));
    CallWitness { args: args.unwrap(), resource: None }
}

/// Whether a capability of `t` with these conditions plainly covers the call; whether it covers it.
fn asked(conditions: &[(&str, Constraint)], call: &CallWitness) -> (bool, bool) {
    let conditions =
        conditions.iter().map(|(name, own)| Condition::new(Fact::arg(name), own.clone()));
    let own = Capability {
        tool: tool("t"),
        conditions: conditions.collect(),
        openness: Openness::default(),
    };
    let bytes = encoded(std::slice::from_ref(&own)).unwrap();
    let parts = ("t", &call.args, call.resource.is_some());
    let covered = Capability::first_covering([&own], parts, call, &Meter::ample()).is_some();
    (covers(&bytes, &tool("t"), call), covered)
}

#[test]
fn each_kind_that_is_plain_covers_what_it_says_and_nothing_else() {
    for (constraint, inside, outside) in [
        (any(), Value::Null, None),
        (any(), Value::List(vec![]), None),
        (present(), Value::from(0), Some(Value::from(""))),
        (present(), Value::List(vec![]), Some(Value::Null)),
        (absent(), Value::from(""), Some(Value::from(0))),
        (eq(Value::Null), Value::Null, Some(Value::from(false))),
        (eq(true), Value::from(true), Some(Value::from(false))),
        (eq(1), Value::from(1), Some(Value::from("1"))),
        (one_of(["a", "b"]), Value::from("b"), Some(Value::from("c"))),
        (min(1), Value::from(1), Some(Value::from(0))),
        (min(1).and(max(2)), Value::from(2), Some(Value::from(3))),
        (prefix("a"), Value::from("ab"), Some(Value::from("ba"))),
        (suffix("a"), Value::from("ba"), Some(Value::from("ab"))),
        (contains("a"), Value::from("bab"), Some(Value::from("b"))),
        (len(1), Value::from("é"), Some(Value::from("éé"))),
        (under("/a"), Value::from("/a/b"), Some(Value::from("/a/./b"))),
    ] {
        let of = |value| asked(&[("a", constraint.clone())], &call_of(&[("a", value)]));
        assert_eq!(of(inside), (true, true), "{constraint}");
        if let Some(value) = outside {
            assert_eq!(of(value.clone()), (false, false), "{constraint} of {value}");
        }
        let missing = asked(&[("a", constraint.clone())], &call_of(&[]));
        assert_eq!(missing, (constraint == absent(), constraint == absent()), "{constraint}");
    }
    // What is not plain is left to the reader, although it covers the call.
    let list = Value::List(vec![Value::from("a")]);
    for (constraint, value) in [
        (glob("a"), Value::from("a")),
        (not(eq("b")), Value::from("a")),
        (each(eq("a")), list.clone()),
        (eq("a"), list.clone()),
        (all_of([all_of([eq("a")])]), Value::from("a")),
    ] {
        let call = call_of(&[("a", value)]);
        assert_eq!(asked(&[("a", constraint.clone())], &call), (false, true), "{constraint}");
    }
}

/// attack 78: of a token that no one may use, no block makes the gate look through a long argument
#[test]
fn a_long_text_is_looked_through_only_where_it_is_asked_in_full() {
    let of = |constraint: Constraint, length: usize| {
        asked(&[("a", constraint)], &call_of(&[("a", Value::from("a".repeat(length)))]))
    };
    for constraint in [contains("aa"), len(2..), under(".")] {
        assert_eq!(of(constraint.clone(), MAX_LOOKED_THROUGH), (true, true), "{constraint}");
        assert_eq!(of(constraint.clone(), MAX_LOOKED_THROUGH + 1), (false, true), "{constraint}");
    }
    let path = |length: usize| Value::from(["/", &"a".repeat(length - 1)].concat());
    for (length, plain) in [(MAX_LOOKED_THROUGH, true), (MAX_LOOKED_THROUGH + 1, false)] {
        let call = call_of(&[("a", path(length))]);
        assert_eq!(asked(&[("a", prefix("/"))], &call), (plain, true), "{length}");
    }
    // These look no further than the block is long.
    for constraint in [any(), present(), prefix("aa"), suffix("aa")] {
        assert_eq!(of(constraint.clone(), MAX_LOOKED_THROUGH + 1), (true, true), "{constraint}");
    }
}

/// attack 23: an argument that nothing names is outside, however often others are named
#[test]
fn an_argument_counts_as_named_once_and_where_it_is() {
    let one = |name| (name, Value::from("ab"));
    let twice = [("a", prefix("a")), ("a", suffix("b"))];
    assert_eq!(asked(&twice, &call_of(&[one("a")])), (true, true));
    assert_eq!(asked(&twice, &call_of(&[one("a"), one("z")])), (false, false));
    let missing = [("a", absent()), ("b", any())];
    assert_eq!(asked(&missing, &call_of(&[one("b")])), (true, true));
    assert_eq!(asked(&missing, &call_of(&[one("b"), one("z")])), (false, false));
}
