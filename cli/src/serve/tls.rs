//! TLS, and who connects by it.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// HTTP/2, as a protocol within TLS.
pub(super) const HTTP_2: &[u8] = b"h2";

/// What takes connections of TLS 1.2 and 1.3: with the certificates of a file, first the server's own, and its key. With
/// `client_ca`, who connects has to show a certificate that one of its authorities has issued.
///
/// # Errors
/// What is wrong, and with which file.
pub(super) fn acceptor(
    certificates: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<TlsAcceptor, String> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates_of(certificates)?;
    let own = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| error.to_string())?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates_of(path)? {
                roots.add(authority).map_err(|error| named(path, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder
                .with_client_cert_verifier(verifier.build().map_err(|error| named(path, &error))?)
        }
    };
    let mut config =
        builder.with_single_cert(chain, own).map_err(|error| named(certificates, &error))?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What connects by TLS 1.2 and 1.3 to servers with a certificate that one of the authorities of a file has issued.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn connector(authorities: &Path) -> Result<TlsConnector, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    // A bundle of a system's may have some that no one has any use for.
    if roots.add_parsable_certificates(certificates_of(authorities)?).0 == 0 {
        return Err(named(authorities, &"there is no certificate in it that can be used"));
    }
    let builder = builder.with_root_certificates(roots);
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| named(path, &error))?;
    let all: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| named(path, &error))?;
    if all.is_empty() { Err(named(path, &"there is no certificate in it")) } else { Ok(all) }
}

fn named(path: &Path, problem: &dyn std::fmt::Display) -> String {
    format!("{}: {problem}", path.display())
}
