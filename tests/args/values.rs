//! Values: reading, writing, converting, one byte form.

use hallpass::value::{
    JsonErrorKind, MAX_DEPTH, MAX_NODES, MAX_TEXT, Number, Object, Value, ValueError,
};
use proptest::prelude::*;
use serde_json::json;

use crate::byte_forms::{encoded, values_with};

pub(crate) fn read(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn refusal(text: &str) -> String {
    match Value::from_json(text) {
        Ok(value) => panic!("`{text}` was read as {value}"),
        Err(error) => error.to_string(),
    }
}

/// Few texts and numbers, so that equal parts and shared beginnings are common.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let decimals = (any::<i64>(), 0..30).prop_filter_map("fits", |(digits, scale)| {
        Number::parse(&format!("{digits}e-{scale}")).ok()
    });
    values_with(decimals.boxed())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_value_written_reads_back_as_the_same(value in values()) {
        prop_assert_eq!(Value::from_json(&value.to_json()), Ok(value.clone()));
        prop_assert_eq!(value.to_string(), value.to_json());
    }

    #[test]
    fn the_reader_agrees_with_serde_json_on_numbers_it_does_not_round(
        value in values_with((any::<i32>(), 0..9).prop_map(|(digits, scale)| {
            Number::parse(&format!("{digits}e-{scale}")).unwrap()
        }).boxed())
    ) {
        let theirs: serde_json::Value = serde_json::from_str(&value.to_json()).unwrap();
        prop_assert_eq!(Value::try_from(&theirs), Ok(value.clone()));
        prop_assert_eq!(Value::try_from(theirs.clone()), Ok(value.clone()));
        prop_assert_eq!(Value::from_json(&theirs.to_string()), Ok(value.clone()));
        prop_assert_eq!(serde_json::to_value(&value).unwrap(), theirs);
    }

    #[test]
    fn the_reader_refuses_what_serde_json_refuses(text in "[\\[\\]{}:,\"\\\\u0-2ae. \n-]{0,24}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match Value::from_json(&text) {
            Ok(_) => prop_assert!(theirs.is_ok()),
            Err(error) => prop_assert!(
                !matches!(error.kind(), JsonErrorKind::Expected(_)) || theirs.is_err(),
                "{:?} {}", text, error
            ),
        }
    }

    #[test]
    fn objects_of_any_order_of_keys_are_the_same(map in prop::collection::hash_map("[a-c]{0,3}", 0..9_i32, 0..20)) {
        let mut sorted: Vec<_> = map.clone().into_iter().collect();
        let all_at_once = Object::from_pairs(map.clone()).unwrap();
        sorted.sort();
        let mut one_by_one = Object::new();
        for (key, value) in map {
            one_by_one.insert(key, value).unwrap();
        }
        prop_assert_eq!(&one_by_one, &all_at_once);
        let keys: Vec<_> = sorted.iter().map(|(key, _)| key.as_str()).collect();
        prop_assert_eq!(all_at_once.keys().collect::<Vec<_>>(), keys);
        for (key, value) in &sorted {
            prop_assert_eq!(all_at_once.get(key), Some(&Value::from(*value)));
            prop_assert_eq!(one_by_one.get_mut(key), Some(&mut Value::from(*value)));
            prop_assert!(one_by_one.insert(key.clone(), 10).is_err());
            prop_assert!(Object::from_pairs(sorted.iter().cloned().chain([(key.clone(), 1)])).is_err());
        }
        prop_assert_eq!(one_by_one, all_at_once);
    }

    #[test]
    fn data_passes_through_serde_where_floats_are_exact(value in values()) {
        let theirs = serde_json::to_value(&value).unwrap();
        let back: Value = serde_json::from_value(theirs).unwrap();
        // What no float holds is text there.
        fn as_read_back(value: &Value) -> Value {
            match value {
                Value::Number(number) if number.to_i64().is_none() && number.to_u64().is_none() => {
                    let float: f64 = number.to_string().parse().unwrap();
                    if Number::try_from(float).as_ref() == Ok(number) {
                        value.clone()
                    } else {
                        Value::from(number.to_string())
                    }
                }
                Value::List(list) => Value::List(list.iter().map(as_read_back).collect()),
                Value::Object(object) => Value::Object(
                    Object::from_pairs(object.iter().map(|(k, v)| (k.to_owned(), as_read_back(v)))).unwrap(),
                ),
                other => other.clone(),
            }
        }
        prop_assert_eq!(back, as_read_back(&value));
    }
}

