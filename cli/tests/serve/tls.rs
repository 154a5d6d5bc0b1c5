//! Certificates on both sides.

use std::io::Write;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::ORDERS;
use crate::server::{ONE, Response, SECRET, Server, question};
use crate::world::Folder;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name, and its key.
fn issued(by: &Authority, name: &str) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, by).unwrap(), key)
}

struct World {
    server: Server,
    trusted: Authority,
}

/// A server of which clients know the authority, that takes connections of `clients`' authority alone.
fn world(clients: &Authority, options: &[&str]) -> World {
    let (folder, trusted) = (Folder::new(), authority());
    let (certificate, key) = issued(&trusted, "pdp.test");
    folder.write("cert.pem", certificate.pem());
    folder.write("key.pem", key.serialize_pem());
    folder.write("clients.pem", clients.pem());
    folder.write("bearer", SECRET);
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let server = Server::as_told(folder, ORDERS, &[&tls, options].concat());
    World { server, trusted }
}

impl World {
    /// Asks over TLS; nothing if there is no connection.
    fn ask(&self, shown: Option<(rcgen::Certificate, KeyPair)>, secret: &str) -> Option<Response> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match shown {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let connection = ClientConnection::new(Arc::new(config), "pdp.test".try_into().unwrap());
        let mut stream = StreamOwned::new(connection.unwrap(), self.server.connect());
        let body = question("ana", "read", "7").to_string();
        let request = format!(
            "POST {ONE} HTTP/1.1\r\nHost: pdp.test\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let response = Response::read(stream);
        (response.status != 0).then_some(response)
    }
}

#[test]
fn a_secret_goes_over_tls() {
    let world = world(&authority(), &["--bearer-file", "bearer"]);
    assert_eq!(world.ask(None, SECRET).unwrap().json()["decision"], true);
    assert_eq!(world.ask(None, "x").unwrap().status, 401);
    assert_eq!(world.server.get("/health").status, 0, "nothing is told in the clear");
    assert_eq!(world.server.end().code, Some(0));
}

#[test]
fn a_certificate_is_one_of_the_authority_that_was_named() {
    let clients = authority();
    let world = world(&clients, &["--client-ca", "clients.pem"]);
    let answered = world.ask(Some(issued(&clients, "pep.test")), "x");
    assert_eq!(answered.unwrap().json()["decision"], true);
    assert!(world.ask(None, SECRET).is_none(), "none was shown");
    assert!(
        world.ask(Some(issued(&authority(), "pep.test")), SECRET).is_none(),
        "of another authority"
    );
    // The authority of the server itself is none of clients.
    let of_server = issued(&world.trusted, "pep.test");
    assert!(world.ask(Some(of_server), SECRET).is_none());
}

#[test]
fn where_both_are_said_both_are_wanted() {
    let clients = authority();
    let world = world(&clients, &["--client-ca", "clients.pem", "--bearer-file", "bearer"]);
    assert_eq!(world.ask(Some(issued(&clients, "pep.test")), "x").unwrap().status, 401);
    assert!(world.ask(None, SECRET).is_none());
    assert_eq!(world.ask(Some(issued(&clients, "pep.test")), SECRET).unwrap().status, 200);
}
