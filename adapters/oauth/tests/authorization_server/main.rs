//! Token exchange with an authorization server that others wrote: the Python package idpyoidc, which needs
//! `HALLPASS_PEERS` to say where it is installed (`.ci/authorization-server` does). It knows no actors, so that what is said of them is
//! tested against the stand-in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass::RunError;
use hallpass::credential::Debt;
use hallpass::prelude::*;
use hallpass::vault::Secret;
use hallpass_oauth::{
    ClientError, Exchange, HttpClient, Parties, Posted, Reply, SubjectToken, TokenExchange,
};
use serde_json::{Value, json};

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "orders.list", credential = "orders-api" }]

    [[rule]]
    id = "list"
    effect = "permit"
    what = { tool = "orders.list", args = "any" }
    grant = { ttl = "10m", tail = "310s", uses = 10 }
"#;

/// The server, a process of its own that ends with this.
struct Server {
    process: Child,
    port: u64,
    subject_token: String,
}

impl Server {
    fn start() -> Server {
        let peers = std::env::var_os("HALLPASS_PEERS").expect(
            "HALLPASS_PEERS does not say where idpyoidc is installed: run .ci/authorization-server",
        );
        let python = std::path::Path::new(&peers).join("oauth/bin/python");
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/authorization_server/authorization_server.py"
        );
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the server does not start");
        let subject_token = said["subject_token"].as_str().unwrap().to_owned();
        Server { process, port: said["port"].as_u64().unwrap(), subject_token }
    }

    fn broker(&self, change: impl FnOnce(Exchange) -> Exchange) -> Broker {
        let token = self.subject_token.clone();
        let endpoint = format!("http://127.0.0.1:{}/token", self.port);
        let exchange = Exchange::new(&endpoint, Duration::from_secs(300)).unwrap();
        let exchange = exchange.audience("https://orders.acme.test").parties(move |_| {
            let secret = Secret::new(token.as_str()).map_err(|error| error.to_string())?;
            Ok(Parties::of(SubjectToken::access_token(secret)))
        });
        Broker::builder(Policy::from_toml(POLICY).unwrap())
            .name("orders")
            .provider("orders-api", TokenExchange::new(change(exchange), Client))
            .tended_by_host()
            .build()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The client that the host brings: it says who it is.
struct Client;

impl HttpClient for Client {
    fn post(&self, posted: &Posted) -> Result<Reply, ClientError> {
        let rest = posted.endpoint().strip_prefix("http://").unwrap();
        let (at, path) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (body, who) = (posted.body(), STANDARD.encode("broker:of-this-test-alone"));
        write!(
            stream,
            "POST /{path} HTTP/1.0\r\nhost: {at}\r\nauthorization: Basic {who}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Ok(Reply::new(head.split(' ').nth(1).unwrap().parse().unwrap(), body.into()))
    }
}

/// A task, and what the tool of one call of it is lent.
fn lent(broker: &Broker, holder: Assertion) -> (Task, Result<String, Denial>) {
    let agent = broker.assert_identity(holder).unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(Scope::tool("orders.list").any_args(), &Context::new()).unwrap();
    let call = Call::new("orders.list", json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    let ran = permit.run_with(|_, secrets| {
        Ok::<_, ()>(secrets.get("orders-api").unwrap().expose_text().unwrap().to_owned())
    });
    let token = match ran {
        Ok(receipt) => Ok(receipt.raw()),
        Err(RunError::Denied(denial)) => Err(denial),
        Err(RunError::Tool(_)) => panic!("the tool does not fail"),
    };
    (task, token)
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
#[ignore = "needs a server that is installed: .ci/authorization-server"]
fn a_server_that_others_wrote_gives_a_token_for_the_audience_and_the_scopes_that_were_asked_for() {
    let server = Server::start();
    let broker = server.broker(|own| own.scope("orders.read"));
    let (task, token) = lent(&broker, Assertion::agent("agent-9"));
    let token = token.unwrap_or_else(|denial| panic!("{}", denial.explain()));
    let said = claims(&token);
    assert_eq!(said["sub"], "agent-9");
    assert_eq!(said["aud"], json!(["https://orders.acme.test"]));
    assert_eq!(said["scope"], "orders.read", "less than its subject's token is good for");
    // One for each grant, which stands until it expires.
    let (_other, theirs) = lent(&broker, Assertion::agent("agent-9"));
    assert_ne!(theirs.unwrap(), token);
    task.complete();
    broker.tend(Duration::from_secs(1));
    assert_eq!(broker.obligations()[0].debt, Debt::Lasting);
}

#[test]
#[ignore = "needs a server that is installed: .ci/authorization-server"]
fn what_a_server_that_others_wrote_refuses_was_not_made() {
    let mut server = Server::start();
    let broker = server.broker(|own| own.scope("orders.write"));
    let refused = |broker: &Broker| {
        let (_task, token) = lent(broker, Assertion::agent("agent-9"));
        let denial = token.unwrap_err();
        assert_eq!(denial.reason(), Reason::CredentialUnavailable);
        assert_eq!(broker.obligations(), []);
        denial.explain().to_string()
    };
    assert!(refused(&broker).contains("invalid_scope"));
    let broker = server.broker(|own| own.audience("https://mail.acme.test").scope("orders.read"));
    assert!(refused(&broker).contains("invalid_target"));
    server.subject_token = "a-token-of-another-server".to_owned();
    let broker = server.broker(|own| own.scope("orders.read"));
    let told = refused(&broker);
    assert!(told.contains("invalid_request") && !told.contains("a-token-of"), "{told}");
}

/// Its tokens are for who it knows: that the holder is another is seen here.
#[test]
#[ignore = "needs a server that is installed: .ci/authorization-server"]
fn a_token_for_another_than_the_holder_is_refused_and_owed() {
    let server = Server::start();
    let broker = server.broker(|own| own.scope("orders.read"));
    let (_task, token) = lent(&broker, Assertion::agent("agent-8"));
    assert!(token.unwrap_err().explain().to_string().contains("`sub` of the token"));
    assert_eq!(broker.obligations().len(), 1);
}
