//! What a server lists, as it stands in a catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hallpass::Policy;
use hallpass::tool::ToolName;
use hallpass::value::{Digest, Value};

use crate::mcp::from_server::definition_digest;
use crate::mcp::revision::RESERVED;
use crate::remark::shown;
use crate::rpc::members::{Members, elements};
use crate::rpc::message::quoted;

/// The tools of a server, by their names, and what is wrong with the others.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) kept: BTreeMap<String, Listed>,
    pub(super) left_out: Vec<String>,
}

/// What is said of one tool.
#[derive(Default)]
pub(super) struct Listed {
    /// Names of arguments, and of what type they look.
    types: Vec<(String, String)>,
    arguments: Vec<String>,
    labels: Vec<&'static str>,
    /// Of the whole definition.
    digest: Option<Digest>,
}

impl Tools {
    pub(super) fn of(listed: &[String]) -> Self {
        let mut tools = Tools::default();
        let mut doubled: Vec<String> = Vec::new();
        for tool in listed {
            let read = Members::of(tool).ok().and_then(|own| Some((own.text("name")?, own)));
            let Some((name, members)) = read else {
                tools.left_out.push(format!("what can't be read: {}", shown(tool)));
                continue;
            };
            if ToolName::new(&name).is_err() || name.starts_with(RESERVED) {
                tools.left_out.push(format!("{} can't be the name of a tool", shown(&name)));
                continue;
            }
            let listed = Listed { digest: definition_digest(tool), ..Listed::of(&members) };
            if listed.digest.is_none() {
                let why = "has a definition that can be read in two ways, or is too large";
                tools.left_out.push(format!("{} {why}", shown(&name)));
            } else if tools.kept.insert(name.clone(), listed).is_some() {
                doubled.push(name);
            }
        }
        for name in doubled {
            if tools.kept.remove(&name).is_some() {
                tools.left_out.push(format!("{} is there twice", shown(&name)));
            }
        }
        tools
    }
}

impl Listed {
    fn of(tool: &Members<'_>) -> Self {
        let mut listed = Listed::default();
        let object = |text: Option<&'_ str>| text.map(str::to_owned).unwrap_or_else(|| "{}".into());
        let schema = object(tool.get("inputSchema"));
        let schema = Members::of(&schema).unwrap_or_default();
        let required = schema.get("required").and_then(elements).unwrap_or_default();
        let properties = object(schema.get("properties"));
        let (mut types, mut all_known) = (Vec::new(), true);
        for (name, property) in Members::of(&properties).unwrap_or_default().iter() {
            let property = Members::of(property).unwrap_or_default();
            let is_required = required.contains(&quoted(name).as_str());
            let kind = property.text("type").unwrap_or_else(|| "any".to_owned());
            let optional = if is_required { "" } else { ", optional" };
            listed.arguments.push(format!("{} ({}{optional})", plain(name), plain(&kind)));
            let known = type_of(name, &kind, property.text("format").as_deref());
            let plain = plain_type(&property, &kind, is_required);
            let optional = if is_required { "" } else { "?" };
            let known = known.map(|of| format!("\"{of}{optional}\""));
            if known.is_none() && plain.is_none() {
                all_known = false;
            }
            types.push((name.to_owned(), known, plain, default_of(&property, is_required)));
        }
        // One argument of a plain type makes the list all that the tool has, so that each of them needs one.
        for (name, known, plain, default) in types {
            let plain = plain.filter(|_| all_known);
            if let Some(of) = known.or(plain) {
                let of = default.and_then(|own| with_default(&of, &own)).unwrap_or(of);
                listed.types.push((name, of));
            }
        }
        let hints = object(tool.get("annotations"));
        let hints = Members::of(&hints).unwrap_or_default();
        let says = |hint: &str| hints.get(hint) == Some("true");
        for (hint, label) in
            [("destructiveHint", "destructive"), ("openWorldHint", "untrusted-input")]
        {
            if says(hint) {
                listed.labels.push(label);
            }
        }
        listed
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if !self.types.is_empty() {
            let types: Vec<String> =
                self.types.iter().map(|(name, of)| format!("{} = {of}", quoted(name))).collect();
            let _ = writeln!(text, "args = {{ {} }}", types.join(", "));
        }
        if let Some(digest) = &self.digest {
            let _ = writeln!(text, "digest = \"hp-tool-1:{digest}\"");
        }
        if !self.labels.is_empty() {
            let _ = writeln!(text, "# proposed: labels = {:?}", self.labels);
        }
        if !self.arguments.is_empty() {
            let _ = writeln!(text, "# arguments: {}", self.arguments.join(", "));
        }
        text
    }
}

/// Text of the server's, within a comment.
fn plain(text: &str) -> String {
    shown(text).trim_matches('`').to_owned()
}

/// The type of an argument, from its schema and its name.
fn type_of(name: &str, kind: &str, format: Option<&str>) -> Option<&'static str> {
    const PATHS: [&str; 8] =
        ["path", "paths", "file", "filename", "folder", "dir", "directory", "cwd"];
    let lower = name.to_ascii_lowercase();
    match (kind, format) {
        ("string", Some("uri" | "url")) => Some("url"),
        ("string" | "array", _) if PATHS.contains(&&*lower) || lower.ends_with("path") => {
            Some("path")
        }
        _ => None,
    }
}

/// What stands for an argument that a call leaves out, as its schema says: text, a number, `true` and `false`, or a list of
/// such, as they are written in TOML.
fn default_of(property: &Members<'_>, is_required: bool) -> Option<String> {
    let default = property.get("default").filter(|_| !is_required)?;
    in_toml(&Value::from_json(default).ok()?)
}

fn in_toml(value: &Value) -> Option<String> {
    match value {
        // As a reader of the catalogue sees it, or not at all.
        Value::Text(text) => {
            let letters = text.replace(['"', '\'', '\\'], "");
            Some(quoted(text)).filter(|_| shown(&letters) == format!("`{letters}`"))
        }
        Value::Bool(own) => Some(own.to_string()),
        Value::Number(own) => Some(own.to_string()),
        Value::List(list) => {
            let list: Option<Vec<String>> = list.iter().map(in_toml).collect();
            Some(format!("[{}]", list?.join(", ")))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// A type with a default, if a catalogue takes them together: what a server states need not be of the type that it states.
fn with_default(of: &str, default: &str) -> Option<String> {
    let of = of.replace('?', "");
    let said = format!("{{ type = {of}, default = {default} }}");
    let policy = format!("version = 1\n[[tool]]\nname = \"t\"\nargs = {{ a = {said} }}\n");
    Policy::from_toml(&policy).is_ok().then_some(said)
}

/// The plain type of an argument, from its schema: what kind of value it is, and whether it may be left out.
fn plain_type(property: &Members<'_>, kind: &str, is_required: bool) -> Option<String> {
    let optional = if is_required { "" } else { "?" };
    let word = match kind {
        "string" => "text",
        "number" => "number",
        "integer" => "integer",
        "boolean" => "bool",
        "object" => "object",
        "array" => {
            let items = property.get("items").and_then(|items| Members::of(items).ok());
            let of_texts =
                items.is_some_and(|items| items.text("type").as_deref() == Some("string"));
            if of_texts && is_required {
                return Some("[\"text\"]".to_owned());
            }
            "list"
        }
        _ => return None,
    };
    Some(format!("\"{word}{optional}\""))
}
