//! A server that notes what it is asked, and answers with what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use tokio::runtime::Runtime;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    /// `name: value`, in order.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|own| own == header)
    }

    /// Its whole text.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n\n{}", self.line, self.headers.join("\n"), self.body)
    }
}

pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start() -> Server {
        let runtime = runtime();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let service = router(seen.clone());
        runtime.spawn(async move { axum::serve(listener, service).await });
        Server { at, seen, _runtime: runtime }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.at)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub(crate) fn router(seen: Arc<Mutex<Vec<Seen>>>) -> Router {
    Router::new().fallback(answer).with_state(seen)
}

async fn answer(State(all): State<Arc<Mutex<Vec<Seen>>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let seen = Seen {
        line: format!("{} {}", head.method, head.uri),
        headers: headers.collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    all.lock().unwrap().push(seen.clone());
    let query = head.uri.query().unwrap_or_default().to_owned();
    let carried = head.headers.get("authorization").or_else(|| head.headers.get("x-api-key"));
    let carried = carried.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let response = Response::builder();
    let response = match head.uri.path() {
        // Shows what it was sent, in its head and in its body.
        "/v1/echo" => response.header("x-echo", &carried).body(seen.text().into()),
        "/v1/to" => response.status(302).header("location", &query).body(Body::from(carried)),
        "/v1/session" => response.header("set-cookie", "session=outlives").body(Body::empty()),
        "/v1/packed" => response.header("content-encoding", "gzip").body(Body::from(carried)),
        "/v1/name" => {
            let named = carried.trim_start_matches("Bearer ").to_ascii_lowercase();
            response.header(format!("x-{named}"), "1").body(Body::empty())
        }
        // A byte at a time.
        "/v1/drip" => {
            let text = format!("<{carried}>{carried}<{}>", "x".repeat(300)).into_bytes();
            let bytes = text.into_iter().map(|byte| Ok::<_, Infallible>(Bytes::from(vec![byte])));
            response.body(Body::from_stream(stream::iter(bytes)))
        }
        // Sends much, and then nothing, and is not done.
        "/v1/hang" => {
            let first = Ok::<_, Infallible>(Bytes::from("x".repeat(100_000)));
            response.body(Body::from_stream(stream::iter([first]).chain(stream::pending())))
        }
        "/v1/missing" => response.status(404).body(Body::empty()),
        _ => response.body(Body::from("plain")),
    };
    response.unwrap()
}
