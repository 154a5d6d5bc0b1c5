//! Connections, of each kind.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::address::Address;

/// A connection.
pub(crate) type Stream = Box<dyn Duplex>;

/// What bytes are read from and written to.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// Connects to an address.
pub(crate) async fn connect(address: &Address) -> std::io::Result<Stream> {
    let stream = match address {
        Address::Tls { host, port } => TcpStream::connect((&**host, *port)).await?,
        Address::Loopback(address) => TcpStream::connect(address).await?,
        #[cfg(unix)]
        Address::Unix(path) => return Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Address::Unix(_) => return Err(std::io::ErrorKind::Unsupported.into()),
    };
    Ok(Box::new(without_delay(stream)))
}

/// Messages are short, and someone waits for each.
pub(crate) fn without_delay(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}
