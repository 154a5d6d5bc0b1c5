//! Homes that hang, answer too much, too little or twice: calls there are denied, and nothing else is held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::fleet::{MAX_MESSAGE, Transport as _};
use hallpass_fleet_http::{HttpTransport, Protection, SetupError};

use crate::frames::{FAULT, Fake, OK};
use crate::world::{Over, World, runtime};

/// Long enough for an answer of this machine, and short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

fn transport(threads: &tokio::runtime::Runtime, limit: Duration) -> HttpTransport {
    let transport = HttpTransport::new(threads.handle().clone(), Protection::local());
    transport.time_limit(limit).unwrap()
}

/// What a home that does this gives, which is given this long to do it.
fn sent_to(fake: &Fake, limit: Duration) -> Result<Vec<u8>, String> {
    let threads = runtime();
    transport(&threads, limit)
        .send("n0", &fake.address, b"hello")
        .map_err(|error| error.to_string())
}

#[test]
fn a_home_that_hangs_is_given_up_and_the_next_message_takes_another_connection() {
    // It says nothing at all; it never answers; it begins an answer and says no more.
    let silent = Fake::home(|peer| peer.hang());
    let mute = Fake::home(|peer| {
        peer.begin()?;
        loop {
            peer.request()?;
        }
    });
    let half = Fake::home(|peer| {
        peer.begin()?;
        loop {
            let stream = peer.request()?;
            peer.head(stream, OK, None)?;
            peer.data(stream, b"half of", false)?;
        }
    });
    for (fake, what) in [(silent, "silent"), (mute, "mute"), (half, "half")] {
        let threads = runtime();
        let transport = transport(&threads, SHORT);
        let mut waited = 0;
        while waited < 2 {
            let begun = tokio::time::Instant::now();
            let error = transport.send("n0", &fake.address, b"hello").unwrap_err().to_string();
            assert!(error.contains("no answer within"), "{what}: {error}");
            // Right after one that hung, the next is not waited for.
            waited += usize::from(begun.elapsed() >= SHORT);
        }
        assert_eq!(fake.connections(), 2, "{what}: one that let a message wait is left");
    }
}

#[test]
fn a_home_that_hangs_holds_up_no_message_to_another() {
    let threads = runtime();
    let transport = transport(&threads, Duration::from_secs(30));
    let (hangs, well) = (
        Fake::home(|peer| peer.hang()),
        Fake::home(|peer| {
            peer.begin()?;
            loop {
                let stream = peer.request()?;
                peer.answer(stream, b"well")?;
            }
        }),
    );
    let waiting = transport.clone();
    let at = hangs.address.clone();
    let runtime = threads.clone();
    let waiting = threads.spawn(async move {
        drop(hallpass::fleet::AsyncTransport::send(&waiting, "n1", &at, b"hello".to_vec()).await);
        drop(runtime);
    });
    while hangs.connections() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(transport.send("n0", &well.address, b"hello").unwrap(), b"well");
    waiting.abort();
}

#[test]
fn a_home_that_answers_too_much_is_cut_off() {
    const HUNDRED: usize = 100 << 20;
    let announced = Fake::home(|peer| {
        peer.begin()?;
        let stream = peer.request()?;
        peer.head(stream, OK, Some(HUNDRED))?;
        peer.hang()
    });
    let error = sent_to(&announced, Duration::from_secs(30)).unwrap_err();
    assert!(error.contains("too long"), "{error}");

    // One that heeds no window, and writes until it can't.
    let flood = Fake::home(|peer| {
        peer.begin()?;
        let stream = peer.request()?;
        peer.head(stream, OK, None)?;
        for _ in 0..HUNDRED / (16 << 10) {
            peer.data(stream, &[7; 16 << 10], false)?;
        }
        Some(())
    });
    sent_to(&flood, Duration::from_secs(30)).unwrap_err();
    assert!(flood.written() < HUNDRED / 2, "{} bytes", flood.written());
}

/// A library's server, which heeds the windows: what stops it is the bound on a message.
#[test]
fn an_answer_has_a_longest_length() {
    for (length, is_taken) in [(MAX_MESSAGE, true), (MAX_MESSAGE + 1, false)] {
        let threads = runtime();
        let served = crate::requests::server(&threads, length);
        let answer = transport(&threads, Duration::from_secs(60)).send("n0", &served, b"hello");
        assert_eq!(answer.map(|own| own.len()).ok(), is_taken.then_some(length));
    }
}

