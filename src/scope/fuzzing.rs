//! What fuzz targets check of the parts of scopes that are not public. There only under `cfg(fuzzing)`,
//! and in tests, which replay `fuzz/seeds`. Nothing is switched off by it.
#![allow(clippy::panic, clippy::expect_used, reason = "a target fails by panicking")]

mod covers;
#[cfg(feature = "url")]
mod urls;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use covers::covers;
#[cfg(feature = "url")]
pub use urls::urls;

use super::encode::encode;
use super::path::{canonical_path, is_under};
use super::plain::is_plain;
use super::*;
use crate::clock::Timestamp;
use crate::scope::algebra::CallWitness;
use crate::tool::ToolName;
use crate::value::{Object, Value};

/// Bytes of a scope as they come with a token: what is read is written the same, and reads back from its
/// data where that has a spelling.
pub fn scope_bytes(bytes: &[u8]) {
    let Ok(read) = decode_scope(bytes) else {
        assert!(!is_plain(bytes), "plain, and cannot be read");
        return;
    };
    for capability in &read {
        let named = capability.conditions.iter().filter_map(|own| match &own.fact {
            Fact::Arg(path) => Some((path.first()?.clone(), named_by(&own.constraint))),
            _ => None,
        });
        let mut args = Object::new();
        // Of two conditions on one argument, the first says what it is here.
        named.for_each(|(name, value)| drop(args.insert(String::from(name), value)));
        let mut more = args.clone();
        // Refused where the scope names it.
        let _ = more.insert("z", 1);
        for args in [args, more, Object::new()] {
            for resource in [None, Some(Default::default())] {
                let call = CallWitness { args: args.clone(), resource };
                plainness(bytes, &capability.tool, &call);
            }
        }
    }
    let written = encode(&read.iter().collect::<Vec<_>>()).expect("what was read has a spelling");
    assert_eq!(written, bytes, "one spelling");
    let scope = Scope::of(&read, false);
    assert!(scope.check().is_ok());
    // Where conditions on the resource and whether there may be one disagree, people can't write it.
    let plain = |capability: &Capability| {
        let named = capability.conditions.iter().any(|c| !matches!(c.fact, Fact::Arg(_)));
        named == (capability.openness.resource == cover::ResourceOpenness::Named)
    };
    if let (true, Ok(again)) = (read.iter().all(plain), Scope::from_value(&scope.to_value())) {
        assert_eq!(again.to_value(), scope.to_value());
    }
}

/// A value that the constraint names, so that calls come near to what is covered.
fn named_by(constraint: &Constraint) -> Value {
    match &constraint.0 {
        Node::Is(set) => set.iter().next().cloned().unwrap_or(Value::Null),
        Node::Range(kind::Range { lower, upper }) => match lower.or(*upper) {
            Some(bound) => Value::Number(bound.number),
            None => Value::Null,
        },
        Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) | Node::Under(text) => {
            Value::Text(text.clone())
        }
        Node::All(parts) => parts.first().map_or(Value::Null, named_by),
        Node::Len(count) => "a".repeat(usize::try_from(count.min.min(64)).unwrap_or(0)).into(),
        _ => Value::from("a"),
    }
}

/// Bytes that are said to be plain can be read, and what is said to cover a call covers it.
pub(super) fn plainness(bytes: &[u8], tool: &ToolName, call: &CallWitness) {
    let parts = (tool, &call.args, call.resource.is_some());
    if is_plain(bytes) {
        assert!(decode_scope(bytes).is_ok(), "plain, and cannot be read");
    }
    if plainly_covers(bytes, parts) {
        let read = decode_scope(bytes).expect("covers a call, and cannot be read");
        let call_of = (tool.as_str(), &call.args, call.resource.is_some());
        let covered = Capability::first_covering(&read, call_of, call);
        assert!(covered.is_ok(), "{read:?} does not cover {call:?} of {tool}");
    }
}

/// A folder and a path, apart at a zero byte: one spelling each, and what is under which.
pub fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (folder, path) = text.split_once('\0').unwrap_or(("/", text));
    let constraint = under(folder);
    let of = |text: &str| truth(&constraint, Stance::Cover, Some(&Value::from(text)));
    let (Ok(own_folder), Ok(own)) = (canonical_path(folder), canonical_path(path)) else {
        assert!(constraint.check().is_err() || of(path) != Truth::True, "no path, and under one");
        return;
    };
    for own in [&own_folder, &own] {
        assert!(matches!(canonical_path(own), Ok(Cow::Borrowed(same)) if same == *own), "{own}");
        assert!(!own.contains("//") && (own.len() == 1 || !own.ends_with('/')), "{own}");
    }
    assert_eq!(own.starts_with('/'), path.starts_with('/'));
    let inside = is_under(&own, &own_folder);
    assert_eq!(of(&own), Truth::of(inside), "{own} under {own_folder}");
    let other = if path == own { Truth::of(inside) } else { Truth::Unknown };
    assert_eq!(of(path), other, "another spelling is not judged: {path}");
    // Segment by segment.
    let (folder, path) = (segments(&own_folder), segments(&own));
    let same_root = own_folder.starts_with('/') == own.starts_with('/');
    assert_eq!(inside, same_root && path.starts_with(&folder), "{own} under {own_folder}");
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect()
}

