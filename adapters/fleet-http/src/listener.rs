//! Where a node answers others.

use std::fmt;
use std::io;
use std::net::TcpListener;

use hallpass::fleet::Fleet;
use tokio::runtime::Handle;

use crate::address::Address;
use crate::protection::Protection;
use crate::server::{Serving, serve};
use crate::setup::SetupError;
use crate::stream::{Stream, without_delay};

/// An address that a node listens on, before it is a node: what its fleet is to know as
/// [`answers_at`](hallpass::fleet::FleetBuilder::answers_at).
pub struct Listener {
    socket: Socket,
    protection: Protection,
    address: Box<str>,
}

enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(unix::Named),
}

impl Listener {
    /// Listens on `https://HOST:PORT` with [certificates](Protection::mutual_tls), and without on
    /// `http://127.0.0.1:PORT`, another address of the loopback, or `unix:/PATH`, which only this process's user can
    /// connect to. Port 0 takes any.
    ///
    /// # Errors
    /// [`SetupError`]: of an address in the clear that other machines reach, too.
    pub fn bind(address: &str, protection: Protection) -> Result<Listener, SetupError> {
        let listen = |error| SetupError::Listen(address.into(), error);
        let (socket, scheme) = match protection.covers(address)? {
            Address::Tls { host, port } => {
                (Socket::Tcp(TcpListener::bind((&*host, port)).map_err(listen)?), "https")
            }
            Address::Loopback(at) => (Socket::Tcp(TcpListener::bind(at).map_err(listen)?), "http"),
            #[cfg(unix)]
            Address::Unix(path) => {
                let socket = unix::Named::bind(path).map_err(listen)?;
                let address = address.into();
                return Ok(Listener { socket: Socket::Unix(socket), protection, address });
            }
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(listen(io::ErrorKind::Unsupported.into())),
        };
        let Socket::Tcp(own) = &socket else {
            return Err(listen(io::ErrorKind::Unsupported.into()));
        };
        let at = own.local_addr().map_err(listen)?;
        Ok(Listener { socket, protection, address: format!("{scheme}://{at}").into() })
    }

    /// The address, as other nodes are told it where they reach this one by it: with the port that was taken.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Answers other nodes, on the threads of this runtime, until what is given back is dropped. The node lives as long.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn serve(self, runtime: &Handle, fleet: Fleet) -> io::Result<Serving> {
        let entered = runtime.enter();
        let accepting = match self.socket {
            Socket::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                Accepting::Tcp(tokio::net::TcpListener::from_std(socket)?)
            }
            #[cfg(unix)]
            Socket::Unix(named) => named.accepting()?,
        };
        drop(entered);
        Ok(serve(runtime, accepting, self.protection, fleet))
    }
}

/// A socket on the runtime.
pub(crate) enum Accepting {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(
        tokio::net::UnixListener,
        #[expect(dead_code, reason = "removed when it is dropped")] unix::SocketFile,
    ),
}

impl Accepting {
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Accepting::Tcp(socket) => Ok(Box::new(without_delay(socket.accept().await?.0))),
            #[cfg(unix)]
            Accepting::Unix(socket, _) => Ok(Box::new(socket.accept().await?.0)),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

#[cfg(unix)]
mod unix {
    //! Sockets in the file system.

    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;

    use super::Accepting;

    /// A socket under a name.
    pub(super) struct Named {
        socket: UnixListener,
        file: SocketFile,
    }

    /// A socket's name, which goes with it.
    pub(crate) struct SocketFile(PathBuf);

    impl Drop for SocketFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    impl Named {
        /// Listens, in place of a process that has ended without removing its socket.
        pub(super) fn bind(path: PathBuf) -> io::Result<Named> {
            let is_left_over = || {
                fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket())
                    && UnixStream::connect(&path)
                        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
            };
            let bound = UnixListener::bind(&path);
            let socket = match bound {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over() => {
                    fs::remove_file(&path)?;
                    UnixListener::bind(&path)?
                }
                bound => bound?,
            };
            let file = SocketFile(path);
            fs::set_permissions(&file.0, Permissions::from_mode(0o600))?;
            Ok(Named { socket, file })
        }

        pub(super) fn accepting(self) -> io::Result<Accepting> {
            self.socket.set_nonblocking(true)?;
            Ok(Accepting::Unix(tokio::net::UnixListener::from_std(self.socket)?, self.file))
        }
    }
}
