//! Messages as arguments, and arguments as messages.

use std::io::{self, Write};

use bytes::Bytes;
use hallpass::args::Args;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use serde_json::ser::Formatter;

/// What a message says, as the text of a JSON object: each field under its own name, those without presence with their defaults, and
/// integers as numbers.
///
/// # Errors
/// Why it says nothing that could be decided about.
pub(crate) fn arguments(of: &MessageDescriptor, message: Bytes) -> Result<Vec<u8>, &'static str> {
    let message = DynamicMessage::decode(of.clone(), message)
        .map_err(|_| "the message can't be read as what the method takes")?;
    check(&message, MOST_DEPTH)?;
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(false)
        .use_proto_field_name(true)
        .skip_default_fields(false);
    let mut text = Vec::new();
    message
        .serialize_with_options(
            &mut serde_json::Serializer::with_formatter(&mut text, Shortest),
            &options,
        )
        .map_err(|_| "the message holds what can't be written as JSON")?;
    Ok(text)
}

/// Writes floats as the decimal by which arguments know them. Of two that are as short, `serde_json` may write the other.
struct Shortest;

impl Formatter for Shortest {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value:e}")
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write!(writer, "{value:e}")
    }
}

/// The message that says what these arguments do. Numbers are read as the arguments have them: a reader of their text may be off
/// by the last digit of a float.
///
/// # Errors
/// If there is none: the catalogue has brought an argument to a form that its field does not have.
pub(crate) fn message(of: &MessageDescriptor, args: &Args) -> Result<Bytes, &'static str> {
    const UNFIT: &str = "the arguments do not fit the message";
    let data: serde_value::Value = args.parse().map_err(|_| UNFIT)?;
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(of.clone(), data, &options);
    Ok(message.map_err(|_| UNFIT)?.encode_to_vec().into())
}

/// How deep messages may be within each other. prost bounds that where it decodes, but begins anew in each message of any type.
const MOST_DEPTH: usize = 100;

/// Checks that all of a message is known, at any depth, and within messages of any type (`google.protobuf.Any`), too.
fn check(message: &DynamicMessage, depth: usize) -> Result<(), &'static str> {
    let depth =
        depth.checked_sub(1).ok_or("the message has too many messages within each other")?;
    if message.unknown_fields().next().is_some() {
        return Err("the message has fields that the descriptors do not know");
    }
    let fields = message.fields().map(|(_, own)| own);
    let extensions = message.extensions().map(|(_, own)| own);
    fields.chain(extensions).try_for_each(|own| check_value(own, depth))?;
    match message.descriptor().full_name() {
        "google.protobuf.Any" => check(&within(message)?, depth),
        _ => Ok(()),
    }
}

fn check_value(value: &Value, depth: usize) -> Result<(), &'static str> {
    match value {
        Value::Message(own) => check(own, depth),
        Value::List(list) => list.iter().try_for_each(|own| check_value(own, depth)),
        Value::Map(map) => map.values().try_for_each(|own| check_value(own, depth)),
        _ => Ok(()),
    }
}

/// The message within one of any type.
fn within(any: &DynamicMessage) -> Result<DynamicMessage, &'static str> {
    const UNKNOWN: &str = "the message holds another of a type that the descriptors do not know";
    let (url, bytes) = (any.get_field_by_number(1), any.get_field_by_number(2));
    let (Some(url), Some(bytes)) = (url, bytes) else { return Err(UNKNOWN) };
    let name = url.as_str().and_then(|url| url.rsplit_once('/')).ok_or(UNKNOWN)?.1;
    let of = any.descriptor().parent_pool().get_message_by_name(name).ok_or(UNKNOWN)?;
    DynamicMessage::decode(of, bytes.as_bytes().cloned().unwrap_or_default())
        .map_err(|_| "the message holds another that can't be read as what it is called")
}

#[cfg(test)]
#[path = "message/tests.rs"]
mod tests;
