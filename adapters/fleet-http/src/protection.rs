//! Who is at the other end of a connection.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::address::Address;
use crate::setup::SetupError;
use crate::stream::Stream;

/// For how long TLS may shake hands: a stranger holds a place no longer.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What keeps strangers from the connections of a node. Cloning shares it.
#[derive(Clone)]
pub struct Protection(Option<Arc<Mutual>>);

/// Mutual TLS.
struct Mutual {
    node: Box<str>,
    roots: Arc<RootCertStore>,
    now: RwLock<Configs>,
}

#[derive(Clone)]
struct Configs {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

/// The names in the certificate of who connected; any, where there is none.
#[derive(Clone, Debug)]
pub(crate) struct PeerNames(Option<Arc<[Box<str>]>>);

impl Protection {
    /// No TLS, for nodes on one machine: addresses of the loopback and Unix sockets alone. Messages are sealed all the
    /// same, so that a process of the machine that has not the fleet's key can hold calls up and give none. A member
    /// can say that it is another.
    #[must_use]
    pub fn local() -> Protection {
        Protection(None)
    }

    /// TLS 1.3 on both sides: the other end has to show a certificate that one of these authorities issued, for its
    /// node's name. All three are PEM: the fleet's authorities, which issue to its nodes alone; this node's certificate, with those between it
    /// and an authority after it; and its key. The certificate has the node's name among its DNS names, is good for
    /// servers and for clients, and is looked at now: one that no other node would take is an error.
    ///
    /// # Errors
    /// [`SetupError::Certificates`].
    pub fn mutual_tls(
        node: &str,
        authorities: &[u8],
        chain: &[u8],
        key: &[u8],
    ) -> Result<Protection, SetupError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates("authorities", authorities)? {
            roots.add(authority).map_err(|error| wrong("authorities", error))?;
        }
        let roots = Arc::new(roots);
        let now = RwLock::new(configs(node, &roots, chain, key)?);
        Ok(Protection(Some(Arc::new(Mutual { node: node.into(), roots, now }))))
    }

    /// Goes on with another certificate and its key, as before the old one expires. Connections that are open keep
    /// the old one, for an hour at the most.
    ///
    /// # Errors
    /// [`SetupError::Certificates`] as [`mutual_tls`](Protection::mutual_tls), and of a node that has none: it goes on
    /// as it was.
    pub fn renew(&self, chain: &[u8], key: &[u8]) -> Result<(), SetupError> {
        let Some(mutual) = &self.0 else {
            return Err(SetupError::Certificates("the node has none to renew".into()));
        };
        let renewed = configs(&mutual.node, &mutual.roots, chain, key)?;
        *mutual.now.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }

    /// Whether an address is one that is protected so.
    ///
    /// # Errors
    /// [`SetupError`]: TLS without certificates, and certificates without TLS, which would be asked for in vain.
    pub(crate) fn covers(&self, text: &str) -> Result<Address, SetupError> {
        let address = Address::parse(text)?;
        match (address.is_tls(), self.0.is_some()) {
            (true, false) => Err(SetupError::NoCertificates(text.into())),
            (false, true) => Err(SetupError::Unprotected(text.into())),
            (true, true) | (false, false) => Ok(address),
        }
    }

    /// What is spoken over a connection that somebody made, and who it was.
    ///
    /// # Errors
    /// Why it is no node of the fleet.
    pub(crate) async fn accept(&self, stream: Stream) -> Result<(Stream, PeerNames), Box<str>> {
        let Some(mutual) = &self.0 else { return Ok((stream, PeerNames(None))) };
        let acceptor = TlsAcceptor::from(mutual.now().server);
        let shaken = timeout(HANDSHAKE, acceptor.accept(stream)).await;
        let stream = shaken.map_err(|_| "TLS takes too long")?.map_err(text)?;
        let names = names_of(stream.get_ref().1.peer_certificates());
        Ok((boxed(stream), PeerNames(Some(names.into()))))
    }

