//! A broker whose tools run with secrets, and a client that writes its requests by hand.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hallpass::audit::{MemoryLog, Record};
use hallpass::prelude::*;
use hallpass::scope::{eq, glob};
use hallpass::vault::{Secret, Vault};
use hallpass_http::{Endpoint, Injection, Injector};
use serde_json::json;

use crate::server::Server;

/// The bearer token of `orders.fetch`.
pub(crate) const TOKEN: &str = "t0ken-fD3kW9sLq2-Qm7Lz0T";
/// What `crm.fetch` has in a header of its own.
pub(crate) const KEY: &str = "cRm-8f6a1c40e2-k3y-77b1";

const POLICY: &str = r#"
    version = 1
    tool = [
        { name = "orders.fetch", credential = "orders-api" },
        { name = "crm.fetch", credential = "crm-key" },
        { name = "both", credential = ["orders-api", "crm-key"] },
        { name = "other", credential = "unknown" },
        { name = "http.request" },
    ]

    [[rule]]
    id = "fetch"
    effect = "permit"
    what = { tool = { one_of = ["orders.fetch", "crm.fetch", "both", "other"] }, args = "any" }

    [[rule]]
    id = "request"
    effect = "permit"
    what = { tool = "http.request", args = { method = "GET", url = { glob = "http://127.0.0.1:*/v1/**" } } }
    grant = { uses = 2 }
"#;

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) agent: Identity,
    pub(crate) vault: Vault,
    pub(crate) orders: Server,
    pub(crate) crm: Server,
    pub(crate) injector: Injector,
}

impl World {
    pub(crate) fn new() -> World {
        let (orders, crm) = (Server::start(), Server::start());
        let injector = Injector::builder()
            .secret(Injection::bearer("orders-api", orders.origin().parse().unwrap()))
            .secret(Injection::header("crm-key", "X-Api-Key", crm.origin().parse().unwrap()));
        World::with(injector.build().unwrap(), orders, crm)
    }

    pub(crate) fn with(injector: Injector, orders: Server, crm: Server) -> World {
        let vault = Vault::new().unwrap();
        for (name, secret) in
            [("orders-api", TOKEN), ("crm-key", KEY), ("unknown", "not-injected-anywhere")]
        {
            vault.seal(name, Secret::new(secret).unwrap()).unwrap();
        }
        let policy = saying_origins(POLICY, &injector);
        let broker =
            Broker::builder(Policy::from_toml(&policy).unwrap()).vault(&vault).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        World { broker, agent, vault, orders, crm, injector }
    }

    pub(crate) fn open(&self) -> (Task, Grant) {
        let task = self.broker.open(&self.agent, Purpose::new("errand")).unwrap();
        let tools = ["crm.fetch", "both", "other"].map(Scope::tool);
        let scope = tools
            .into_iter()
            .fold(Scope::tool("orders.fetch").any_args(), |scope, tool| scope.and(tool.any_args()));
        let request = Scope::tool("http.request").arg("method", eq("GET"));
        let url = glob("http://127.0.0.1:*/v1/**");
        let scope = scope.and(request.arg("url", url));
        let grant = task.request(scope, &Context::new()).unwrap();
        (task, grant)
    }

    pub(crate) fn permit(&self, grant: &Grant, tool: &str) -> Permit {
        let call = Call::new(tool, json!({})).unwrap();
        self.broker.gate().authorize(grant, &self.agent, call, &Context::new()).unwrap()
    }

