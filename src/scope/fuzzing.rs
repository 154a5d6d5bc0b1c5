//! What fuzz targets check of the parts of scopes that are not public. There only under `cfg(fuzzing)`,
//! and in tests, which replay `fuzz/seeds`. Nothing is switched off by it.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

mod covers;
mod expressions;
mod globs;
mod price;
mod source;
#[cfg(feature = "url")]
mod urls;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use covers::covers;
pub use expressions::expressions;
pub use globs::globs;
pub use price::price;
#[cfg(feature = "url")]
pub use urls::urls;

use super::encode::encode;
use super::path::{canonical_path, is_under};
use super::plain::is_plain;
use super::*;
use crate::meter::Meter;
use crate::scope::algebra::CallWitness;
use crate::tool::ToolName;
use crate::value::{Object, Value};
pub(super) use source::READ;
use source::Source;

/// The bytes as two texts, apart at the first zero byte.
fn two_texts(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes).ok()?.split_once('\0')
}

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
    let scope = Scope::of(&read, std::collections::BTreeSet::new());
    // A token may name what no call has: it covers nothing then. People may not write it.
    let has_names = |own: &Capability| own.conditions.iter().all(|c| c.name_fault().is_none());
    assert_eq!(scope.check().is_ok(), read.iter().all(has_names));
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
        Node::Range(own) => match own.range().lower.or(own.range().upper) {
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

/// Bytes that are said to be plain can be read, and what is said to cover a call, or to refuse it, does.
pub(super) fn plainness(bytes: &[u8], tool: &ToolName, call: &CallWitness) {
    let parts = (tool, &call.args, call.resource.is_some());
    if is_plain(bytes) {
        assert!(decode_scope(bytes).is_ok(), "plain, and cannot be read");
    }
    let told = plainly(bytes, parts);
    if told != Plainly::Untold {
        let read = decode_scope(bytes).expect("tells of a call, and cannot be read");
        let call_of = (tool.as_str(), &call.args, call.resource.is_some());
        let covered = Capability::first_covering(&read, call_of, call, &Meter::ample());
        let says = if covered.is_some() { Plainly::Covers } else { Plainly::Refuses };
        assert_eq!(says, told, "{read:?} and {call:?} of {tool}");
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
    // Where a relative path is, only who reads it knows.
    let same_root = own_folder.starts_with('/') == own.starts_with('/');
    let told = if same_root { Truth::of(inside) } else { Truth::Unknown };
    assert_eq!(of(&own), told, "{own} under {own_folder}");
    let other = if path == own { told } else { Truth::Unknown };
    assert_eq!(of(path), other, "another spelling is not judged: {path}");
    // Segment by segment.
    let (folder, path) = (segments(&own_folder), segments(&own));
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
    match a.difference(&b, &Meter::ample()) {
        Difference::Empty => assert_eq!(only_a, None, "nothing in {a} and not in {b}"),
        Difference::Witness(shown) => {
            assert!(inside(&a, &shown), "{shown:?} in {a}");
            assert!(!inside(&b, &shown), "{shown:?} not in {b}");
            assert!(!a.is_within(&b, &Meter::ample()), "{a} within {b} but for {shown:?}");
        }
        Difference::Undecided => {}
    }
    if a.is_within(&b, &Meter::ample()) {
        assert_eq!(only_a, None, "{a} within {b}");
    }
    if !a.overlaps(&b, &Meter::ample()) {
        let both = values().find(|v| inside(&a, v) && inside(&b, v));
        assert_eq!(both, None, "{a} apart from {b}");
    }
    if !a.may_overlap(&b, &Meter::ample()) {
        let both =
            values().find(|v| inside(&a, v) && truth(&b, Stance::Guard, v.as_ref()).may_hold());
        assert_eq!(both, None, "{a} apart from the guard {b}");
    }
}

fn truth(constraint: &Constraint, stance: Stance, value: Option<&Value>) -> Truth {
    constraint.holds_of(value, Absence::Argument, stance, false, &Meter::ample())
}

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
    fn seeds_of_urls_are_read_as_what_opens_them_reads_them() {
        replay("urls", super::urls);
    }

    #[test]
    fn seeds_of_globs_agree_with_a_naive_matcher() {
        replay("glob", super::globs);
    }

    #[test]
    fn seeds_of_regular_expressions_agree_with_walking_their_tree() {
        replay("regex", super::expressions);
    }

    #[test]
    fn seeds_of_prices_tell_no_more_with_fewer_steps() {
        replay("price", super::price);
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
