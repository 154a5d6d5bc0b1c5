//! W4 as it is assembled: a token, a list of what is revoked, an engine for the rules, a record in a hashed chain.
//!
//! `jsonwebtoken` for the credential, one id looked up among 100,000, `cedar` or `regorus` for the decision, one record as
//! JSON that is linked by SHA-256 and given to a buffered writer. *Less* than hallpass: no grant of its own for a task, so
//! no scope; nothing is taken back from a call that was let through; the chain has no key, so that a forger can make it
//! anew; no outcome of the call.

use std::collections::HashSet;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::RwLock;

use criterion::Criterion;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use ring::digest::{Context, Digest, SHA256, digest};
use serde::Serialize;

use crate::cases::{Request, changed};
use crate::jwts::{Claims, claims, now, validation};
use crate::workload::{Rules, table, tool};
use crate::{cedar, rego};

#[derive(Serialize)]
struct Recorded<'a> {
    time: u64,
    task: &'a str,
    agent: &'a str,
    id: &'a str,
    tool: &'a str,
    args: Args<'a>,
    context: Known<'a>,
    decision: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Args<'a> {
    table: &'a str,
}

#[derive(Serialize)]
struct Known<'a> {
    env: &'a str,
    risk: i64,
}

/// Each line is JSON, a space, and the hash of the hash before with the JSON.
struct Chain {
    file: BufWriter<File>,
    before: [u8; 32],
    line: Vec<u8>,
}

fn linked(before: &[u8; 32], json: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(json);
    context.finish()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Chain {
    fn at(path: &Path) -> Self {
        let before = digest(&SHA256, b"").as_ref().try_into().unwrap();
        Chain { file: BufWriter::new(File::create(path).unwrap()), before, line: Vec::new() }
    }

    fn push(&mut self, record: &Recorded<'_>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.line.clear();
        serde_json::to_writer(&mut self.line, record).unwrap();
        let hash = linked(&self.before, &self.line);
        self.before.copy_from_slice(hash.as_ref());
        self.line.push(b' ');
        for byte in self.before {
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            self.line.extend_from_slice(&digits);
        }
        self.line.push(b'\n');
        self.file.write_all(&self.line).unwrap();
    }

    /// How many records the file has, each verified.
    fn verify(mut self, path: &Path) -> usize {
        self.file.flush().unwrap();
        let mut before: [u8; 32] = digest(&SHA256, b"").as_ref().try_into().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let (json, hash) = line.rsplit_once(' ').unwrap();
            let own = linked(&before, json.as_bytes());
            before.copy_from_slice(own.as_ref());
            assert_eq!(hex(&before), hash);
        }
        text.lines().count()
    }
}

struct Gate<D> {
    key: DecodingKey,
    validation: Validation,
    revoked: RwLock<HashSet<String>>,
    decide: D,
    chain: Chain,
    calls: usize,
}

impl<D: FnMut(&Request<'_>) -> bool> Gate<D> {
    /// The agent is the credential's, whatever the request says.
    fn call(&mut self, text: &str, request: &Request<'_>) -> bool {
        self.calls += 1;
        let token = decode::<Claims>(text, &self.key, &self.validation);
        let (reason, claims) = match &token {
            Err(_) => ("bad token", None),
            Ok(token) if self.revoked.read().unwrap().contains(&token.claims.jti) => {
                ("revoked", Some(&token.claims))
            }
            Ok(token) => {
                let claims = &token.claims;
                let allowed = (self.decide)(&Request { agent: &claims.sub, ..*request });
                (if allowed { "permitted" } else { "no permit" }, Some(claims))
            }
        };
        let allowed = reason == "permitted";
        self.chain.push(&Recorded {
            time: now(),
            task: claims.map_or("", |claims| &claims.task),
            agent: claims.map_or("", |claims| &claims.sub),
            id: claims.map_or("", |claims| &claims.jti),
            tool: request.tool,
            args: Args { table: request.table },
            context: Known { env: request.env, risk: request.risk },
            decision: if allowed { "allow" } else { "deny" },
            reason,
        });
        allowed
    }
}

pub(crate) fn gated(c: &mut Criterion, size: usize) {
    let engine = cedar::Engine::new(size);
    timed(c, "jsonwebtoken+cedar", size, |request| engine.decide(request));
    let mut machine = rego::Machine::new(size);
    timed(c, "jsonwebtoken+regorus", size, |request| machine.decide(request));
}

fn timed(c: &mut Criterion, name: &str, size: usize, decide: impl FnMut(&Request<'_>) -> bool) {
    let secret: Vec<u8> = (0..32).collect();
    let m = Rules::of(size).middle();
    let (agent, tool, table) = (format!("agent-{m}"), tool(m), table(m));
    let text = |id: &str| {
        let key = EncodingKey::from_secret(&secret).unwrap();
        encode(&Header::default(), &claims(&agent, id), &key).unwrap()
    };
    let good = text("0af7651916cd43dd8448eb211c80319c");
    let path =
        Removed(std::env::temp_dir().join(format!("peers-{}-{name}-{size}", std::process::id())));
    let mut gate = Gate {
        key: DecodingKey::from_secret(&secret).unwrap(),
        validation: validation(),
        revoked: RwLock::new((0..100_000).map(|i| format!("{i:032x}")).collect()),
        decide,
        chain: Chain::at(&path.0),
        calls: 0,
    };
    let allow = Request { agent: "", tool: &tool, table: &table, env: "prod", risk: 20 };
    let deny = Request { env: "dev", ..allow };
    assert!(gate.call(&good, &allow), "{name}");
    assert!(!gate.call(&good, &deny), "{name}: deny");
    assert!(!gate.call(&text(&format!("{:032x}", 4711)), &allow), "{name}: revoked");
    let forged = changed(&good, good.rfind('.').unwrap() - 10);
    assert!(!gate.call(&forged, &allow), "{name}: changed");
    for (case, request) in [("allow", allow), ("deny", deny)] {
        c.bench_function(&format!("W4/{name}/{size}/{case}"), |b| {
            b.iter(|| gate.call(black_box(&good), black_box(&request)));
        });
    }
    assert_eq!(gate.chain.verify(&path.0), gate.calls, "{name}");
}

/// A file that is removed in the end.
pub(crate) struct Removed(pub(crate) PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
