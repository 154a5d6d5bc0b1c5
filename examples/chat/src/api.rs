//! The chat's web API, as far as it is used here.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Calls methods of the chat's web API. A host has a client of its own, with TLS: this is where it goes.
pub trait Api: Send + Sync {
    /// Calls a method with a JSON body, as the app; its answer.
    fn call(&self, method: &str, body: &Value) -> impl Future<Output = io::Result<Value>> + Send;
}

/// A client for a stand-in on this machine: HTTP/1.1 without TLS.
pub struct HttpApi {
    /// `host:port`.
    address: String,
    token: String,
}

impl HttpApi {
    /// A client of the stand-in at this address, with the app's token.
    #[must_use]
    pub fn new(address: &str, token: &str) -> HttpApi {
        HttpApi { address: address.to_owned(), token: token.to_owned() }
    }
}

/// Without the token.
impl std::fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Api for HttpApi {
    async fn call(&self, method: &str, body: &Value) -> io::Result<Value> {
        let HttpApi { address, token } = self;
        let body = body.to_string();
        let head = format!(
            "POST /api/{method} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| unexpected(&answer))?;
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(unexpected(head));
        }
        let answer: Value = serde_json::from_str(body).map_err(|_| unexpected(body))?;
        // The API says `200 OK` of errors, too.
        match answer.get("ok") {
            Some(Value::Bool(true)) => Ok(answer),
            _ => Err(unexpected(body)),
        }
    }
}

fn unexpected(answer: &str) -> io::Error {
    io::Error::other(format!("the chat answered `{answer}`, expected `\"ok\":true`"))
}
