//! Messages and metadata on their way out, without secrets.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, MapKey, MessageDescriptor, Value};

/// Takes secrets out of bytes.
pub(crate) type Scrub<'s> = &'s dyn Fn(&[u8]) -> Vec<u8>;

/// A message without secrets: as it is where its bytes show none, and else with each field looked at by itself.
///
/// # Errors
/// If it can't be read, or shows one all the same.
pub(crate) fn scrubbed_message(
    of: &MessageDescriptor,
    message: Bytes,
    scrub: Scrub<'_>,
) -> Result<Bytes, ()> {
    if scrub(&message) == message {
        return Ok(message);
    }
    let mut read = DynamicMessage::decode(of.clone(), message).map_err(drop)?;
    scrub_fields(&mut read, scrub);
    let shown = Bytes::from(read.encode_to_vec());
    if scrub(&shown) == shown { Ok(shown) } else { Err(()) }
}

fn scrub_fields(message: &mut DynamicMessage, scrub: Scrub<'_>) {
    // What is not known can't be looked at, and is not shown.
    drop(message.take_unknown_fields());
    message.fields_mut().for_each(|(_, own)| scrub_value(own, scrub));
    message.extensions_mut().for_each(|(_, own)| scrub_value(own, scrub));
}

fn scrub_value(value: &mut Value, scrub: Scrub<'_>) {
    match value {
        Value::String(text) => *text = scrubbed_text(text, scrub),
        Value::Bytes(bytes) => *bytes = scrub(bytes).into(),
        Value::Message(own) => scrub_fields(own, scrub),
        Value::List(list) => list.iter_mut().for_each(|own| scrub_value(own, scrub)),
        Value::Map(map) => {
            let entries = std::mem::take(map).into_iter().map(|(key, mut own)| {
                scrub_value(&mut own, scrub);
                match key {
                    MapKey::String(text) => (MapKey::String(scrubbed_text(&text, scrub)), own),
                    key => (key, own),
                }
            });
            *map = entries.collect();
        }
        _ => {}
    }
}

fn scrubbed_text(text: &str, scrub: Scrub<'_>) -> String {
    String::from_utf8_lossy(&scrub(text.as_bytes())).into_owned()
}

/// Metadata without secrets. Of what is binary, the whole is left out where it showed one.
pub(crate) fn scrub_metadata(metadata: &mut HeaderMap, scrub: Scrub<'_>) {
    let mut binary = Vec::new();
    for (name, value) in metadata.iter_mut() {
        let shown = scrub(value.as_bytes());
        if shown == value.as_bytes() {
            continue;
        }
        if name.as_str().ends_with("-bin") {
            binary.push(name.clone());
        }
        *value = HeaderValue::from_bytes(&shown).unwrap_or(HeaderValue::from_static(""));
    }
    for name in binary {
        metadata.remove(name);
    }
}
