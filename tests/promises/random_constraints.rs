//! Values and constraints at random.

use hallpass::scope::ValueType;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::reading::{READ, long_texts};
use crate::universe::*;

fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        40 => select(vec!["", "a", "b", "ab", "a/b", "ba", "é"]).prop_map(str::to_owned),
        10 => select(READ.to_vec()).prop_map(str::to_owned),
        1 => select(long_texts()),
    ]
}

pub(crate) fn scalars() -> impl Strategy<Value = V> + Clone {
    prop_oneof![
        1 => Just(V::Null),
        1 => any::<bool>().prop_map(V::Bool),
        3 => (-1..5i64).prop_map(V::Halves),
        5 => text().prop_map(V::Text),
    ]
}

pub(crate) fn values() -> impl Strategy<Value = V> + Clone {
    let flat = prop_oneof![
        6 => scalars().boxed(),
        2 => vec(scalars(), 0..3).prop_map(V::List).boxed(),
        1 => object_of(scalars().boxed()),
    ];
    prop_oneof![
        8 => flat.clone().boxed(),
        1 => vec(flat.clone(), 1..3).prop_map(V::List).boxed(),
        1 => object_of(flat.boxed()),
    ]
}

fn object_of(inner: BoxedStrategy<V>) -> BoxedStrategy<V> {
    proptest::collection::btree_map("[pq]", inner, 0..3).prop_map(V::Object).boxed()
}

pub(crate) const FACTS: [&str; 8] = [
    "who.id",
    "who.attrs.team",
    "who.groups",
    "why.ticket",
    "when.env",
    "args.y",
    "args.x",
    "resource.attrs.owner",
];

/// What may be noted in a task.
pub(crate) fn notes() -> BoxedStrategy<NotesSaid> {
    let id = prop_oneof![
        4 => select(vec!["a", "b", "ab", "a/b", "é"]).prop_map(|own| V::Text(own.into())),
        1 => (-1..5i64).prop_map(V::Halves),
    ];
    let name =
        select(NOTES.to_vec()).prop_map(|own| own.strip_prefix("notes.").unwrap().to_owned());
    // Each is noted once.
    let list = vec(id, 1..4).prop_map(|mut list| {
        let mut once: Vec<V> = Vec::new();
        list.retain(|own| {
            !once.contains(own) && {
                once.push(own.clone());
                true
            }
        });
        list
    });
    proptest::collection::btree_map(name, list, 0..3).boxed()
}

/// Comparisons with them.
pub(crate) fn of_notes() -> BoxedStrategy<C> {
    let words = select(vec!["one_of", "one_of", "subset_of", "has_any", "has_all"]);
    (words, select(NOTES.to_vec()))
        .prop_map(|(word, name)| C::Ref(word, RefSaid::Part(name.into())))
        .boxed()
}

pub(crate) fn leaves() -> BoxedStrategy<C> {
    let some_text = || select(vec!["a", "b", "ab", "/", "é"]).prop_map(str::to_owned);
    let set = || vec(scalars(), 1..4);
    prop_oneof![
        2 => Just(C::Any),
        2 => any::<bool>().prop_map(C::Present),
        5 => values().prop_map(C::Eq),
        5 => set().prop_map(C::OneOf),
        1 => vec(vec(scalars(), 0..3).prop_map(V::List), 1..3).prop_map(C::OneOf),
        2 => select(FACTS.to_vec()).prop_map(|fact| C::SameAs(fact.into())),
        2 => references(FACTS.to_vec()),
        1 => (-1..5i64).prop_map(C::Min),
        2 => (-1..5i64).prop_map(C::Max),
        1 => (-1..5i64).prop_map(C::Above),
        1 => (-1..5i64).prop_map(C::Below),
        2 => some_text().prop_map(C::Prefix),
        1 => some_text().prop_map(C::Suffix),
        1 => some_text().prop_map(C::Contains),
        2 => select(vec!["*", "a*", "**", "a/*", "?", "**/b", "*b", "a", "a/**"])
            .prop_map(|p| C::Glob(p.into())),
        1 => (0..3u64, 0..2u64).prop_map(|(low, more)| C::Len(low, low + more)),
        1 => (0..3u64, 0..2u64).prop_map(|(low, more)| C::Count(low, low + more)),
        1 => set().prop_map(C::SubsetOf),
        3 => set().prop_map(C::HasAny),
        2 => set().prop_map(C::HasAll),
        2 => select(TYPES.to_vec()).prop_map(C::Type),
        3 => reading(),
        2 => levels(),
    ]
    .boxed()
}

/// Bounds by an order that leave a level.
fn levels() -> BoxedStrategy<C> {
    let bounds = vec![
        C::Level("min_in", "a"),
        C::Level("max_in", "a"),
        C::Level("above_in", "b"),
        C::Level("below_in", "ab"),
        C::Level("below_in", "a"),
        C::Level("min_in", "b"),
    ];
    select(bounds).boxed()
}

