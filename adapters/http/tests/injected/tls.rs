//! Origins over TLS, under names.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass_http::{Injection, Injector, InjectorBuilder, rustls};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::server::{Seen, Server, router, runtime};
use crate::world::*;

const AUTHORITY: &[u8] = include_bytes!("../data/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../data/server.pem");
const KEY_OF_SERVER: &[u8] = include_bytes!("../data/server.key");

/// A server over TLS that has a certificate for `api.acme.test`.
struct Over {
    at: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: Runtime,
}

fn start() -> Over {
    let runtime = runtime();
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY_OF_SERVER).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    // As most do; of the two, this one serves the second.
    config.alpn_protocols = ["h2", "http/1.1"].map(Vec::from).to_vec();
    let (acceptor, router) = (TlsAcceptor::from(Arc::new(config)), router(seen.clone()));
    runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, router) = (acceptor.clone(), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return;
                }
                let service = TowerToHyperService::new(router);
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Over { at, seen, _runtime: runtime }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn trusting(authority: Option<&[u8]>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if let Some(authority) = authority {
        roots.add(CertificateDer::from_pem_slice(authority).unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A host's own may offer more than is spoken here.
    config.alpn_protocols = ["h2", "http/1.1"].map(Vec::from).to_vec();
    Arc::new(config)
}

/// An injector to a name, which resolves to these addresses.
fn injector(
    name: &str,
    port: u16,
    addresses: &'static [&'static str],
    private: bool,
) -> InjectorBuilder {
    let injection =
        Injection::bearer("orders-api", format!("https://{name}:{port}").parse().unwrap());
    let injection = if private { injection.at_private_addresses() } else { injection };
    Injector::builder().secret(injection).resolving(move |_| {
        let found = addresses.iter().map(|own| own.parse::<IpAddr>().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    })
}

fn asked(injector: Injector, target: &str) -> Answer {
    let world = World::with(injector, Server::start(), Server::start());
    world.run("orders.fetch", |endpoint| match target.strip_prefix('/') {
        Some(_) => get(&endpoint.url("orders-api").unwrap(), target, ""),
        None => through(&endpoint.proxy(), target, &password(&endpoint.proxy())),
    })
}

#[test]
fn a_plain_request_goes_on_over_tls_by_path_and_by_proxy() {
    let over = start();
    let port = over.at.port();
    for target in ["/v1/a".to_owned(), format!("http://api.acme.test:{port}/v1/a")] {
        let injector = injector("api.acme.test", port, &["127.0.0.1"], true);
        let answer = asked(injector.tls(trusting(Some(AUTHORITY))).build().unwrap(), &target);
        assert_eq!((answer.status, &*answer.body), (200, "plain"), "{target}");
    }
    let seen = over.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|own| own.has(&format!("authorization: Bearer {TOKEN}"))));
    assert!(seen.iter().all(|own| own.has(&format!("host: api.acme.test:{port}"))));
}

#[test]
fn a_server_that_is_not_trusted_or_has_another_name_gets_no_request() {
    let over = start();
    let port = over.at.port();
    for (name, authority) in [
        ("api.acme.test", None),
        ("other.acme.test", Some(AUTHORITY)),
        ("127.0.0.1", Some(AUTHORITY)),
    ] {
        let injector = injector(name, port, &["127.0.0.1"], true).tls(trusting(authority));
        let answer = asked(injector.build().unwrap(), "/v1/a");
        assert_eq!(answer.status, 502, "{name}");
        assert!(!answer.text().contains(TOKEN));
    }
    // What speaks no TLS gets none either.
    let plain = Server::start();
    let injector = injector("api.acme.test", plain.at.port(), &["127.0.0.1"], true);
    assert_eq!(
        asked(injector.tls(trusting(Some(AUTHORITY))).build().unwrap(), "/v1/a").status,
        502
    );
    assert!(over.seen.lock().unwrap().is_empty() && plain.seen().is_empty());
}

/// attack 174: a name that was public when it was allowed, and is this machine now
#[test]
fn a_name_that_resolves_to_an_address_that_is_not_public_is_refused() {
    let over = start();
    let port = over.at.port();
    for addresses in [
        &["127.0.0.1"] as &'static [&'static str],
        &["93.184.216.34", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
    ] {
        let injector = injector("api.acme.test", port, addresses, false);
        let answer = asked(injector.tls(trusting(Some(AUTHORITY))).build().unwrap(), "/v1/a");
        assert_eq!(answer.status, 502, "{addresses:?}");
        assert!(answer.body.contains("address"), "{answer:?}");
    }
    assert!(over.seen.lock().unwrap().is_empty());
}

/// What is asked last, before anything leaves, is whether the call may still go on.
#[test]
fn a_call_that_ends_while_its_request_looks_for_the_server_sends_nothing() {
    let over = start();
    let port = over.at.port();
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let late = clock.clone();
    let injection =
        Injection::bearer("orders-api", format!("https://api.acme.test:{port}").parse().unwrap());
    let injector =
        Injector::builder().secret(injection.at_private_addresses()).resolving(move |_| {
            late.advance(Duration::from_secs(61));
            Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) })
        });
    let injector = injector.tls(trusting(Some(AUTHORITY))).build().unwrap();
    let answer = crate::ended::in_a_minute(&clock, &injector, |running, secrets| {
        let lease = injector.lend(running, secrets).allow("GET", "/");
        lease.serve(|endpoint| crate::ended::tried(&endpoint.url("orders-api").unwrap()))
    });
    assert!(answer.is_empty() || answer.contains(" 403 "), "{answer}");
    assert!(over.seen.lock().unwrap().is_empty());
}

#[test]
fn an_origin_in_the_clear_is_asked_so_where_another_is_reached_over_tls() {
    let (over, plain) = (start(), Server::start());
    let clear = Injection::bearer("orders-api", plain.origin().parse().unwrap());
    let tls = format!("https://api.acme.test:{}", over.at.port());
    let tls = Injection::bearer("crm-key", tls.parse().unwrap());
    let injector = Injector::builder().secret(clear).secret(tls).tls(trusting(Some(AUTHORITY)));
    let world = World::with(injector.build().unwrap(), plain, Server::start());
    assert_eq!(world.get("/v1/a", "").status, 200);
    assert!(world.orders.seen()[0].text().contains(TOKEN));
}

/// What the system does to resolve a name can't be stopped.
#[test]
fn a_name_that_is_being_resolved_holds_up_no_end() {
    let (inside, is_inside) = channel();
    let (release, released) = channel::<()>();
    let (gave_up, has_given_up) = channel();
    let waiting = Mutex::new(Some((inside, released, gave_up)));
    let origin = "https://api.acme.test".parse().unwrap();
    let injector =
        Injector::builder().secret(Injection::bearer("orders-api", origin)).resolving(move |_| {
            let (inside, released, gave_up) = waiting.lock().unwrap().take().unwrap();
            let resolve = move || {
                inside.send(()).unwrap();
                let waited = released.recv_timeout(Duration::from_secs(20));
                gave_up.send(waited == Err(RecvTimeoutError::Timeout)).unwrap();
            };
            Box::pin(async move {
                tokio::task::spawn_blocking(resolve).await.unwrap();
                Ok(Vec::new())
            })
        });
    let injector = injector.tls(trusting(None)).build().unwrap();
    let world = World::with(injector, Server::start(), Server::start());
    world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let (at, prefix) = parts(&url);
        let mut stream = connect(at);
        write!(stream, "GET {prefix}/v1/a HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        is_inside.recv().unwrap();
    });
    release.send(()).unwrap();
    assert!(!has_given_up.recv().unwrap(), "the call was over before");
}
