//! A log that hangs, and a thousand calls: one thread serves them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use hallpass::audit::{Event, MemoryLog, Outcome, ThreadedSink};
use hallpass::testing::HangingSink;
use hallpass::{Broker, Context, Policy, Purpose, Scope};
use hallpass_tower::{Arguments, GatedRouter, HttpGate};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::Notify;

use crate::world::{Answered, answered, curl};

const ADDERS: &str = r#"
    version = 1
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "http:POST:/sums", args = { a = { max = 1000 } } }
"#;
const SUMS: &str = r#"[{"tool":"http:POST:/sums","args":{"a":{"max":1000}}}]"#;
const CALLS: usize = 1000;

/// Each of the broker's futures waits by it until it rings.
#[derive(Default)]
struct Bell {
    waiting: AtomicUsize,
    rung: AtomicBool,
    rings: Notify,
}

impl Bell {
    async fn wait(self: Arc<Self>) {
        let rings = self.rings.notified();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if !self.rung.load(Ordering::SeqCst) {
            rings.await;
        }
    }
}

/// Serves with one thread for as long as the process lives.
fn serve_on_one_thread(service: Router) -> SocketAddr {
    let (told, at) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, service).await.unwrap();
        });
    });
    at.recv().unwrap()
}

fn send(at: SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).expect("as many files can be open: ulimit -n 4096");
    let body = r#"{"a":1}"#;
    write!(
        stream,
        "POST /sums HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

fn answer_of(mut stream: TcpStream) -> Answered {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    answered(&text)
}

#[test]
fn a_thousand_calls_wait_while_denials_and_lists_are_answered_and_time_out_as_told() {
    let log = MemoryLog::new();
    let sink = HangingSink::new(log.clone());
    let bell = Arc::new(Bell::default());
    let timer = bell.clone();
    let broker = Broker::builder(Policy::from_toml(ADDERS).unwrap())
        .log(ThreadedSink::new(sink.clone()))
        // So long that a thread which waited for it would be noticed.
        .log_timeout(Duration::from_secs(300))
        .log_timer(move |_| timer.clone().wait())
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("sums")).unwrap();
    let scope = Scope::from_json(SUMS).unwrap();
    let grant = task.request(scope, &Context::new()).unwrap();
    let who = agent.clone();
    let gate = HttpGate::tokens(broker.gate(), move |_| Ok(who.clone()));
    let add = async |Arguments(sum): Arguments<serde_json::Value>| sum["a"].to_string();
    let gated: Router = GatedRouter::new(gate).route("/sums", post(add)).with_state(());
    let (lister, listed, by) = (broker.gate(), grant.token().expose().to_owned(), agent.clone());
    let list = move || {
        let tools = lister.tools(listed.as_str(), &by, &Context::new()).unwrap();
        std::future::ready(tools.iter().map(ToString::to_string).collect::<String>())
    };
    let at = serve_on_one_thread(gated.route("/tools", get(list)));

    sink.hang();
    let token = grant.token().expose();
    let waiting: Vec<_> = (0..CALLS).map(|_| send(at, token)).collect();
    let mut looks = 0;
    while bell.waiting.load(Ordering::SeqCst) < CALLS {
        assert!(looks < 12_000, "{} calls wait", bell.waiting.load(Ordering::SeqCst));
        looks += 1;
        thread::park_timeout(Duration::from_millis(5));
    }

    let own = format!("authorization: Bearer {token}");
    let json = ["-H", "content-type: application/json"];
    for _ in 0..10 {
        let denied = curl(at, "/sums", &[&["-H", &own, "-d", r#"{"a":1001}"#][..], &json].concat());
        assert_eq!((denied.status, denied.code()), (403, "out_of_scope".to_owned()));
        let unknown = curl(at, "/sums", &[&["-d", r#"{"a":1}"#][..], &json].concat());
        assert_eq!((unknown.status, unknown.code()), (401, "invalid_token".to_owned()));
        assert_eq!(curl(at, "/tools", &[]).text(), "http:POST:/sums");
    }
    assert_eq!(bell.waiting.load(Ordering::SeqCst), CALLS, "and nothing else waits");

    bell.rung.store(true, Ordering::SeqCst);
    bell.rings.notify_waiters();
    for call in waiting {
        let told = answer_of(call);
        assert_eq!((told.status, told.code()), (503, "unavailable".to_owned()));
    }
    sink.release();
    task.complete();
    assert_eq!(broker.flush(), 0);
    broker.verify(&log).unwrap();
    let records = log.records();
    let outcomes: Vec<_> = records
        .iter()
        .filter_map(|record| match record.event {
            Event::Outcome { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [Outcome::Abandoned; CALLS]);
    hallpass::assert_nothing_stands!(broker);
}

/// The timer that hosts give: what the log has not taken in its time is denied then.
#[test]
fn a_call_times_out_by_the_timer_of_the_runtime() {
    let sink = HangingSink::new(MemoryLog::new());
    let broker = Broker::builder(Policy::from_toml(ADDERS).unwrap())
        .log(ThreadedSink::new(sink.clone()))
        .log_timeout(Duration::from_millis(20))
        .log_timer(tokio::time::sleep)
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let (task, grant) = (0..1000)
        .find_map(|_| {
            let task = broker.open(&agent, Purpose::new("sums")).ok()?;
            let scope = Scope::from_json(SUMS).unwrap();
            let grant = task.request(scope, &Context::new()).ok()?;
            Some((task, grant))
        })
        .unwrap();
    let who = agent.clone();
    let gate = HttpGate::tokens(broker.gate(), move |_| Ok(who.clone()));
    let add = async |Arguments(sum): Arguments<serde_json::Value>| sum["a"].to_string();
    let at = serve_on_one_thread(GatedRouter::new(gate).route("/sums", post(add)).with_state(()));
    sink.hang();
    let told = answer_of(send(at, grant.token().expose()));
    assert_eq!((told.status, told.code()), (503, "unavailable".to_owned()));
    sink.release();
    task.complete();
}
