//! What the tool of one call is told.

use std::fmt;
use std::process::Command;

use crate::injector::Inner;
use crate::key::Key;

/// The address on the loopback that one running call has, for the tool: the secret is not in it. A process that
/// has it can make the requests that the call may make, for as long as it runs; given on to an agent afterwards it is of no use.
pub struct Endpoint<'e> {
    pub(crate) inner: &'e Inner,
    pub(crate) key: &'e Key,
    pub(crate) port: u16,
}

impl Endpoint<'_> {
    /// The URL that stands for the origin of a credential: `http://127.0.0.1:…/…/0`, to which a path is added. `None` of a
    /// credential that the injector does not know.
    pub fn url(&self, credential: &str) -> Option<String> {
        let known =
            self.inner.routes.iter().position(|own| *own.injection.credential == *credential)?;
        Some(format!("http://127.0.0.1:{}{}", self.port, self.prefix(known)))
    }

    /// The URL of the same as a proxy, its key as the password: for tools that know one. They ask for `http` URLs of the
    /// origin, and the TLS is made here; a `CONNECT` is refused.
    pub fn proxy(&self) -> String {
        format!("http://{}@127.0.0.1:{}", &*self.key.userinfo(), self.port)
    }

    /// A child process that has the proxy in its environment, and nothing else of this process's but its `PATH`.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let proxy = self.proxy();
        // What knows one for TLS, too, is refused and goes nowhere else.
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        command
    }

    /// What the path of a request for a route begins with.
    pub(crate) fn prefix(&self, route: usize) -> String {
        format!("/{}/{route}", self.key.as_str())
    }
}

/// Shows the port, and not the key.
impl fmt::Debug for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("port", &self.port).finish_non_exhaustive()
    }
}
