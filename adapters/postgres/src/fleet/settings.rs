//! How the server is reached, and for how long it is waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

/// The next message of a connection, which is driven by asking for it.
pub(super) type Messages =
    Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> + Send>;

type Connecting = Pin<Box<dyn Future<Output = Result<(Client, Messages), Error>> + Send>>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) tenant: Box<str>,
    pub(super) fleet: Box<str>,
    /// For how long an answer is waited for.
    pub(super) within: Duration,
    /// Whether it is to hear of new entries.
    pub(super) listens: bool,
    /// Whether commits have to be on a synchronous standby, too.
    pub(super) replicated: bool,
    /// Whether what connects makes TLS.
    pub(super) has_tls: bool,
    pub(super) connect: Arc<dyn Fn(Config) -> Connecting + Send + Sync>,
}

/// How to connect over what makes TLS, or does without.
pub(super) fn connecting_over<T>(tls: T) -> Arc<dyn Fn(Config) -> Connecting + Send + Sync>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    Arc::new(move |config| {
        let tls = tls.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(tls).await?;
            let messages: Messages = Box::new(move |context| connection.poll_message(context));
            Ok((client, messages))
        })
    })
}
