//! A broker whose tool runs with a token, and the client that the host brings.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{MemoryLog, Record};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::vault::Secret;
use hallpass_oauth::{
    AsyncHttpClient, ClientError, Exchange, HttpClient, Parties, Posted, Reply, SubjectToken,
    TokenExchange, actor_claims,
};
use serde_json::{Value, json};

use crate::server::{Server, signed};

/// By which the clock stands when a world begins.
pub(crate) const START: &str = "2026-01-01T00:00:00Z";

pub(crate) const POLICY: &str = r#"
    version = 1
    tool = [{ name = "orders.list", credential = "orders-api" }]

    [[rule]]
    id = "list"
    effect = "permit"
    what = { tool = "orders.list", args = "any" }
    grant = { ttl = "10m", tail = "310s", uses = 10 }
"#;

/// Posts over connections of its own, and fails when it is told to.
#[derive(Clone, Default)]
pub(crate) struct Client {
    pub(crate) fails: Arc<Mutex<Option<ClientError>>>,
}

impl HttpClient for Client {
    fn post(&self, posted: &Posted) -> Result<Reply, ClientError> {
        if let Some(error) = self.fails.lock().unwrap().clone() {
            return Err(error);
        }
        let rest = posted.endpoint().strip_prefix("http://").unwrap();
        let (at, path) = rest.split_once('/').unwrap();
        let at: SocketAddr = at.parse().unwrap();
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let body = posted.body();
        write!(
            stream,
            "POST /{path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\
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

impl AsyncHttpClient for Client {
    fn post<'c>(
        &'c self,
        posted: &'c Posted,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, ClientError>> + Send + 'c>> {
        Box::pin(std::future::ready(HttpClient::post(self, posted)))
    }
}

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) clock: ManualClock,
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) agent: Identity,
}

/// What is asked of a server: what `parties` signs is what the stand-in knows.
pub(crate) fn exchange(server: &Server) -> Exchange {
    Exchange::new(&format!("http://{}/token", server.at), Duration::from_secs(300))
        .unwrap()
        .audience("https://orders.acme.test")
        .scope("orders.read")
        .scope("orders.list")
        .parties(|holder| {
            let subject = holder.acts_for().last().map_or(holder.subject(), |own| &own.subject);
            let subject = signed(&json!({ "sub": subject.as_str(), "iss": "host" }));
            let secret = |text: String| Secret::new(text).map_err(|error| error.to_string());
            let parties = Parties::of(SubjectToken::jwt(secret(subject)?));
            Ok(match actor_claims(holder) {
                None => parties,
                Some(claims) => {
                    let claims: Value = serde_json::from_str(&claims).unwrap();
                    parties.acting(SubjectToken::jwt(secret(signed(&claims))?))
                }
            })
        })
}

pub(crate) fn start() -> (ManualClock, Server) {
    let start = Timestamp::parse_rfc3339(START).unwrap();
    let seconds = u64::try_from(start.unix_millis() / 1000).unwrap();
    (ManualClock::new(start), Server::start(seconds))
}

impl World {
    pub(crate) fn new() -> World {
        World::with(POLICY, |exchange| exchange)
    }

    pub(crate) fn with(policy: &str, change: impl FnOnce(Exchange) -> Exchange) -> World {
        let (clock, server) = start();
        let client = Client::default();
        let provider = TokenExchange::new(change(exchange(&server)), client.clone());
        let broker = Broker::builder(Policy::from_toml(policy).unwrap())
            .name("orders")
            .clock(clock.clone())
            .provider("orders-api", provider)
            .tended_by_host()
            .build()
            .unwrap();
        let agent = broker.assert_identity(holder()).unwrap();
        World { broker, clock, server, client, agent }
    }

    pub(crate) fn request(&self) -> Result<(Task, Grant), Denial> {
        let task = self.broker.open(&self.agent, Purpose::new("reporting"))?;
        let grant = task.request(Scope::tool("orders.list").any_args(), &Context::new())?;
        Ok((task, grant))
    }

    /// The token that the tool of one call is lent.
    pub(crate) fn lent(&self, grant: &Grant) -> Result<String, Denial> {
        let call = Call::new("orders.list", json!({})).unwrap();
        let permit = self.broker.gate().authorize(grant, &self.agent, call, &Context::new())?;
        let receipt = permit.run_with(|_, secrets| {
            Ok::<_, ()>(secrets.get("orders-api").unwrap().expose_text().unwrap().to_owned())
        });
        match receipt {
            Ok(receipt) => Ok(receipt.raw()),
            Err(hallpass::RunError::Denied(denial)) => Err(denial),
            Err(_) => panic!("the tool does not fail"),
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let log: &MemoryLog = self.broker.log().unwrap();
        log.records()
    }
}

/// An agent that acts for a planner, which acts for a person.
pub(crate) fn holder() -> Assertion {
    Assertion::agent("agent-7")
        .acts_for("planner", Kind::Agent)
        .acts_for("alice@acme.test", Kind::Human)
}
