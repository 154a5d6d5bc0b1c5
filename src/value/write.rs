//! Values as JSON text.

use std::fmt::{self, Write};

use super::{Object, Value};

impl Value {
    /// The value as exact JSON text without white space, keys in UTF-8 order, numbers as plain
    /// decimals. Reads back as the same value.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` does not fail.
        let _ = write_value(&mut out, self);
        out
    }
}

impl Object {
    /// As [`Value::to_json`].
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let _ = write_object(&mut out, self);
        out
    }
}

/// As [`Value::to_json`].
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(f, self)
    }
}

/// As [`Value::to_json`].
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_object(f, self)
    }
}

fn write_value(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(true) => out.write_str("true"),
        Value::Bool(false) => out.write_str("false"),
        Value::Number(number) => write!(out, "{number}"),
        Value::Text(text) => write_text(out, text),
        Value::List(list) => {
            out.write_char('[')?;
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                write_value(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(object) => write_object(out, object),
    }
}

fn write_object(out: &mut impl Write, object: &Object) -> fmt::Result {
    out.write_char('{')?;
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            out.write_char(',')?;
        }
        write_text(out, key)?;
        out.write_char(':')?;
        write_value(out, value)?;
    }
    out.write_char('}')
}

fn write_text(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain = text;
    let escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    // Most texts need no escape, which is seen without a branch for each byte, many at a time.
    if text.bytes().fold(true, |plain, byte| plain & !escaped(byte)) {
        out.write_str(text)?;
        return out.write_char('"');
    }
    // Everything to be escaped is one ASCII byte, so the cuts fall between characters.
    while let Some(at) = plain.bytes().position(escaped) {
        let (before, rest) = plain.split_at(at);
        out.write_str(before)?;
        let mut chars = rest.chars();
        match chars.next() {
            Some('"') => out.write_str("\\\"")?,
            Some('\\') => out.write_str("\\\\")?,
            Some('\n') => out.write_str("\\n")?,
            Some('\r') => out.write_str("\\r")?,
            Some('\t') => out.write_str("\\t")?,
            Some(control) => write!(out, "\\u{:04x}", u32::from(control))?,
            None => {}
        }
        plain = chars.as_str();
    }
    out.write_str(plain)?;
    out.write_char('"')
}
