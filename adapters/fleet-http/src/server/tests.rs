use super::*;

use hallpass::fleet::MemoryStore;
use hallpass::key::SecretKey;
use hallpass::{Broker, Policy};
use hyper::client::conn::http2::SendRequest;
use tokio::task::JoinHandle;

use std::pin::Pin;
use std::task::{Context, Poll};

/// A message, or one that stops half way.
enum Sent {
    Whole(Option<Bytes>),
    Stuck(usize),
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Sent::Whole(bytes) => {
                Poll::Ready(bytes.take().map(|bytes| Ok(hyper::body::Frame::data(bytes))))
            }
            Sent::Stuck(_) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(match self {
            Sent::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Sent::Stuck(length) => *length as u64,
        })
    }
}

/// What a test does with a node, in a time that passes when nothing else is to do.
fn with_node<F: Future<Output = ()>>(test: impl FnOnce(Arc<Node>) -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let broker = Broker::new(Policy::builder().build().unwrap()).unwrap();
    let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
    let fleet = Fleet::builder("acme", "n0").join(&broker, &secret, MemoryStore::new()).unwrap();
    runtime.block_on(test(Arc::new(Node {
        fleet,
        protection: Protection::local(),
        answers: Arc::new(Semaphore::new(ANSWERS)),
        room: Arc::new(Semaphore::new(ROOM as usize)),
        refused: AtomicU64::new(0),
    })));
}

/// A connection to a node, from its other end.
async fn connect(node: &Arc<Node>) -> (SendRequest<Sent>, JoinHandle<bool>) {
    let (own, other) = tokio::io::duplex(1 << 20);
    let node = node.clone();
    let served = tokio::spawn(async move { connection(&node, Box::new(other)).await });
    let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = http.handshake(TokioIo::new(own)).await.unwrap();
    tokio::spawn(connection);
    (sender, served)
}

async fn ask(sender: &mut SendRequest<Sent>, sent: Sent) -> Option<StatusCode> {
    let request = Request::post(format!("https://node{PATH}")).body(sent).unwrap();
    Some(sender.send_request(request).await.ok()?.status())
}

fn whole(length: usize) -> Sent {
    Sent::Whole(Some(vec![0; length].into()))
}

#[test]
fn a_connection_on_which_nothing_is_asked_is_closed() {
    with_node(|node| async move {
        let begun = Instant::now();
        // Neither the preface nor anything else; then one that says what it is, and asks nothing.
        let (_silent, other) = tokio::io::duplex(64);
        assert!(!connection(&node, Box::new(other)).await);
        assert_eq!(begun.elapsed().as_secs(), SILENCE.as_secs());
        let (_sender, served) = connect(&node).await;
        assert!(!served.await.unwrap());
        assert_eq!(begun.elapsed().as_secs(), 2 * SILENCE.as_secs());
    });
}

#[test]
fn a_connection_on_which_something_was_asked_is_kept_for_a_minute() {
    with_node(|node| async move {
        let (mut sender, served) = connect(&node).await;
        let begun = Instant::now();
        for _ in 0..3 {
            assert_eq!(ask(&mut sender, whole(40)).await, Some(StatusCode::OK));
            sleep(IDLE - Duration::from_secs(1)).await;
            assert!(!served.is_finished());
        }
        assert!(served.await.unwrap());
        assert!(begun.elapsed() < 6 * IDLE, "{:?}", begun.elapsed());
    });
}

#[test]
fn a_connection_does_not_get_old() {
    with_node(|node| async move {
        let (mut sender, served) = connect(&node).await;
        let begun = Instant::now();
        while ask(&mut sender, whole(40)).await.is_some() {
            sleep(Duration::from_secs(30)).await;
            assert!(begun.elapsed() < 2 * MAX_AGE);
        }
        assert!(begun.elapsed() >= MAX_AGE - IDLE, "{:?}", begun.elapsed());
        assert!(served.await.unwrap());
    });
}

#[test]
fn a_message_that_stops_half_way_is_given_up() {
    with_node(|node| async move {
        let (mut sender, _served) = connect(&node).await;
        let begun = Instant::now();
        let status = ask(&mut sender, Sent::Stuck(40)).await;
        assert_eq!(status, Some(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(begun.elapsed().as_secs(), REQUEST.as_secs());
        assert_eq!(ask(&mut sender, whole(40)).await, Some(StatusCode::OK));
    });
}

#[test]
fn messages_have_room_for_so_much_and_no_more_at_once() {
    with_node(|node| async move {
        let mut stuck = Vec::new();
        for _ in 0..ROOM as usize / (MAX_MESSAGE / 1024 + 1) {
            let (mut sender, _served) = connect(&node).await;
            stuck.push(tokio::spawn(
                async move { ask(&mut sender, Sent::Stuck(MAX_MESSAGE)).await },
            ));
        }
        // They have come so far that they wait.
        sleep(Duration::from_secs(1)).await;
        let (mut sender, _served) = connect(&node).await;
        let begun = Instant::now();
        assert_eq!(ask(&mut sender, whole(MAX_MESSAGE)).await, Some(StatusCode::OK));
        let waited = begun.elapsed().as_secs_f64();
        assert!((3.0..5.0).contains(&waited), "until those are given up: {waited}");
        for stuck in stuck {
            assert_eq!(stuck.await.unwrap(), Some(StatusCode::REQUEST_TIMEOUT));
        }
    });
}

#[test]
fn no_more_are_answered_at_once_than_there_are_threads_for() {
    with_node(|node| async move {
        let (mut sender, _served) = connect(&node).await;
        let busy = node.answers.clone().acquire_many_owned(ANSWERS as u32).await.unwrap();
        assert_eq!(ask(&mut sender, whole(40)).await, Some(StatusCode::REQUEST_TIMEOUT));
        drop(busy);
        assert_eq!(ask(&mut sender, whole(40)).await, Some(StatusCode::OK));
    });
}
