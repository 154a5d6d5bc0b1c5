//! The server, and a client that writes what it likes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::Folder;
use crate::world::gated::KEY;

/// Longer than anything takes here: a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(20);

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const ONE: &str = "/access/v1/evaluation";
pub(crate) const SEVERAL: &str = "/access/v1/evaluations";

/// A server in a folder with its policy, its secret and its log.
pub(crate) struct Server {
    child: Option<Child>,
    folder: Option<Folder>,
    pub(crate) address: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// What a server left.
pub(crate) struct Left {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
    pub(crate) folder: Folder,
}

impl Server {
    pub(crate) fn new(policy: &str, options: &[&str]) -> Self {
        Server::in_folder(Folder::new(), policy, options)
    }

    pub(crate) fn in_folder(folder: Folder, policy: &str, options: &[&str]) -> Self {
        folder.write("bearer", SECRET);
        Server::as_told(folder, policy, &[&["--bearer-file", "bearer"], options].concat())
    }

    /// With no secret but what the options say.
    pub(crate) fn as_told(folder: Folder, policy: &str, options: &[&str]) -> Self {
        folder.write("p.toml", policy);
        folder.write("key", KEY);
        let fixed =
            ["--policy", "p.toml", "--purpose", "orders", "--log", "log", "--key-file", "key"];
        let mut server = Server::of_words(folder.path(), &[&fixed, options].concat());
        server.folder = Some(folder);
        server
    }

    /// As it is written, in a folder that is another's, but at a port of its own.
    pub(crate) fn of_words(folder: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.arg("serve").args(words).args(["--listen", "127.0.0.1:0"]);
        command.current_dir(folder).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once("://") else {
            panic!("{:?}", child.wait_with_output())
        };
        Server { child: Some(child), folder: None, address: address.to_owned() }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends a request as it is written, and reads until the server closes.
    pub(crate) fn exchange(&self, request: &[u8]) -> Response {
        let mut stream = self.connect();
        // A server that has refused already may have closed.
        let _ = stream.write_all(request);
        Response::read(stream)
    }

    /// Posts JSON, with the secret.
    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        self.post_with("", path, body)
    }

    /// Posts JSON, with these lines of headers, too.
    pub(crate) fn post_with(&self, headers: &str, path: &str, body: &str) -> Response {
        let (secret, length) = (format!("Authorization: Bearer {SECRET}"), body.len());
        self.exchange(
            format!(
                "POST {path} HTTP/1.1\r\nHost: pdp.test\r\nConnection: close\r\n{headers}{secret}\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.exchange(
            format!("GET {path} HTTP/1.1\r\nHost: pdp.test\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
    }

    /// Asks for one evaluation, which is answered.
    pub(crate) fn ask(&self, request: &Value) -> Value {
        let response = self.post(ONE, &request.to_string());
        assert_eq!(response.status, 200, "{request} {response:?}");
        response.json()
    }

    pub(crate) fn may(&self, request: &Value) -> bool {
        self.ask(request)["decision"].as_bool().unwrap()
    }

    pub(crate) fn tell(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Tells the server to end, and waits until it has.
    pub(crate) fn end(self) -> Left {
        self.tell("-TERM");
        self.ended()
    }

    pub(crate) fn ended(mut self) -> Left {
        let ran = self.child.take().unwrap().wait_with_output().unwrap();
        let errors = String::from_utf8(ran.stderr).unwrap();
        Left { code: ran.status.code(), errors, folder: self.folder.take().unwrap_or_default() }
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
    pub(crate) fn read(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Response { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut own = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.next().map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Whether a subject may do this to an order, which is not sealed, by day.
pub(crate) fn question(subject: &str, action: &str, order: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": subject },
        "action": { "name": action },
        "resource": { "type": "order", "id": order, "properties": { "sealed": false } },
        "context": { "night": false },
    })
}
