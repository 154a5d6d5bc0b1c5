//! What a host says once: which secrets go where.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use hallpass::Running;
use hallpass::vault::Secrets;
use hyper::header::HeaderName;
use tokio_rustls::rustls::ClientConfig;

use crate::injection::Injection;
use crate::lease::Lease;
use crate::origin::Origin;

/// The addresses of a name, on their way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

type Resolve = dyn Fn(&str) -> Resolving + Send + Sync;

/// Which secrets go where, and how connections are made. Cloning shares it.
#[derive(Clone)]
pub struct Injector {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) routes: Vec<Route>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) resolve: Arc<Resolve>,
}

/// One secret's way.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) injection: Injection,
    pub(crate) header: HeaderName,
}

/// Says what an [`Injector`] does.
#[must_use]
pub struct InjectorBuilder {
    secrets: Vec<Injection>,
    tls: Option<Arc<ClientConfig>>,
    resolve: Arc<Resolve>,
}

/// Why an injector can't be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InjectorError {
    /// No secret was said: it would pass nothing.
    #[error("no secret is said, expected `secret(Injection::bearer(…))` at least once")]
    Nothing,
    /// A credential, or an origin, is said twice: which one a request is for could not be told.
    #[error(
        "`{0}` is said twice, expected one origin for each credential and one credential for each origin"
    )]
    Twice(Box<str>),
    /// An origin is reached over TLS, and nothing says whom to trust.
    #[error("`{0}` is reached over TLS, expected `tls(…)` with the authorities to trust")]
    NoTls(Box<str>),
    /// A header that carries no secret: it frames or routes the request, or is not a header's name.
    #[error("the header of `{0}` can't carry a secret, expected a name as `x-api-key`")]
    Header(Box<str>),
}

impl Injector {
    /// Begins with nothing that is injected.
    pub fn builder() -> InjectorBuilder {
        InjectorBuilder { secrets: Vec::new(), tls: None, resolve: Arc::new(by_system) }
    }

    /// Where a credential goes. The catalogue has to say the same of each tool that sends it.
    pub fn origin_of(&self, credential: &str) -> Option<&Origin> {
        let mut injections = self.inner.routes.iter().map(|route| &route.injection);
        injections.find(|own| *own.credential == *credential).map(|own| &own.origin)
    }

    /// For the time of a call that runs with secrets: from inside [`run_with`](hallpass::Permit::run_with) or
    /// [`run_with_async`](hallpass::Permit::run_with_async), which nothing of it outlives.
    pub fn lend<'r>(&'r self, running: &'r Running, secrets: &'r Secrets) -> Lease<'r> {
        Lease::new(&self.inner, running, secrets)
    }
}

impl InjectorBuilder {
    /// A secret, where it goes and how it stands there.
    pub fn secret(mut self, injection: Injection) -> InjectorBuilder {
        self.secrets.push(injection);
        self
    }

    /// Whom to trust where an origin is reached over TLS. The protocol is HTTP/1.1, whatever it says.
    pub fn tls(self, config: Arc<ClientConfig>) -> InjectorBuilder {
        let mut config = ClientConfig::clone(&config);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        InjectorBuilder { tls: Some(Arc::new(config)), ..self }
    }

    /// Resolves names in another way than the system does. What it gives is checked like the system's.
    pub fn resolving(
        self,
        resolve: impl Fn(&str) -> Resolving + Send + Sync + 'static,
    ) -> InjectorBuilder {
        InjectorBuilder { resolve: Arc::new(resolve), ..self }
    }

    /// # Errors
    /// [`InjectorError`] of what could not be acted on as it is said.
    pub fn build(self) -> Result<Injector, InjectorError> {
        let InjectorBuilder { secrets, tls, resolve } = self;
        if secrets.is_empty() {
            return Err(InjectorError::Nothing);
        }
        let mut routes: Vec<Route> = Vec::with_capacity(secrets.len());
        for injection in secrets {
            let credential = injection.credential.clone();
            let is_same = |own: &Route| {
                own.injection.credential == credential || own.injection.origin == injection.origin
            };
            if routes.iter().any(is_same) {
                return Err(InjectorError::Twice(credential));
            }
            if injection.origin.is_tls() && tls.is_none() {
                return Err(InjectorError::NoTls(injection.origin.to_string().into()));
            }
            let header = injection.header_name().ok_or(InjectorError::Header(credential))?;
            routes.push(Route { injection, header });
        }
        Ok(Injector { inner: Arc::new(Inner { routes, tls, resolve }) })
    }
}

fn by_system(host: &str) -> Resolving {
    let host = host.to_owned();
    Box::pin(async move {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    })
}

/// Shows what goes where, without any secret: it has none.
impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("routes", &self.inner.routes).finish_non_exhaustive()
    }
}

impl fmt::Debug for InjectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectorBuilder").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(credential: &str, origin: &str) -> Injection {
        Injection::bearer(credential, origin.parse().unwrap())
    }

    #[test]
    fn what_could_not_be_acted_on_is_not_built() {
        let twice = Injector::builder()
            .secret(at("a", "http://127.0.0.1:1"))
            .secret(at("a", "http://127.0.0.1:2"));
        assert_eq!(twice.build().unwrap_err(), InjectorError::Twice("a".into()));
        let shared = Injector::builder()
            .secret(at("a", "http://127.0.0.1:1"))
            .secret(at("b", "http://127.0.0.1:1"));
        assert_eq!(shared.build().unwrap_err(), InjectorError::Twice("b".into()));
        assert_eq!(Injector::builder().build().unwrap_err(), InjectorError::Nothing);
        let no_tls = Injector::builder().secret(at("a", "https://api.acme.test")).build();
        assert!(matches!(no_tls, Err(InjectorError::NoTls(_))));
        let host = Injection::header("a", "host", "http://127.0.0.1:1".parse().unwrap());
        assert!(matches!(Injector::builder().secret(host).build(), Err(InjectorError::Header(_))));
    }
}
