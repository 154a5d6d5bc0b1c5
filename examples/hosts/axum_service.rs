//! A service on axum: each agent has a session, and each call of a tool goes through it.
//!
//! ```text
//! cargo run -p hallpass-hosts --example axum-service
//! ```
//!
//! It serves 200 agents at once, and asks of itself over loopback what they would.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::post;
use hallpass::assert_nothing_stands;
use hallpass::prelude::*;
use hallpass_tower::{Arguments, GatedRouter, HttpGate, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the service knows: the broker, and the errands that are on.
#[derive(Clone)]
struct Desk {
    broker: Broker,
    errands: Arc<Mutex<HashMap<String, Session>>>,
}

// ---- glue: 6 lines

fn service(desk: Desk) -> axum::Router {
    let gate = HttpGate::sessions(move |request| desk.errand_of(request))
        .tool(|request| request.uri.path().strip_prefix("/tools/").map(str::to_owned))
        .context(|_| Context::new().with("env", "prod"));
    GatedRouter::new(gate).route("/tools/add", post(add)).with_state(())
}

// ---- what is the service's own: who calls, and the tool

impl Desk {
    /// The errand of who calls. A real service has authenticated the caller; here a header says who it is.
    fn errand_of(&self, request: &Parts) -> Result<Session, Refusal> {
        let id = request.headers.get("x-agent").and_then(|id| id.to_str().ok());
        let id = id.ok_or(Refusal::Unauthenticated)?;
        let mut errands = self.errands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(errand) = errands.get(id) {
            return Ok(errand.clone());
        }
        let who = self.broker.assert_identity(id)?;
        let wanted =
            Scope::from_json(r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000}}}]"#);
        let errand = self.broker.session(&who, Purpose::new("sums"), wanted.unwrap_or_default())?;
        errands.insert(id.to_owned(), errand.clone());
        Ok(errand)
    }
}

#[derive(serde::Deserialize)]
struct Numbers {
    a: i64,
    b: i64,
}

async fn add(Arguments(sum): Arguments<Numbers>) -> Result<String, StatusCode> {
    let sum = sum.a.checked_add(sum.b).ok_or(StatusCode::BAD_REQUEST)?;
    Ok(sum.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = Broker::new(Policy::from_toml(include_str!("adding.toml"))?)?;
    let desk = Desk { broker: broker.clone(), errands: Arc::default() };
    let service = service(desk.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });

    let agents: Vec<_> = (0..200)
        .map(|n| {
            tokio::spawn(async move {
                let ask = |body: String| ask(at, n, body);
                let sum = ask(format!(r#"{{"a":{n},"b":1}}"#)).await?;
                assert!(
                    sum.starts_with("HTTP/1.1 200") && sum.ends_with(&(n + 1).to_string()),
                    "{sum}"
                );
                let much = ask(format!(r#"{{"a":{n},"b":1001}}"#)).await?;
                assert!(
                    much.starts_with("HTTP/1.1 403") && much.contains("\"out_of_scope\""),
                    "{much}"
                );
                let twice = ask(r#"{"a":1,"a":2,"b":1}"#.to_owned()).await?;
                assert!(
                    twice.starts_with("HTTP/1.1 400") && twice.contains("\"bad_request\""),
                    "{twice}"
                );
                Ok::<_, std::io::Error>(())
            })
        })
        .collect();
    for agent in agents {
        agent.await??;
    }
    println!("200 agents, {} errands on", broker.standing().tasks.len());
    desk.errands.lock().unwrap_or_else(PoisonError::into_inner).clear();
    assert_nothing_stands!(broker);
    println!("and nothing stands after them");
    serving.abort();
    Ok(())
}

/// What an agent sends and is answered, as text.
async fn ask(at: std::net::SocketAddr, agent: u32, body: String) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let length = body.len();
    let request = format!(
        "POST /tools/add HTTP/1.1\r\nhost: desk\r\nx-agent: agent-{agent}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
