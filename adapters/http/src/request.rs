//! What a tool's request is for.

use hyper::header::PROXY_AUTHORIZATION;
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Uri};

use crate::headers::{Shown, says_another};
use crate::injector::{Inner, Route};
use crate::key::Key;
use crate::path;
use crate::refusal::Refusal;

/// What a request is for: one secret, and what is asked of its origin.
pub(crate) struct Addressed<'r> {
    pub(crate) route: &'r Route,
    /// Path and query.
    pub(crate) target: PathAndQuery,
    pub(crate) shown: Shown,
}

/// Reads whom a request comes from and what it is for: from its first line and its key, and from nothing else.
pub(crate) fn addressed<'r>(
    parts: &Parts,
    key: &Key,
    inner: &'r Inner,
) -> Result<Addressed<'r>, Refusal> {
    let is_absolute = parts.uri.scheme().is_some();
    let (route, target, shown) = if is_absolute || parts.method == Method::CONNECT {
        let mut given = parts.headers.get_all(PROXY_AUTHORIZATION).iter();
        let is_ours = match (given.next(), given.next()) {
            (Some(only), None) => key.is_password_in(only.as_bytes()),
            _ => false,
        };
        if !is_ours {
            return Err(Refusal::NoPassword);
        }
        if parts.method == Method::CONNECT {
            return Err(Refusal::Method);
        }
        let route = inner.routes.iter().find(|own| own.injection.origin.is_of(&parts.uri, true));
        let target = parts.uri.path_and_query().cloned();
        (route.ok_or(Refusal::Origin)?, target.ok_or(Refusal::Malformed)?, Shown::InClear)
    } else {
        let (given, number, target) = split(&parts.uri).ok_or(Refusal::Unknown)?;
        if !key.is(given) {
            return Err(Refusal::Unknown);
        }
        let number: usize = number.parse().map_err(|_| Refusal::Unknown)?;
        let route = inner.routes.get(number).ok_or(Refusal::Unknown)?;
        let target = target.ok_or(Refusal::Malformed)?;
        (route, target, Shown::Below(format!("/{}/{number}", key.as_str())))
    };
    // It answers with the request, secret and all.
    if parts.method == Method::TRACE {
        return Err(Refusal::Method);
    }
    if says_another(&parts.headers) {
        return Err(Refusal::Override);
    }
    if !path::is_plain(target.path()) {
        return Err(Refusal::Path);
    }
    Ok(Addressed { route, target, shown })
}

/// The key, the number of the route, and what is left of the path, as in `/<key>/<number>/v1?x`.
fn split(uri: &Uri) -> Option<(&str, &str, Option<PathAndQuery>)> {
    let (key, rest) = uri.path().strip_prefix('/')?.split_once('/')?;
    let (number, path) = rest.split_once('/').unwrap_or((rest, ""));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some((key, number, format!("/{path}{query}").parse().ok()))
}
