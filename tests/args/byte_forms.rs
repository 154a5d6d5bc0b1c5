//! The byte form of values: one for each, told apart where they are joined.

use hallpass::value::{Digest, Number, Object, Value};
use proptest::prelude::*;

use crate::values::{read, values};

pub(crate) fn values_with(decimals: BoxedStrategy<Number>) -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ab]{0,2}", any::<String>(), "[\\x00-\\x20\"\\\\]{0,3}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..300).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        decimals.prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|map| Value::from(Object::from_pairs(map).unwrap())),
        ]
    })
}

pub(crate) fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

/// Reads a byte form from its description alone; what is left over comes back too.
fn decode(bytes: &[u8]) -> (Value, &[u8]) {
    fn length(bytes: &[u8]) -> (usize, &[u8]) {
        let mut length = 0;
        for (at, byte) in bytes.iter().enumerate() {
            length |= usize::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return (length, &bytes[at + 1..]);
            }
        }
        panic!("a length without end")
    }
    fn text(bytes: &[u8]) -> (Box<str>, &[u8]) {
        let (length, rest) = length(bytes);
        let (text, rest) = rest.split_at(length);
        (std::str::from_utf8(text).unwrap().into(), rest)
    }
    let (tag, rest) = bytes.split_first().unwrap();
    match tag {
        0 => (Value::Null, rest),
        1 | 2 => (Value::Bool(*tag == 2), rest),
        3 => {
            let (digits, rest) = rest[1..].split_at(16);
            let digits = i128::from_be_bytes(digits.try_into().unwrap());
            (Value::Number(Number::parse(&format!("{digits}e-{}", bytes[1])).unwrap()), rest)
        }
        4 => {
            let (text, rest) = text(rest);
            (Value::Text(text), rest)
        }
        5 => {
            let (count, mut rest) = length(rest);
            let mut list = Vec::new();
            for _ in 0..count {
                let (item, after) = decode(rest);
                list.push(item);
                rest = after;
            }
            (Value::List(list), rest)
        }
        6 => {
            let (count, mut rest) = length(rest);
            let mut object = Object::new();
            for _ in 0..count {
                let (key, after) = text(rest);
                let (value, after) = decode(after);
                object.insert(key.to_string(), value).unwrap();
                rest = after;
            }
            (Value::Object(object), rest)
        }
        _ => panic!("unknown tag {tag}"),
    }
}

proptest! {
    #[test]
    fn equal_byte_forms_mean_equal_values(left in values(), right in values()) {
        prop_assert_eq!(encoded(&left) == encoded(&right), left == right);
        prop_assert_eq!(left.digest() == right.digest(), left == right);
        prop_assert_eq!(left.digest(), Digest::of(&encoded(&left)));
    }

    #[test]
    fn byte_forms_written_one_after_the_other_can_be_told_apart(left in values(), right in values()) {
        let mut bytes = encoded(&left);
        right.encode(&mut bytes);
        let (first, rest) = decode(&bytes);
        let (second, rest) = decode(rest);
        prop_assert_eq!((first, second), (left, right));
        prop_assert!(rest.is_empty());
    }
}

/// The vectors of the byte form's description.
#[test]
fn byte_forms_and_digests_are_those_documented() {
    let cases = [
        ("null", "00", "bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0"),
        (
            r#"[1.50,-1,""]"#,
            "0503\
             03010000000000000000000000000000000f\
             0300ffffffffffffffffffffffffffffffff\
             0400",
            "r-iN5vcjJQe1yTtAPYkEdtDw2RWqASV_hqJjfq2ppeE",
        ),
        (
            r#"{"b":true,"a":"é"}"#,
            "060201610402c3a9016202",
            "jPe0J-jeh3vjzjkcB1QHNyAhS4kf6orD78K8s3lH3SI",
        ),
    ];
    for (text, bytes, digest) in cases {
        let value = read(text);
        let hex: String = encoded(&value).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, bytes, "{text}");
        assert_eq!(value.digest().to_string(), digest, "{text}");
    }
    let object = read(r#"{"a":1}"#);
    assert_eq!(object.as_object().unwrap().digest(), object.digest());
    assert_eq!(encoded(&Value::from("x".repeat(300)))[..3], [4, 0xac, 2], "a length of two bytes");
}
