//! `biscuit-auth`: W1 and W2.
//!
//! Checks of the token in Datalog, facts of the request from a macro that parses at compile time, Ed25519 for each block
//! (a fresh key at each hop). *More* than hallpass: who verifies holds nothing secret. *Less*: no holder but a fact, no task
//! that can end, nothing that revokes. Its default limit of a millisecond is raised, for on a machine that others use a good
//! call runs into it.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use biscuit_auth::error::{Format, Token};
use biscuit_auth::macros::{authorizer, biscuit, block};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair, PublicKey};
use criterion::Criterion;

use crate::cases::{self, hop};
use crate::workload::{QUERY, Query};

fn check(root: PublicKey, holder: &str, text: &str, query: &Query<'_>) -> bool {
    let Ok(biscuit) = Biscuit::from_base64(text, root) else { return false };
    let request = authorizer!(
        r#"
        time({now});
        audience("tool-gateway");
        holder({holder});
        tool({tool});
        table({table});
        limit({limit});
        path({path});
        allow if task("task-42");
        "#,
        now = SystemTime::now(),
        holder = holder,
        tool = query.tool,
        table = query.table,
        limit = query.limit,
        path = query.path,
    );
    let limits = AuthorizerLimits { max_time: Duration::from_secs(1), ..Default::default() };
    request
        .set_limits(limits)
        .build(&biscuit)
        .is_ok_and(|mut authorizer| authorizer.authorize().is_ok())
}

fn minted(root: &KeyPair, end: SystemTime) -> Biscuit {
    biscuit!(
        r#"
        issuer("zsp-bench");
        task("task-42");
        id("0af7651916cd43dd8448eb211c80319c");
        check if time($time), $time < {end};
        check if audience("tool-gateway");
        check if holder("agent-7");
        check if tool("db.query");
        check if table($table), {"orders", "customers"}.contains($table);
        check if limit($limit), $limit >= 0, $limit <= 1000;
        check if path($path), $path == "/data/reports" || $path.starts_with("/data/reports/");
        "#,
        end = end,
    )
    .build(root)
    .unwrap()
}

/// One letter of the signed text changed, so that the container can still be read.
fn forged(biscuit: &Biscuit, root: PublicKey) -> String {
    let mut bytes = biscuit.to_vec().unwrap();
    let at = bytes.windows(8).position(|part| part == b"0af76519").unwrap();
    bytes[at] = b'1';
    let text = URL_SAFE.encode(bytes);
    let refused = Biscuit::from_base64(&text, root).unwrap_err();
    assert!(matches!(refused, Token::Format(Format::Signature(_))), "{refused}");
    text
}

pub(crate) fn credential(c: &mut Criterion) {
    let root = KeyPair::new();
    let soon = SystemTime::now() + Duration::from_secs(300);
    let past = SystemTime::now() - Duration::from_secs(300);
    let mut biscuit = minted(&root, soon);
    let text = biscuit.to_base64().unwrap();
    let key = root.public();
    let of_holder = |text: &str, query: &Query<'_>| check(key, "agent-7", text, query);
    assert!(!check(key, "agent-8", &text, &QUERY), "stranger");
    assert!(!of_holder(&minted(&root, past).to_base64().unwrap(), &QUERY), "expired");
    cases::credential(c, "biscuit", &text, &forged(&biscuit, key), of_holder);
    let first = biscuit.clone();
    for i in 1..=8 {
        biscuit = narrower(&biscuit, i);
        if [1, 3, 8].contains(&i) {
            let text = biscuit.to_base64().unwrap();
            cases::narrowed(c, "biscuit", i, &text, &forged(&biscuit, key), of_holder);
        }
    }
    c.bench_function("W2/biscuit/narrow-1", |b| {
        b.iter(|| narrower(&first, 1).to_base64().unwrap());
    });
}

fn narrower(biscuit: &Biscuit, i: i64) -> Biscuit {
    let (most, _) = hop(i);
    let block = if i == 1 {
        block!(
            r#"check if limit($limit), $limit <= {most}; check if table("orders");"#,
            most = most,
        )
    } else {
        block!(r#"check if limit($limit), $limit <= {most};"#, most = most)
    };
    biscuit.append(block).unwrap()
}
