//! A service that is up, and its client.

use std::net::SocketAddr;
use std::time::Duration;

use hallpass::audit::{Event, MemoryLog, Outcome};
use hallpass::identity::Identity;
use hallpass::{Broker, BrokerBuilder, Context, Grant, Policy, Purpose, Scope, Task};
use hallpass_tonic::{GateService, GrpcGate, HttpGate, Refusal};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Server};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::bank::bank_client::BankClient;
use crate::bank::bank_server::BankServer;
use crate::bank::{DESCRIPTORS, Payment};
use crate::teller::{Teller, Told};
use hallpass_tonic::Gated;

/// Whoever is called `agent-7` may do what its grant says, with messages of all fields.
pub(crate) const PAYERS: &str = r#"
    version = 1
    [[rule]]
    id = "payers"
    effect = "permit"
    what = { tool = { glob = "grpc:/bank.v1.Bank/*" }, args = "any" }
"#;
pub(crate) const ALL: &str = r#"[{"tool":"grpc:/bank.v1.Bank/Pay","args":"any"},{"tool":"grpc:/bank.v1.Bank/Watch","args":"any"},
    {"tool":"grpc:/bank.v1.Bank/PayAll","args":"any"},{"tool":"grpc:/bank.v1.Bank/Talk","args":"any"}]"#;

pub(crate) type Service = GateService<Teller, BankServer<Gated<Teller>>>;

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) log: MemoryLog,
    pub(crate) teller: Teller,
    pub(crate) task: Task,
    pub(crate) grant: Grant,
    pub(crate) service: Service,
    pub(crate) client: BankClient<Channel>,
    pub(crate) runtime: Runtime,
}

/// Who sends a request. A real service has authenticated the caller; here metadata says who it is.
fn who(broker: &Broker) -> impl Fn(&http::request::Parts) -> Result<Identity, Refusal> + use<> {
    let attestor = broker.attestor();
    move |request| {
        let id = request.headers.get("x-caller").and_then(|id| id.to_str().ok());
        Ok(attestor.attest(id.ok_or(Refusal::Unauthenticated)?)?)
    }
}

impl World {
    pub(crate) fn new() -> World {
        World::of(PAYERS, ALL)
    }

    pub(crate) fn of(policy: &str, scope: &str) -> World {
        World::built(policy, scope, |builder| builder, |gate| gate, |service| service)
    }

    pub(crate) fn built(
        policy: &str,
        scope: &str,
        build: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
        tell: impl FnOnce(GrpcGate) -> GrpcGate,
        lend: impl FnOnce(Service) -> Service,
    ) -> World {
        let log = MemoryLog::new();
        let policy = Policy::from_toml(policy).unwrap();
        let broker = build(Broker::builder(policy).log(log.clone())).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("bills")).unwrap();
        let scope = Scope::from_json(scope).unwrap();
        let grant = hallpass::testing::granted(task.request(scope, &Context::new()));
        let http = HttpGate::tokens(broker.gate(), who(&broker))
            .keep_header(http::HeaderName::from_static("x-kept"));
        let teller = Teller::default();
        let gate = tell(GrpcGate::new(http, DESCRIPTORS).unwrap());
        let service = lend(gate.service(teller.clone(), BankServer::new).unwrap());
        let runtime = Runtime::new().unwrap();
        let at = serve(&runtime, service.clone());
        let client = runtime.block_on(BankClient::connect(format!("http://{at}"))).unwrap();
        World { broker, log, teller, task, grant, service, client, runtime }
    }

    /// A request of `agent-7` with its token.
    pub(crate) fn asked<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("x-caller", MetadataValue::from_static("agent-7"));
        let token = format!("Bearer {}", self.grant.token().expose());
        metadata.insert("authorization", token.parse().unwrap());
        request
    }

    pub(crate) fn pay(&self, payment: Payment) -> Result<String, Status> {
        let request = self.asked(payment);
        let paid = self.runtime.block_on(self.client.clone().pay(request));
        paid.map(|own| own.into_inner().text)
    }

    /// What `Watch` tells comes from here.
    pub(crate) fn feed(&self) -> mpsc::Sender<Told> {
        let (tell, told) = mpsc::channel(8);
        *self.teller.feed.lock().unwrap() = Some(told);
        tell
    }

    /// The outcomes on record, in the order of their permits; nothing of a permit that has none.
    pub(crate) fn outcomes(&self) -> Vec<Option<Outcome>> {
        // What another thread is about to write is owed until it has.
        let written = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            self.broker.flush() == 0
        });
        assert!(written, "something is still owed to the log");
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

    /// Waits until each permit of `many` has its outcome: what a server notices of a client that is gone takes it a moment,
    /// and no client can see it.
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

    /// An operator takes back all that the task was given.
    pub(crate) fn revoke(&self) {
        self.broker.control().revoke_task(self.task.name()).unwrap();
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
fn serve(runtime: &Runtime, service: Service) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    let incoming = TcpListenerStream::new(listener);
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    at
}

pub(crate) fn payment(to: &str, amount: i64) -> Payment {
    Payment { to: to.to_owned(), amount, ..Payment::default() }
}

/// A payment whose note tells the teller what to do.
pub(crate) fn noted(note: &str) -> Payment {
    Payment { note: Some(note.to_owned()), ..payment("CH93", 98) }
}

/// The word for the agent, in the details of a status.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("{status:?}"));
    assert_eq!(info.domain, "hallpass");
    info.reason.clone()
}
