//! A server that is reached over HTTP, as it is said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::runtime::Runtime;

use super::remote::Target;

/// A server that is reached over HTTP.
#[derive(Debug, Args)]
pub(super) struct RemoteServer {
    /// Where a server is reached that is not started here: `https`, or `http` and this machine
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The authorities whose certificates a server of `https` has to have: PEM
    #[arg(long, value_name = "FILE")]
    server_ca: Option<PathBuf>,
    /// The bearer token that the server is shown, which is all that is in the file
    #[arg(long, value_name = "FILE")]
    server_bearer_file: Option<PathBuf>,
    /// How many seconds the server may say nothing while a request waits for its answer: 300, or 30 for a list, unless said
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    server_timeout: Option<u64>,
}

impl RemoteServer {
    /// The threads on which connections to a server are read, if there are any.
    pub(super) fn threads(&self) -> Result<Option<Runtime>, String> {
        let threads = self.url.as_ref().map(|_| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
        });
        threads.transpose().map_err(|error| format!("no threads can be had: {error}"))
    }

    /// How long a server may say nothing while a request waits for its answer: what is said, or else `unsaid`.
    pub(super) fn patience(&self, unsaid: Duration) -> Duration {
        self.server_timeout.map_or(unsaid, Duration::from_secs)
    }

    /// The server, if there is one.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub(super) fn target(&self, threads: Option<&Runtime>) -> Result<Option<Target>, String> {
        let (authorities, bearer) = (self.server_ca.as_deref(), self.server_bearer_file.as_deref());
        let (Some(url), Some(threads)) = (&self.url, threads) else {
            // The parser forgets to ask for a URL where there is a server already.
            return match (authorities, bearer, self.server_timeout) {
                (None, None, None) => Ok(None),
                _ => {
                    Err("how a server is reached over HTTP is said with `--url URL` alone"
                        .to_owned())
                }
            };
        };
        let patience = self.patience(PATIENCE);
        Target::new(url, authorities, bearer, patience, threads.handle().clone()).map(Some)
    }
}

/// How long a server over HTTP may say nothing while a request waits for its answer. Most clients wait for a minute.
const PATIENCE: Duration = Duration::from_secs(300);
