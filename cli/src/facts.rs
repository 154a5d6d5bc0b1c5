//! What is known of the moment, as it is said on the command line.

use hallpass::value::Value;

/// Reads `NAME=TEXT`, or `NAME:=JSON`.
///
/// # Errors
/// What was expected instead.
pub(crate) fn fact(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected `NAME=TEXT` or `NAME:=JSON`")?;
    match name.strip_suffix(':') {
        Some(name) => {
            let value = Value::from_json(value).map_err(|error| error.to_string())?;
            Ok((name.to_owned(), value))
        }
        None => Ok((name.to_owned(), Value::from(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_a_text_or_json() {
        assert_eq!(fact("env=prod"), Ok(("env".into(), Value::from("prod"))));
        assert_eq!(fact("url=a=b"), Ok(("url".into(), Value::from("a=b"))));
        assert_eq!(fact("risk:=3"), Ok(("risk".into(), Value::from(3))));
        assert!(fact("env").is_err() && fact("risk:=high").is_err());
    }
}
