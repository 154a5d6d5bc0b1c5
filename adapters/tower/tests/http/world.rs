//! A service, and `curl`.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{Event, MemoryLog, Outcome};
use hallpass::vault::Vault;
use hallpass::{Broker, BrokerBuilder, Context, Grant, Policy, Purpose, Scope, Task};
use hallpass_tower::{Gated, GatedRouter, HttpGate, Refusal};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What handlers share: what they were called with.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) type Routes = GatedRouter<Notes>;
pub(crate) type Methods = axum::routing::MethodRouter<Gated<Notes>>;

/// A service that is up.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) broker: Broker,
    pub(crate) log: MemoryLog,
    pub(crate) notes: Notes,
    pub(crate) task: Task,
    pub(crate) grant: Grant,
    pub(crate) at: SocketAddr,
}

/// What `curl` was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The word for the agent, in problem details.
    pub(crate) fn code(&self) -> String {
        assert!(
            self.header("content-type").unwrap().contains("application/problem+json"),
            "{self:?}"
        );
        assert_eq!(self.json()["status"], self.status, "{self:?}");
        self.json()["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Who sends a request. A real service has authenticated the caller; here a header says who it is.
fn who(
    broker: &Broker,
) -> impl Fn(&http::request::Parts) -> Result<hallpass::identity::Identity, Refusal> + use<> {
    let attestor = broker.attestor();
    move |request| {
        let id = request.headers.get("x-caller").and_then(|id| id.to_str().ok());
        Ok(attestor.attest(id.ok_or(Refusal::Unauthenticated)?)?)
    }
}

impl World {
    /// A service whose callers present the token of `agent-7` for the scope.
    pub(crate) fn of(policy: &str, scope: &str, routes: impl FnOnce(Routes) -> Routes) -> World {
        World::built(policy, scope, |builder| builder, |gate| gate, routes)
    }

    pub(crate) fn built(
        policy: &str,
        scope: &str,
        build: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
        tell: impl FnOnce(HttpGate) -> HttpGate,
        routes: impl FnOnce(Routes) -> Routes,
    ) -> World {
        let log = MemoryLog::new();
        let policy = Policy::from_toml(policy).unwrap();
        let broker = build(Broker::builder(policy).log(log.clone())).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("sums")).unwrap();
        let scope = Scope::from_json(scope).unwrap();
        let grant = hallpass::testing::granted(task.request(scope, &Context::new()));
        let gate = tell(HttpGate::tokens(broker.gate(), who(&broker)));
        let notes = Notes::default();
        let service = routes(GatedRouter::new(gate)).with_state(notes.clone());
        let runtime = Runtime::new().unwrap();
        let at = serve(&runtime, service);
        World { runtime, broker, log, notes, task, grant, at }
    }

    /// `curl` as `agent-7` with its token.
    pub(crate) fn curl(&self, path: &str, args: &[&str]) -> Answered {
        let token = format!("authorization: Bearer {}", self.grant.token().expose());
        let own = ["-H", "x-caller: agent-7", "-H", token.as_str()];
        curl(self.at, path, &[&own[..], args].concat())
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answered {
        self.curl(path, &["-H", "content-type: application/json", "-d", body])
    }

    /// The outcomes on record, in the order of their permits; nothing of a permit that has none.
    pub(crate) fn outcomes(&self) -> Vec<Option<Outcome>> {
        assert_eq!(self.broker.flush(), 0);
        let records = self.log.records();
        let outcome_of = |number| {
            let mut outcomes = records.iter().filter_map(|record| match record.event {
                Event::Outcome { of, outcome, .. } if of == number => Some(outcome),
                _ => None,
            });
            let outcome = outcomes.next();
            assert_eq!(outcomes.next(), None, "a permit has one outcome");
            outcome
        };
        let permits = records.iter().filter(|own| matches!(own.event, Event::Permitted { .. }));
        permits.map(|permit| outcome_of(permit.seq)).collect()
    }

    /// Waits until each permit of `many` has its outcome. What a server notices of a client that is gone takes it a
    /// moment, and no client can see it.
    pub(crate) fn settled(&self, many: usize) -> Vec<Outcome> {
        let mut tries = 0;
        loop {
            let outcomes: Option<Vec<Outcome>> = self.outcomes().into_iter().collect();
            match outcomes {
                Some(outcomes) if outcomes.len() == many => return outcomes,
                _ => assert!(tries < 2000, "{many} permits, {:?}", self.outcomes()),
            }
            tries += 1;
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The reasons of denials, for operators.
    pub(crate) fn reasons(&self) -> Vec<String> {
        assert_eq!(self.broker.flush(), 0);
        let records = self.log.records();
        // Of equal denials ten stand in full, and those after them are counted.
        let reasons = |record: &hallpass::audit::Record| match &record.event {
            Event::Denied { reason, .. } => vec![reason.to_string()],
            Event::DeniedAgain(again) => vec![again.reason.to_string(); again.count as usize],
            _ => Vec::new(),
        };
        records.iter().flat_map(reasons).collect()
    }

    /// Ends the task; nothing stands then, and the log is in order.
    pub(crate) fn end(self) {
        self.task.complete();
        hallpass::assert_nothing_stands!(self.broker);
        assert_eq!(self.broker.flush(), 0);
        self.broker.verify(&self.log).unwrap();
    }
}

/// Serves on loopback until the runtime is dropped.
pub(crate) fn serve(runtime: &Runtime, service: axum::Router) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, service).await.unwrap() });
    at
}

pub(crate) fn command(at: SocketAddr, path: &str, args: &[&str]) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-i", "--path-as-is", "--max-time", "60", "-H", "expect:"]).args(args);
    curl.arg(format!("http://{at}{path}")).stdin(Stdio::null());
    curl
}

pub(crate) fn curl(at: SocketAddr, path: &str, args: &[&str]) -> Answered {
    let ran = command(at, path, args).output().expect("curl is installed");
    answered(&ran.stdout)
}

/// Nothing where no answer came.
pub(crate) fn answered(output: &[u8]) -> Answered {
    let end = output.windows(4).position(|own| own == b"\r\n\r\n");
    let Some(end) = end else {
        return Answered { status: 0, headers: String::new(), body: output.to_vec() };
    };
    let headers = String::from_utf8(output[..end].to_vec()).unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Answered { status, headers, body: output[end + 4..].to_vec() }
}

/// A vault with one secret.
pub(crate) fn vault(name: &str, secret: &'static str) -> Vault {
    let vault = Vault::new().unwrap();
    vault.seal(name, hallpass::vault::Secret::new(secret).unwrap()).unwrap();
    vault
}
