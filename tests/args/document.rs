//! The arguments of a call.

use hallpass::args::{Args, ArgsError, KeyFault, MAX_KEY};
use hallpass::value::{MAX_DEPTH, MAX_NODES, MAX_TEXT, Number, Object, Value};
use serde_json::json;

fn refusal(text: &str) -> ArgsError {
    match Args::from_json(text) {
        Ok(args) => panic!("`{text}` was read as {args}"),
        Err(error) => error,
    }
}

#[test]
fn every_way_to_the_same_arguments_gives_the_same() {
    let args = Args::from_json(r#"{"to":"CH93","amount":98.0,"more":{"b":[1],"a":null}}"#).unwrap();
    let json = json!({ "amount": 98, "more": { "a": null, "b": [1.0] }, "to": "CH93" });
    assert_eq!(Args::try_from(&json), Ok(args.clone()));
    assert_eq!(Args::try_from(json), Ok(args.clone()));
    assert_eq!(Args::try_from(args.object().clone()), Ok(args.clone()));
    assert_eq!(Args::try_from(Value::from(args.clone().into_object())), Ok(args.clone()));
    assert_eq!(Args::from_json(&args.to_json()), Ok(args.clone()));
    assert_eq!(Args::from_json_bytes(args.to_json().as_bytes()), Ok(args.clone()));
    assert_eq!(args.to_string(), args.to_json());
    assert_eq!(serde_json::to_string(&args).unwrap(), args.to_json());
    assert_eq!(args.digest(), Value::from(args.object().clone()).digest());
}

#[test]
fn arguments_are_looked_up_by_name_and_kind() {
    let args = Args::from_json(r#"{"to":"CH93","amount":"98","limit":1e1}"#).unwrap();
    assert_eq!(args.text("to"), Some("CH93"));
    assert_eq!(args.number("amount"), None, "text that looks like a number is text");
    assert_eq!(args.number("limit"), Some(Number::from(10)));
    assert_eq!(args.text("limit"), None);
    assert_eq!(args.get("To"), None);
    assert_eq!(args.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["amount", "limit", "to"]);
    assert_eq!((args.len(), args.is_empty()), (3, false));
}

#[test]
fn no_arguments_are_the_empty_object() {
    assert!(Args::new().is_empty());
    assert_eq!(Args::from_json("{}"), Ok(Args::new()));
    assert_eq!(Args::new().to_json(), "{}");
    assert_eq!(Args::default(), Args::new());
}

#[test]
fn what_is_no_object_is_refused_by_its_kind() {
    for (text, message) in [
        ("null", "arguments are null, expected an object"),
        ("[]", "arguments are a list, expected an object"),
        ("\"{}\"", "arguments are text, expected an object"),
        ("1", "arguments are a number, expected an object"),
    ] {
        assert_eq!(refusal(text).to_string(), message);
    }
}

#[test]
fn malformed_text_is_refused_where_it_stands() {
    let error = refusal("{\"a\":1,\n}");
    assert!(matches!(error, ArgsError::Malformed(_)));
    assert_eq!(
        error.to_string(),
        "malformed arguments: line 2 column 1: expected a key in double quotes"
    );
    assert!(matches!(Args::from_json_bytes(b"{\"\xff\":1}"), Err(ArgsError::Malformed(_))));
}

/// attack 12: at any depth, and through escapes.
#[test]
fn a_key_that_no_one_can_see_fully_is_refused() {
    let hidden = [
        '\0',
        '\n',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2028}',
        '\u{2060}',
        '\u{2066}',
        '\u{3164}',
        '\u{feff}',
        '\u{e0061}',
        '\u{61c}',
        '\u{fe0f}',
    ];
    for hidden in hidden {
        let key = format!("pa{hidden}th");
        for json in [json!({ &*key: 1 }), json!({ "a": [{ "b": { &*key: 1 } }] })] {
            for args in [Args::try_from(json.clone()), Args::from_json(&json.to_string())] {
                let Err(ArgsError::BadKey { key: bad, fault }) = args else {
                    panic!("{key:?}: {args:?}")
                };
                assert_eq!((&*bad, fault), (&*key, KeyFault::HiddenCharacter));
            }
        }
    }
    assert_eq!(
        refusal("{\"pa\\u202eth\":1}").to_string(),
        "argument key `pa\\u{202e}th` is not plain text: it has control, zero-width or \
         bidirectional characters"
    );
    assert!(Args::from_json("{\"größe 東京\": \"\u{200b} is fine in a text\"}").is_ok());
}

#[test]
fn a_key_is_neither_empty_nor_endless() {
    assert_eq!(refusal("{\"\":1}").to_string(), "argument key `` is empty");
    let key = |bytes| json!({ "x".repeat(bytes): 1 });
    assert!(Args::try_from(key(MAX_KEY)).is_ok());
    let error = Args::try_from(key(MAX_KEY + 1)).unwrap_err();
    assert!(matches!(error, ArgsError::BadKey { fault: KeyFault::TooLong, .. }));
    assert!(error.to_string().len() < 120, "{error}");
}

/// attack 26, attack 27
#[test]
fn numbers_are_exact_or_refused() {
    let args = Args::from_json(r#"{"n":9007199254740993,"z":-0.0}"#).unwrap();
    assert!(args.number("n") > Some(Number::from(9_007_199_254_740_992_i64)));
    assert_eq!(args.number("z"), Some(Number::ZERO));
    assert!(matches!(refusal(r#"{"n":1e400}"#), ArgsError::Malformed(_)));
    assert!(matches!(refusal(r#"{"n":NaN}"#), ArgsError::Malformed(_)));
    assert!(matches!(Args::try_from(json!({ "n": 1e300 })), Err(ArgsError::Number(_))));
}

/// attack 28, attack 29
#[test]
fn an_argument_given_twice_is_refused() {
    for text in [r#"{"path":"/data/x","path":"/etc"}"#, r#"{"path":"/data/x","p\u0061th":"/etc"}"#]
    {
        assert_eq!(refusal(text), ArgsError::DuplicateKey("path".into()));
    }
    assert_eq!(refusal(r#"{"a":1,"a":1}"#).to_string(), "argument `a` is given twice");
}

/// attack 30, whichever way the arguments come.
#[test]
fn arguments_over_a_limit_are_refused() {
    let nested = |levels| (0..levels).fold(Value::from(1), |inner, _| Value::from([inner]));
    let object = |value: Value| Object::from_pairs([("a", value)]).unwrap();
    assert!(Args::try_from(object(nested(MAX_DEPTH - 1))).is_ok());
    assert_eq!(Args::try_from(object(nested(MAX_DEPTH))), Err(ArgsError::TooDeep));
    let objects = (0..MAX_DEPTH + 1).fold(Value::Null, |inner, _| Value::from(object(inner)));
    assert_eq!(Args::try_from(objects), Err(ArgsError::TooDeep));
    assert_eq!(refusal(&format!("{{\"a\":{}", "[".repeat(10_000))), ArgsError::TooDeep);
    let json = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
    assert_eq!(Args::try_from(json), Err(ArgsError::TooDeep));

    let nodes = |nodes| object(Value::from(vec![0; nodes - 2]));
    assert!(Args::try_from(nodes(MAX_NODES)).is_ok());
    assert_eq!(Args::try_from(nodes(MAX_NODES + 1)), Err(ArgsError::TooLarge));

    let text = |bytes: usize| object(Value::from(["x".repeat(bytes - 11), "x".repeat(10)]));
    assert!(Args::try_from(text(MAX_TEXT)).is_ok());
    assert_eq!(Args::try_from(text(MAX_TEXT + 1)), Err(ArgsError::TooLarge));
    assert_eq!(refusal(&" ".repeat(10 << 20)), ArgsError::TooLarge);
}

/// A sender chooses the order of keys; the worst one costs a sort and not a move per key.
#[test]
fn thousands_of_keys_in_reverse_order_are_read() {
    let keys: Vec<_> = (0..20_000).rev().map(|n| format!("\"k{n:05}\":{n}")).collect();
    let args = Args::from_json(&format!("{{{}}}", keys.join(","))).unwrap();
    assert_eq!(args.len(), 20_000);
    assert!(args.iter().map(|(_, value)| value.as_number()).is_sorted());
}

#[test]
fn a_function_may_take_whatever_becomes_arguments() {
    fn call<A>(args: A) -> Result<Args, ArgsError>
    where
        A: TryInto<Args>,
        A::Error: Into<ArgsError>,
    {
        args.try_into().map_err(Into::into)
    }
    assert_eq!(call(json!({})), call(Args::new()));
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Payment<'a> {
    to: &'a str,
    amount: f64,
    kind: PaymentKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaymentKind {
    Once,
    Monthly { day: u8 },
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Line {
    #[serde(rename = "ref")]
    reference: u64,
    share: f32,
}

#[test]
fn a_hosts_own_type_is_written_and_read_back_as_it_was() {
    for kind in [PaymentKind::Once, PaymentKind::Monthly { day: 31 }] {
        let lines = vec![Line { reference: u64::MAX, share: 0.1 }];
        let paid = Payment { to: "CH93", amount: 99.95, kind, note: None, lines };
        let args = Args::from_serialize(&paid).unwrap();
        assert_eq!(args.number("amount"), Some(Number::parse("99.95").unwrap()));
        assert!(args.to_json().contains(r#"{"ref":18446744073709551615,"share":0.1}"#), "{args}");
        assert_eq!(args.parse::<Payment<'_>>().unwrap(), paid);
    }
}

#[test]
fn what_does_not_fit_says_where_and_shows_nothing_hidden() {
    let text = r#"{"to":"CH93","amount":1,"kind":"once","lines":[{"ref":1,"share":"a\u200bb"}]}"#;
    let args = Args::from_json(text).unwrap();
    let ArgsError::Misfit(said) = args.parse::<Payment<'_>>().unwrap_err() else { panic!() };
    assert!(said.starts_with("`lines.share`: invalid type: string \"a"), "{said}");
    assert!(!said.contains('\u{200b}'), "{said}");
    let nested = Args::from_json(r#"{"order":{"line":{"ref":-1,"share":1}}}"#).unwrap();
    type Nested = std::collections::BTreeMap<String, std::collections::BTreeMap<String, Line>>;
    let ArgsError::Misfit(said) = nested.parse::<Nested>().unwrap_err() else { panic!() };
    assert!(said.starts_with("`order.line.ref`: "), "{said}");
    let long = Args::from_json(&format!(r#"{{"n":"{}"}}"#, "x".repeat(10_000))).unwrap();
    let misfit = long.parse::<std::collections::BTreeMap<String, u8>>().unwrap_err();
    assert!(misfit.to_string().len() < 400);
}

/// attack 27: what was decided about is what the tool gets, or nothing.
#[test]
fn a_number_that_a_float_would_round_does_not_fit() {
    #[derive(Debug, serde::Deserialize)]
    struct Floats {
        #[serde(default)]
        n: f64,
        #[serde(default)]
        m: f32,
    }
    for fits in [r#"{"n":0.1}"#, r#"{"n":9007199254740992}"#, r#"{"m":0.1}"#, r#"{"m":16777216}"#] {
        let args = Args::from_json(fits).unwrap();
        let Floats { n, m } = args.parse().unwrap();
        let written = |float: &dyn std::fmt::Display| Number::parse(&float.to_string()).unwrap();
        let read = [("n", written(&n)), ("m", written(&m))];
        let (name, value) = args.iter().next().unwrap();
        assert!(read.contains(&(name, value.as_number().unwrap())), "{fits}: {n} {m}");
    }
    for rounded in [
        r#"{"n":9007199254740993}"#,
        r#"{"n":99.999999999999999999}"#,
        r#"{"n":0.1000000000000000055}"#,
        r#"{"m":16777217}"#,
        r#"{"m":0.10000000149}"#,
    ] {
        let misfit = Args::from_json(rounded).unwrap().parse::<Floats>().unwrap_err();
        assert!(misfit.to_string().contains("a float would round"), "{misfit}");
    }
    // Data that takes whatever there is gets no rounded number either.
    let open = Args::from_json(r#"{"n":0.1000000000000000055}"#).unwrap();
    assert!(open.parse::<serde_json::Value>().is_err());
    assert_eq!(
        Args::from_json(r#"{"n":0.1}"#).unwrap().parse::<serde_json::Value>().unwrap()["n"],
        0.1
    );
}

#[test]
fn data_that_says_a_key_twice_or_is_no_object_is_refused() {
    #[derive(serde::Serialize)]
    struct Inner {
        to: u8,
    }
    #[derive(serde::Serialize)]
    struct Outer {
        to: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    let twice = Args::from_serialize(&Outer { to: 1, inner: Inner { to: 2 } });
    assert_eq!(twice, Err(ArgsError::DuplicateKey("to".into())));
    assert_eq!(Args::from_serialize(&[1]), Err(ArgsError::NotAnObject("list")));
    let keyed = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(Args::from_serialize(&keyed), Err(ArgsError::Unwritable(_))));
}

#[test]
fn arguments_go_to_serde_json_and_back_unless_it_would_round() {
    let exact =
        Args::from_json(r#"{"a":[1,-2.5,18446744073709551615,null,true,"x",{"b":{}}]}"#).unwrap();
    assert_eq!(Args::try_from(serde_json::Value::from(&exact)), Ok(exact.clone()));
    let serde_json::Value::Object(map) = serde_json::Value::from(exact.clone()) else { panic!() };
    assert_eq!(Args::try_from(map), Ok(exact));
    let wide = Args::from_json(r#"{"n":12345678901234567890123}"#).unwrap();
    assert_eq!(serde_json::Value::from(wide)["n"], json!("12345678901234567890123"));
}
