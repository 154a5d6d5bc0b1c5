//! A connection to an origin.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::address::is_public;
use crate::injection::Injection;
use crate::injector::Inner;
use crate::refusal::Refusal;

/// For how long the name, the connection and TLS may take together.
const CONNECT: Duration = Duration::from_secs(10);

/// What a request goes out on.
pub(crate) enum Stream {
    InClear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Inner {
    /// Connects to an origin: to an address that was looked at, and to no other.
    pub(crate) async fn connect(&self, injection: &Injection) -> Result<Stream, Refusal> {
        match timeout(CONNECT, self.connect_in_time(injection)).await {
            Ok(connected) => connected,
            Err(_) => Err(Refusal::Unreachable),
        }
    }

    async fn connect_in_time(&self, injection: &Injection) -> Result<Stream, Refusal> {
        let origin = &injection.origin;
        let addresses = self.addresses(injection).await?;
        let addresses: Vec<SocketAddr> =
            addresses.into_iter().map(|address| (address, origin.port()).into()).collect();
        let stream = TcpStream::connect(&*addresses).await.map_err(|_| Refusal::Unreachable)?;
        let _ = stream.set_nodelay(true);
        if !origin.is_tls() {
            // An address of the loopback.
            return Ok(Stream::InClear(stream));
        }
        let tls = self.tls.as_ref().ok_or(Refusal::Unreachable)?;
        let name = ServerName::try_from(origin.unbracketed().to_owned());
        let name = name.map_err(|_| Refusal::Unreachable)?;
        let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
        stream.map(|stream| Stream::Tls(Box::new(stream))).map_err(|_| Refusal::Unreachable)
    }

    /// Where the origin is. Where one of a name's addresses is not public, it is not known whose the name is.
    async fn addresses(&self, injection: &Injection) -> Result<Vec<IpAddr>, Refusal> {
        if let Some(address) = injection.origin.address() {
            return Ok(vec![address]);
        }
        let found = (self.resolve)(injection.origin.host()).await;
        let found = found.map_err(|_| Refusal::Unreachable)?;
        if !injection.private && !found.iter().all(|address| is_public(*address)) {
            return Err(Refusal::Address);
        }
        Ok(found)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Stream::InClear(stream) => Pin::new(stream).poll_read(context, into),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Stream::InClear(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Stream::InClear(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Stream::InClear(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Injector;

    /// The time passes where nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_does_not_come_about_is_given_up_after_ten_seconds() {
        let origin = "http://127.0.0.1:1".parse().unwrap();
        let clear = Injection::bearer("clear", origin);
        let named = Injection::bearer("named", "https://api.acme.test".parse().unwrap());
        let injector =
            Injector::builder().secret(clear).resolving(|_| Box::pin(std::future::pending()));
        let injector = injector.build().unwrap();
        let from = tokio::time::Instant::now();
        let connected = timeout(2 * CONNECT, injector.inner.connect(&named)).await;
        assert_eq!(connected.unwrap().err(), Some(Refusal::Unreachable));
        assert_eq!(from.elapsed(), CONNECT);
    }
}
