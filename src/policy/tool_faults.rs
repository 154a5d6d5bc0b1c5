//! What keeps a catalogue from being one: a tool that is not named as one, or a line that could not act.

use std::collections::HashSet;

use super::catalogue::Tool;
use super::descriptions::description_fault;
use super::error::PolicyError;
use super::origin::fault_of_origin;
use crate::args::check_key;
use crate::spelling::{ArgType, TypedArg};
use crate::tool::ToolName;
use crate::value::Value;
use crate::visible::Shown;

/// Whether each tool of a catalogue can be acted on as it is said.
///
/// # Errors
/// [`PolicyError`] of the first that can't.
pub(super) fn check_tools(tools: &[Tool]) -> Result<(), PolicyError> {
    let mut names = HashSet::with_capacity(tools.len());
    for (item, tool) in tools.iter().enumerate() {
        let wrong =
            |at: &str, problem| Err(PolicyError::of_tool(&tool.name, at, problem).of_item(item));
        if let Err(error) = ToolName::new(&tool.name) {
            return wrong("name", error.to_string());
        }
        for (index, label) in tool.labels.iter().enumerate() {
            if ToolName::new(label).is_err() {
                let shown = label.escape_default();
                return wrong(
                    &format!("labels[{index}]"),
                    format!(
                        "`{shown}` is not a label: expected 1 to 128 of `A-Z a-z 0-9 _ . : / -`"
                    ),
                );
            }
        }
        let mut credentials = HashSet::with_capacity(tool.credentials.len());
        for (index, name) in tool.credentials.iter().enumerate() {
            let at = format!("credential[{index}]");
            if ToolName::new(name).is_err() {
                let shown = name.escape_default();
                let expected = "expected 1 to 128 of `A-Z a-z 0-9 _ . : / -`";
                return wrong(
                    &at,
                    format!("`{shown}` is not the name of a credential: {expected}"),
                );
            }
            if !credentials.insert(name) {
                return wrong(&at, format!("`{name}` is given twice"));
            }
        }
        let mut origins = HashSet::with_capacity(tool.origins.len());
        for (credential, origin) in &tool.origins {
            let at = format!("origins.{}", credential.escape_default());
            if !credentials.contains(credential) {
                let problem = format!(
                    "the tool does not run with {}, expected one of its credentials",
                    Shown(credential)
                );
                return wrong(&at, problem);
            }
            if let Some(fault) = fault_of_origin(origin) {
                return wrong(&at, format!("the origin {} {fault}", Shown(origin)));
            }
            if !origins.insert((credential, origin)) {
                return wrong(&at, format!("`{origin}` is given twice"));
            }
        }
        let mut typed = HashSet::with_capacity(tool.args.len());
        for TypedArg { name, of, default, .. } in &tool.args {
            let at = format!("args.{name}");
            if !of.is_built() {
                let word = of.as_str();
                let problem =
                    format!("this build reads no type `{word}`: it needs the feature `{word}`");
                return wrong(&at, problem);
            }
            if let Err(fault) = check_key(name) {
                return wrong(&at, format!("argument {} is {fault}", Shown(name)));
            }
            if !typed.insert(name) {
                return wrong(&at, format!("argument {} is given two types", Shown(name)));
            }
            if let Some(problem) = default.as_ref().and_then(|own| default_fault(*of, own)) {
                return wrong(&format!("{at}.default"), problem);
            }
        }
        if let Some(problem) = tool.texts.tool.as_deref().and_then(description_fault) {
            return wrong("description", problem);
        }
        for (name, text) in &tool.texts.args {
            let at = format!("args.{name}");
            if let Err(fault) = check_key(name) {
                return wrong(
                    &at,
                    format!("argument {} is {fault}, and has a description", Shown(name)),
                );
            }
            if let Some(problem) = description_fault(text) {
                return wrong(&format!("{at}.description"), problem);
            }
        }
        let mut plain = HashSet::with_capacity(tool.plain.len());
        for name in &tool.plain {
            let at = format!("args.{name}");
            if let Err(fault) = check_key(name) {
                return wrong(&at, format!("argument {} is {fault}", Shown(name)));
            }
            if name.contains('.') || !plain.insert(name) {
                let problem =
                    "can't be kept in plain: it is listed twice, or has a `.` in its name";
                return wrong(&at, format!("argument {} {problem}", Shown(name)));
            }
        }
        if !names.insert(&*tool.name) {
            return wrong("name", format!("the tool `{}` is in the catalogue twice", tool.name));
        }
    }
    Ok(())
}

/// How many bytes of JSON a default may have: each call that leaves the argument out is given it.
const MOST_OF_DEFAULT: usize = 4_096;

/// Why a value can't stand for an argument of this type that is left out.
fn default_fault(of: ArgType, default: &Value) -> Option<String> {
    let shown = default.to_json();
    if shown.len() > MOST_OF_DEFAULT {
        return Some(format!(
            "a default has at most {MOST_OF_DEFAULT} bytes, found {}",
            shown.len()
        ));
    }
    match of.canonical(default) {
        Ok(None) => None,
        Ok(Some(own)) => Some(format!(
            "{} is not how the tool gets it: write {}",
            Shown(&shown),
            Shown(&own.to_json())
        )),
        Err(fault) => Some(format!("{} {fault}", Shown(&shown))),
    }
}
