//! A peer whom TLS has verified, and one whom it has not.

use std::sync::Arc;

use hallpass_identity::SvidReader;
use rcgen::KeyPair;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use crate::world::{Authority, PAYER, at, authority, params};

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    Arc::new(roots)
}

fn key(pair: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()))
}

/// Shakes hands, in memory: the server's side, if it is willing.
fn shake_hands(
    trusted: &Authority,
    of_client: &Authority,
) -> Result<ServerConnection, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let (own, clients) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut of_server = params();
    of_server.subject_alt_names.push(rcgen::SanType::DnsName("pdp.test".try_into().unwrap()));
    let of_server = of_server.signed_by(&own, trusted).unwrap();
    // Good at the time at which the test runs.
    let mut shown = params();
    (shown.not_before, shown.not_after) =
        (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2090, 1, 1));
    let shown = shown.signed_by(&clients, of_client).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(trusted), provider.clone());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![of_server.der().clone()], key(&own))?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(any_server::AnyServer))
        .with_client_auth_cert(vec![shown.der().clone()], key(&clients))?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    let mut client = ClientConnection::new(Arc::new(client), "pdp.test".try_into().unwrap())?;
    while server.is_handshaking() || client.is_handshaking() {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        server.read_tls(&mut &*sent).unwrap();
        server.process_new_packets()?;
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        client.read_tls(&mut &*sent).unwrap();
        client.process_new_packets()?;
    }
    Ok(server)
}

/// The server is not what is looked at here.
mod any_server {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    #[derive(Debug)]
    pub(super) struct AnyServer;

    impl ServerCertVerifier for AnyServer {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ECDSA_NISTP256_SHA256]
        }
    }
}

#[test]
fn the_peer_of_a_handshake_is_whom_its_certificate_names() {
    let trusted = authority();
    let server = shake_hands(&trusted, &trusted).unwrap();
    let shown = &server.peer_certificates().unwrap()[0];
    let svid = SvidReader::new("acme.test").unwrap().read(shown, at(crate::NOW)).unwrap();
    assert_eq!(svid.id().as_str(), PAYER);
}

/// What a reader of certificates does not look at, a handshake does.
#[test]
fn a_certificate_of_another_authority_ends_the_handshake() {
    assert!(shake_hands(&authority(), &authority()).is_err());
}
