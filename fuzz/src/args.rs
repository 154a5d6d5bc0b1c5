//! Arguments: read strictly, and where `serde_json` reads them, too, read the same.

use hallpass::args::{Args, ArgsError};
use hallpass::value::{JsonErrorKind, Number, Object, Value};
use serde_json::Value as Json;

pub fn args(bytes: &[u8]) {
    let theirs: Result<Json, _> = serde_json::from_slice(bytes);
    match Args::from_json_bytes(bytes) {
        Ok(args) => {
            let theirs = theirs.expect("what is read here is JSON to others");
            same_object(args.object(), &theirs);
            round_trip(&args);
        }
        Err(error) => {
            let not_json = match &error {
                ArgsError::Malformed(error) => {
                    matches!(error.kind(), JsonErrorKind::Expected(_) | JsonErrorKind::NotUtf8)
                }
                _ => false,
            };
            assert!(!not_json || theirs.is_err(), "refused as no JSON: {error}");
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
        }
    }
}

fn round_trip(args: &Args) {
    let text = args.to_json();
    let again = Args::from_json(&text).expect("its own text is read");
    assert_eq!(&again, args);
    assert_eq!(again.digest(), args.digest());
    assert_eq!(again.to_json(), text, "one text");

    // Through a tree that knows 64 bits and floats, where that loses nothing.
    let json = serde_json::to_value(args).expect("arguments are data");
    if let Ok(lossy) = Args::try_from(&json) {
        assert_eq!(lossy == *args, lossy.digest() == args.digest());
    }
    // Another order of keys and other spellings of numbers.
    let spelled = other_spelling(&Value::Object(args.object().clone()));
    if let Ok(other) = Args::from_json(&spelled) {
        assert_eq!(&other, args, "{spelled}");
        assert_eq!(other.digest(), args.digest());
    }
}

fn same(ours: &Value, theirs: &Json) {
    match (ours, theirs) {
        (Value::Null, Json::Null) => {}
        (Value::Bool(ours), Json::Bool(theirs)) => assert_eq!(ours, theirs),
        (Value::Number(ours), Json::Number(theirs)) => same_number(*ours, theirs),
        (Value::Text(ours), Json::String(theirs)) => assert_eq!(**ours, **theirs),
        (Value::List(ours), Json::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len());
            ours.iter().zip(theirs).for_each(|(ours, theirs)| same(ours, theirs));
        }
        (Value::Object(ours), theirs) => same_object(ours, theirs),
        (ours, theirs) => panic!("{ours} and {theirs}"),
    }
}

fn same_object(ours: &Object, theirs: &Json) {
    let Json::Object(theirs) = theirs else { panic!("an object and {theirs}") };
    assert_eq!(ours.len(), theirs.len());
    for (key, value) in ours.iter() {
        same(value, theirs.get(key).expect("the key is there"));
    }
}

fn same_number(ours: Number, theirs: &serde_json::Number) {
    if let Some(theirs) = theirs.as_i64() {
        assert_eq!(ours.to_i64(), Some(theirs));
    } else if let Some(theirs) = theirs.as_u64() {
        assert_eq!(ours.to_u64(), Some(theirs));
    } else {
        let ours: f64 = ours.to_string().parse().expect("a number's text is one");
        let theirs = theirs.as_f64().expect("no arbitrary precision");
        // Theirs may be off by a rounding.
        assert!((ours - theirs).abs() <= ours.abs() * 1e-14, "{ours} and {theirs}");
    }
}

/// The same value with keys in falling order, escapes for letters, and shifted exponents.
fn other_spelling(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{number}e0"),
        Value::Text(text) => escaped(text),
        Value::List(list) => {
            format!("[{}]", list.iter().map(other_spelling).collect::<Vec<_>>().join(" , "))
        }
        Value::Object(object) => {
            let mut entries: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{} : {}", escaped(key), other_spelling(value)))
                .collect();
            entries.reverse();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
    format!("\"{}\"", units.collect::<String>())
}
