//! A tool of the catalogue.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::document::{Misfit, Table, Written, choice, list, text, value};
use crate::policy::catalogue::{PIN, Tool};
use crate::spelling::ArgType;
use crate::value::{Digest, SpannedNode, Value};
use crate::visible::Shown;

/// The keys of a tool of the catalogue.
pub(super) const KEYS: &[&str] =
    &["name", "description", "labels", "args", "credential", "origins", "leak", "digest"];

/// The keys of an argument of a tool of the catalogue.
pub(super) const ARGUMENT: &[&str] = &["type", "log", "default", "description"];

/// Words of other systems for what is said of an argument.
const OF_ARGUMENT: &[(&[&str], &str)] = &[
    (&["required", "optional", "nullable"], "`type = \"text?\"` where it may be left out"),
    (
        &["enum", "values"],
        "it in the rules, as in `what = { args = { NAME = { one_of = [ … ] } } }`",
    ),
    (
        &["minimum", "maximum", "min", "max", "pattern", "format"],
        "it in the rules, as in `what = { args = { NAME = { max = 5 } } }`",
    ),
    (
        &["secret", "sensitive", "credential", "password"],
        "nothing of that: an agent holds no secret, so that none is an argument; a tool runs with the `credential` of \
         its `[[tool]]`",
    ),
    (&["comment", "title", "doc", "help"], "`description = \"…\"`"),
];

/// Words of other systems, and what they are called here.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["id", "tool", "function"], "`name`"),
    (
        &[
            "parameters",
            "params",
            "arguments",
            "schema",
            "inputschema",
            "input_schema",
            "properties",
        ],
        "`args = { NAME = \"text\" }`",
    ),
    (&["tags", "categories"], "`labels = [ … ]`"),
    (&["secret", "secrets", "token", "password"], "`credential = \"NAME\"`"),
    (&["comment", "title", "doc", "help"], "`description = \"…\"`"),
];

