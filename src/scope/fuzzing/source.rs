//! Constraints and values, made from bytes.

use super::super::levels::bounded;
use super::super::order::OrderRef;
use super::super::*;
use crate::clock::Timestamp;
use crate::value::{Number, Object, Value};

const LETTERS: &str = "aab/.c0é:\u{1F600}";
const PATTERN: &str = "aab/.c***??/";
const REGEXES: [&str; 10] =
    ["a*", "(a|b)+", "[^a]", "a?b?", ".{2}", "a/.*|b", "(ab){1,2}", "\\w+", "\\S*", "[a-b]{0,3}/?"];
const NETWORKS: [&str; 8] = [
    "10.0.0.0/8",
    "10.0.0.0/31",
    "10.0.0.1",
    "0.0.0.0/0",
    "::/0",
    "::1",
    "::ffff:0:0/96",
    "fe80::/10",
];
const FOLDERS: [&str; 6] = ["/", ".", "/a", "/a/b", "a", "a/b"];
const LEAVES: usize = if cfg!(feature = "url") { 30 } else { 29 };
const DAYS: [&str; 4] = ["mon", "thu", "sat", "sun"];
const HOURS: [&str; 5] = ["00:00", "08:30", "12:00", "23:59", "24:00"];
/// Offsets, and zones where this build knows any.
const PLACES: &[&str] = if cfg!(feature = "zones") {
    &["+00:00", "+02:00", "-11:30", "+14:00", "Europe/Berlin", "America/New_York"]
} else {
    &["+00:00", "+02:00", "-11:30", "+14:00"]
};

/// Texts that some kind reads as something.
pub(crate) const READ: [&str; 40] = [
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "11.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "::10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2001::f5ff:fffe",
    "blob:https://a.test/a",
    "https://a.test/..;/a",
    "https://a.test/%FF",
    "/a/../b",
    ".",
    "..",
    "x/..",
    "/a/b/c",
    "a/b",
    "a/",
    "/",
    "0",
    "1",
    "2.0",
    "9",
    "\"a\"",
    "[1]",
    "[]",
    "null",
    "{}",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:02Z",
    "1970-01-03T12:00:00Z",
    "1970-01-05T09:30:00+01:00",
    "https://a.test/a",
    "https://x.a.test:8443/a/b",
    "http://127.0.0.1/ab",
    "https://A.test/a",
];

/// Reads whatever is asked for; when the bytes are used up, zeros.
pub(super) struct Source<'a>(pub(super) &'a [u8]);

