//! TLS to a server of PostgreSQL.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};
use tokio_rustls::{TlsConnector, client};

/// Connects over TLS to a server whose certificate one of the authorities of a file has issued, for the host that the configuration names.
#[derive(Clone)]
pub(super) struct StoreTls(TlsConnector);

impl StoreTls {
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn trusting(authorities: &Path) -> Result<StoreTls, String> {
        let named =
            |problem: &dyn std::fmt::Display| format!("{}: {problem}", authorities.display());
        let read = CertificateDer::pem_file_iter(authorities).map_err(|error| named(&error))?;
        let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| named(&error))?;
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(read).0 == 0 {
            return Err(named(&"there is no certificate in it that can be used"));
        }
        // No protocol is said within TLS: newer servers refuse what is none of theirs.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| named(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(StoreTls(TlsConnector::from(Arc::new(config))))
    }
}

impl MakeTlsConnect<Socket> for StoreTls {
    type Stream = Stream;
    type TlsConnect = Connecting;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Connecting> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        Ok(Connecting(self.0.clone(), name))
    }
}

/// To one host.
pub(super) struct Connecting(TlsConnector, ServerName<'static>);

impl TlsConnect<Socket> for Connecting {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move { Ok(Stream(Box::new(self.0.connect(self.1, socket).await?))) })
    }
}

/// A connection over TLS. What the password proves is not tied to it: the certificate says who is at the other end.
pub(super) struct Stream(Box<client::TlsStream<Socket>>);

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}