/// attack 26: what looks alike and is of another kind is not equal.
#[test]
fn kinds_are_not_mixed_up() {
    let alike = ["null", "false", "0", "\"\"", "[]", "{}", "\"0\"", "[0]", "true", "1", "\"1\""];
    for (at, left) in alike.iter().enumerate() {
        for right in &alike[at + 1..] {
            assert_ne!(read(left), read(right));
            assert_ne!(encoded(&read(left)), encoded(&read(right)));
        }
    }
    assert_eq!(read("-0.0"), read("0"));
    assert_eq!(encoded(&read("-0.0")), encoded(&read("0e7")));
    for text in ["NaN", "Infinity", "-Infinity", "[1e999]"] {
        assert!(Value::from_json(text).is_err(), "{text}");
    }
    assert_eq!(read("\"100\"").as_number(), None);
    assert_eq!(read("true").as_number(), None);
    assert_eq!(read("1").as_bool(), None);
}

/// attack 27
#[test]
fn wide_integers_are_read_exactly() {
    assert_ne!(read("9007199254740993"), read("9007199254740992"));
    assert_eq!(read("9007199254740993").to_json(), "9007199254740993");
    assert_eq!(read("18446744073709551615"), Value::from(u64::MAX));
    assert_eq!(read("-9223372036854775808"), Value::from(i64::MIN));
    assert_eq!(refusal("[1e400]"), "line 1 column 2: expected a number of at most 38 digits");
}

