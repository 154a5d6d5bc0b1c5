//! Messages as arguments, and arguments as messages.

use std::io::{self, Write};

use bytes::Bytes;
use hallpass::args::Args;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions, Value,
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
    if has_unknown(&message) {
        return Err("the message has fields that the descriptors do not know");
    }
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

/// Whether anything of a message is not known, at any depth. prost bounds the depth where it decodes.
fn has_unknown(message: &DynamicMessage) -> bool {
    let fields = message.fields().map(|(_, own)| own);
    let extensions = message.extensions().map(|(_, own)| own);
    message.unknown_fields().next().is_some() || fields.chain(extensions).any(holds_unknown)
}

fn holds_unknown(value: &Value) -> bool {
    match value {
        Value::Message(own) => has_unknown(own),
        Value::List(list) => list.iter().any(holds_unknown),
        Value::Map(map) => map.values().any(holds_unknown),
        _ => false,
    }
}

#[cfg(test)]
#[path = "message/tests.rs"]
mod tests;
