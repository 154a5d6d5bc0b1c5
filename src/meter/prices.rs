//! What asking takes, to the step: work that is not paid for, or paid for twice, changes a number here.

use std::fmt::Debug;

use super::Meter;
use crate::clock::Timestamp;
use crate::scope::{
    Constraint, Fact, Facts, Stance, ValueType, after, all_of, any, any_of, before, cidr, contains,
    count, each, eq, fields, glob, has_all, has_any, items, joined, json, len, max, min, not,
    of_type, one_of, prefix, reference, regex, same_as, some, subset_of, suffix, under, weekly,
};
use crate::value::{Object, Value};

/// Arguments, and nothing else of a question.
pub(super) struct Arguments(pub(super) Object);

impl<'q> Facts<'q> for &'q Arguments {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::Arg(path) => self.0.get(path.first()?),
            _ => None,
        }
    }
}

/// What asking a constraint of `x` takes, next to what it compares with.
fn of_value(constraint: &Constraint, x: Value) -> u64 {
    let list: Vec<Value> = (0..40).map(Value::from).collect();
    let others = [("x", x), ("text", text(64)), ("list", Value::List(list)), ("day", day())];
    let (args, meter) = (Arguments(Object::from_pairs(others).unwrap()), Meter::ample());
    let _ = constraint.holds(&Fact::arg("x"), Stance::Cover, &args, &meter);
    meter.taken()
}

/// What comparing two constraints takes.
fn of_both((narrow, wide): &(Constraint, Constraint)) -> u64 {
    let meter = Meter::ample();
    let _ = narrow.is_within(wide, &meter);
    meter.taken()
}

fn text(bytes: usize) -> Value {
    "a".repeat(bytes).into()
}

fn day() -> Value {
    "2026-12-24T10:00:00Z".into()
}

fn numbers(count: i64) -> Value {
    Value::List((0..count).map(Value::from).collect())
}

fn instant() -> Timestamp {
    Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()
}