/// Kinds that take a value, of another part of the question.
pub(crate) fn references(of: Vec<&'static str>) -> BoxedStrategy<C> {
    const WORDS: [&str; 18] = [
        "min_in",
        "max_in",
        "above_in",
        "below_in",
        "min",
        "max",
        "above",
        "below",
        "one_of",
        "prefix",
        "suffix",
        "contains",
        "under",
        "subset_of",
        "has_any",
        "has_all",
        "after",
        "before",
    ];
    let joined = (
        select(of.clone()),
        select(vec![("/a", None), ("a", None), ("/a/", Some("/")), ("/", Some("b"))]),
        select(vec!["eq", "under", "prefix", "suffix", "contains"]),
    )
        .prop_map(|(name, (before, behind), word)| {
            // Of text that ends with a part, a longer one may be the beginning.
            let word = if behind.is_none() && word != "under" { "eq" } else { word };
            C::Ref(word, RefSaid::Joined(before, name.into(), behind))
        });
    prop_oneof![
        4 => (select(WORDS.to_vec()), select(of))
            .prop_map(|(word, name)| C::Ref(word, RefSaid::Part(name.into()))),
        1 => joined,
    ]
    .boxed()
}

const TYPES: [ValueType; 7] = [
    ValueType::Text,
    ValueType::Number,
    ValueType::Integer,
    ValueType::Bool,
    ValueType::List,
    ValueType::Object,
    ValueType::Null,
];

/// Kinds that read a text as something.
pub(crate) fn reading() -> BoxedStrategy<C> {
    let networks =
        vec!["10.0.0.0/8", "10.0.0.1", "::/0", "64:ff9b::/96", "2002:a00::/24", "::1", "2001::/32"];
    let inner = prop_oneof![
        scalars().prop_map(C::Eq),
        (0..4i64).prop_map(C::Max),
        Just(C::Each(Box::new(C::Min(2)))),
        Just(C::Fields(std::collections::BTreeMap::from([("p".to_owned(), C::Any)]), false)),
        Just(C::Type(ValueType::Integer)),
    ];
    let kinds = prop_oneof![
        2 => select(vec!["/", ".", "/a", "/a/b", "a"]).prop_map(C::Under),
        2 => proptest::sample::subsequence(networks, 1..3).prop_map(C::Cidr),
        1 => (-1..3i64).prop_map(|n| C::After(n * 20)),
        1 => (-1..3i64).prop_map(|n| C::Before(n * 20)),
        1 => (select(vec!["fri", "sat"]), 7..9i64)
            .prop_map(|(day, from)| C::Weekly(vec![day, "mon"], from, from + 3)),
        1 => select(vec!["a*", "(a|b)*", "a.*", ".", "a|b/", ".*"]).prop_map(C::Regex),
        2 => inner.prop_map(|c| C::Json(Box::new(c))),
    ];
    #[cfg(feature = "zones")]
    let kinds = prop_oneof![
        9 => kinds,
        1 => (select(vec!["fri", "sat"]), 8..10i64)
            .prop_map(|(day, from)| C::WeeklyIn(vec![day, "mon"], from, from + 3)),
    ];
    #[cfg(feature = "url")]
    let kinds = prop_oneof![
        9 => kinds,
        2 => select(vec![
            UrlSaid::AnyHost,
            UrlSaid::Host("a.test"),
            UrlSaid::Host("127.0.0.1"),
            UrlSaid::Below("a.test"),
            UrlSaid::Below("corp.internal"),
            UrlSaid::Under("/a"),
            UrlSaid::Path("/a"),
            UrlSaid::Begins("/a/"),
            UrlSaid::Like("/*/b"),
            UrlSaid::Http("127.0.0.1"),
            UrlSaid::Port(8443),
        ]).prop_map(C::Url),
    ];
    kinds.boxed()
}

/// Constraints that can be meant.
pub(crate) fn constraints() -> BoxedStrategy<C> {
    leaves()
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                2 => vec(inner.clone(), 1..3).prop_map(C::All),
                2 => vec(inner.clone(), 1..3).prop_map(C::AnyOf),
                2 => inner.clone().prop_map(|c| C::Not(Box::new(c))),
                1 => inner.clone().prop_map(|c| C::Each(Box::new(c))),
                1 => inner.clone().prop_map(|c| C::Some(Box::new(c))),
                1 => (vec(inner.clone(), 1..3), option::of(inner.clone()))
                    .prop_map(|(places, rest)| C::Items(places, rest.map(Box::new))),
                1 => (proptest::collection::btree_map("[pq]", inner, 1..3), any::<bool>())
                    .prop_map(|(named, open)| C::Fields(named, open)),
            ]
        })
        .prop_map(|c| if c.is_sound() { c } else { C::Any })
        .boxed()
}

pub(crate) fn one_name(of: &[&'static str]) -> BoxedStrategy<String> {
    select(of.to_vec()).prop_map(str::to_owned).boxed()
}

pub(crate) fn sets_of(names: &[&str]) -> BoxedStrategy<Vec<V>> {
    let names: Vec<V> = names.iter().map(|n| V::Text((*n).into())).collect();
    vec(select(names), 1..3).boxed()
}
