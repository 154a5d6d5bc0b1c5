//! What requests a call may make.

use std::error::Error;

use hallpass::{Code, Denial, Running};
use hyper::Method;

use crate::origin::Origin;
use crate::path;

/// A request that a tool asks to make with a secret.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub(crate) credential: &'a str,
    pub(crate) origin: &'a Origin,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// What the catalogue calls the credential that it would carry.
    pub fn credential(&self) -> &'a str {
        self.credential
    }

    /// Where it would go.
    pub fn origin(&self) -> &'a Origin {
        self.origin
    }

    /// The method, case and all.
    pub fn method(&self) -> &'a str {
        self.method.as_str()
    }

    /// The path: one that servers read in one way alone, escapes and all as they were sent.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// What stands behind the question mark, as it was sent.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{}{query}", self.origin, self.path)
    }
}

/// What a hook of the host's answers: a call that has started, or why there is none.
pub(crate) type Authorized = Result<Running, Box<dyn Error + Send + Sync>>;

type Authorize<'r> = dyn Fn(&Asked<'_>) -> Authorized + Send + Sync + 'r;

/// What requests a call may make: none, unless something is said.
#[derive(Default)]
pub(crate) struct Bounds<'r> {
    /// Methods and paths.
    allowed: Vec<(Box<str>, Box<str>)>,
    authorize: Option<Box<Authorize<'r>>>,
}

/// Why a request may not be made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutOfBounds {
    NotAllowed,
    /// The hook has given no call; where it was denied one, with its code.
    Denied(Option<Code>),
}

impl<'r> Bounds<'r> {
    pub(crate) fn allow(&mut self, method: &str, path: &str) {
        self.allowed.push((method.into(), path.into()));
    }

    pub(crate) fn authorize_by(
        &mut self,
        authorize: impl Fn(&Asked<'_>) -> Authorized + Send + Sync + 'r,
    ) {
        self.authorize = Some(Box::new(authorize));
    }

    /// # Errors
    /// What was said that could match no request; `None` if nothing was said.
    pub(crate) fn check(&self) -> Result<(), Option<&str>> {
        if self.allowed.is_empty() && self.authorize.is_none() {
            return Err(None);
        }
        let unmatched = self.allowed.iter().find(|(method, path)| {
            Method::from_bytes(method.as_bytes()).is_err() || !path::is_plain(path)
        });
        unmatched.map_or(Ok(()), |(_, path)| Err(Some(path)))
    }

    /// The call that the request is, where each is one of its own.
    pub(crate) fn admit(&self, asked: &Asked<'_>) -> Result<Option<Running>, OutOfBounds> {
        let is_allowed = |(method, path): &(Box<str>, Box<str>)| {
            **method == *asked.method() && path::is_within(asked.path, path)
        };
        if !self.allowed.is_empty() && !self.allowed.iter().any(is_allowed) {
            return Err(OutOfBounds::NotAllowed);
        }
        match &self.authorize {
            Some(authorize) => match authorize(asked) {
                Ok(running) => Ok(Some(running)),
                Err(error) => Err(OutOfBounds::Denied(
                    error.downcast_ref().map(|denial: &Denial| denial.code()),
                )),
            },
            None if self.allowed.is_empty() => Err(OutOfBounds::NotAllowed),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_said_no_request_may_be_made() {
        let origin = "https://api.acme.test".parse().unwrap();
        let (credential, method, path, query) = ("api", &Method::GET, "/v1", None);
        let asked = Asked { credential, origin: &origin, method, path, query };
        assert!(matches!(Bounds::default().admit(&asked), Err(OutOfBounds::NotAllowed)));
    }
}
