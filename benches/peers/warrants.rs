//! `tenuo`: W1 and W2.
//!
//! A warrant names its holder's key, and each call comes with a signature of that key over the call. `+pop` is the verifier's
//! side, with a proof made just before each sample; `+pop+holder-signs` has the making inside, which is what a gate in the
//! holder's own process pays. The map of arguments, which its interface borrows, is built before. *More* than hallpass: who
//! verifies holds nothing secret, and a stolen warrant is useless without the key. *Less*: no task that can end; what revokes
//! is a list, empty here.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::Criterion;
use tenuo::wire::{WarrantStack, decode_stack, encode_stack};
use tenuo::{
    Authorizer, Constraint, ConstraintSet, ConstraintValue, Error, OneOf, Range, Signature,
    SigningKey, Subpath, Warrant,
};

use crate::cases::hop;
use crate::workload::{OUTSIDE, QUERY, Query};

type Args = HashMap<String, ConstraintValue>;

fn args(query: &Query<'_>) -> Args {
    HashMap::from([
        ("table".to_owned(), ConstraintValue::String(query.table.to_owned())),
        ("limit".to_owned(), ConstraintValue::Integer(query.limit)),
        ("path".to_owned(), ConstraintValue::String(query.path.to_owned())),
    ])
}

fn scope(i: i64) -> ConstraintSet {
    let (most, tables) = hop(i);
    let mut set = ConstraintSet::new();
    set.insert("table", OneOf::new(tables.iter().copied()));
    set.insert("limit", Range::new(Some(0.0), Some(most as f64)).unwrap());
    set.insert("path", Constraint::from(Subpath::new("/data/reports").unwrap()));
    set
}

/// A chain of warrants as it comes over the wire, and the key of its last holder.
struct Held {
    text: String,
    chain: Vec<Warrant>,
    key: SigningKey,
}

fn encoded(chain: &[Warrant]) -> String {
    URL_SAFE_NO_PAD.encode(encode_stack(&WarrantStack::new(chain.to_vec())).unwrap())
}

fn granted(issuer: &SigningKey, ttl: Duration) -> Held {
    let key = SigningKey::generate();
    let warrant = Warrant::builder()
        .capability("db.query", scope(0))
        .holder(key.public_key())
        .agent_id("agent-7")
        .ttl(ttl)
        .build(issuer)
        .unwrap();
    Held { text: encoded(std::slice::from_ref(&warrant)), chain: vec![warrant], key }
}

impl Held {
    fn narrower(&self, i: i64) -> Held {
        let key = SigningKey::generate();
        let child =
            self.last().attenuate().capability("db.query", scope(i)).holder(key.public_key());
        let mut chain = self.chain.clone();
        chain.push(child.build(&self.key).unwrap());
        Held { text: encoded(&chain), chain, key }
    }

    fn last(&self) -> &Warrant {
        self.chain.last().unwrap()
    }

    fn proof(&self, key: &SigningKey, query: &Query<'_>, args: &Args) -> Signature {
        self.last().sign(key, query.tool, args).unwrap()
    }

