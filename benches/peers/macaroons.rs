//! `macaroon`: W1 and W2.
//!
//! One caveat for each condition, HMAC-SHA256 chained under each (libsodium). What a request says exactly is satisfied
//! exactly; the rest by functions that parse the caveat. These can't capture, so that the call reaches them in a thread's
//! own variable. *Less* than hallpass: no holder but a caveat, no task that can end, nothing that revokes.

use std::cell::RefCell;
use std::path::Path;

use criterion::Criterion;
use macaroon::{ByteString, Format, Macaroon, MacaroonKey, Verifier};

use crate::cases::{self, changed, hop};
use crate::jwts::now;
use crate::workload::{QUERY, Query};

/// The numbers and names of a call that functions of the verifier look at.
#[derive(Default)]
struct Asked {
    table: String,
    path: String,
    limit: i64,
}

thread_local!(static ASKED: RefCell<Asked> = RefCell::default());

fn satisfied(caveat: &ByteString) -> bool {
    let Ok(caveat) = std::str::from_utf8(&caveat.0) else { return false };
    ASKED.with_borrow(|asked| {
        if let Some(tables) = caveat.strip_prefix("table in ") {
            tables.split(',').any(|table| table == asked.table)
        } else if let Some(most) = caveat.strip_prefix("limit <= ") {
            most.parse().is_ok_and(|most: i64| asked.limit <= most)
        } else if let Some(least) = caveat.strip_prefix("limit >= ") {
            least.parse().is_ok_and(|least: i64| asked.limit >= least)
        } else if let Some(folder) = caveat.strip_prefix("path under ") {
            Path::new(&asked.path).starts_with(folder)
        } else if let Some(end) = caveat.strip_prefix("time < ") {
            end.parse().is_ok_and(|end: u64| now() < end)
        } else {
            false
        }
    })
}

fn check(key: &MacaroonKey, holder: &str, text: &str, query: &Query<'_>) -> bool {
    let Ok(macaroon) = Macaroon::deserialize(text) else { return false };
    ASKED.with_borrow_mut(|asked| {
        asked.table.clear();
        asked.table.push_str(query.table);
        asked.path.clear();
        asked.path.push_str(query.path);
        asked.limit = query.limit;
    });
    let mut verifier = Verifier::default();
    verifier.satisfy_exact("aud = tool-gateway".into());
    verifier.satisfy_exact(format!("sub = {holder}").into());
    verifier.satisfy_exact(format!("tool = {}", query.tool).into());
    verifier.satisfy_exact("task = task-42".into());
    verifier.satisfy_general(satisfied);
    verifier.verify(&macaroon, key, Vec::new()).is_ok()
}

fn minted(key: &MacaroonKey, end: u64) -> Macaroon {
    let id = "0af7651916cd43dd8448eb211c80319c";
    let mut macaroon = Macaroon::create(Some("zsp-bench".into()), key, id.into()).unwrap();
    for caveat in [
        "aud = tool-gateway",
        "sub = agent-7",
        "task = task-42",
        "tool = db.query",
        "table in orders,customers",
        "limit >= 0",
        "limit <= 1000",
        "path under /data/reports",
        &format!("time < {end}"),
    ] {
        macaroon.add_first_party_caveat(caveat.into());
    }
    macaroon
}

pub(crate) fn credential(c: &mut Criterion) {
    macaroon::initialize().unwrap();
    let key = MacaroonKey::generate(b"a key of thirty-two bytes, hashed");
    let text = |macaroon: &Macaroon| macaroon.serialize(Format::V2).unwrap();
    // The signature stands last: what is changed is nothing that is parsed.
    let forge = |text: &str| changed(text, text.len() - 10);
    let mut macaroon = minted(&key, now() + 300);
    let root = text(&macaroon);
    assert!(Macaroon::deserialize(forge(&root)).is_ok());
    assert!(!check(&key, "agent-8", &root, &QUERY), "stranger");
    assert!(!check(&key, "agent-7", &text(&minted(&key, now() - 300)), &QUERY), "expired");
    let of_holder = |text: &str, query: &Query<'_>| check(&key, "agent-7", text, query);
    cases::credential(c, "macaroon", &root, &forge(&root), of_holder);
    for i in 1..=8 {
        let (most, tables) = hop(i);
        macaroon.add_first_party_caveat(format!("limit <= {most}").into());
        if i == 1 {
            macaroon.add_first_party_caveat(format!("table in {}", tables.join(",")).into());
        }
        if [1, 3, 8].contains(&i) {
            let text = text(&macaroon);
            cases::narrowed(c, "macaroon", i, &text, &forge(&text), of_holder);
        }
    }
    let narrower = |root: &str| {
        let mut macaroon = Macaroon::deserialize(root).unwrap();
        macaroon.add_first_party_caveat("limit <= 900".into());
        macaroon.add_first_party_caveat("table in orders".into());
        text(&macaroon)
    };
    c.bench_function("W2/macaroon/narrow-1", |b| b.iter(|| narrower(&root)));
}
