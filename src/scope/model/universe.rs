//! Values and constraints at random, over a small universe.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Small;
use crate::clock::Timestamp;
use crate::scope::constraint::Constraint;
use crate::scope::levels::bounded;
use crate::scope::order::{Order, OrderRef, Orders};
use crate::scope::relation::Relation;
use crate::scope::value_type::ValueType;
use crate::scope::words::{
    absent, after, all_of, any, any_of, before, below, cidr, contains, count, each, eq, fields,
    glob, has_all, has_any, items, json, len, min, not, of_type, one_of, prefix, present, regex,
    same_as, some, subset_of, suffix, under, weekly,
};
use crate::scope::{joined, reference};
use crate::value::{Object, Value};

pub(in crate::scope) fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => proptest::bool::ANY.prop_map(Value::Bool),
        3 => (-1..4_i32).prop_map(Value::from),
        1 => (-1..4_i32).prop_map(|n| Value::from_json(&format!("{n}.5")).unwrap()),
        4 => "[ab/]{0,3}".prop_map(Value::from),
        1 => proptest::sample::select(ODD.to_vec()).prop_map(Value::from),
    ]
}

/// Texts that lead elsewhere than they say, or have controls.
pub(in crate::scope) const ODD: [&str; 14] = [
    ".",
    "..",
    "a/..",
    "../a",
    "a/./b",
    "/.",
    "/../",
    "..a",
    "a/..b",
    "\r",
    "a\r",
    "/\0",
    "a/\u{7f}/b",
    "a\tb\n",
];

/// Texts of one letter too many for patterns, and of just as many as may be.
pub(in crate::scope) fn long_texts() -> [String; 5] {
    let many = |letter: &str, bytes: usize| letter.repeat(bytes / letter.len());
    [
        many("a", 4096),
        many("a", 4097),
        format!("/{}", many("b", 4096)),
        format!("b/{}", many("é", 4096)),
        format!("{}/..", many("a", 4096)),
    ]
}

pub(in crate::scope) fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            vec(("[pqr]", inner), 0..3).prop_map(|pairs| {
                let mut object = Object::new();
                for (key, value) in pairs {
                    let _ = object.insert(key, value);
                }
                Value::Object(object)
            }),
        ]
    })
}

pub(in crate::scope) fn facts() -> impl Strategy<Value = Small> {
    (proptest::option::weighted(0.9, values()), proptest::option::weighted(0.8, values()))
        .prop_map(|(value, other)| Small { value, other })
}

fn text_leaves() -> impl Strategy<Value = Constraint> {
    prop_oneof![
        "[ab/.]{1,2}".prop_map(|t| prefix(&t)),
        "[ab/]{1,2}".prop_map(|t| suffix(&t)),
        "[ab/]{1,2}".prop_map(|t| contains(&t)),
        "[ab/*?.]{1,4}".prop_map(|t| glob(&t)),
        proptest::sample::select(vec!["a*", "(a|b)+", "[^a]", "a?b?", ".{2}", "a/.*|b"])
            .prop_map(regex),
        (0..3_u64, 0..2_u64).prop_map(|(low, more)| len(low..=low + more)),
    ]
}

fn leaves() -> impl Strategy<Value = Constraint> {
    let small = || vec(scalars(), 1..4);
    prop_oneof![
        1 => Just(any()),
        1 => proptest::bool::ANY.prop_map(|there| if there { present() } else { absent() }),
        2 => proptest::sample::select(ValueType::ALL.to_vec()).prop_map(of_type),
        3 => scalars().prop_map(eq),
        3 => small().prop_map(one_of),
        2 => (-1..4_i32).prop_map(min),
        1 => levels(),
        2 => (-1..4_i32).prop_map(below),
        5 => text_leaves(),
        1 => (0..3_u64).prop_map(|n| count(n..)),
        1 => small().prop_map(subset_of),
        1 => small().prop_map(has_any),
        1 => small().prop_map(has_all),
        1 => vec(scalars(), 0..2).prop_map(|list| eq(Value::List(list))),
    ]
}

/// Bounds by an order that is not that of the alphabet.
fn levels() -> impl Strategy<Value = Constraint> {
    let relations = [Relation::Min, Relation::Max, Relation::Above, Relation::Below];
    let bounds = (proptest::sample::select(relations.to_vec()), 0..3_usize);
    bounds.prop_map(|(relation, at)| {
        let levels = ["b", "a", "ab"];
        let order = OrderRef::Known(Order::new(levels).unwrap().into());
        let mut own = bounded(relation, order, levels[at]);
        own.resolve_orders(&Orders::default()).unwrap();
        own
    })
}

