//! Why nodes can't be connected as it was said.

/// Why a transport or a listener can't be made as it was said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It is no address.
    #[error(
        "`{}` is no address of a node, expected `https://HOST:PORT`, `http://127.0.0.1:PORT` or `unix:/PATH`",
        .0.escape_debug()
    )]
    Address(Box<str>),
    /// It is reached in the clear, from other machines.
    #[error(
        "`{}` is reached in the clear by other machines: expected `https://` with certificates, an address of the \
         loopback as `http://127.0.0.1:PORT`, or `unix:/PATH`",
        .0.escape_debug()
    )]
    Insecure(Box<str>),
    /// It needs certificates, and there are none.
    #[error("`{}` is reached over TLS, expected `Protection::mutual_tls`", .0.escape_debug())]
    NoCertificates(Box<str>),
    /// There are certificates, and it would not be reached with them.
    #[error(
        "`{}` is reached in the clear though the node has certificates, expected `https://HOST:PORT`",
        .0.escape_debug()
    )]
    Unprotected(Box<str>),
    /// The certificates, or the key.
    #[error("the node's certificates: {0}")]
    Certificates(Box<str>),
    /// How long an answer may take.
    #[error("a time limit of {0:?}, expected 10 milliseconds to a minute")]
    TimeLimit(std::time::Duration),
    /// It can't be listened on.
    #[error("`{}` can't be listened on: {}", .0.escape_debug(), .1)]
    Listen(Box<str>, std::io::Error),
}
