//! The server that stands in: it issues what section 2 of RFC 8693 has it issue, and is made to do otherwise.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Map, Value, json};

/// What the server signs with, and the resource server checks by.
const KEY: &[u8] = b"a key of the authorization server";

/// Changes an answer: its status, its members, the claims of its token.
pub(crate) type Change =
    dyn Fn(&mut u16, &mut Map<String, Value>, &mut Map<String, Value>) + Send + Sync;

#[derive(Default)]
struct Inside {
    change: Mutex<Option<Arc<Change>>>,
    /// Is answered in the place of everything.
    raw: Mutex<Option<String>>,
    asked: Mutex<Vec<BTreeMap<String, Vec<String>>>>,
    issued: Mutex<Vec<String>>,
    /// The time by which tokens are issued, in seconds.
    now: Mutex<u64>,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    inside: Arc<Inside>,
}

/// A token as a party of this server has it.
pub(crate) fn signed(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The claims of a token that this server has signed.
pub(crate) fn checked(token: &str) -> Option<Value> {
    let (text, tag) = token.rsplit_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, KEY), text.as_bytes(), &tag).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?).ok()
}

impl Server {
    pub(crate) fn start(now: u64) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server { at: listener.local_addr().unwrap(), inside: Arc::default() };
        *server.inside.now.lock().unwrap() = now;
        let own = server.clone();
        // Ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming() {
                own.serve(stream.unwrap());
            }
        });
        server
    }

    /// Has answers be other ones.
    pub(crate) fn change(
        &self,
        change: impl Fn(&mut u16, &mut Map<String, Value>, &mut Map<String, Value>)
        + Send
        + Sync
        + 'static,
    ) {
        *self.inside.change.lock().unwrap() = Some(Arc::new(change));
    }

    /// Has this be answered, byte for byte.
    pub(crate) fn answer_raw(&self, answer: &str) {
        *self.inside.raw.lock().unwrap() = Some(answer.to_owned());
    }

    pub(crate) fn recover(&self) {
        *self.inside.change.lock().unwrap() = None;
        *self.inside.raw.lock().unwrap() = None;
    }

    pub(crate) fn asked(&self) -> Vec<BTreeMap<String, Vec<String>>> {
        self.inside.asked.lock().unwrap().clone()
    }

    pub(crate) fn issued(&self) -> Vec<String> {
        self.inside.issued.lock().unwrap().clone()
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut head, mut length) = (String::new(), Vec::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            let lower = line.trim().to_ascii_lowercase();
            if let Some(said) = lower.strip_prefix("content-length: ") {
                length = said.parse().unwrap();
            }
            head.push(lower);
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let raw = self.inside.raw.lock().unwrap().clone();
        let answer = raw.unwrap_or_else(|| {
            let is_form = head.iter().any(|own| own == "content-type: application/x-www-form-urlencoded");
            let form = form(std::str::from_utf8(&body).unwrap());
            self.inside.asked.lock().unwrap().push(form.clone());
            let (status, said) = match self.exchange(&form).filter(|_| is_form) {
                Some(issued) => issued,
                None => (400, json!({ "error": "invalid_request" })),
            };
            let said = said.to_string();
            format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{said}",
                said.len()
            )
        });
        let mut stream = stream;
        stream.write_all(answer.as_bytes()).unwrap();
    }

    /// Section 2.1 and 2.2: what has to be there is there once, and of the kinds that are known here.
    fn exchange(&self, form: &BTreeMap<String, Vec<String>>) -> Option<(u16, Value)> {
        let one = |name: &str| match form.get(name).map(Vec::as_slice) {
            Some([only]) => Some(only.as_str()),
            _ => None,
        };
        let is = |name: &str, value: &str| one(name) == Some(value);
        let token = |name: &str| {
            let known = is(&format!("{name}_type"), "urn:ietf:params:oauth:token-type:jwt");
            checked(one(name)?).filter(|_| known)
        };
        if !is("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            || !is("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
        {
            return None;
        }
        let subject = token("subject_token")?;
        // Its type stands with it, and not without.
        let actor = match (form.contains_key("actor_token"), form.contains_key("actor_token_type"))
        {
            (true, true) => Some(token("actor_token")?),
            (false, false) => None,
            _ => return None,
        };
        let audience = form.get("audience")?.clone();
        if audience != ["https://orders.acme.test"] {
            return Some((400, json!({ "error": "invalid_target" })));
        }
        let now = *self.inside.now.lock().unwrap();
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), json!("https://login.acme.test"));
        claims.insert("sub".to_owned(), subject["sub"].clone());
        claims.insert("aud".to_owned(), json!(audience[0]));
        claims.insert("scope".to_owned(), json!(one("scope")?));
        claims.insert("exp".to_owned(), json!(now + 300));
        claims.insert("jti".to_owned(), json!(self.inside.issued.lock().unwrap().len()));
        claims.extend(actor.map(|actor| {
            let mut act = Map::new();
            act.insert("sub".to_owned(), actor["sub"].clone());
            act.extend(actor.get("act").map(|own| ("act".to_owned(), own.clone())));
            ("act".to_owned(), Value::Object(act))
        }));
        let mut said = Map::new();
        said.insert(
            "issued_token_type".to_owned(),
            json!("urn:ietf:params:oauth:token-type:access_token"),
        );
        said.insert("token_type".to_owned(), json!("Bearer"));
        said.insert("expires_in".to_owned(), json!(300));
        let mut status = 200;
        let change = self.inside.change.lock().unwrap().clone();
        if let Some(change) = change {
            change(&mut status, &mut said, &mut claims);
        }
        let token = signed(&Value::Object(claims));
        self.inside.issued.lock().unwrap().push(token.clone());
        said.entry("access_token").or_insert(json!(token));
        Some((status, Value::Object(said)))
    }
}

fn form(body: &str) -> BTreeMap<String, Vec<String>> {
    let mut form: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in body.split('&').filter_map(|pair| pair.split_once('=')) {
        form.entry(unescaped(name)).or_default().push(unescaped(value));
    }
    form
}

fn unescaped(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(plain).unwrap()
}