/// Constraints over the small universe, `same_as` and mixed sorts among them.
pub(in crate::scope) fn constraints() -> impl Strategy<Value = Constraint> {
    grown(prop_oneof![12 => leaves(), 1 => Just(same_as("args.other")), 2 => comparisons(), 1 => compared_levels()].boxed())
}

/// Each kind that takes a value, of what `args.other` is or of a text with it among others.
fn comparisons() -> impl Strategy<Value = Constraint> {
    let with = |at| match at {
        0 => joined("/a").and_part("args.other").and_text("/"),
        1 => joined("/").and_part("args.other").and_text("b"),
        _ => reference("args.other"),
    };
    let relations = proptest::sample::select(Relation::ALL.to_vec());
    (relations, 0..6).prop_map(move |(relation, at)| {
        let joined = with(at).compared(relation);
        if joined.check().is_ok() { joined } else { reference("args.other").compared(relation) }
    })
}

/// As [`levels`], of the level that `args.other` is.
fn compared_levels() -> impl Strategy<Value = Constraint> {
    proptest::sample::select(vec![Relation::Min, Relation::Below]).prop_map(|relation| {
        let order = OrderRef::Known(Order::new(["b", "a", "ab"]).unwrap().into());
        reference("args.other").by_order(order).compared(relation)
    })
}

/// Kinds that the algebra compares with their own kind only; the model does not know them.
fn opaque() -> impl Strategy<Value = Constraint> {
    let networks = [
        "10.0.0.0/8",
        "10.0.0.0/31",
        "10.0.0.1",
        "::/0",
        "::1",
        "64:ff9b::/96",
        "2002:a00::/24",
        "2001::/32",
    ];
    let at = |n: i64| Timestamp::from_unix_millis(n * 1000).unwrap();
    let kinds = prop_oneof![
        proptest::sample::subsequence(networks.to_vec(), 1..4).prop_map(cidr),
        (0..4_i64).prop_map(move |n| after(at(n))),
        (0..4_i64).prop_map(move |n| before(at(n))),
        proptest::sample::select(vec!["/", ".", "/a", "/a/b", "a"]).prop_map(under),
        (-1..4).prop_map(|n| json(min(n))),
        (-1..4).prop_map(|n| json(eq(n))),
        Just(json(any())),
        proptest::sample::select(vec!["mon", "thu"]).prop_map(|day| weekly(
            &[day, "fri"],
            "00:00",
            "12:00",
            "+00:00"
        )),
    ];
    #[cfg(feature = "url")]
    let kinds = prop_oneof![8 => kinds, 1 => urls()];
    kinds
}

#[cfg(feature = "url")]
fn urls() -> impl Strategy<Value = Constraint> {
    use crate::scope::{UrlPattern, url};
    (0..4_u8, 0..4_u8, proptest::bool::ANY).prop_map(|(host, path, plain)| {
        let own = match host {
            0 => UrlPattern::any_host(),
            1 => UrlPattern::host("a.test"),
            2 => UrlPattern::subdomain_of("a.test").or_host("b.test"),
            _ => UrlPattern::host("127.0.0.1"),
        };
        let own = match path {
            0 => own,
            1 => own.path("/a"),
            2 => own.path_under("/a/b").path_prefix("/a"),
            _ => own.path_glob("/*/b"),
        };
        url(if plain { own.scheme("http").scheme("https").port(80).port(8443) } else { own })
    })
}

/// As [`sound_constraints`], with [`opaque`] kinds among them.
pub(in crate::scope) fn mixed_constraints() -> impl Strategy<Value = Constraint> {
    grown(prop_oneof![leaves(), opaque()].boxed())
        .prop_filter("can be meant", |c| c.check().is_ok())
}

/// Constraints that can be meant and that look at nothing but the value.
pub(in crate::scope) fn sound_constraints() -> impl Strategy<Value = Constraint> {
    grown(leaves().boxed()).prop_filter("can be meant", |c| c.check().is_ok())
}

fn grown(leaves: BoxedStrategy<Constraint>) -> impl Strategy<Value = Constraint> {
    leaves.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 1..3).prop_map(all_of),
            3 => vec(inner.clone(), 1..3).prop_map(any_of),
            3 => inner.clone().prop_map(not),
            1 => inner.clone().prop_map(each),
            1 => inner.clone().prop_map(some),
            1 => (vec(inner.clone(), 1..3), proptest::option::of(inner.clone())).prop_map(
                |(places, rest)| rest.into_iter().fold(items(places), Constraint::rest),
            ),
            2 => (vec(("[pqr]", inner), 1..3), proptest::bool::ANY).prop_map(|(named, open)| {
                let mut named = named;
                named.dedup_by(|a, b| a.0 == b.0);
                let fields = fields(named);
                if open { fields.other_fields() } else { fields }
            }),
        ]
    })
}
