//! `hallpass pin`: writes a catalogue from what a server lists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use hallpass::Policy;
use hallpass::tool::ToolName;
use hallpass::value::Digest;

use super::frame::{Frame, Frames, MAX_FRAME};
use super::from_server::definition_digest;
use super::members::{Members, elements};
use super::message::{Answer, Id, Message, notification, quoted, request};
use super::revision::{RESERVED, REVISION_KEY};
use crate::exit::Exit;
use crate::remark::shown;

const AFTER_HELP: &str = "\
The catalogue has each tool once, pinned by the digest of its definition, with types for its arguments. Labels are proposed as
comments, from what the server says of its tools: it may say anything, so read them before you take them over.

Exit codes: 0 if each tool is in the catalogue, 1 if some had to be left out, 2 if the server gave no list.";

/// Which server is asked.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PinCommand {
    /// The server, and its arguments
    #[arg(last = true, required = true, value_name = "SERVER")]
    server: Vec<OsString>,
}

/// How long an answer of the server is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most pages of one list.
const MOST_PAGES: usize = 1000;

impl PinCommand {
    pub(crate) fn run(self) -> Exit {
        let (text, exit) = match self.catalogue() {
            Ok(written) => written,
            Err(problem) => return Exit::unable(problem),
        };
        // It says nothing that this crate would not read again.
        if let Err(error) = Policy::from_toml(&text) {
            return Exit::unable(format_args!("the catalogue would not load: {error}"));
        }
        Exit::of_report(io::stdout().lock().write_all(text.as_bytes()).map(|()| exit))
    }

    fn catalogue(&self) -> Result<(String, Exit), String> {
        let mut server = Server::start(&self.server)?;
        let tools = server.tools();
        server.end();
        let mut tools = Tools::of(&tools?);
        let mut text = String::from(
            "# The catalogue of a server. Labels are proposals from what it says of itself: read them, and take over \
             what is so.\nversion = 1\n",
        );
        for (name, tool) in &tools.kept {
            // Writing to a text does not fail.
            let _ = write!(text, "\n[[tool]]\nname = {}\n{}", quoted(name), tool.text());
        }
        let exit = if tools.left_out.is_empty() { Exit::Fine } else { Exit::Findings };
        tools.left_out.sort();
        for problem in &tools.left_out {
            let _ = write!(text, "\n# left out: {problem}\n");
        }
        Ok((text, exit))
    }
}

/// A server that is asked for its tools.
struct Server {
    child: Child,
    lines: Receiver<Vec<u8>>,
    next: u32,
}

impl Server {
    fn start(words: &[OsString]) -> Result<Self, String> {
        let (program, args) = words.split_first().ok_or("expected a server")?;
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| format!("can't start `{}`: {error}", program.display()))?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let (send, lines) = channel();
        thread::spawn(move || {
            let mut frames = Frames::new(BufReader::new(output), MAX_FRAME);
            while let Ok(Some(Frame::Line(line))) = frames.next() {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Server { child, lines, next: 0 })
    }

    fn tell(&mut self, mut line: Vec<u8>) -> Result<(), String> {
        line.push(b'\n');
        let input = self.child.stdin.as_mut().ok_or("the server has no input")?;
        let written = input.write_all(&line).and_then(|()| input.flush());
        written.map_err(|error| format!("the server takes nothing: {error}"))
    }

    /// Asks, and gives the result, or the error.
    fn ask(&mut self, method: &str, params: &str) -> Result<Result<String, String>, String> {
        self.next += 1;
        let named = format!(r#"{{"id":{}}}"#, self.next);
        let id = Id::named(Some(&named), "id").ok_or("no id")?;
        self.tell(request(&id, method, Some(params)))?;
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.map_err(|_| format!("the server does not answer `{method}`"))?;
            match Message::read(&line) {
                Ok(Message::Response { id: own, answer }) if own == id => {
                    return Ok(match answer {
                        Answer::Result(result) => Ok(result.to_owned()),
                        Answer::Error(error) => Err(error.to_owned()),
                    });
                }
                // What else it says is of no use here.
                _ => {}
            }
        }
    }

    /// The tools of all pages, each as the server wrote it.
    fn tools(&mut self) -> Result<Vec<String>, String> {
        let client = r#"{"name":"hallpass","version":"0"}"#;
        let handshake = format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{client}}}"#
        );
        let meta = match self.ask("initialize", &handshake)? {
            Ok(_) => {
                self.tell(notification("notifications/initialized", None))?;
                String::new()
            }
            // From `2026-07-28` on there is no handshake.
            Err(_) => format!(
                r#""_meta":{{"{REVISION_KEY}":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}"#
            ),
        };
        let mut tools = Vec::new();
        let mut params = format!("{{{meta}}}");
        for _ in 0..MOST_PAGES {
            let page = self.ask("tools/list", &params)?;
            let page = page.map_err(|error| format!("the server lists no tools: {error}"))?;
            let members = Members::of(&page).map_err(|error| format!("its list: {error}"))?;
            let listed = members.get("tools").and_then(elements).ok_or("its list is none")?;
            tools.extend(listed.into_iter().map(str::to_owned));
            match members.get("nextCursor").filter(|cursor| *cursor != "null") {
                None => return Ok(tools),
                Some(cursor) if meta.is_empty() => params = format!(r#"{{"cursor":{cursor}}}"#),
                Some(cursor) => params = format!(r#"{{"cursor":{cursor},{meta}}}"#),
            }
        }
        Err(format!("the server's list has more than {MOST_PAGES} pages"))
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        // It was asked for a list, and has nothing to finish.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Tools {
    kept: BTreeMap<String, Listed>,
    left_out: Vec<String>,
}

/// What is said of one tool.
#[derive(Default)]
struct Listed {
    /// Names of arguments, and of what type they look.
    types: Vec<(String, String)>,
    arguments: Vec<String>,
    labels: Vec<&'static str>,
    /// Of the whole definition.
    digest: Option<Digest>,
}

impl Tools {
    fn of(listed: &[String]) -> Self {
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
            types.push((name.to_owned(), known, plain));
        }
        // One argument of a plain type makes the list all that the tool has, so that each of them needs one.
        for (name, known, plain) in types {
            let plain = plain.filter(|_| all_known);
            listed.types.extend(known.or(plain).map(|of| (name, of)));
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

    fn text(&self) -> String {
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
