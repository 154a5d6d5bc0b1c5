//! Certificates of a fleet's authority, and who shows others.

use std::sync::Arc;
use std::time::Duration;

use hallpass::fleet::Transport as _;
use hallpass::prelude::*;
use hallpass_fleet_http::{HttpTransport, Protection, SetupError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::frames::Fake;
use crate::world::{Over, REFUSED, World};

/// Who issues certificates to the nodes of a fleet.
#[derive(Clone)]
pub(crate) struct Authority(Arc<CertifiedIssuer<'static, KeyPair>>);

pub(crate) struct Issued {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(Arc::new(CertifiedIssuer::self_signed(params, key).unwrap()))
    }

    pub(crate) fn issue(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        Issued { certificate: params.signed_by(&key, &*self.0).unwrap(), key }
    }

    pub(crate) fn protect(&self, node: &str, names: &[&str]) -> Protection {
        self.try_protect(node, &self.issue(names, |_| {})).unwrap()
    }

    fn try_protect(&self, node: &str, issued: &Issued) -> Result<Protection, SetupError> {
        let (certificate, key) = (issued.certificate.pem(), issued.key.serialize_pem());
        let authorities = self.0.pem();
        Protection::mutual_tls(node, authorities.as_bytes(), certificate.as_bytes(), key.as_bytes())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }
}

impl Issued {
    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        (vec![self.certificate.der().clone()], key.into())
    }
}

fn expired(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
}

