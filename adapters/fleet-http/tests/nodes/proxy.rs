//! What is between two nodes, where it is broken.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Longer than what HTTP/2 says of itself, and shorter than the answer to a call.
const ANSWER: usize = 120;

/// Carries bytes to an address, and back.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// Where it is reached.
    pub(crate) address: String,
    connections: Arc<AtomicUsize>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    loses: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn to(address: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = address.strip_prefix("http://").unwrap().to_owned();
        let proxy = Proxy {
            address: format!("http://{}", listener.local_addr().unwrap()),
            connections: Arc::default(),
            open: Arc::default(),
            loses: Arc::default(),
        };
        let own = proxy.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let ends = [&client, &server].map(|end| end.try_clone().unwrap());
                own.open.lock().unwrap().extend(ends);
                let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pump(from, into, None));
                let loses = own.loses.clone();
                std::thread::spawn(move || pump(server, client, Some(loses)));
            }
        });
        proxy
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        for end in self.open.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// The next answer to a call does not arrive: its connection is cut.
    pub(crate) fn lose_an_answer(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }
}

fn pump(mut from: TcpStream, mut into: TcpStream, loses: Option<Arc<AtomicBool>>) {
    let mut bytes = [0; 16 << 10];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        let is_lost = read >= ANSWER
            && loses.as_ref().is_some_and(|loses| loses.swap(false, Ordering::SeqCst));
        if read == 0 || is_lost || into.write_all(&bytes[..read]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            let _ = into.shutdown(Shutdown::Both);
            return;
        }
    }
}