impl Source<'_> {
    pub(super) fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    pub(super) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let at = self.byte() % of.len().max(1);
        of.get(at).copied().unwrap_or_default()
    }

    fn text(&mut self, letters: &str, most: usize) -> String {
        let length = self.byte() % (most + 1);
        let count = letters.chars().count();
        (0..length).filter_map(|_| letters.chars().nth(self.byte() % count)).collect()
    }

    pub(super) fn several<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = 1 + self.byte() % 3;
        (0..count).map(|_| one(self)).collect()
    }

    /// From -2 to 4 in halves, and now and then the ends of what numbers reach.
    fn number(&mut self) -> Value {
        let text = match self.byte() % 16 {
            0 => "99999999999999999999999999999999999999",
            1 => "-0.00000000000000000000000000000000000001",
            2 => "18446744073709551615",
            n => {
                return Value::from_json(&format!("{}.{}", n / 2, if n % 2 == 0 { 0 } else { 5 }))
                    .expect("a number");
            }
        };
        Value::from_json(text).expect("a number")
    }

    fn bound(&mut self) -> Number {
        self.number().as_number().expect("a number")
    }

    fn scalar(&mut self) -> Value {
        match self.byte() % 8 {
            0 => Value::Null,
            1 => Value::from(self.byte().is_multiple_of(2)),
            2 | 3 => self.number(),
            4 => Value::from(self.one(&READ)),
            _ => Value::from(self.text(LETTERS, 4)),
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Value {
        match (self.byte() % 6, depth) {
            (0, 1..) => Value::List(self.several(|own| own.value(depth - 1))),
            (1, 1..) => {
                let mut object = Object::new();
                for (key, value) in
                    self.several(|own| (own.one(&["p", "q", "z"]), own.value(depth - 1)))
                {
                    // A key met again keeps its first value.
                    let _ = object.insert(key, value);
                }
                Value::Object(object)
            }
            _ => self.scalar(),
        }
    }

    fn instant(&mut self) -> Timestamp {
        let days = i64::try_from(self.byte() % 16).unwrap_or_default();
        Timestamp::from_unix_millis(days * 21_600_000).expect("an instant")
    }

    fn count(&mut self) -> Count {
        let least = u64::try_from(self.byte() % 4).unwrap_or_default();
        match self.byte() % 3 {
            0 => (least..).into(),
            1 => least.into(),
            more => (least..=least + u64::try_from(more).unwrap_or_default()).into(),
        }
    }

    pub(super) fn constraint(&mut self, depth: usize) -> Constraint {
        let kind = self.byte();
        if depth > 0 && !kind.is_multiple_of(3) {
            return match kind / 3 % 9 {
                // The bytes of what was once found mean what they meant.
                _ if (244..=250).contains(&kind) => self.places(depth - 1),
                0 | 1 => all_of(self.several(|own| own.constraint(depth - 1))),
                2 | 3 => any_of(self.several(|own| own.constraint(depth - 1))),
                4 => not(self.constraint(depth - 1)),
                5 => each(self.constraint(depth - 1)),
                6 => some(self.constraint(depth - 1)),
                7 => json(self.constraint(depth - 1)),
                _ => {
                    let mut named =
                        self.several(|own| (own.one(&["p", "q"]), own.constraint(depth - 1)));
                    named.sort_by_key(|(name, _)| *name);
                    named.dedup_by_key(|(name, _)| *name);
                    let closed = fields(named);
                    if self.byte().is_multiple_of(2) { closed } else { closed.other_fields() }
                }
            };
        }
        self.leaf(kind / 3)
    }

    /// A list by its places, with what follows them or without.
    fn places(&mut self, depth: usize) -> Constraint {
        let places = items(self.several(|own| own.constraint(depth)));
        if self.byte().is_multiple_of(2) { places } else { places.rest(self.constraint(depth)) }
    }

    #[cfg(feature = "url")]
    fn url_pattern(&mut self) -> UrlPattern {
        let own = match self.byte() % 4 {
            0 => UrlPattern::any_host(),
            1 => UrlPattern::subdomain_of("a.test"),
            2 => UrlPattern::host("127.0.0.1").or_host("b.test"),
            _ => UrlPattern::host("a.test"),
        };
        let own = match self.byte() % 6 {
            0 => own.path("/a"),
            1 => own.path_prefix("/a"),
            2 => own.path_under("/a"),
            3 => own.path_glob("/*"),
            4 => own.path_under("/a").path_glob("/*/b"),
            _ => own,
        };
        match self.byte() % 3 {
            0 => own.scheme("http"),
            1 => own.port(443).port(8443),
            _ => own,
        }
    }

    /// A kind that takes a value, of what another argument of the call is.
    fn comparison(&mut self) -> Constraint {
        let relation = Relation::ALL.get(self.byte() % Relation::ALL.len());
        let relation = relation.copied().unwrap_or(Relation::Eq);
        let other = self.one(&["args.a", "args.b"]);
        let joined = joined("/a").and_part(other).and_text("/").compared(relation);
        let is_joined = self.byte().is_multiple_of(2) && joined.check().is_ok();
        if is_joined { joined } else { reference(other).compared(relation) }
    }

    /// A bound by an order of texts that are not in that of the alphabet.
    fn level(&mut self) -> Constraint {
        const LEVELS: [&str; 3] = ["b", "a", "ab"];
        let relations = [Relation::Min, Relation::Max, Relation::Above, Relation::Below];
        let relation = relations.get(self.byte() % 4).copied().unwrap_or(Relation::Min);
        let order = OrderRef::Known(Order::new(LEVELS).expect("an order").into());
        let mut own = bounded(relation, order, self.one(&LEVELS));
        own.resolve_orders(&Orders::default()).expect("levels of the order");
        own
    }

    fn leaf(&mut self, kind: usize) -> Constraint {
        match kind % LEAVES {
            0 => any(),
            1 => present(),
            2 => absent(),
            3 => eq(self.scalar()),
            4 => eq(self.value(2)),
            5 => one_of(self.several(Source::scalar)),
            6 => min(self.bound()),
            7 => max(self.bound()),
            8 => above(self.bound()),
            9 => below(self.bound()),
            10 => prefix(&self.text(LETTERS, 3)),
            11 => suffix(&self.text(LETTERS, 3)),
            12 => contains(&self.text(LETTERS, 3)),
            13 | 14 => glob(&self.text(PATTERN, 7)),
            15 => regex(self.one(&REGEXES)),
            16 => len(self.count()),
            17 => count(self.count()),
            18 => subset_of(self.several(Source::scalar)),
            19 => has_any(self.several(Source::scalar)),
            20 => has_all(self.several(Source::scalar)),
            21 => under(self.one(&FOLDERS)),
            22 => cidr(self.several(|own| own.one(&NETWORKS))),
            23 => after(self.instant()),
            24 => before(self.instant()),
            25 => {
                let own = self.one(&ValueType::ALL.map(ValueType::as_str));
                of_type(ValueType::named(own).expect("a type"))
            }
            26 => self.level(),
            27 => self.comparison(),
            #[cfg(feature = "url")]
            28 => url(self.url_pattern()),
            _ => {
                let days = self.several(|own| own.one(&DAYS));
                let (from, until) = (self.one(&HOURS), self.one(&HOURS));
                match self.one(PLACES) {
                    zone if zone.contains('/') => weekly_in(&days, from, until, zone),
                    offset => weekly(&days, from, until, offset),
                }
            }
        }
    }
}