/// Compares all at once, so that one look at a failure has every number.
pub(super) fn assert_prices<R, P: PartialEq + Debug>(
    rows: Vec<(&str, R, P)>,
    price: impl Fn(R) -> P,
) {
    let mut told = Vec::new();
    for (name, row, expected) in rows {
        let taken = price(row);
        if taken != expected {
            told.push(format!("{name}: {taken:?}, expected {expected:?}"));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// attack 189: each kind asked of one value.
#[test]
fn each_kind_takes_the_same_steps_each_time() {
    let object =
        || Value::Object(Object::from_pairs([("a", numbers(9)), ("b", text(64))]).unwrap());
    let nested = || Value::List((0..9).map(|n| Value::List(vec![n.into()])).collect());
    let from = |kind: fn(crate::scope::Reference) -> Constraint, fact: &str| kind(reference(fact));
    type Ref = crate::scope::Reference;
    let rows = vec![
        ("eq", (eq(1), 1.into()), 2),
        ("eq of a text", (eq(text(640)), text(640)), 22),
        ("one_of", (one_of(0..1000), 7.into()), 11),
        ("min", (min(1), 7.into()), 1),
        ("prefix", (prefix("aaaa"), text(640)), 2),
        ("prefix of a path", (prefix("/aaaa"), text(640)), 22),
        ("suffix", (suffix("aaaa"), text(640)), 2),
        ("contains", (contains("b"), text(640)), 162),
        ("glob", (glob("*a*b"), text(64)), 572),
        ("glob of a path", (glob("/a/*"), text(640)), 43),
        ("glob that matches", (glob("*a*a"), text(64)), 643),
        ("regex", (regex("(a|b)*c"), text(64)), 511),
        ("len", (len(0..=8), text(640)), 22),
        ("under", (under("/a"), text(640)), 162),
        ("cidr", (cidr(["10.0.0.0/8", "192.168.0.0/16"]), "10.0.0.1".into()), 10),
        ("after", (after(instant()), day()), 19),
        ("weekly", (weekly(&["mon"], "08:00", "17:00", "+00:00"), day()), 19),
        ("type", (of_type(ValueType::Text), text(64)), 1),
        ("json", (json(eq(1)), "[1,1,1]".into()), 54),
        ("all", (all_of([min(1), max(9), not(eq(5))]), 7.into()), 6),
        ("any", (any_of([eq(1), max(0), eq(9)]), 9.into()), 6),
        ("fields", (fields([("a", any()), ("b", eq("x"))]), object()), 7),
        ("eq of an object", (same_as("args.x"), object()), 17),
        ("each", (each(min(0)), numbers(9)), 11),
        ("some", (some(eq(8)), numbers(9)), 20),
        ("some list of lists", (each(has_any(0..9)), nested()), 47),
        ("items", (items([min(0), min(0)]).rest(min(0)), numbers(9)), 11),
        ("count", (count(0..=8), numbers(9)), 2),
        ("subset_of", (subset_of(0..9), numbers(9)), 37),
        ("has_any of few", (has_any([20, 21]), numbers(9)), 10),
        ("has_any of many", (has_any(100..200), numbers(9)), 64),
        ("has_all", (has_all(0..9), numbers(9)), 37),
        ("has_all that is not", (has_all(0..20), numbers(9)), 66),
        ("elements", (min(0), numbers(9)), 10),
        ("elements of any of many", (any_of((0..20).map(eq)), numbers(9)), 186),
        ("elements of all not", (all_of((20..40).map(|n| not(eq(n)))), numbers(9)), 206),
        ("same_as", (same_as("args.text"), text(64)), 4),
        ("same_as of another", (same_as("args.text"), text(63)), 1),
        ("same_as of a list", (same_as("args.list"), numbers(40)), 43),
        ("ref one_of", (from(Ref::as_one_of, "args.list"), 39.into()), 47),
        ("ref one_of of elements", (from(Ref::as_one_of, "args.list"), numbers(9)), 150),
        ("ref subset_of", (from(Ref::as_subset_of, "args.list"), numbers(9)), 148),
        ("ref has_any", (from(Ref::as_has_any, "args.list"), numbers(9)), 100),
        ("ref prefix", (from(Ref::as_prefix, "args.text"), text(640)), 22),
        ("ref contains", (from(Ref::as_contains, "args.text"), text(640)), 162),
        ("ref under", (from(Ref::as_under, "args.text"), text(640)), 179),
        ("ref before", (from(Ref::as_before, "args.day"), day()), 55),
        ("join", (joined("/a").and_part("args.text").as_under(), text(640)), 185),
    ];
    assert_prices(rows, |(constraint, value)| of_value(&constraint, value));
}

/// attack 190: what a guard does not act on, seen without a search.
#[test]
fn telling_two_constraints_apart_takes_the_same_steps_each_time() {
    let long = |start: &str| format!("{start}{}", "a".repeat(640));
    let rows = vec![
        ("prefix", (prefix(&long("b")), prefix(&long("c"))), 24),
        ("suffix", (suffix(&(long("") + "b")), suffix(&(long("") + "c"))), 24),
        ("under", (under(&long("/b")), under(&long("/c"))), 24),
        ("bounds", (min(3), max(2)), 3),
        ("many", (any_of((0..20).map(|n| min(100 + n))), any_of((0..20).map(max))), 463),
    ];
    assert_prices(rows, |(one, other)| {
        let meter = Meter::ample();
        assert!(!one.may_overlap(&other, &meter), "{one} and {other} are apart");
        meter.taken()
    });
}

/// attack 190: what is asked for compared with what a rule covers.
#[test]
fn comparing_two_constraints_takes_the_same_steps_each_time() {
    let set = |from: i64| one_of(from..from + 20);
    let rows = vec![
        ("set in set", (set(1), any_of([set(0), set(1)])), 302),
        ("text in prefix", (eq(text(64)), prefix("aa")), 6),
        ("glob in glob", (glob("a*b*"), glob("a*")), 6524),
        ("glob in another", (glob("a*b"), glob("*b")), 6475),
        ("glob in an any", (glob("a*b"), any_of([suffix("b"), prefix("c")])), 20422),
        ("regex in contains", (regex("a[bc]+d"), contains("d")), 12282),
        ("under and its exception", (under("/a"), all_of([under("/a"), not(under("/a/b"))])), 283),
        ("longer than patterns", (contains("a"), not(glob("b"))), 6955),
        ("not of a set", (not(set(0)), not(set(5))), 1744),
        ("numbers", (all_of([min(0), max(5)]), any_of([max(2), min(1)])), 1132),
        (
            "integers",
            (all_of([min(0), of_type(ValueType::Integer)]), any_of([max(2), min(1)])),
            2277,
        ),
        ("fields", (fields([("a", eq(1)), ("b", min(1))]), not(fields([("a", eq(2))]))), 5785),
        ("each in some", (each(eq(1)), any_of([some(min(1)), count(0)])), 13),
        ("has_any", (has_any([1, 2]), not(has_all([3, 4]))), 2983),
        ("subset_of", (subset_of([1, 2]), any_of([count(0..=8), has_any([1])])), 2363),
        ("addresses", (cidr(["10.0.0.0/8"]), not(cidr(["10.1.0.0/16"]))), 1279),
        ("instants", (after(instant()), not(before(instant()))), 1291),
        ("json", (json(eq(1)), json(any_of([min(0), eq("a")]))), 12),
        ("whatever", (glob("a*b*c"), any_of([any(), eq(1)])), 17),
        (
            "many that are easy to name",
            (any_of((0..20).map(|n| prefix(&format!("a{n}")))), not(suffix("zz"))),
            44056,
        ),
    ];
    assert_prices(rows, |both| of_both(&both));
}

/// Whether a list of what is pinned may be there, too, is asked of each value that is.
#[test]
fn asking_for_lists_takes_the_same_steps_each_time() {
    let rows = vec![
        ("another type", all_of([of_type(ValueType::Text), max(1)]), 2),
        ("no type", all_of([prefix("b"), suffix("b")]), 39),
        ("the first", any(), 24),
    ];
    assert_prices(rows, |constraint| {
        let (values, meter) = ([text(640), text(64)], Meter::ample());
        let _ = constraint.admits_a_list_of(&values, &meter);
        meter.taken()
    });
}
