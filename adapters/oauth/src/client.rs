//! The HTTP client that the host brings.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use zeroize::Zeroizing;

/// A form to be posted to the token endpoint. It has the tokens of the parties in it: not to be logged.
pub struct Posted {
    pub(crate) endpoint: String,
    pub(crate) body: Zeroizing<String>,
}

impl Posted {
    /// Where it goes.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it says, as `application/x-www-form-urlencoded`.
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// What the server answered.
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// A status and a body, which is wiped when it was read.
    pub fn new(status: u16, body: Vec<u8>) -> Reply {
        Reply { status, body: Zeroizing::new(body) }
    }
}

/// Why no answer came, in words for operators without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nothing was sent: no token was made.
    #[error("nothing was sent: {0}")]
    NotSent(Box<str>),
    /// It was sent, or may have been: a token may have been made, and is lost.
    #[error("no answer came: {0}")]
    NoAnswer(Box<str>),
}

/// Posts forms over TLS to an authorization server that it trusts, follows no redirects, and keeps no bodies. Who the host is to
/// that server (`client_secret_basic`, `private_key_jwt`, a certificate) is added here.
pub trait HttpClient: Send + Sync {
    /// Posts, with the content type `application/x-www-form-urlencoded`, and gives what was answered, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`], which says whether it was sent.
    fn post(&self, posted: &Posted) -> Result<Reply, ClientError>;
}

/// As [`HttpClient`], for hosts on a runtime.
pub trait AsyncHttpClient: Send + Sync {
    /// As [`HttpClient::post`].
    fn post<'c>(
        &'c self,
        posted: &'c Posted,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, ClientError>> + Send + 'c>>;
}

/// Shows where it goes.
impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posted").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Shows the status.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hallpass::vault::Secret;

    use super::*;
    use crate::parties::{Parties, SubjectToken};

    #[test]
    fn no_token_is_shown() {
        let text = "s3cret-s3cret-s3cret";
        let token = || SubjectToken::jwt(Secret::new(text).unwrap());
        let body = Zeroizing::new(text.to_owned());
        let posted = Posted { endpoint: "https://login.acme.test".to_owned(), body };
        let reply = Reply::new(200, text.into());
        let shown = format!("{posted:?} {reply:?} {:?}", Parties::of(token()).acting(token()));
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("login.acme.test") && shown.contains("200"), "{shown}");
        let bytes = format!("{:?}", text.as_bytes());
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    }
}