    /// What is spoken over a connection to a node, if it is that node at its other end.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) async fn connect(&self, node: &str, stream: Stream) -> Result<Stream, Box<str>> {
        let Some(mutual) = &self.0 else { return Ok(stream) };
        let name = server_name(node)?;
        let connector = TlsConnector::from(mutual.now().client);
        let stream = connector.connect(name, stream).await.map_err(text)?;
        // A certificate with a wildcard covers names that it does not name.
        match names_of(stream.get_ref().1.peer_certificates()).iter().any(|own| **own == *node) {
            true => Ok(boxed(stream)),
            false => Err(format!("its certificate does not name `{node}`").into()),
        }
    }
}

impl PeerNames {
    /// Whether who connected may speak as this node.
    pub(crate) fn allow(&self, node: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|own| **own == *node))
    }
}

impl Mutual {
    fn now(&self) -> Configs {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn configs(
    node: &str,
    roots: &Arc<RootCertStore>,
    chain: &[u8],
    key: &[u8],
) -> Result<Configs, SetupError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates("certificate", chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong("key", error))?;
    let servers =
        WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
    let servers = servers.map_err(|error| wrong("authorities", error))?;
    let clients =
        WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
    let clients = clients.map_err(|error| wrong("authorities", error))?;
    check_own(node, &chain, &*servers, &*clients)?;
    let client = client_config(provider.clone(), servers, chain.clone(), key.clone_key())?;
    let server = server_config(provider, clients, chain, key)?;
    Ok(Configs { server: Arc::new(server), client: Arc::new(client) })
}

fn server_config(
    provider: Arc<CryptoProvider>,
    clients: Arc<dyn ClientCertVerifier>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, SetupError> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|error| wrong("TLS", error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|error| wrong("certificate and key", error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A session that is resumed would be one whose certificate is not looked at again.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client_config(
    provider: Arc<CryptoProvider>,
    servers: Arc<WebPkiServerVerifier>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, SetupError> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|error| wrong("TLS", error))?
        .with_webpki_verifier(servers)
        .with_client_auth_cert(chain, key)
        .map_err(|error| wrong("certificate and key", error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Whether other nodes would take the certificate, as that of a server and of a client.
fn check_own(
    node: &str,
    chain: &[CertificateDer<'static>],
    servers: &dyn ServerCertVerifier,
    clients: &dyn ClientCertVerifier,
) -> Result<(), SetupError> {
    let Some((own, between)) = chain.split_first() else {
        return Err(wrong("certificate", "there is none"));
    };
    if !names_of(Some(chain)).iter().any(|name| **name == *node) {
        return Err(wrong("certificate", format_args!("it does not name the node `{node}`")));
    }
    let name = server_name(node).map_err(|why| wrong("certificate", why))?;
    let now = UnixTime::now();
    let as_server = servers.verify_server_cert(own, between, &name, &[], now);
    as_server.map_err(|error| wrong("certificate", error))?;
    let as_client = clients.verify_client_cert(own, between, now);
    as_client.map_err(|error| wrong("certificate", error))?;
    Ok(())
}

/// A node's name, as certificates have it.
fn server_name(node: &str) -> Result<ServerName<'static>, Box<str>> {
    match ServerName::try_from(node.to_owned()) {
        Ok(name @ ServerName::DnsName(_)) => Ok(name),
        _ => Err(format!("`{node}` can't be a name in a certificate").into()),
    }
}

/// The DNS names that the first certificate of a chain says.
fn names_of(chain: Option<&[CertificateDer<'_>]>) -> Vec<Box<str>> {
    let first = chain.and_then(<[_]>::first);
    let read = first.and_then(|first| webpki::EndEntityCert::try_from(first).ok());
    read.iter().flat_map(|own| own.valid_dns_names()).map(Into::into).collect()
}

fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| wrong(what, error))?;
    if all.is_empty() { Err(wrong(what, "there is none in the PEM")) } else { Ok(all) }
}

fn wrong(what: &str, why: impl fmt::Display) -> SetupError {
    SetupError::Certificates(format!("{what}: {why}").into())
}

fn text(error: std::io::Error) -> Box<str> {
    error.to_string().into()
}

fn boxed(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Stream {
    Box::new(stream)
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.0.as_ref().map(|mutual| &mutual.node);
        f.debug_struct("Protection").field("mutual_tls", &node).finish_non_exhaustive()
    }
}