/// Two constraints and some values made from the bytes: what the algebra says of the constraints holds
/// of every value that can be thought of.
pub fn algebra(bytes: &[u8]) {
    let mut source = Source(bytes);
    let (a, b) = (source.constraint(3), source.constraint(3));
    if a.check().is_err() || b.check().is_err() {
        return;
    }
    let own: Vec<Option<Value>> = (0..8).map(|_| Some(source.value(2))).collect();
    let values = || universe().iter().chain(&own);
    let inside =
        |c: &Constraint, v: &Option<Value>| truth(c, Stance::Cover, v.as_ref()) == Truth::True;

    let only_a = values().find(|v| inside(&a, v) && !inside(&b, v));
    match a.difference(&b) {
        Difference::Empty => assert_eq!(only_a, None, "nothing in {a} and not in {b}"),
        Difference::Witness(shown) => {
            assert!(inside(&a, &shown), "{shown:?} in {a}");
            assert!(!inside(&b, &shown), "{shown:?} not in {b}");
            assert!(!a.is_within(&b), "{a} within {b} but for {shown:?}");
        }
        Difference::Undecided => {}
    }
    if a.is_within(&b) {
        assert_eq!(only_a, None, "{a} within {b}");
    }
    if !a.overlaps(&b) {
        let both = values().find(|v| inside(&a, v) && inside(&b, v));
        assert_eq!(both, None, "{a} apart from {b}");
    }
    if !a.may_overlap(&b) {
        let both =
            values().find(|v| inside(&a, v) && truth(&b, Stance::Guard, v.as_ref()).may_hold());
        assert_eq!(both, None, "{a} apart from the guard {b}");
    }
}

fn truth(constraint: &Constraint, stance: Stance, value: Option<&Value>) -> Truth {
    constraint.holds_of(value, Absence::Argument, stance, false)
}

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
const LEAVES: usize = if cfg!(feature = "url") { 27 } else { 26 };
const DAYS: [&str; 4] = ["mon", "thu", "sat", "sun"];
const HOURS: [&str; 5] = ["00:00", "08:30", "12:00", "23:59", "24:00"];
const OFFSETS: [&str; 4] = ["+00:00", "+02:00", "-11:30", "+14:00"];

/// Texts that some kind reads as something.
pub(super) const READ: [&str; 31] = [
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "11.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "fe80::1",
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

/// Every value of a small universe, and one that is not there.
fn universe() -> &'static [Option<Value>] {
    static ALL: OnceLock<Vec<Option<Value>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let few: Vec<Value> =
            ["null", "true", "0", "1", "1.5", "2", "\"\"", "\"a\"", "\"ab\"", "[]", "{}", "[1]"]
                .map(|text| Value::from_json(text).expect("JSON"))
                .into();
        let object = |pairs: &[(&'static str, &Value)]| {
            let pairs = pairs.iter().map(|(key, value)| (*key, (*value).clone()));
            Value::Object(Object::from_pairs(pairs).expect("each key once"))
        };
        let mut all = few.clone();
        all.extend(READ.map(Value::from));
        all.extend(["b", "c", "/", "aa", "a/", "/a", "a/b", "aab", "a//b", "é"].map(Value::from));
        for a in &few {
            all.push(Value::List(vec![a.clone()]));
            all.push(object(&[("p", a)]));
            all.push(object(&[("z", a)]));
            for b in &few {
                all.push(Value::List(vec![a.clone(), b.clone()]));
                all.push(object(&[("p", a), ("q", b)]));
            }
        }
        all.into_iter().map(Some).chain([None]).collect()
    })
}

/// Reads whatever is asked for; when the bytes are used up, zeros.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let at = self.byte() % of.len().max(1);
        of.get(at).copied().unwrap_or_default()
    }

    fn text(&mut self, letters: &str, most: usize) -> String {
        let length = self.byte() % (most + 1);
        let count = letters.chars().count();
        (0..length).filter_map(|_| letters.chars().nth(self.byte() % count)).collect()
    }

    fn several<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
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

    fn bound(&mut self) -> crate::value::Number {
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

    fn value(&mut self, depth: usize) -> Value {
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

    fn constraint(&mut self, depth: usize) -> Constraint {
        let kind = self.byte();
        if depth > 0 && !kind.is_multiple_of(3) {
            return match kind / 3 % 9 {
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
            #[cfg(feature = "url")]
            26 => url(self.url_pattern()),
            _ => {
                let days = self.several(|own| own.one(&DAYS));
                weekly(&days, self.one(&HOURS), self.one(&HOURS), self.one(&OFFSETS))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every seed and everything that was once found holds what its target checks.
    fn replay(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        if !folder.parent().is_some_and(Path::exists) {
            println!("skipped: a packaged crate comes without fuzz/seeds");
            return;
        }
        let mut replayed = 0;
        for file in std::fs::read_dir(folder).expect("the target has seeds") {
            let path = file.expect("a file").path();
            println!("{}", path.display());
            check(&std::fs::read(path).expect("a file is read"));
            replayed += 1;
        }
        assert!(replayed > 0, "no seeds");
    }

    #[test]
    fn seeds_of_the_algebra_agree_with_matching() {
        replay("algebra", super::algebra);
    }

    #[test]
    fn seeds_of_covers_agree_with_asking_calls() {
        replay("covers", super::covers);
    }

    #[test]
    #[cfg(feature = "url")]
    fn seeds_of_urls_are_read_as_whoever_opens_them_reads_them() {
        replay("urls", super::urls);
    }

    #[test]
    fn seeds_of_paths_have_one_spelling() {
        replay("paths", super::paths);
    }

    #[test]
    fn seeds_of_scope_bytes_have_one_spelling() {
        replay("scope_bytes", super::scope_bytes);
    }
}