pub(super) fn tool(written: &Written) -> Result<Tool, Misfit> {
    let table = Table::read_translated(written, KEYS, FOREIGN, "a table")?;
    let name = table.require("name", "a tool of the catalogue has a name", text)?;
    let labels = table.read_at("labels", |own| {
        let labels = list(own)?.iter().enumerate();
        labels
            .map(|(at, own)| text(own).map_err(|e| e.of_element(at)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let args = table.read_at("args", |own| {
        Table::open(own, "a table such as `{ file = \"path\" }`")?
            .said()?
            .each(|name, own| Ok((name, argument(own)?)))
    })?;
    let credentials = table.read_at("credential", one_or_more)?;
    let tool = Tool::new(name).labels(labels.unwrap_or_default());
    let description = table.read_at("description", text)?;
    let tool = description.into_iter().fold(tool, Tool::description);
    let halts = table.read_at("leak", |own| match text(own)? {
        "halt" => Ok(()),
        _ => Err(Misfit::new(own.span.start, "expected `\"halt\"`")),
    })?;
    let tool = if halts.is_some() { tool.halts_on_leak() } else { tool };
    let tool = credentials.into_iter().flatten().fold(tool, Tool::credential);
    let origins = table.read_at("origins", |own| {
        Table::open(own, "a table such as `{ orders-api = \"https://api.acme.test\" }`")?
            .said()?
            .each(|name, own| Ok((name, one_or_more(own)?)))
    })?;
    let each = origins.into_iter().flatten();
    let each = each.flat_map(|(name, own)| own.into_iter().map(move |origin| (name, origin)));
    let tool = each.fold(tool, |tool, (name, origin)| tool.origin(name, origin));
    let pin = table.read_at("digest", |own| pin(text(own)?, own.span.start))?;
    let tool = pin.into_iter().fold(tool, Tool::pinned);
    let args = args.into_iter().flatten();
    Ok(args.fold(tool, |tool, (name, Argument { of, default, plain, description })| {
        let tool = description.into_iter().fold(tool, |tool, own| tool.describe_arg(name, &own));
        let tool = match (of, default) {
            (Some((of, _)), Some(default)) => tool.default_arg(name, of, default),
            (Some((of, true)), None) => tool.optional_arg(name, of),
            (Some((of, false)), None) => tool.arg(name, of),
            (None, _) => tool,
        };
        if plain { tool.log_plain(name) } else { tool }
    }))
}

/// What is said of an argument: its type, if it has one, and whether it may be left out; what stands for it then; whether
/// the log keeps it in plain; and what it is, in words.
#[derive(Default)]
struct Argument {
    of: Option<(ArgType, bool)>,
    default: Option<Value>,
    plain: bool,
    description: Option<Box<str>>,
}

fn argument(written: &Written) -> Result<Argument, Misfit> {
    if !matches!(written.node, SpannedNode::Object(_)) {
        return Ok(Argument { of: Some(arg_type(written)?), ..Argument::default() });
    }
    let example = "a type, or a table such as `{ type = \"text\", log = \"plain\" }`";
    let table = Table::read_translated(written, ARGUMENT, OF_ARGUMENT, example)?.said()?;
    let of = table.read_at("type", arg_type)?;
    let plain = table.read_at("log", |own| choice(own, &[("plain", ())]))?;
    let default = table.read_at("default", |own| match of {
        Some(_) => value(own),
        None => Err(Misfit::new(own.span.start, "a default is of a type: say `type`, too")),
    })?;
    let description = table.read_at("description", text)?.map(Box::from);
    Ok(Argument { of, default, plain: plain.is_some(), description })
}

/// The digest of a definition: `hp-tool-1:` and 43 characters of base64url.
fn pin(written: &str, at: usize) -> Result<Digest, Misfit> {
    let spelled = written.strip_prefix(PIN).and_then(|rest| rest.strip_prefix(':'));
    let bytes = spelled.and_then(|own| URL_SAFE_NO_PAD.decode(own).ok());
    let bytes = bytes.and_then(|own| <[u8; 32]>::try_from(own).ok());
    let problem =
        "expected `hp-tool-1:` and 43 characters of base64url, as `hallpass pin` writes it";
    bytes.map(Digest::from).ok_or_else(|| Misfit::new(at, problem))
}

/// The type of an argument, and whether it may be left out.
fn arg_type(written: &Written) -> Result<(ArgType, bool), Misfit> {
    match &written.node {
        SpannedNode::List(elements) => match elements.as_slice() {
            [Written { node: SpannedNode::Text(word), .. }] if &**word == "text" => {
                Ok((ArgType::Texts, false))
            }
            _ => {
                let problem = "a list of one type is `[\"text\"]`, of others `\"list\"`";
                Err(Misfit::new(written.span.start, problem))
            }
        },
        SpannedNode::Text(word) if word.contains("list<") || word.contains("[]") => {
            let problem = format!(
                "{} is not a type: a list of texts is `[\"text\"]`, of others `\"list\"`",
                Shown(word)
            );
            Err(Misfit::new(written.span.start, problem))
        }
        SpannedNode::Text(word)
            if matches!(&**word, "string" | "decimal" | "float" | "int" | "boolean" | "array") =>
        {
            let own = match &**word {
                "string" => "text",
                "int" => "integer",
                "boolean" => "bool",
                "array" => "list",
                _ => "number",
            };
            let problem = format!("{} is not a type: the word here is `{own}`", Shown(word));
            Err(Misfit::new(written.span.start, problem))
        }
        SpannedNode::Text(word) => match of_other_systems(word) {
            Some(own) => {
                let problem = format!("{} is not a type: {own}", Shown(word));
                Err(Misfit::new(written.span.start, problem))
            }
            None => choice(written, ArgType::WORDS),
        },
        _ => choice(written, ArgType::WORDS),
    }
}

/// What is said here of a type of other systems.
fn of_other_systems(word: &str) -> Option<&'static str> {
    Some(match word {
        "ip" | "ipv4" | "ipv6" | "cidr" => {
            "an address is `text`, and rules say `cidr = [ … ]` of it"
        }
        "date" | "datetime" | "date-time" | "timestamp" | "time" => {
            "an instant is `text`, and rules say `after` and `before` of it"
        }
        "email" | "uuid" | "hostname" | "enum" | "id" => "it is `text`, and rules say which",
        "file" | "folder" | "dir" | "directory" => "the word here is `path`",
        "uri" | "link" => "the word here is `url`",
        "map" | "dict" | "json" => "the word here is `object`",
        "double" => "the word here is `number`",
        _ => return None,
    })
}

/// A text, or a list of texts that is not empty.
fn one_or_more(written: &Written) -> Result<Vec<&str>, Misfit> {
    match &written.node {
        SpannedNode::Text(_) => return Ok(vec![text(written)?]),
        SpannedNode::Object(_) => {
            let problem = "expected a name or a list of names, found a table: what the name stands for is the host's";
            return Err(Misfit::new(written.span.start, problem));
        }
        _ => {}
    }
    list(written)?
        .iter()
        .enumerate()
        .map(|(at, own)| text(own).map_err(|e| e.of_element(at)))
        .collect()
}
