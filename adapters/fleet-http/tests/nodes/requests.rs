//! Requests that are no messages, and addresses that are none to listen on.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hallpass::fleet::{MAX_MESSAGE, Transport as _};
use hallpass_fleet_http::{HttpTransport, Listener, Protection, SetupError};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;

use crate::world::{Over, REFUSED, World};

const PATH: &str = "https://node/hallpass/fleet/v1";

/// What is answered to a message over a connection that is made by hand, if anything is.
pub(crate) async fn post<S>(stream: S, message: &[u8]) -> Option<Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = Request::post(PATH).body(Full::new(Bytes::copy_from_slice(message))).unwrap();
    let (status, body) = send(stream, request).await?;
    (status == StatusCode::OK).then_some(body)
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Option<(StatusCode, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.ok()?;
    let status = response.status();
    Some((status, response.into_body().collect().await.ok()?.to_bytes().into()))
}

/// A body that does not say how long it is.
struct Unmeasured(Full<Bytes>);

impl Body for Unmeasured {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }
}

/// A server that answers this many bytes.
pub(crate) fn server(threads: &Runtime, length: usize) -> String {
    let listener = threads.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    threads.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Without a length in the head: it is counted as it comes.
            let service = service_fn(move |_| async move {
                let body = Unmeasured(Full::new(Bytes::from(vec![7; length])));
                Ok::<_, std::convert::Infallible>(Response::new(body))
            });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

#[test]
fn what_is_no_message_gets_a_status_and_nothing_is_made_of_it() {
    let world = World::of_three(Over::Loopback);
    let at = world.nodes[0].address.strip_prefix("http://").unwrap().to_owned();
    let asked = |request: Request<Full<Bytes>>| {
        world.threads.block_on(async {
            let stream = tokio::net::TcpStream::connect(&at).await.unwrap();
            send(stream, request).await.unwrap()
        })
    };
    let of = |method: Method, uri: &str, length: usize| {
        let body = Full::new(Bytes::from(vec![0; length]));
        Request::builder().method(method).uri(uri).body(body).unwrap()
    };
    assert_eq!(asked(of(Method::POST, PATH, 40)), (StatusCode::OK, REFUSED.to_vec()));
    assert_eq!(world.count(0, r#""foreign_message""#), 1);
    for (request, status) in [
        (of(Method::POST, "https://node/", 40), StatusCode::NOT_FOUND),
        (of(Method::PUT, PATH, 40), StatusCode::METHOD_NOT_ALLOWED),
        (of(Method::GET, PATH, 0), StatusCode::METHOD_NOT_ALLOWED),
        (of(Method::POST, PATH, MAX_MESSAGE + 1), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(asked(request), (status, Vec::new()));
    }
    assert_eq!(world.count(0, r#""foreign_message""#), 1, "nothing was made of the others");
}

#[test]
fn the_longest_message_arrives_in_whole() {
    let world = World::of_three(Over::Loopback);
    let transport = world.transport("n1");
    let answer = transport.send("n0", &world.nodes[0].address, &vec![0; MAX_MESSAGE]).unwrap();
    assert_eq!(answer, REFUSED);
    assert_eq!(world.count(0, r#""foreign_message""#), 1);
}

#[test]
fn only_what_strangers_cant_reach_is_listened_on() {
    for (address, expected) in [
        ("http://0.0.0.0:0", "in the clear by other machines"),
        ("http://[::]:0", "in the clear by other machines"),
        ("https://127.0.0.1:0", "expected `Protection::mutual_tls`"),
        ("127.0.0.1:0", "is no address"),
    ] {
        let error = Listener::bind(address, Protection::local()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let authority = crate::certificates::Authority::new();
    for address in ["http://127.0.0.1:0", "unix:/tmp/n1.sock"] {
        let protection = authority.protect("n1", &["n1"]);
        let error = Listener::bind(address, protection).unwrap_err();
        assert!(matches!(error, SetupError::Unprotected(_)), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_socket_is_its_users_alone_and_replaces_one_that_was_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n0.sock");
    let address = format!("unix:{}", path.display());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&address, Protection::local()).unwrap();
    assert_eq!(listener.address(), address);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // One that somebody listens on is not replaced, and no file either.
    assert!(matches!(Listener::bind(&address, Protection::local()), Err(SetupError::Listen(..))));
    let file = folder.path().join("notes");
    std::fs::write(&file, "mine").unwrap();
    let error = Listener::bind(&format!("unix:{}", file.display()), Protection::local());
    assert!(matches!(error, Err(SetupError::Listen(..))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_node_that_answers_no_longer_lets_its_address_go() {
    let mut world = World::of_three(Over::Loopback);
    let address = world.nodes[0].address.clone();
    let transport = HttpTransport::new(world.threads.handle().clone(), Protection::local());
    let transport = transport.time_limit(Duration::from_secs(30)).unwrap();
    assert_eq!(transport.send("n0", &address, &[0; 40]).unwrap(), REFUSED);
    drop(world.nodes[0].serving.take());
    transport.send("n0", &address, &[0; 40]).unwrap_err();
    // It is served anew at the same address.
    let listener = loop {
        match Listener::bind(&address, Protection::local()) {
            Ok(listener) => break listener,
            Err(_) => std::thread::yield_now(),
        }
    };
    let fleet = world.nodes[0].fleet.clone();
    world.nodes[0].serving = Some(listener.serve(world.threads.handle(), fleet).unwrap());
    let answer = loop {
        // Until it is tried again after it could not be reached.
        match transport.send("n0", &address, &[0; 40]) {
            Ok(answer) => break answer,
            Err(_) => std::thread::yield_now(),
        }
    };
    assert_eq!(answer, REFUSED);
}
