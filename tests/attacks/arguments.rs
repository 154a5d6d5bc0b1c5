//! Arguments and numbers: what is not named, of another kind, or too much.

use hallpass::args::{Args, ArgsError};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{any, each, eq, fields, max, min, not, prefix};
use serde_json::json;

use crate::strings::{DENIED, PASSES, by_scope, check};
use crate::world::{World, broad, call};

/// attack 15, attack 16: every element has to match, and no element matches nothing
#[test]
fn a_list_passes_only_if_all_of_it_does() {
    let data = || prefix("/data/");
    check(&[
        (data(), r#"{"x":["/data/a","/data/b"]}"#, PASSES, DENIED),
        (data(), r#"{"x":["/data/a","/etc/passwd"]}"#, DENIED, DENIED),
        (data(), r#"{"x":["/etc/passwd","/data/a"]}"#, DENIED, DENIED),
        (data(), r#"{"x":["/etc/passwd"]}"#, DENIED, PASSES),
        (data(), r#"{"x":[["/data/a"],["/etc/passwd"]]}"#, DENIED, DENIED),
        (data(), r#"{"x":["/data/a",7]}"#, DENIED, DENIED),
        (data(), r#"{"x":[]}"#, DENIED, PASSES),
        (data(), r#"{"x":[[]]}"#, DENIED, PASSES),
        (any(), r#"{"x":[]}"#, PASSES, DENIED),
        (each(data()), r#"{"x":[]}"#, DENIED, PASSES),
        (each(data()), r#"{"x":["/data/a","/etc"]}"#, DENIED, PASSES),
        (not(data()), r#"{"x":[]}"#, DENIED, PASSES),
        (not(data()), r#"{"x":["/etc","/data/a"]}"#, DENIED, DENIED),
    ]);
}

/// attack 17, attack 22, attack 23: what is not named makes a permit and a scope not match, so
/// nothing can be carried in next to what was checked
#[test]
fn an_argument_that_no_one_named_is_refused() {
    let data = || prefix("/data/");
    let inner = || fields([("path", data())]);
    check(&[
        (data(), r#"{"x":"/data/a","patch":"*** Update File: ../../x"}"#, DENIED, DENIED),
        (eq("select"), r#"{"x":"DROP","note":"select"}"#, DENIED, PASSES),
        (any(), r#"{"x":1,"y":null}"#, DENIED, DENIED),
        (inner(), r#"{"x":{"path":"/data/a"}}"#, PASSES, DENIED),
        (inner(), r#"{"x":{"path":"/data/a","mode":"w"}}"#, DENIED, DENIED),
        (inner().other_fields(), r#"{"x":{"path":"/data/a","mode":"w"}}"#, PASSES, DENIED),
        (inner(), r#"{"x":{"path":{"path":"/data/a"}}}"#, DENIED, DENIED),
    ]);
}

/// attack 24: said nothing of arguments means no arguments
#[test]
fn any_arguments_have_to_be_spelled_out() {
    let world =
        World::new([Rule::permit("none").tool("t"), Rule::permit("any").tool("u").any_args()]);
    let task = world.open();
    let wider = task.request(Scope::tool("t").any_args(), &world.context).unwrap_err();
    assert_eq!(wider.reason(), Reason::NotCovered);
    let wider = task.request(Scope::tool("t").arg("x", eq(1)), &world.context).unwrap_err();
    assert_eq!(wider.reason(), Reason::NotCovered);
    let none = task.request(Scope::tool("t"), &world.context).unwrap();
    assert_eq!(world.attempt(&none, call(json!({}))), Ok(()));
    assert_eq!(world.attempt(&none, call(json!({ "x": 1 }))), Err(Reason::OutOfScope));

    let narrow = task.request(Scope::tool("u"), &world.context).unwrap();
    let of_u = |args| Call::new("u", args).unwrap();
    assert_eq!(world.attempt(&narrow, of_u(json!({}))), Ok(()));
    assert_eq!(world.attempt(&narrow, of_u(json!({ "x": 1 }))), Err(Reason::OutOfScope));

    // The same of the rule alone.
    let world = World::new([
        broad().on([Moment::Request]),
        Rule::permit("none").tool("t").on([Moment::Call]),
    ]);
    let (_task, grant) = world.granted();
    assert_eq!(world.attempt(&grant, call(json!({}))), Ok(()));
    assert_eq!(world.attempt(&grant, call(json!({ "x": 1 }))), Err(Reason::NoPermit));
}

/// attack 25: absent, null and of another kind are denied, and operators can tell them apart
#[test]
fn absent_null_and_another_kind_have_three_explanations() {
    let world = World::new([Rule::permit("p").tool("t").arg("x", max(10))]);
    let task = world.open();
    let grant = task.request(Scope::tool("t").arg("x", max(10)), &world.context).unwrap();
    let rows = [
        ("{}", "`args.x` is absent"),
        (r#"{"x":null}"#, "`args.x` is null"),
        (r#"{"x":"5"}"#, "`args.x` is of another kind"),
        (r#"{"x":true}"#, "`args.x` is of another kind"),
        (r#"{"x":{}}"#, "`args.x` is of another kind"),
        (r#"{"x":11}"#, "`args.x` is another value"),
    ];
    for (args, expected) in rows {
        let denial = world.authorize(&grant, Call::from_json("t", args).unwrap()).unwrap_err();
        assert_eq!(denial.reason(), Reason::OutOfScope, "{args}");
        let explanation = denial.explain().to_string();
        assert!(explanation.contains(expected), "{args}: {explanation}");
    }
    assert_eq!(world.attempt(&grant, call(json!({ "x": 10 }))), Ok(()));
}

/// attack 26: a value of another kind is neither the value nor known not to be it
#[test]
fn what_looks_like_a_number_is_none() {
    check(&[
        (max(100), r#"{"x":100}"#, PASSES, DENIED),
        (max(100), r#"{"x":"100"}"#, DENIED, DENIED),
        (max(100), r#"{"x":true}"#, DENIED, DENIED),
        (max(100), r#"{"x":null}"#, DENIED, DENIED),
        (eq(1), r#"{"x":true}"#, DENIED, DENIED),
        (eq(1), r#"{"x":"1"}"#, DENIED, DENIED),
        (eq(1), r#"{"x":1.0}"#, PASSES, DENIED),
        (eq(0), r#"{"x":-0.0}"#, PASSES, DENIED),
        (min(0), r#"{"x":-0.0}"#, PASSES, DENIED),
        (eq("1"), r#"{"x":1}"#, DENIED, DENIED),
    ]);
    for text in [r#"{"x":NaN}"#, r#"{"x":Infinity}"#, r#"{"x":-Infinity}"#, r#"{"x":+1}"#] {
        assert!(Call::from_json("t", text).is_err(), "{text}");
    }
    // A host that builds JSON from a float that is not a number gets `null`, which no bound covers.
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let args = json!({ "x": float }).to_string();
        assert_eq!(by_scope(&max(100), &args), Err(Reason::OutOfScope));
    }
}

/// attack 27: numbers are compared exactly, or refused before anything is compared
#[test]
fn numbers_are_never_rounded_into_a_bound() {
    check(&[
        (max(1_i64 << 53), r#"{"x":9007199254740992}"#, PASSES, DENIED),
        (max(1_i64 << 53), r#"{"x":9007199254740993}"#, DENIED, PASSES),
        (max(1_i64 << 53), r#"{"x":9007199254740992.5}"#, DENIED, PASSES),
        (max(0), r#"{"x":-9223372036854775808}"#, PASSES, DENIED),
        (min(0), r#"{"x":-9223372036854775808}"#, DENIED, PASSES),
        (max(i64::MAX), r#"{"x":18446744073709551615}"#, DENIED, PASSES),
        (max(u64::MAX), r#"{"x":18446744073709551615}"#, PASSES, DENIED),
        (max(u64::MAX), r#"{"x":18446744073709551616}"#, DENIED, PASSES),
    ]);
    for text in [r#"{"x":1e400}"#, r#"{"x":-1e400}"#, r#"{"x":1e-400}"#, r#"{"x":1e99999999999}"#] {
        assert!(Call::from_json("t", text).is_err(), "{text}");
    }
}

/// attack 28, attack 29: a key given twice is refused before anything is decided, however spelled
#[test]
fn a_key_given_twice_is_refused() {
    let rows = [
        r#"{"path":"/data/x","path":"/etc"}"#,
        r#"{"path":"/data/x","p\u0061th":"/etc"}"#,
        r#"{"p\u0061th":"/data/x","\u0070ath":"/etc"}"#,
        r#"{"deep":[{"path":1,"path":1}]}"#,
        "{\"\u{1F600}\":1,\"\\ud83d\\ude00\":2}",
    ];
    for text in rows {
        let error = Args::from_json(text).unwrap_err();
        assert!(matches!(error, ArgsError::DuplicateKey(_)), "{text}: {error}");
        assert!(Call::from_json("t", text).is_err(), "{text}");
    }
    let rule = r#"{"id":"p","effect":"permit","effect":"forbid","what":{"tool":"t","args":"any"}}"#;
    assert!(Policy::from_json(&format!(r#"{{"version":1,"rule":[{rule}]}}"#)).is_err());
}

/// attack 30: depth and size are bounded before anything else happens
#[test]
fn deep_and_large_arguments_are_refused() {
    let deep = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(Args::from_json(&deep(10_000)).unwrap_err(), ArgsError::TooDeep);
    assert_eq!(Args::from_json(&deep(1_000_000)).unwrap_err(), ArgsError::TooLarge);
    let objects = format!("{}1{}", "{\"x\":".repeat(10_000), "}".repeat(10_000));
    assert_eq!(Args::from_json(&objects).unwrap_err(), ArgsError::TooDeep);
    let large = format!("{{\"x\":\"{}\"}}", "a".repeat(10 << 20));
    assert_eq!(Args::from_json(&large).unwrap_err(), ArgsError::TooLarge);
    // Nor by way of a tree that was parsed elsewhere.
    let tree = (0..1_000).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(Args::try_from(json!({ "x": tree })).unwrap_err(), ArgsError::TooDeep);
    assert_eq!(
        Args::try_from(json!({ "x": "a".repeat(10 << 20) })).unwrap_err(),
        ArgsError::TooLarge
    );
}
