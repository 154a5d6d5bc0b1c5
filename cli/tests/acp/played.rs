//! An editor, the command, and an agent behind it; the test plays both.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::Folder;
use crate::world::gated::{Gated, KEY, Left};

/// Longer than anything takes here: a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(20);

/// Both sides of a session.
pub(crate) struct Played {
    pub(crate) editor: Gated,
    pub(crate) agent: Agent,
}

/// The agent's side.
pub(crate) struct Agent {
    lines: BufReader<TcpStream>,
    stream: TcpStream,
}

fn relayed_agent() -> PathBuf {
    let command = Path::new(env!("CARGO_BIN_EXE_hallpass"));
    command.parent().unwrap().join("examples/relayed-agent")
}

impl Played {
    /// With nothing said yet.
    pub(crate) fn new(policy: &str, options: &[&str]) -> Self {
        let folder = Folder::new();
        folder.write("p.toml", policy);
        folder.write("key", KEY);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, agent) = (listener.local_addr().unwrap().to_string(), relayed_agent());
        let fixed = ["--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
        let fixed = fixed.iter().chain(&["--log", "log", "--key-file", "key"]).chain(options);
        let words: Vec<&str> =
            fixed.copied().chain(["--", agent.to_str().unwrap(), &address]).collect();
        let editor = Gated::of_command("acp", folder.path(), &words).with(folder);
        let (send, came) = channel();
        thread::spawn(move || send.send(listener.accept().unwrap().0));
        let Ok(stream) = came.recv_timeout(LONG) else {
            panic!("no agent was started: {}", editor.end().errors)
        };
        stream.set_read_timeout(Some(LONG)).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        Played { editor, agent: Agent { lines, stream } }
    }

    /// With the handshake done.
    pub(crate) fn begun(policy: &str, options: &[&str]) -> Self {
        let mut played = Played::new(policy, options);
        let fs = json!({ "readTextFile": true, "writeTextFile": true });
        let can = json!({ "fs": fs, "terminal": true });
        let params = json!({ "protocolVersion": 1, "clientCapabilities": can });
        played.editor.request("initialize", "initialize", params);
        let asked = played.agent.message();
        played.agent.answer(&asked, json!({ "protocolVersion": 1, "agentCapabilities": {} }));
        assert_eq!(played.editor.message()["result"]["protocolVersion"], 1);
        played
    }

    /// With a prompt that the agent is answering.
    pub(crate) fn prompted(policy: &str, options: &[&str]) -> Self {
        let mut played = Played::begun(policy, options);
        played.prompt("s");
        played
    }

    /// Prompts in a session: the request as the agent gets it. Its id is the session's.
    pub(crate) fn prompt(&mut self, session: &str) -> Value {
        let prompt = json!([{ "type": "text", "text": "go on" }]);
        self.editor.request(
            session,
            "session/prompt",
            json!({ "sessionId": session, "prompt": prompt }),
        );
        let asked = self.agent.message();
        assert_eq!((&asked["method"], &asked["id"]), (&json!("session/prompt"), &json!(session)));
        asked
    }

    /// The agent has answered the prompt: what the editor gets before it hears so.
    pub(crate) fn end_turn(&mut self, session: &str) -> Vec<Value> {
        self.agent.send(&json!({
            "jsonrpc": "2.0", "id": session, "result": { "stopReason": "end_turn" },
        }));
        self.until_answered(session)
    }

    /// What the editor gets before the answer to its request.
    pub(crate) fn until_answered(&mut self, id: &str) -> Vec<Value> {
        let mut before = Vec::new();
        loop {
            let message = self.editor.message();
            if message["id"] == id && message.get("method").is_none() {
                return before;
            }
            before.push(message);
        }
    }

    /// The agent asks, and is answered without the editor.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> Value {
        self.agent.request("r", method, params);
        let answer = self.agent.message();
        assert_eq!(answer["id"], "r", "{answer}");
        answer["error"].clone()
    }

    /// The agent asks, the editor gets it and answers: what the editor got.
    pub(crate) fn permitted(&mut self, method: &str, params: Value, result: Value) -> Value {
        self.agent.request("p", method, params);
        let asked = self.editor.message();
        assert_eq!((&asked["id"], &asked["method"]), (&json!("p"), &json!(method)), "{asked}");
        self.editor.answer(&asked, result.clone());
        let answer = self.agent.message();
        assert_eq!((&answer["id"], &answer["result"]), (&json!("p"), &result));
        asked["params"].clone()
    }

    /// The agent runs a command, of which the editor says that it has this terminal.
    pub(crate) fn run(&mut self, session: &str, terminal: &str) {
        let params = json!({ "sessionId": session, "command": "cargo", "args": ["test"] });
        self.permitted("terminal/create", params, json!({ "terminalId": terminal }));
    }

    /// Ends the editor's side.
    pub(crate) fn end(self) -> Left {
        self.editor.end()
    }
}

impl Agent {
    pub(crate) fn send(&mut self, message: &Value) {
        self.say(&format!("{message}\n"));
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    pub(crate) fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    pub(crate) fn answer(&mut self, asked: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }));
    }

    pub(crate) fn message(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the end, or {line}"))
    }

    /// Has the agent crash.
    pub(crate) fn crash(&self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }
}

impl Gated {
    /// Answers a request of the agent's.
    pub(crate) fn answer(&mut self, asked: &Value, result: Value) {
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        self.send(answer.to_string());
    }

    /// Answers it with an error.
    pub(crate) fn fail(&mut self, asked: &Value) {
        let error = json!({ "code": -32603, "message": "no" });
        self.send(json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error }).to_string());
    }
}

/// The terminals that the editor was told to kill and to release, in that order.
pub(crate) fn ended_terminals(messages: &[Value]) -> Vec<String> {
    let (kills, releases): (Vec<&Value>, Vec<&Value>) =
        messages.iter().partition(|own| own["method"] == "terminal/kill");
    let of = |own: &&Value| own["params"]["terminalId"].as_str().unwrap().to_owned();
    let (kills, releases): (Vec<String>, Vec<String>) =
        (kills.iter().map(of).collect(), releases.iter().map(of).collect());
    assert_eq!(kills, releases, "{messages:?}");
    assert!(messages.iter().all(|own| own["id"].as_str().unwrap().starts_with("hallpass-")));
    kills
}
