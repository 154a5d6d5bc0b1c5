//! A server that says what a script tells it to, and notes what it was told.
//!
//! ```text
//! scripted-server SCRIPT NOTES
//! ```
//!
//! The script is an object: for each method, or `tools/call NAME`, the lines that answer it, in which `$ID` is the
//! request's id and `$ARGS` what the tool is called with. `!exit`, `!crash`, `!hang` and `!big N` do what they say.
//! What has no entry is answered with an empty result, and a notification not at all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::fs::OpenOptions;
use std::io::{self, BufRead, Write};
use std::process;

use serde_json::Value;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let script = std::fs::read_to_string(arguments.next().unwrap()).unwrap();
    let script: Value = serde_json::from_str(&script).unwrap();
    let mut notes =
        OpenOptions::new().create(true).append(true).open(arguments.next().unwrap()).unwrap();
    say(&script["start"], "null", "{}");
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        writeln!(notes, "{line}").unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        let method = message["method"].as_str().unwrap_or("answer");
        let tool = message["params"]["name"].as_str().unwrap_or_default();
        let id = message["id"].to_string();
        let args = message["params"]["arguments"].to_string();
        let entry = match script.get(format!("{method} {tool}")) {
            Some(entry) => entry,
            None => &script[method],
        };
        match entry {
            Value::Null if message.get("id").is_some() && method != "answer" => {
                println!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
            }
            entry => say(entry, &id, &args),
        }
    }
    writeln!(notes, "end of input").unwrap();
    if script["stays"] == true {
        wait_for_ever();
    }
}

fn say(lines: &Value, id: &str, args: &str) {
    let mut out = io::stdout();
    for line in lines.as_array().into_iter().flatten() {
        let line = line.as_str().unwrap().replace("$ID", id).replace("$ARGS", args);
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("!exit", _) => process::exit(0),
            ("!crash", _) => process::abort(),
            ("!hang", _) => wait_for_ever(),
            ("!bytes", hex) => {
                let bytes: Vec<u8> =
                    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
                out.write_all(&bytes).unwrap();
            }
            ("!big", bytes) => {
                let text = "x".repeat(bytes.parse().unwrap());
                let content = format!(r#"[{{"type":"text","text":"{text}"}}]"#);
                let result = format!(r#"{{"content":{content}}}"#);
                writeln!(out, r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).unwrap();
            }
            _ => writeln!(out, "{line}").unwrap(),
        }
    }
    out.flush().unwrap();
}

fn wait_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}