/// attack 28, attack 29: also deep inside, and also where only one of the spellings has escapes.
#[test]
fn a_key_given_twice_is_refused_where_it_stands() {
    for (text, message) in [
        (r#"{"path":"/data/x","path":"/etc"}"#, "line 1 column 19: key `path` is given twice"),
        (r#"{"path":1,"p\u0061th":2}"#, "line 1 column 11: key `path` is given twice"),
        ("[{\"a\": {\"b\": 1,\n \"c\": 2, \"b\": 1}}]", "line 2 column 10: key `b` is given twice"),
        (r#"{"":1,"":1}"#, "line 1 column 7: key `` is given twice"),
        (r#"{"\/":1,"é":1,"/":1}"#, "line 1 column 15: key `/` is given twice"),
        (r#"{"\ud83d\ude42":1,"🙂":1}"#, "line 1 column 19: key `🙂` is given twice"),
        (r#"{"\n":1,"\u000a":1}"#, r"line 1 column 9: key `\u{a}` is given twice"),
    ] {
        assert_eq!(refusal(text), message);
    }
}

/// attack 30: nesting is counted, not run into; size is looked at before anything else.
#[test]
fn too_much_text_is_refused_before_it_costs_anything() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert_eq!(read(&nested(MAX_DEPTH)).depth(), MAX_DEPTH);
    let too_deep = "line 1 column 33: expected at most 32 levels of nesting";
    assert_eq!(refusal(&nested(MAX_DEPTH + 1)), too_deep);
    assert_eq!(refusal(&nested(10_000)), too_deep);
    assert_eq!(refusal(&"[".repeat(10_000)), too_deep);
    assert!(refusal(&"{\"a\":".repeat(10_000)).contains("expected at most 32 levels"));
    assert_eq!(read(&format!("[{}1]", "[],".repeat(100))).depth(), 2, "siblings are not levels");

    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert!(Value::from_json(&text(MAX_TEXT)).is_ok());
    assert_eq!(
        refusal(&text(MAX_TEXT + 1)),
        "line 1 column 1: expected at most 1048576 bytes of text"
    );
    assert_eq!(
        refusal(&"?".repeat(10 << 20)),
        "line 1 column 1: expected at most 1048576 bytes of text"
    );
    let error = Value::from_json_bytes(&vec![0xff; MAX_TEXT + 1]).unwrap_err();
    assert_eq!(error.kind(), &JsonErrorKind::TooLong(MAX_TEXT));

    let list = |nodes: usize| format!("[{}0]", "0,".repeat(nodes - 2));
    assert!(Value::from_json(&list(MAX_NODES)).is_ok());
    assert!(refusal(&list(MAX_NODES + 1)).ends_with("expected at most 65536 values"));
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (text, message) in [
        ("", "line 1 column 1: expected a value"),
        ("{\"é\" 1}", "line 1 column 6: expected `:`"),
        ("{\n\"a\": 1\n\"b\": 2}", "line 3 column 1: expected `,` or `}`"),
        ("{a: 1}", "line 1 column 2: expected a key in double quotes"),
        ("{\"a\": 1,}", "line 1 column 9: expected a key in double quotes"),
        ("[1,]", "line 1 column 4: expected a value"),
        ("[1 2]", "line 1 column 4: expected `,` or `]`"),
        ("1 2", "line 1 column 3: expected the end of the text"),
        ("[01]", "line 1 column 2: expected a number in JSON's form"),
        ("\"a", "line 1 column 3: expected a closing `\"`"),
        ("\"a\n\"", "line 1 column 3: expected an escape instead of a control character"),
        (r#""\x41""#, "line 1 column 3: expected one of the escapes JSON has"),
        (r#""\u+041""#, "line 1 column 4: expected four hexadecimal digits"),
        (r#""\u00é1""#, "line 1 column 4: expected four hexadecimal digits"),
        (r#""a\ud800b""#, "line 1 column 3: expected both halves of a surrogate pair"),
        (r#""\ud800\ue000""#, "line 1 column 2: expected both halves of a surrogate pair"),
        (r#""\ud800\udbff""#, "line 1 column 2: expected both halves of a surrogate pair"),
        (r#""\udc00""#, "line 1 column 2: expected both halves of a surrogate pair"),
        ("nul", "line 1 column 1: expected a value"),
        ("True", "line 1 column 1: expected a value"),
        ("\u{feff}1", "line 1 column 1: expected a value"),
        ("[1] // no", "line 1 column 5: expected the end of the text"),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
}

#[test]
fn escapes_are_what_they_stand_for() {
    let text = read(r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE42\u0000x""#);
    assert_eq!(text.as_text(), Some("\"\\/\u{8}\u{c}\n\r\té🙂\0x"));
    assert_eq!(read(r#""\ud800\udc00\udbff\udfff""#).as_text(), Some("\u{10000}\u{10ffff}"));
    assert_eq!(text.to_json(), "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\té🙂\\u0000x\"");
}

#[test]
fn data_of_serde_json_too_deep_or_too_wide_is_refused() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(Value::try_from(nested(MAX_DEPTH)).unwrap().depth(), MAX_DEPTH);
    for levels in [MAX_DEPTH + 1, 100] {
        assert_eq!(Value::try_from(nested(levels)), Err(ValueError::TooDeep));
        assert_eq!(Value::try_from(&nested(levels)), Err(ValueError::TooDeep));
        assert!(serde_json::from_value::<Value>(nested(levels)).is_err());
    }
    let objects = (0..=MAX_DEPTH).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(Value::try_from(&objects), Err(ValueError::TooDeep));
    assert_eq!(Value::try_from(objects), Err(ValueError::TooDeep));
    assert!(Value::try_from(json!([1e300])).is_err());
    assert_eq!(Value::try_from(json!(0.1)), Ok(read("0.1")));
    assert_eq!(Value::try_from(json!(u64::MAX)), Ok(Value::from(u64::MAX)));
    assert_eq!(Value::try_from(json!(-0.0)), Ok(Value::from(0)));
}

/// attack 28 by way of serde, and other formats' own kinds that would pass for objects.
#[test]
fn deserialising_is_as_strict_as_serde_lets_it_be() {
    let refused = |text: &str| serde_json::from_str::<Value>(text).unwrap_err().to_string();
    assert!(refused(r#"{"a":1,"a":2}"#).contains("key `a` is given twice"));
    assert!(refused(r#"{"$serde_json::private::Number":"1"}"#).contains("own kind"));
    assert!(toml::from_str::<Value>("a = 1979-05-27").is_err());
    assert_eq!(toml::from_str::<Value>("a = [0.1, 2]").unwrap(), read(r#"{"a":[0.1,2]}"#));
    assert!(serde_json::from_str::<Object>("[]").is_err());
    assert!(serde_json::from_str::<Number>("\"1\"").is_err());
    assert_eq!(serde_json::from_str::<Number>("1.50").unwrap(), Number::parse("1.5").unwrap());
}

#[test]
fn a_number_no_float_holds_is_serialised_as_text_and_written_as_a_number() {
    let wide = read("0.12345678901234567890123");
    assert_eq!(serde_json::to_value(&wide).unwrap(), json!("0.12345678901234567890123"));
    assert_eq!(wide.to_json(), "0.12345678901234567890123");
    assert_eq!(serde_json::to_value(read("0.1")).unwrap(), json!(0.1));
    assert_eq!(serde_json::to_value(read("18446744073709551615")).unwrap(), json!(u64::MAX));
}

#[test]
fn a_value_knows_its_kind() {
    let kinds = [
        ("null", "null"),
        ("true", "boolean"),
        ("1", "number"),
        ("\"\"", "text"),
        ("[]", "list"),
        ("{}", "object"),
    ];
    for (text, kind) in kinds {
        assert_eq!(read(text).kind_name(), kind);
    }
    assert_eq!(read("[1]").as_list(), Some(&[Value::from(1)][..]));
    assert_eq!(read("[1]").as_object(), None);
    assert_eq!(read("{}").as_object(), Some(&Object::new()));
    assert_eq!(read("1").depth(), 0);
    assert_eq!(read("[{\"a\":[]},1]").depth(), 3);
    assert_eq!(read("{}").depth(), 1);
}

#[test]
fn a_value_takes_at_most_32_bytes() {
    assert!(size_of::<Value>() <= 32);
}
