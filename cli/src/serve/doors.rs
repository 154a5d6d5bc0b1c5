//! Who gets in over the network: by a secret, by a certificate, or by both.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use clap::Args;
use tokio_rustls::TlsAcceptor;

use super::bearer::Bearers;
use super::listen::is_loopback;
use super::tls::acceptor;

/// How those who may ask are known.
#[derive(Debug, Args)]
pub(crate) struct Doors {
    /// The secrets of those who may ask over HTTP, one in each line
    #[arg(long, value_name = "FILE")]
    bearer_file: Option<PathBuf>,
    /// The certificates of TLS, the server's own first: PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate: PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Take connections only from those with a certificate that one of these authorities has issued: PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

/// What is asked of those who connect.
pub(crate) struct Door {
    bearers: Option<Bearers>,
    pub(crate) tls: Option<TlsAcceptor>,
}

impl Doors {
    /// Whether any is said.
    pub(crate) fn are_said(&self) -> bool {
        self.bearer_file.is_some() || self.tls_cert.is_some() || self.client_ca.is_some()
    }

    /// What is asked of those who connect to an address.
    ///
    /// # Errors
    /// If nothing would be asked, or what is asked could be read on its way.
    pub(crate) fn open(&self, listen: &SocketAddr) -> Result<Door, String> {
        let bearers = self.bearer_file.as_deref().map(Bearers::read).transpose()?;
        if bearers.is_none() && self.client_ca.is_none() {
            return Err(
                "say who may ask: `--bearer-file FILE`, `--client-ca FILE` or both".to_owned()
            );
        }
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => {
                Some(acceptor(certificates, key, self.client_ca.as_deref())?)
            }
            _ if is_loopback(listen) => None,
            _ => {
                return Err(format!(
                    "{listen}: others than this machine reach it, who could read secrets and answers: say \
                     `--tls-cert FILE --tls-key FILE`"
                ));
            }
        };
        Ok(Door { bearers, tls })
    }
}

impl Door {
    /// Whether a request knows a secret, if there is one to know.
    ///
    /// # Errors
    /// The response that says no.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let Some(bearers) = &self.bearers else { return Ok(()) };
        let mut stated = headers.get_all(AUTHORIZATION).iter();
        let is_known = stated.next().is_some_and(|own| bearers.accept(own.as_bytes()));
        // Of two, a proxy in front may have looked at the other.
        if is_known && stated.next().is_none() {
            return Ok(());
        }
        let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        let told = "the bearer token is missing or not known";
        Err(Box::new((StatusCode::UNAUTHORIZED, challenge, told).into_response()))
    }
}
