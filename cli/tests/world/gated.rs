//! A client, the command, and a scripted server behind it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use hallpass::audit::{FileLog, Origin};
use hallpass::key::{LogKeys, SecretKey};
use serde_json::{Value, json};

use super::Folder;

/// Longer than anything takes here: a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(20);

pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A session of `hallpass mcp`, and the client's ends of it.
pub(crate) struct Gated {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    folder: Option<Folder>,
}

/// What a session left.
pub(crate) struct Left {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
    /// What came after the last line that was read.
    pub(crate) output: Vec<Value>,
    /// What the server was told.
    pub(crate) told: String,
    pub(crate) folder: Folder,
}

pub(crate) fn scripted_server() -> PathBuf {
    let command = Path::new(env!("CARGO_BIN_EXE_hallpass"));
    command.parent().unwrap().join("examples/scripted-server")
}

impl Gated {
    /// With a policy, options and a script; in a log.
    pub(crate) fn new(policy: &str, options: &[&str], script: Value) -> Self {
        Gated::in_folder(Folder::new(), policy, options, script)
    }

    pub(crate) fn in_folder(folder: Folder, policy: &str, options: &[&str], script: Value) -> Self {
        folder.write("script.json", script.to_string());
        let server = scripted_server();
        let server = [server.to_str().unwrap(), "script.json", "notes"];
        Gated::before(folder, policy, options, &server)
    }

    /// Before a server of another's.
    pub(crate) fn before(folder: Folder, policy: &str, options: &[&str], server: &[&str]) -> Self {
        Gated::before_any(folder, policy, options, &[&["--"], server].concat())
    }

    /// Before a server that is reached over HTTP.
    pub(crate) fn remote(folder: Folder, policy: &str, options: &[&str], url: &str) -> Self {
        Gated::before_any(folder, policy, options, &["--url", url])
    }

    fn before_any(folder: Folder, policy: &str, options: &[&str], server: &[&str]) -> Self {
        folder.write("p.toml", policy);
        folder.write("key", KEY);
        let fixed = ["--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
        let fixed = fixed.iter().chain(&["--log", "log", "--key-file", "key"]).chain(options);
        let words: Vec<&str> = fixed.chain(server).copied().collect();
        let session = Gated::of_words(folder.path(), &words);
        Gated { folder: Some(folder), ..session }
    }

    /// As it is written, in a folder that is another's.
    pub(crate) fn of_words(folder: &Path, words: &[impl AsRef<std::ffi::OsStr>]) -> Self {
        Gated::of_command("mcp", folder, words)
    }

    /// Of another subcommand.
    pub(crate) fn of_command(
        name: &str,
        folder: &Path,
        words: &[impl AsRef<std::ffi::OsStr>],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.arg(name).args(words).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        let input = child.stdin.take();
        Gated { child, input, lines, folder: None }
    }

    /// As [`new`](Self::new), with the handshake of a revision done.
    pub(crate) fn begun(policy: &str, options: &[&str], script: Value) -> Self {
        let mut gated = Gated::new(policy, options, with_handshake(script, "2025-11-25"));
        gated.shake_hands("2025-11-25");
        gated
    }

    pub(crate) fn shake_hands(&mut self, revision: &str) -> Value {
        let capabilities = json!({ "sampling": {}, "roots": {}, "elicitation": {}, "tasks": {} });
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": revision, "capabilities": capabilities, "clientInfo": client });
        let result = self.ask("initialize", params);
        self.tell("notifications/initialized", json!({}));
        result
    }

    pub(crate) fn send(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_ref()).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// Gives it a folder, which lasts as long as it does.
    pub(crate) fn with(self, folder: Folder) -> Self {
        Gated { folder: Some(folder), ..self }
    }

    pub(crate) fn folder(&self) -> &Folder {
        self.folder.as_ref().unwrap()
    }

    /// Sends what has no end.
    pub(crate) fn send_part(&mut self, part: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(part).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        self.send(
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        );
    }

    pub(crate) fn tell(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(LONG).expect("a line")
    }

    pub(crate) fn message(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Asks, and waits for the answer: its result, or its error.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request(method, method, params);
        let answer = self.message();
        assert_eq!(answer["id"], json!(method), "{answer}");
        answer.get("result").unwrap_or(&answer["error"]).clone()
    }

    pub(crate) fn call(&mut self, tool: &str, args: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": args }))
    }

    /// Closes the client's side, and waits for the end.
    pub(crate) fn end(mut self) -> Left {
        drop(self.input.take());
        self.ended()
    }

    /// Waits for an end that the client does not begin.
    pub(crate) fn ended(self) -> Left {
        let Gated { child, input, lines, folder } = self;
        let (send, done) = channel();
        thread::spawn(move || send.send(child.wait_with_output()));
        let ran = done.recv_timeout(LONG).expect("an end").unwrap();
        drop(input);
        let folder = folder.unwrap_or_default();
        let told = std::fs::read_to_string(folder.path().join("notes")).unwrap_or_default();
        let output = lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
        let errors = String::from_utf8(ran.stderr).unwrap();
        Left { code: ran.status.code(), errors, output, told, folder }
    }
}

impl Left {
    /// The log's records, once it has verified.
    pub(crate) fn records(&self) -> Vec<Value> {
        records(&self.folder)
    }

