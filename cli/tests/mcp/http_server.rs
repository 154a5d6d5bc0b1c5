//! A server over HTTP that answers what a test wants, and notes what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(20);

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) method: String,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// What is answered: bytes, and whether the connection takes another request then, is closed, or stays as it is.
pub(crate) enum Said {
    Whole(String),
    Cut(String),
    Hanging(String),
    /// As `Hanging`, of what is no text.
    Bytes(Vec<u8>),
}

type Answers = dyn Fn(&Came) -> Said + Send + Sync;

#[derive(Clone)]
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    came: Arc<(Mutex<Vec<Came>>, Condvar)>,
}

impl HttpServer {
    /// One that answers so, but takes part in the handshake and in what is usual by itself.
    pub(crate) fn new(answers: impl Fn(&Came) -> Option<Said> + Send + Sync + 'static) -> Self {
        HttpServer::answering(move |came| answers(came).unwrap_or_else(|| usual(came)))
    }

    pub(crate) fn answering(answers: impl Fn(&Came) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = HttpServer { address: listener.local_addr().unwrap(), came: Arc::default() };
        let (own, answers): (_, Arc<Answers>) = (server.clone(), Arc::new(answers));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (own, answers) = (own.clone(), answers.clone());
                thread::spawn(move || own.exchange(stream, &*answers));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// What has come so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.0.lock().unwrap().clone()
    }

    /// Waits until something like this has come.
    pub(crate) fn wait_for(&self, like: impl Fn(&Came) -> bool) -> Came {
        let waits = |came: &mut Vec<Came>| !came.iter().any(&like);
        let all = self.came.0.lock().unwrap();
        let (all, waited) = self.came.1.wait_timeout_while(all, LONG, waits).unwrap();
        assert!(!waited.timed_out(), "{all:?}");
        all.iter().find(|own| like(own)).unwrap().clone()
    }

    fn exchange(&self, stream: TcpStream, answers: &Answers) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(came) = read(&mut reader) {
            self.came.0.lock().unwrap().push(came.clone());
            self.came.1.notify_all();
            match answers(&came) {
                Said::Whole(text) => {
                    if writer.write_all(text.as_bytes()).is_err() {
                        return;
                    }
                }
                Said::Cut(text) => {
                    let _ = writer.write_all(text.as_bytes());
                    return;
                }
                said @ (Said::Hanging(_) | Said::Bytes(_)) => {
                    let bytes = match said {
                        Said::Bytes(bytes) => bytes,
                        Said::Whole(text) | Said::Cut(text) | Said::Hanging(text) => {
                            text.into_bytes()
                        }
                    };
                    let _ = writer.write_all(&bytes);
                    // Until the other side has closed it.
                    let _ = reader.read_to_end(&mut Vec::new());
                    return;
                }
            }
        }
    }
}

impl Came {
    pub(crate) fn is(&self, rpc: &str) -> bool {
        self.body["method"] == rpc
    }

    pub(crate) fn calls(&self, tool: &str) -> bool {
        self.is("tools/call") && self.body["params"]["name"] == tool
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut own = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.next().map(|(_, value)| value)
    }

    /// An answer to it.
    pub(crate) fn result(&self, result: &Value) -> String {
        json!({ "jsonrpc": "2.0", "id": self.body["id"], "result": result }).to_string()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Came> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let method = head.split(' ').next()?.to_owned();
    let came = Came { method, head, body: Value::Null };
    let length = came.header("content-length").and_then(|own| own.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Came { body: serde_json::from_slice(&body).unwrap_or_default(), ..came })
}

/// An answer of HTTP with all its body.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

pub(crate) fn json_of(body: &str) -> Said {
    Said::Whole(http("200 OK", "Content-Type: application/json\r\n", body))
}

/// The beginning of a stream, which lasts as long as the connection.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

pub(crate) fn event(data: &str) -> String {
    format!("event: message\ndata: {data}\n\n")
}

/// What servers usually do.
pub(crate) fn usual(came: &Came) -> Said {
    let text = match (&*came.method, came.body["method"].as_str()) {
        ("GET", _) => http("405 Method Not Allowed", "", ""),
        ("DELETE", _) => http("204 No Content", "", ""),
        (_, Some("initialize")) => {
            let server = json!({ "name": "fake", "version": "1" });
            let result = came.result(&json!({
                "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": server,
            }));
            let headers = "Content-Type: application/json\r\nMcp-Session-Id: session-1\r\n";
            http("200 OK", headers, &result)
        }
        _ if came.body.get("id").is_none() || came.body.get("method").is_none() => {
            http("202 Accepted", "", "")
        }
        _ => return json_of(&came.result(&json!({}))),
    };
    Said::Whole(text)
}
