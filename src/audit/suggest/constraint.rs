//! Constraints of suggestions, as TOML.

use super::values::Values;
use crate::value::Value;
use crate::visible::is_hidden;

/// What all texts begin with has to be this long, or end with a folder, to say something.
const SHORTEST: usize = 4;

/// A constraint that all these values meet, and none that `was` does not: `was` is what the text says now.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn constraint_of(
    values: &Values,
    calls: u64,
    was: Option<&str>,
) -> Result<String, &'static str> {
    if was.is_some_and(|was| was != "\"any\"" && !was.starts_with('{')) {
        return Err("it is one value or a list of them");
    }
    let own = tightest(values)?;
    let own = match values.calls < calls {
        true => format!("{{ any = [{{ present = false }}, {own}] }}"),
        false => own,
    };
    Ok(match was {
        None | Some("\"any\"") => own,
        // Said again after it was taken over, it would say nothing more.
        Some(was) if was == own || was.ends_with(&format!(", {own}] }}")) => was.to_owned(),
        Some(was) => format!("{{ all = [{was}, {own}] }}"),
    })
}

/// What leaves an argument as it was.
pub(super) fn anything(values: &Values, calls: u64) -> String {
    match values.calls < calls {
        true => "{ any = [{ present = false }, { present = true }] }".to_owned(),
        false => "{ present = true }".to_owned(),
    }
}

fn tightest(values: &Values) -> Result<String, &'static str> {
    if values.others {
        return Err("some of its values are lists, objects or null");
    }
    if let Some(((least, _), (most, _))) = values.numbers {
        return Ok(match least == most {
            true => format!("{{ eq = {least} }}"),
            false => format!("{{ min = {least}, max = {most} }}"),
        });
    }
    if let Some(few) = values.few() {
        let few: Vec<String> = few.map(toml_of).collect();
        return Ok(match few.as_slice() {
            [one] => format!("{{ eq = {one} }}"),
            several => format!("{{ one_of = [{}] }}", several.join(", ")),
        });
    }
    let Some((beginning, _)) = &values.beginning else {
        return Err("it has many values of several kinds");
    };
    // Of paths and addresses, as far as a whole segment.
    let beginning = match beginning.rfind('/') {
        Some(at) => beginning.get(..=at).unwrap_or_default(),
        None => beginning,
    };
    match beginning.chars().count() >= SHORTEST {
        true => Ok(format!("{{ prefix = {} }}", quoted(beginning))),
        false => Err("it has many values that have nothing in common"),
    }
}

/// A key of a table.
pub(super) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn toml_of(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        other => other.to_json(),
    }
}

/// A basic string of TOML, in which nothing hidden stands as itself.
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            hidden if is_hidden(hidden) || hidden.is_control() => {
                // Writing to a `String` does not fail.
                let _ = write!(out, "\\U{:08X}", u32::from(hidden));
            }
            shown => out.push(shown),
        }
    }
    out.push('"');
    out
}