#[test]
fn a_home_that_closes_in_the_middle_or_faults_gives_no_answer() {
    let closes = Fake::home(|peer| {
        peer.begin()?;
        let stream = peer.request()?;
        peer.head(stream, OK, Some(100))?;
        peer.data(stream, b"half of", false)
    });
    let short = Fake::home(|peer| {
        peer.begin()?;
        let stream = peer.request()?;
        peer.head(stream, OK, Some(100))?;
        peer.data(stream, b"half of", true)?;
        peer.hang()
    });
    let faults = Fake::home(|peer| {
        peer.begin()?;
        let stream = peer.request()?;
        peer.head(stream, FAULT, None)?;
        peer.data(stream, b"hello", true)?;
        peer.hang()
    });
    let closed = Fake::home(|_| None);
    for fake in [&closes, &short, &faults, &closed] {
        sent_to(fake, Duration::from_secs(30)).unwrap_err();
        assert!(fake.requests() <= 1, "what may have arrived is not sent again");
    }
}

#[test]
fn a_second_answer_is_none_to_the_next_question() {
    let count = Arc::new(AtomicUsize::new(0));
    let twice = Fake::home(move |peer| {
        peer.begin()?;
        loop {
            let stream = peer.request()?;
            let n = count.fetch_add(1, Ordering::SeqCst);
            peer.answer(stream, format!("first {n}").as_bytes())?;
            peer.answer(stream, format!("second {n}").as_bytes())?;
        }
    });
    let threads = runtime();
    let transport = transport(&threads, Duration::from_secs(30));
    let mut answered = 0;
    for _ in 0..8 {
        let before = twice.requests();
        // Its connection may be taken down for what it did.
        if let Ok(answer) = transport.send("n0", &twice.address, b"hello") {
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with("first"), "{answer}");
            assert_eq!(answer, format!("first {}", twice.requests() - 1), "of {before}");
            answered += 1;
        }
    }
    assert!(answered > 0);
}

#[test]
fn a_home_that_is_not_there_is_not_dialed_for_each_message() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let fake = Fake::home(|_| None);
    let threads = runtime();
    let transport = transport(&threads, Duration::from_secs(30));
    transport.send("n0", &address, b"hello").unwrap_err();
    for _ in 0..100 {
        transport.send("n0", &fake.address, b"hello").unwrap_err();
    }
    // At fifty milliseconds at least between two.
    assert!(fake.connections() < 20, "{}", fake.connections());
}

#[test]
fn an_address_that_is_not_protected_as_it_was_said_is_not_dialed() {
    let fake = Fake::home(|peer| peer.hang());
    let threads = runtime();
    let own = transport(&threads, Duration::from_secs(30));
    let at = fake.address.strip_prefix("http://").unwrap();
    for (address, expected) in [
        (format!("https://{at}"), "expected `Protection::mutual_tls`"),
        ("http://10.0.0.1:7400".to_owned(), "in the clear by other machines"),
        ("http://localhost:7400".to_owned(), "in the clear by other machines"),
        (at.to_owned(), "is no address"),
        (String::new(), "is no address"),
    ] {
        let error = own.send("n0", &address, b"hello").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // A node that has certificates shows them, and says nothing in the clear.
    let authority = crate::certificates::Authority::new();
    let world = World::empty(Over::Tls(authority));
    let error = world.transport("n1").send("n0", &fake.address, b"hello").unwrap_err().to_string();
    assert!(error.contains("though the node has certificates"), "{error}");
    assert_eq!(fake.connections(), 0);
}

#[test]
fn a_time_limit_has_limits() {
    let threads = runtime();
    for (limit, is_good) in [(9, false), (10, true), (60_000, true), (60_001, false), (0, false)] {
        let transport = HttpTransport::new(threads.handle().clone(), Protection::local());
        let limited = transport.time_limit(Duration::from_millis(limit));
        assert_eq!(limited.is_ok(), is_good, "{limit}");
        assert!(is_good || matches!(limited, Err(SetupError::TimeLimit(_))));
    }
}

#[test]
fn a_runtime_that_is_gone_gives_an_error() {
    let threads = runtime();
    let transport = transport(&threads, SHORT);
    let fake = Fake::home(|peer| peer.hang());
    drop(threads);
    transport.send("n0", &fake.address, b"hello").unwrap_err();
}
