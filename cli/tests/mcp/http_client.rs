//! `hallpass mcp --listen`, and a client that writes what it likes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::Folder;
use crate::world::gated::{KEY, scripted_server, with_handshake};

const LONG: Duration = Duration::from_secs(20);
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Server {
    child: Option<Child>,
    folder: Option<Folder>,
    pub(crate) address: String,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    body: BufReader<TcpStream>,
}

impl Server {
    pub(crate) fn new(policy: &str, options: &[&str], script: Value) -> Self {
        let folder = Folder::new();
        for (name, content) in [("p.toml", policy), ("key", KEY), ("bearer", SECRET)] {
            folder.write(name, content);
        }
        folder.write("script.json", with_handshake(script, "2025-11-25").to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args([
            "mcp",
            "--policy",
            "p.toml",
            "--as",
            "agent-7",
            "--purpose",
            "errand",
            "--log",
            "log",
        ]);
        command
            .args(["--key-file", "key", "--listen", "127.0.0.1:0", "--bearer-file", "bearer"])
            .args(options);
        command.arg("--").arg(scripted_server()).args(["script.json", "notes"]);
        command.current_dir(folder.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|own| own.strip_suffix("/mcp"))
        else {
            panic!("{line} {:?}", child.wait_with_output())
        };
        let address = address.to_owned();
        Server { child: Some(child), folder: Some(folder), address }
    }

    pub(crate) fn request(&self, method: &str, headers: &str, body: &str) -> Response {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} /mcp HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        let _ = stream.write_all(request.as_bytes());
        let mut body = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && body.read_line(&mut head).unwrap() > 0 {}
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Response { status, head, body }
    }

    /// As the protocol has it, with the secret, in a session.
    pub(crate) fn in_session(&self, method: &str, session: &str, body: &str) -> Response {
        let session = match session {
            "" => String::new(),
            session => format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n"),
        };
        self.request(method, &format!("{}{session}", self.usual()), body)
    }

    pub(crate) fn usual(&self) -> String {
        format!(
            "Host: {}\r\nAuthorization: Bearer {SECRET}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n",
            self.address
        )
    }

    /// Begins a session: its id.
    pub(crate) fn begin(&self) -> String {
        let mut response = self.in_session("POST", "", &initialize());
        assert_eq!(response.status, 200, "{}", response.head);
        let session = response.header("mcp-session-id").unwrap().to_owned();
        assert_eq!(response.message()["result"]["protocolVersion"], "2025-11-25");
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.in_session("POST", &session, &told.to_string()).status, 202);
        session
    }

    pub(crate) fn call(&self, session: &str, tool: &str, args: Value) -> Value {
        let mut response = self.in_session("POST", session, &call(7, tool, args));
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("text/event-stream"))
        );
        let message = response.message();
        assert_eq!(message["id"], 7, "{message}");
        message["result"].clone()
    }

    pub(crate) fn end(mut self) -> (Folder, String) {
        let child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let ran = child.wait_with_output().unwrap();
        let errors = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(0), "{errors}");
        (self.folder.take().unwrap(), errors)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut own = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.next().map(|(_, value)| value)
    }

    /// The next message of a stream; nothing at its end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            if self.body.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }

    pub(crate) fn message(&mut self) -> Value {
        self.next().unwrap_or_else(|| panic!("no message: {}", self.head))
    }

    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        let _ = self.body.read_to_string(&mut rest);
        rest
    }
}

fn initialize() -> String {
    let client = json!({ "name": "test", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string()
}

pub(crate) fn call(id: u32, tool: &str, args: Value) -> String {
    let params = json!({ "name": tool, "arguments": args });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}