    /// What the server was told, as methods or, of calls, as what they were called with.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let told = self.told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        told.filter(|message| message["method"] == "tools/call")
            .map(|message| message["params"].clone())
            .collect()
    }

    /// The records, of which each has its end.
    pub(crate) fn assert_nothing_stands(&self) -> Vec<Value> {
        let records = self.records();
        assert_nothing_stands(&records);
        records
    }
}

/// Each permit has one outcome, each grant has ended, and no task is open.
pub(crate) fn assert_nothing_stands(records: &[Value]) {
    for (begins, ends) in
        [("permitted", "outcome"), ("granted", "grant_ended"), ("opened", "ended")]
    {
        let (begun, ended) = (of_kind(records, begins).len(), of_kind(records, ends).len());
        assert_eq!(begun, ended, "{records:#?}");
    }
}

/// The records of a kind.
pub(crate) fn of_kind<'r>(records: &'r [Value], kind: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

/// What became of the calls, in the order of their outcomes.
pub(crate) fn outcomes(records: &[Value]) -> Vec<&str> {
    of_kind(records, "outcome").iter().map(|own| own["outcome"].as_str().unwrap()).collect()
}

/// Why what was denied was, and of which tool.
pub(crate) fn denials(records: &[Value]) -> Vec<(String, String)> {
    let tool = |own: &Value| {
        own["tool"].as_str().or(own["scope"]["tools"][0].as_str()).unwrap_or("").to_owned()
    };
    // Of equal denials ten stand in full, and those after them are counted.
    let times = |own: &Value| own["count"].as_u64().unwrap_or(1) as usize;
    let each = [of_kind(records, "denied"), of_kind(records, "denied_again")].concat();
    let told = each.into_iter().map(|own| (own, (tool(own), own["reason"].as_str().unwrap())));
    told.flat_map(|(own, (tool, why))| vec![(tool, why.to_owned()); times(own)]).collect()
}

/// The records of a log, once it has verified.
pub(crate) fn records(folder: &Folder) -> Vec<Value> {
    let origin = Origin::new("hallpass", "hallpass");
    let key: Vec<u8> = (0..32).collect();
    let keys = LogKeys::from_secret(SecretKey::from_bytes(&key).unwrap());
    let path = folder.path().join("log");
    let (verified, left) = FileLog::read(&path, &keys, &origin, None).unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let lines: Vec<String> =
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let records: Vec<Value> = lines
        .iter()
        .filter(|line| line.starts_with("{\"seq\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.last().map(|own| own["seq"].clone()), Some(json!(verified.anchor.seq)));
    assert_eq!((left.tasks().count(), left.permits().count()), (0, 0));
    records
}

/// A script in which the server takes part in a handshake.
pub(crate) fn with_handshake(mut script: Value, revision: &str) -> Value {
    let server = r#""serverInfo":{"name":"scripted","version":"1"}"#;
    let result = format!(
        r#"{{"protocolVersion":"{revision}","capabilities":{{"tools":{{}},"tasks":{{}}}},{server}}}"#
    );
    script["initialize"] = json!([format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{result}}}"#)]);
    script
}
