//! Homes that are none: HTTP/2 by hand, where the other end does what no library does.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

const PREFACE: usize = 24;

/// Kinds of frames, and flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` and `:status: 500`, as HPACK has them in its table.
pub(crate) const OK: u8 = 0x88;
pub(crate) const FAULT: u8 = 0x8e;

/// What a connection is met with.
type Script = Arc<dyn Fn(&mut Peer) -> Option<()> + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Counts {
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

/// An address of this machine at which no node answers.
pub(crate) struct Fake {
    pub(crate) address: String,
    counts: Counts,
}

impl Fake {
    /// Each connection is met with this, until it says no more.
    pub(crate) fn home(script: impl Fn(&mut Peer) -> Option<()> + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (counts, script) = (Counts::default(), Arc::new(script) as Script);
        let own = counts.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let (counts, script) = (own.clone(), script.clone());
                std::thread::spawn(move || script(&mut Peer { stream, counts }));
            }
        });
        Fake { address, counts }
    }

    /// A server over TLS, that answers `ok` to whoever gets so far.
    pub(crate) fn over_tls(threads: &Runtime, acceptor: TlsAcceptor) -> Fake {
        let listener = threads.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let counts = Counts::default();
        let own = counts.clone();
        threads.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, counts) = (acceptor.clone(), own.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
                        counts.requests.fetch_add(1, Ordering::SeqCst);
                        async {
                            request.into_body().collect().await?;
                            Ok::<_, hyper::Error>(hyper::Response::new(Full::new(Bytes::from(
                                "ok",
                            ))))
                        }
                    });
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Fake { address, counts }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// How many bytes of answers have left.
    pub(crate) fn written(&self) -> usize {
        self.counts.written.load(Ordering::SeqCst)
    }
}

/// A connection that a node has made.
pub(crate) struct Peer {
    stream: TcpStream,
    counts: Counts,
}

impl Peer {
    /// The settings of both sides.
    pub(crate) fn begin(&mut self) -> Option<()> {
        self.stream.read_exact(&mut [0; PREFACE]).ok()?;
        self.frame(SETTINGS, 0, 0, &[])
    }

    /// The stream of the next request, once it is there in full.
    pub(crate) fn request(&mut self) -> Option<u32> {
        loop {
            let (kind, flags, stream) = self.read()?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[])?,
                PING if flags & ACK == 0 => self.frame(PING, ACK, 0, &[0; 8])?,
                HEADERS | DATA if flags & END_STREAM != 0 => {
                    self.counts.requests.fetch_add(1, Ordering::SeqCst);
                    return Some(stream);
                }
                _ => {}
            }
        }
    }

    /// The head of an answer, of this length if it says one.
    pub(crate) fn head(&mut self, stream: u32, status: u8, length: Option<usize>) -> Option<()> {
        let mut block = vec![status];
        if let Some(length) = length {
            let digits = length.to_string();
            // `content-length`, not to be kept: the 28th of the table, in a prefix of four bits.
            block.extend([0x0f, 28 - 15, digits.len() as u8]);
            block.extend(digits.bytes());
        }
        self.frame(HEADERS, END_HEADERS, stream, &block)
    }

    pub(crate) fn data(&mut self, stream: u32, bytes: &[u8], ends: bool) -> Option<()> {
        self.counts.written.fetch_add(bytes.len(), Ordering::SeqCst);
        self.frame(DATA, if ends { END_STREAM } else { 0 }, stream, bytes)
    }

    pub(crate) fn answer(&mut self, stream: u32, bytes: &[u8]) -> Option<()> {
        self.head(stream, OK, None)?;
        self.data(stream, bytes, true)
    }

    /// Reads until the other end closes.
    pub(crate) fn hang(&mut self) -> Option<()> {
        std::io::copy(&mut self.stream, &mut std::io::sink()).ok().map(drop)
    }

    fn read(&mut self) -> Option<(u8, u8, u32)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        self.stream.read_exact(&mut vec![0; length]).ok()?;
        Some((kind, flags, u32::from_be_bytes(stream)))
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<()> {
        let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
        let head = [&[a, b, c, kind, flags][..], &stream.to_be_bytes()].concat();
        self.stream.write_all(&[&head[..], payload].concat()).ok()
    }
}
