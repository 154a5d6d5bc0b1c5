//! What is between the nodes of a fleet, where commands are nodes.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass::fleet::{Fleet, FleetBuilder, Transport, TransportError};
use hallpass_fleet_http::{HttpTransport, Listener, Protection, Serving};
use serde::Deserialize;
use tokio::runtime::Runtime;

/// How nodes reach each other, as a fleet's file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWire {
    /// Where this node answers others: `https://HOST:PORT`, `http://127.0.0.1:PORT` or `unix:/PATH`.
    listen: String,
    /// Where others reach that, if it is another address.
    answers_at: Option<String>,
    ca_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    certificate_key_file: Option<PathBuf>,
}

/// How others are reached, and where this node answers.
pub(super) struct Wire {
    listen: String,
    answers_at: Option<String>,
    protection: Protection,
    threads: Runtime,
}

/// What asks nodes, with the threads that carry it.
pub(super) struct Asking(
    HttpTransport,
    #[allow(dead_code, reason = "kept for its threads")] Runtime,
);

impl Transport for Asking {
    fn send(&self, node: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        Transport::send(&self.0, node, address, message)
    }
}

/// What answers other nodes, until it is dropped.
pub(super) struct Answering {
    _serving: Serving,
    _threads: Runtime,
}

impl WrittenWire {
    /// `name` is whom the certificate names.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub(super) fn prepare(self, folder: &Path, name: &str) -> Result<Wire, String> {
        let read = |path: &Path| {
            let path = folder.join(path);
            fs::read(&path).map_err(|error| format!("{}: can't be read: {error}", path.display()))
        };
        let files = (&self.ca_file, &self.certificate_file, &self.certificate_key_file);
        let protection = match files {
            (None, None, None) => Protection::local(),
            (Some(authorities), Some(chain), Some(key)) => {
                Protection::mutual_tls(name, &read(authorities)?, &read(chain)?, &read(key)?)
                    .map_err(|error| error.to_string())?
            }
            _ => {
                return Err("`wire`: expected all of `ca_file`, `certificate_file` and `certificate_key_file`, or none"
                    .to_owned());
            }
        };
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let WrittenWire { listen, answers_at, .. } = self;
        Ok(Wire { listen, answers_at, protection, threads })
    }
}

impl Wire {
    fn transport(&self) -> HttpTransport {
        HttpTransport::new(self.threads.handle().clone(), self.protection.clone())
    }

    /// What asks nodes, for who is none.
    pub(super) fn asking(self) -> Asking {
        Asking(self.transport(), self.threads)
    }

    /// Listens where it is said, and has the node say so.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub(super) fn listen(&self, builder: FleetBuilder) -> Result<(FleetBuilder, Listener), String> {
        let listener = Listener::bind(&self.listen, self.protection.clone());
        let listener = listener.map_err(|error| error.to_string())?;
        let address = self.answers_at.as_deref().unwrap_or(listener.address()).to_owned();
        Ok((builder.answers_at(&address).transport(self.transport()), listener))
    }

    /// # Errors
    /// What the system says of the socket.
    pub(super) fn answer(self, listener: Listener, fleet: &Fleet) -> Result<Answering, String> {
        let serving = listener.serve(self.threads.handle(), fleet.clone());
        let serving = serving.map_err(|error| error.to_string())?;
        Ok(Answering { _serving: serving, _threads: self.threads })
    }
}