/// How a node is asked by one that shows this certificate, or none: what it answers to nothing, if it does.
fn asked_by(world: &World, shown: Option<&Issued>) -> Option<Vec<u8>> {
    let Over::Tls(authority) = &world.over else { panic!("no TLS") };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    let mut config = match shown {
        None => config.with_no_client_auth(),
        Some(shown) => {
            let (chain, key) = shown.parts();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let at = world.nodes[0].address.strip_prefix("https://").unwrap().to_owned();
    world.threads.block_on(async move {
        let stream = tokio::net::TcpStream::connect(at).await.unwrap();
        let name = "n0".try_into().unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
        crate::requests::post(stream, &[0; 40]).await
    })
}

#[test]
fn a_node_that_shows_no_certificate_of_the_fleet_is_not_listened_to() {
    let (authority, another) = (Authority::new(), Authority::new());
    let world = World::of_three(Over::Tls(authority.clone()));
    let good = authority.issue(&["n1"], |_| {});
    assert_eq!(asked_by(&world, Some(&good)).as_deref(), Some(&REFUSED[..]), "it is heard");
    let on_record = world.count(0, r#""foreign_message""#);
    assert_eq!(on_record, 1);

    let for_servers = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    let refused = [
        None,
        Some(authority.issue(&["n1"], expired)),
        Some(another.issue(&["n1"], |_| {})),
        Some(authority.issue(&["n1"], for_servers)),
    ];
    for (n, shown) in refused.iter().enumerate() {
        assert_eq!(asked_by(&world, shown.as_ref()), None, "{n}");
    }
    // It is closed before a message comes: there is nothing to record.
    assert_eq!(world.count(0, r#""foreign_message""#), on_record);
    let serving = world.nodes[0].serving.as_ref().unwrap();
    while serving.refused() < refused.len() as u64 {
        std::thread::yield_now();
    }
}

/// A member has the fleet's key: only its certificate keeps it from being another.
#[test]
fn a_member_that_says_it_is_another_is_denied_and_recorded() {
    let authority = Authority::new();
    let mut world = World::empty(Over::Tls(authority.clone()));
    let own = world.transport("n0");
    world.add("n0", own, str::to_owned);
    // The first has a certificate of `n2`, the second a wildcard besides a name of its own, and the third its own.
    for (name, certified) in [("n1", &["n1", "*.n1"][..]), ("n2", &["n1"])] {
        let issued = authority.issue(certified, |_| {});
        let protection = authority.try_protect(certified[0], &issued).unwrap();
        let transport = HttpTransport::new(world.threads.handle().clone(), protection);
        world.add(name, transport.time_limit(Duration::from_secs(30)).unwrap(), str::to_owned);
    }
    world.join_all();
    let (_task, grant) = world.grant(0);
    world.ask(1, &grant).unwrap().start().unwrap().succeed();
    assert_eq!(world.ask(2, &grant).unwrap_err().reason(), Reason::Elsewhere);
    assert_eq!(world.count(0, r#""foreign_message""#), 3, "each of its tries is on record");
    assert_eq!(world.count(0, r#""permitted""#), 1);
}

/// What was said in the name of a node before is not gone on with by another.
#[test]
fn a_session_that_is_anothers_is_not_gone_on_with() {
    let authority = Authority::new();
    let world = World::of_three(Over::Tls(authority.clone()));
    let (_task, grant) = world.grant(0);
    world.nodes[1].wire.withhold();
    world.ask(1, &grant).unwrap().start().unwrap().succeed();
    let carried = world.nodes[1].wire.withheld();
    // `n2` carries what `n1` has sealed.
    let protection = authority.protect("n2", &["n2"]);
    let courier = HttpTransport::new(world.threads.handle().clone(), protection);
    let courier = courier.time_limit(Duration::from_secs(30)).unwrap();
    let answer = courier.send("n0", &world.nodes[0].address, &carried).unwrap();
    assert_eq!(answer, REFUSED);
    assert_eq!(world.count(0, r#""foreign_message""#), 1);
}

#[test]
fn a_home_that_shows_no_certificate_of_its_own_is_not_asked() {
    let (authority, another) = (Authority::new(), Authority::new());
    let threads = crate::world::runtime();
    let transport = HttpTransport::new(threads.handle().clone(), authority.protect("n1", &["n1"]));
    let transport = transport.time_limit(Duration::from_secs(30)).unwrap();
    let for_clients = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let homes = [
        (authority.issue(&["n0.acme.test"], |_| {}), true, "its own"),
        (authority.issue(&["n2.acme.test"], |_| {}), false, "another node's"),
        (authority.issue(&["*.acme.test"], |_| {}), false, "a wildcard"),
        (authority.issue(&["n0.acme.test"], expired), false, "expired"),
        (another.issue(&["n0.acme.test"], |_| {}), false, "another fleet's"),
        (authority.issue(&["n0.acme.test"], for_clients), false, "for clients"),
    ];
    for (shown, is_good, what) in homes {
        let (chain, key) = shown.parts();
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider.clone());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let fake = Fake::over_tls(&threads, TlsAcceptor::from(Arc::new(config)));
        let answer = transport.send("n0.acme.test", &fake.address, b"hello");
        assert_eq!(answer.is_ok(), is_good, "{what}: {answer:?}");
        assert_eq!(fake.requests(), usize::from(is_good), "{what}: it sees no message");
    }
}

#[test]
fn certificates_that_no_other_node_would_take_are_an_error_at_once() {
    let (authority, another) = (Authority::new(), Authority::new());
    let tried = |node: &str, issued: &Issued| match authority.try_protect(node, issued) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let good = authority.issue(&["n1"], |_| {});
    assert_eq!(tried("n1", &good), "");
    for (node, issued, expected) in [
        ("n2", &good, "does not name the node `n2`"),
        ("n1", &authority.issue(&["n1"], expired), "expired"),
        ("n1", &another.issue(&["n1"], |_| {}), "BadSignature"),
        ("127.0.0.1", &authority.issue(&["127.0.0.1"], |_| {}), "does not name"),
    ] {
        let why = tried(node, issued);
        assert!(why.contains(expected), "{why}");
    }
    let other_key = Issued { certificate: good.certificate, key: KeyPair::generate().unwrap() };
    assert!(tried("n1", &other_key).starts_with("the node's certificates: certificate and key"));
    let garbage = Protection::mutual_tls("n1", b"", b"", b"").unwrap_err().to_string();
    assert!(garbage.contains("authorities"), "{garbage}");
}

#[test]
fn a_node_goes_on_with_another_certificate() {
    let authority = Authority::new();
    let world = World::of_three(Over::Tls(authority.clone()));
    let protection = authority.protect("n1", &["n1"]);
    let renewed = authority.issue(&["n1"], |_| {});
    let (chain, key) = (renewed.certificate.pem(), renewed.key.serialize_pem());
    protection.renew(chain.as_bytes(), key.as_bytes()).unwrap();
    let transport = HttpTransport::new(world.threads.handle().clone(), protection.clone());
    let transport = transport.time_limit(Duration::from_secs(30)).unwrap();
    assert_eq!(transport.send("n0", &world.nodes[0].address, &[0; 40]).unwrap(), REFUSED);
    // One that is not good is not gone on with.
    let expired = authority.issue(&["n1"], expired);
    let (chain, key) = (expired.certificate.pem(), expired.key.serialize_pem());
    assert!(protection.renew(chain.as_bytes(), key.as_bytes()).is_err());
    let again = HttpTransport::new(world.threads.handle().clone(), protection);
    let again = again.time_limit(Duration::from_secs(30)).unwrap();
    assert_eq!(again.send("n0", &world.nodes[0].address, &[0; 40]).unwrap(), REFUSED);
    assert!(Protection::local().renew(chain.as_bytes(), key.as_bytes()).is_err());
}
