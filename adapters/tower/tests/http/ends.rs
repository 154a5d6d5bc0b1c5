//! Every permit has its outcome, however its request ends.

use std::convert::Infallible;
use std::io::Read;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use hallpass::audit::Outcome;
use hallpass_tower::{HostState, Permitted};
use http_body::Frame;
use tokio::sync::Notify;

use crate::world::{Notes, World, answered, command};

const READERS: &str = r#"
    version = 1
    [[rule]]
    id = "readers"
    effect = "permit"
    what = { tool = "http:GET:/notes" }
    [[rule]]
    id = "lookers"
    effect = "permit"
    what = { tool = "http:HEAD:/notes" }
"#;
const NOTES: &str = r#"[{"tool":"http:GET:/notes"},{"tool":"http:HEAD:/notes"}]"#;

fn request(world: &World) -> std::process::Child {
    let token = format!("authorization: Bearer {}", world.grant.token().expose());
    let args = ["-N", "-H", "x-caller: agent-7", "-H", token.as_str()];
    command(world.at, "/notes", &args).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_request_that_is_cancelled_is_interrupted() {
    let started = Arc::new(Notify::new());
    let told = started.clone();
    let world = World::of(READERS, NOTES, |routes| {
        let hangs = move || {
            let told = told.clone();
            async move {
                told.notify_one();
                std::future::pending::<()>().await;
            }
        };
        routes.route("/notes", get(hangs))
    });
    let mut client = request(&world);
    world.runtime.block_on(started.notified());
    assert_eq!(world.outcomes(), [None]);
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

#[test]
fn a_handler_that_panics_is_interrupted() {
    let world = World::of(READERS, NOTES, |routes| {
        routes.route("/notes", get(async || if true { panic!("on cue") } else { "" }))
    });
    assert_eq!(world.curl("/notes", &[]).status, 0);
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

#[test]
fn a_clone_that_outlives_the_response_keeps_the_call_open() {
    let world = World::of(READERS, NOTES, |routes| {
        let keeps = |HostState(notes): HostState<Notes>, call: Permitted| async move {
            std::thread::spawn(move || {
                while notes.all().is_empty() {
                    std::thread::yield_now();
                }
                drop(call);
            });
        };
        routes.route("/notes", get(keeps))
    });
    assert_eq!(world.curl("/notes", &[]).status, 200);
    assert_eq!(world.outcomes(), [None]);
    world.notes.note("done");
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

#[test]
fn ten_megabytes_of_known_length_arrive_whole() {
    let world = World::of(READERS, NOTES, |routes| {
        routes.route("/notes", get(async || vec![b'x'; 10 << 20]))
    });
    let answered = world.curl("/notes", &[]);
    assert_eq!((answered.status, answered.body.len()), (200, 10 << 20));
    assert!(answered.body.iter().all(|byte| *byte == b'x'));
    assert_eq!(world.settled(1), [Outcome::Ok]);
    // Of what is only looked at, nothing is sent.
    let looked = world.curl("/notes", &["-I"]);
    assert_eq!((looked.status, looked.header("content-length")), (200, Some("10485760")));
    assert_eq!(world.settled(2), [Outcome::Ok; 2]);
    world.end();
}

/// A body that gives a piece whenever it is told to, and ends in an error after as many as it has.
struct Pieces {
    next: Arc<Notify>,
    told: Pin<Box<dyn Future<Output = ()> + Send>>,
    left: usize,
    fails: bool,
}

impl Pieces {
    fn new(next: &Arc<Notify>, left: usize, fails: bool) -> Self {
        let told = Box::pin(next.clone().notified_owned());
        Pieces { next: next.clone(), told, left, fails }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let own = self.get_mut();
        if own.left == 0 {
            return Poll::Ready(own.fails.then(|| Err(std::io::Error::other("on cue"))));
        }
        std::task::ready!(own.told.as_mut().poll(cx));
        own.left -= 1;
        own.told = Box::pin(own.next.clone().notified_owned());
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece ")))))
    }
}

fn streaming(next: &Arc<Notify>, left: usize, fails: bool) -> World {
    let next = next.clone();
    World::of(READERS, NOTES, |routes| {
        let stream = move || {
            let body = Body::new(Pieces::new(&next, left, fails));
            async move { Ok::<_, Infallible>(body) }
        };
        routes.route("/notes", get(stream))
    })
}

#[test]
fn a_stream_is_running_until_its_end() {
    let next = Arc::new(Notify::new());
    let world = streaming(&next, 2, false);
    let mut client = request(&world);
    next.notify_one();
    let mut output = client.stdout.take().unwrap();
    let mut start = Vec::new();
    while !start.ends_with(b"piece ") && !start.ends_with(b"piece \r\n") {
        let mut byte = [0];
        output.read_exact(&mut byte).unwrap();
        start.extend(byte);
    }
    assert_eq!(world.outcomes(), [None]);
    next.notify_one();
    output.read_to_end(&mut start).unwrap();
    assert!(client.wait().unwrap().success());
    assert!(answered(&start).text().contains("piece piece "));
    assert_eq!(world.settled(1), [Outcome::Ok]);
    world.end();
}

#[test]
fn a_stream_that_breaks_off_has_failed() {
    let next = Arc::new(Notify::new());
    let world = streaming(&next, 1, true);
    let mut client = request(&world);
    next.notify_one();
    assert!(!client.wait().unwrap().success(), "curl notices that the rest is missing");
    assert_eq!(world.settled(1), [Outcome::Error]);
    world.end();
}

/// A stream ends with what permits it.
#[test]
fn a_stream_is_cut_when_its_task_ends() {
    let next = Arc::new(Notify::new());
    let world = streaming(&next, 1000, false);
    let mut client = request(&world);
    next.notify_one();
    let mut start = [0; 17];
    client.stdout.as_mut().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK\r\n");
    let World { task, .. } = &world;
    world.broker.control().revoke_task(task.name()).unwrap();
    // What curl says of an answer whose rest is missing, and not of one that takes too long.
    assert_eq!(client.wait().unwrap().code(), Some(18));
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

/// As a stream does, so that nothing that was read after the end is sent.
#[test]
fn a_body_that_is_read_as_a_whole_is_given_up_when_its_task_ends() {
    struct Stalls(Arc<Notify>);

    impl http_body::Body for Stalls {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.notify_one();
            Poll::Pending
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(4)
        }
    }

    let read = Arc::new(Notify::new());
    let told = read.clone();
    let world = World::of(READERS, NOTES, |routes| {
        let stalls = move || {
            let body = Body::new(Stalls(told.clone()));
            async move { Ok::<_, Infallible>(body) }
        };
        routes.route("/notes", get(stalls))
    });
    let client = request(&world);
    world.runtime.block_on(read.notified());
    assert_eq!(world.outcomes(), [None]);
    let World { task, .. } = &world;
    world.broker.control().revoke_task(task.name()).unwrap();
    let told = client.wait_with_output().unwrap();
    assert_eq!(answered(&told.stdout).status, 502);
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

#[test]
fn a_stream_whose_client_goes_away_is_interrupted() {
    let next = Arc::new(Notify::new());
    let world = streaming(&next, 1000, false);
    let mut client = request(&world);
    next.notify_one();
    let mut start = [0; 17];
    client.stdout.as_mut().unwrap().read_exact(&mut start).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}
