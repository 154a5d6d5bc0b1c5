#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use prost_reflect::DescriptorPool;

use super::*;

fn descriptor(name: &str) -> MessageDescriptor {
    let pool =
        DescriptorPool::decode(&include_bytes!("../../tests/generated/bank.bin")[..]).unwrap();
    pool.get_message_by_name(name).unwrap()
}

fn read(bytes: Vec<u8>) -> Result<String, String> {
    let text = arguments(&descriptor("bank.v1.Payment"), bytes.into())?;
    Args::from_json_bytes(&text).map(|args| args.to_json()).map_err(|error| error.to_string())
}

/// Fields of `Payment` on the wire.
#[derive(Clone, PartialEq, prost::Message)]
struct Payment {
    #[prost(string, tag = "1")]
    to: String,
    #[prost(int64, tag = "2")]
    amount: i64,
    #[prost(int32, tag = "3")]
    currency: i32,
    #[prost(string, optional, tag = "4")]
    note: Option<String>,
    #[prost(string, repeated, tag = "5")]
    tags: Vec<String>,
    #[prost(btree_map = "string, uint64", tag = "6")]
    shares: std::collections::BTreeMap<String, u64>,
    #[prost(bytes = "vec", optional, tag = "8")]
    signature: Option<Vec<u8>>,
    #[prost(double, tag = "10")]
    rate: f64,
    #[prost(float, tag = "11")]
    fee: f32,
}

const EMPTY: &str = concat!(
    r#"{"amount":0,"currency":"CHF","fee":0,"rate":0,"shares":{},"tags":[],"to":"","#,
    r#""urgentDelivery":false}"#
);

#[test]
fn a_field_without_presence_is_there_with_its_default() {
    assert_eq!(read(Vec::new()), Ok(EMPTY.into()));
    // Said, and left out: the same message, and the same call.
    assert_eq!(read(vec![0x10, 0]), Ok(EMPTY.into()));
    let note = Payment { note: Some(String::new()), ..Payment::default() };
    assert_eq!(read(note.encode_to_vec()), Ok(EMPTY.replace("\"rate\"", "\"note\":\"\",\"rate\"")));
}

#[test]
fn integers_are_numbers_and_never_rounded() {
    let payment = Payment {
        amount: i64::MIN,
        shares: [("a".to_owned(), u64::MAX)].into(),
        ..Payment::default()
    };
    let text = read(payment.encode_to_vec()).unwrap();
    assert!(text.contains(r#""amount":-9223372036854775808"#), "{text}");
    assert!(text.contains(r#""shares":{"a":18446744073709551615}"#), "{text}");
}

#[test]
fn what_the_descriptors_do_not_know_is_refused_at_any_depth() {
    // Field 99; the same within `guarantor`; and within `due`, a message of protobuf's own.
    for bytes in [vec![0x98, 0x06, 1], vec![0x4a, 3, 0x98, 0x06, 1], vec![0x3a, 3, 0x98, 0x06, 1]] {
        let why = "the message has fields that the descriptors do not know";
        assert_eq!(read(bytes), Err(why.to_owned()));
    }
}

#[test]
fn what_is_no_message_is_refused() {
    // Cut off; a group that is never closed; not UTF-8; a wire type that the field does not have.
    for bytes in [vec![0x0a, 9, b'a'], vec![0x0b], vec![0x0a, 1, 0xff], vec![0x0a]] {
        assert!(read(bytes.clone()).is_err(), "{bytes:?}");
    }
}

#[test]
fn of_what_is_said_twice_the_last_holds_for_policy_and_method_alike() {
    let first = Payment { to: "XX66".into(), amount: 1, ..Payment::default() };
    let last = Payment { to: "CH93".into(), ..Payment::default() };
    let both = [first.encode_to_vec(), last.encode_to_vec()].concat();
    let args = Args::from_json(&read(both).unwrap()).unwrap();
    let message = message(&descriptor("bank.v1.Payment"), &args).unwrap();
    let given = Payment::decode(message).unwrap();
    assert_eq!((&*given.to, given.amount), ("CH93", 1));
}

#[test]
fn a_float_between_two_decimals_that_are_as_short_arrives_as_it_was_sent() {
    for rate in [590_210_613_142_602.3, -951_658_333_138_750.9, 1e300, f64::MIN_POSITIVE] {
        let text = read(Payment { rate, fee: 16_777_217.1, ..Payment::default() }.encode_to_vec());
        let Ok(text) = text else { continue };
        let args = Args::from_json(&text).unwrap();
        let given = message(&descriptor("bank.v1.Payment"), &args).unwrap();
        assert_eq!(Payment::decode(given).unwrap().rate, rate);
    }
}

proptest! {
    #[test]
    fn a_method_gets_what_was_decided_about(
        to in ".{0,8}",
        amount: i64,
        currency in 0..4,
        note in proptest::option::of(".{0,4}"),
        tags in proptest::collection::vec(".{0,4}", 0..3),
        shares in proptest::collection::btree_map("[a-z]{0,4}", any::<u64>(), 0..3),
        signature in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9)),
        rate in -1e15f64..1e15,
        fee in -1e6f32..1e6,
    ) {
        let said = Payment { to, amount, currency, note, tags, shares, signature, rate, fee };
        // What hallpass takes for no arguments is denied.
        let Ok(text) = read(said.encode_to_vec()) else { return Ok(()) };
        let args = Args::from_json(&text).unwrap();
        let given = message(&descriptor("bank.v1.Payment"), &args).unwrap();
        prop_assert_eq!(Payment::decode(given).unwrap(), said);
    }
}

/// A field of protobuf's own, length-delimited.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![tag];
    prost_reflect::prost::encode_length_delimiter(bytes.len(), &mut all).unwrap();
    all.extend_from_slice(bytes);
    all
}

fn any_within_any(depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..depth {
        bytes = [field(0x0a, b"t/google.protobuf.Any"), field(0x12, &bytes)].concat();
    }
    bytes
}

#[test]
fn messages_within_messages_of_any_type_are_of_a_bounded_depth() {
    let any = DescriptorPool::global().get_message_by_name("google.protobuf.Any").unwrap();
    let why = "the message has too many messages within each other";
    for depth in [MOST_DEPTH, 15_000] {
        assert_eq!(arguments(&any, any_within_any(depth).into()), Err(why), "{depth}");
    }
}

#[test]
fn what_is_within_a_message_of_any_type_is_known() {
    let any = DescriptorPool::global().get_message_by_name("google.protobuf.Any").unwrap();
    let of = |inner: &[u8]| {
        let bytes = [field(0x0a, b"t/google.protobuf.Any"), field(0x12, inner)].concat();
        arguments(&any, bytes.into())
    };
    assert!(of(&field(0x0a, b"t/google.protobuf.Empty")).is_ok());
    let unknown = Err("the message has fields that the descriptors do not know");
    assert_eq!(of(&[0x98, 0x06, 1]), unknown);
    let inner = [field(0x0a, b"t/google.protobuf.Empty"), field(0x12, &[0x98, 0x06, 1])].concat();
    assert_eq!(of(&inner), unknown);
    for name in ["t/bank.v1.Nothing", "google.protobuf.Empty", ""] {
        assert!(of(&field(0x0a, name.as_bytes())).unwrap_err().contains("do not know"), "{name}");
    }
}