    /// What a tool gives that may ask for anything, and is told the endpoint.
    pub(crate) fn run<T>(&self, tool: &str, client: impl FnOnce(&Endpoint<'_>) -> T) -> T {
        let (_task, grant) = self.open();
        let receipt = self.permit(&grant, tool).run_with(|running, secrets| {
            let lease = self.injector.lend(running, secrets).allow("GET", "/").allow("POST", "/");
            lease.serve(client)
        });
        receipt.unwrap().raw()
    }

    /// The answer to one request with these headers, as a tool of `orders.fetch` gets it.
    pub(crate) fn get(&self, path: &str, headers: &str) -> Answer {
        self.run("orders.fetch", |endpoint| {
            get(&endpoint.url("orders-api").unwrap(), path, headers)
        })
    }

    /// What kinds of records there are, in order.
    pub(crate) fn records(&self) -> Vec<Record> {
        let log: &MemoryLog = self.broker.log().unwrap();
        log.records()
    }
}

/// A policy whose tools may send their credentials where the injector does.
pub(crate) fn saying_origins(policy: &str, injector: &Injector) -> String {
    let said = |policy: String, credential: &str| {
        let Some(origin) = injector.origin_of(credential) else { return policy };
        let alone = format!("credential = \"{credential}\"");
        let saying = format!("{alone}, origins = {{ {credential} = \"{origin}\" }}");
        policy.replace(&alone, &saying)
    };
    let policy = said(said(policy.to_owned(), "orders-api"), "crm-key");
    let both = ["orders-api", "crm-key"].map(|own| {
        let origin = injector.origin_of(own);
        origin.map(|origin| format!("{own} = \"{origin}\"")).unwrap_or_default()
    });
    let alone = "credential = [\"orders-api\", \"crm-key\"]";
    let saying = format!("{alone}, origins = {{ {} }}", both.join(", ").trim_end_matches(", "));
    policy.replace(alone, &saying)
}

/// What a client is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        format!("{}\n\n{}", self.head, self.body)
    }

    fn read(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|own| own.parse().ok()).unwrap_or(0);
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if is_chunked { unchunked(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }
}

fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.push_str(&rest[..length]);
        text = &rest[length + 2..];
    }
    panic!("the answer broke off: {body}")
}

/// Where a URL of an endpoint is served, and the path that it stands for.
pub(crate) fn parts(url: &str) -> (SocketAddr, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    let (at, _) = rest.split_once('/').unwrap();
    (at.parse().unwrap(), &rest[at.len()..])
}

pub(crate) fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes until a connection is closed by the other side, however it closes it.
pub(crate) fn until_closed(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(error) = stream.read_to_end(&mut rest) {
        let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!waited, "it is open");
    }
    String::from_utf8_lossy(&rest).into_owned()
}

/// A connection to an endpoint that has served a request, refused as it was, and is open.
pub(crate) fn kept_open(at: SocketAddr) -> TcpStream {
    let mut stream = connect(at);
    refused_on(&mut stream);
    stream
}

/// Sends a request without a key, and reads all that is answered.
pub(crate) fn refused_on(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n0\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 404 "), "{}", String::from_utf8_lossy(&answer));
}

/// What is answered to a request that is given as text.
pub(crate) fn http(at: SocketAddr, request: &str) -> Answer {
    let mut stream = connect(at);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Answer::read(&answer)
}

pub(crate) fn get(url: &str, path: &str, headers: &str) -> Answer {
    let (at, prefix) = parts(url);
    http(
        at,
        &format!("GET {prefix}{path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n{headers}\r\n"),
    )
}

pub(crate) fn post(url: &str, path: &str, body: &str) -> Answer {
    let (at, prefix) = parts(url);
    let length = body.len();
    http(
        at,
        &format!(
            "POST {prefix}{path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

/// A request as a proxy is asked, with these headers.
pub(crate) fn through(proxy: &str, target: &str, headers: &str) -> Answer {
    let (_, at) = proxy.split_once('@').unwrap();
    http(
        at.parse().unwrap(),
        &format!(
            "GET {target} HTTP/1.1\r\nhost: elsewhere.test\r\nconnection: close\r\n{headers}\r\n"
        ),
    )
}

/// The header that has a proxy's password.
pub(crate) fn password(proxy: &str) -> String {
    use base64::Engine as _;
    let user = proxy.strip_prefix("http://").unwrap().split_once('@').unwrap().0;
    format!(
        "proxy-authorization: Basic {}\r\n",
        base64::engine::general_purpose::STANDARD.encode(user)
    )
}