    /// One letter of what the first warrant says changed, so that all can still be read.
    fn forged(&self) -> String {
        let mut bytes = URL_SAFE_NO_PAD.decode(&self.text).unwrap();
        let at = bytes.windows(7).position(|part| part == b"reports").unwrap();
        bytes[at] = b'R';
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn verify(
    authorizer: &Authorizer,
    text: &str,
    query: &Query<'_>,
    args: &Args,
    proof: &Signature,
) -> Result<(), Error> {
    let bytes =
        URL_SAFE_NO_PAD.decode(text).map_err(|e| Error::DeserializationError(e.to_string()))?;
    let stack = decode_stack(&bytes)?;
    authorizer.check_chain(&stack.0, query.tool, args, Some(proof), &[]).map(drop)
}

/// Asserts each case on what is held, and times the given ones.
fn cases(
    c: &mut Criterion,
    authorizer: &Authorizer,
    row: &str,
    held: &Held,
    timed: &[(&str, Query<'static>)],
) {
    let check = |text: &str, query: &Query<'_>| {
        let args = args(query);
        verify(authorizer, text, query, &args, &held.proof(&held.key, query, &args))
    };
    check(&held.text, &QUERY).unwrap();
    for (case, query) in &OUTSIDE {
        assert!(check(&held.text, query).is_err(), "{row}: {case}");
    }
    let forged = held.forged();
    let refused = check(&forged, &QUERY).unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("signature"), "{refused}");
    let stranger = SigningKey::generate();
    let strange = held.proof(&stranger, &QUERY, &args(&QUERY));
    assert!(verify(authorizer, &held.text, &QUERY, &args(&QUERY), &strange).is_err(), "{row}: pop");
    println!("{row}/wire: {} bytes", held.text.len());

    let mut row_of = |case: &str, text: &str, key: &SigningKey, query: &Query<'static>| {
        let args = args(query);
        c.bench_function(&format!("{row}+pop/{case}"), |b| {
            b.iter_custom(|n| {
                let proof = held.proof(key, query, &args);
                let start = Instant::now();
                for _ in 0..n {
                    let (text, query, proof) =
                        (black_box(text), black_box(query), black_box(&proof));
                    black_box(verify(authorizer, text, query, &args, proof).is_ok());
                }
                start.elapsed()
            });
        });
    };
    for (case, query) in timed {
        row_of(case, &held.text, &held.key, query);
    }
    if row.starts_with("W1") {
        row_of("deny-sig", &forged, &held.key, &QUERY);
        row_of("deny-pop", &held.text, &stranger, &QUERY);
    }
}

pub(crate) fn credential(c: &mut Criterion) {
    let issuer = SigningKey::generate();
    let authorizer = Authorizer::builder().trusted_root(issuer.public_key()).build().unwrap();
    let held = granted(&issuer, Duration::from_secs(300));
    cases(c, &authorizer, "W1/tenuo", &held, &[("allow", QUERY), OUTSIDE[0]]);
    let (traversal, args_of) =
        (Query { path: "/data/reports/../../etc/passwd", ..QUERY }, args(&QUERY));
    let odd = args(&traversal);
    let proof = held.proof(&held.key, &traversal, &odd);
    let permitted = verify(&authorizer, &held.text, &traversal, &odd, &proof).is_ok();
    println!("W1/tenuo/traversal: permitted = {permitted}");
    c.bench_function("W1/tenuo+pop+holder-signs/allow", |b| {
        b.iter(|| {
            let proof = held.proof(&held.key, black_box(&QUERY), &args_of);
            verify(&authorizer, black_box(&held.text), &QUERY, &args_of, &proof).is_ok()
        });
    });
    expired(&issuer, &authorizer);

    let denied = Query { limit: 950, ..QUERY };
    let customers = Query { table: "customers", ..QUERY };
    let mut narrowed = granted(&issuer, Duration::from_secs(300));
    for i in 1..=8 {
        narrowed = narrowed.narrower(i);
        if [1, 3, 8].contains(&i) {
            let args = args(&customers);
            let proof = narrowed.proof(&narrowed.key, &customers, &args);
            assert!(verify(&authorizer, &narrowed.text, &customers, &args, &proof).is_err());
            let row = format!("W2/tenuo/{i}");
            cases(c, &authorizer, &row, &narrowed, &[("allow", QUERY), ("deny", denied)]);
        }
    }
    c.bench_function("W2/tenuo/narrow-1", |b| b.iter(|| held.narrower(1).text));
}

/// A warrant of one second, asked about later: its expiry is compared without the tolerance.
fn expired(issuer: &SigningKey, authorizer: &Authorizer) {
    let held = granted(issuer, Duration::from_secs(1));
    let args = args(&QUERY);
    let proof = held.proof(&held.key, &QUERY, &args);
    std::thread::sleep(Duration::from_secs(3));
    let refused = verify(authorizer, &held.text, &QUERY, &args, &proof).unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("expired"), "{refused}");
}
