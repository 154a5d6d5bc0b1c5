//! W1: a presented token and one call against its grant's scope.
#![allow(clippy::print_stdout, reason = "rows that are reported instead of timed")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use hallpass::clock::{Clock, SystemClock};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;
use hallpass::token::hazmat::{Claims, Unverified, gate_keys, mint};
use hallpass::token::{TokenError, Verifier, VerifierError};
use workload::hand::Hand;
use workload::{OUTSIDE, QUERY, Query, floor, forged, query_scope};

fn main() {
    let mut c = workload::criterion();
    floor(&mut c);
    hallpass(&mut c);
    hallpass_verifier(&mut c);
    verify_only(&mut c);
    hand_ring_bin(&mut c);
    c.final_summary();
}

/// A gate without rules or log: its one rule permits every call, and `check` records nothing. All
/// the rest is there: token, holder, task, grant, scope.
fn hallpass(c: &mut Criterion) {
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let builder = || Broker::builder(policy.clone()).issuer("zsp-bench").audience("tool-gateway");
    let broker = builder().default_ttl(Duration::from_secs(300)).build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let stranger = broker.assert_identity("agent-8").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope(), &Context::new()).unwrap();
    let token = grant.token();
    let context = Context::new();
    let check = |token: &Token, who: &Identity, query: &Query<'_>| {
        gate.check(token, who, &query.call(), &context).is_ok()
    };

    assert!(check(token, &agent, &QUERY));
    for (case, query) in &OUTSIDE {
        assert!(!check(token, &agent, query), "{case}");
    }
    let forged = forged(token.expose());
    let denial = gate.check(&forged, &agent, &QUERY.call(), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::BadSignature);
    assert!(!check(token, &stranger, &QUERY), "stranger");
    let clock = hallpass::clock::ManualClock::new(SystemClock::new().read().unwrap().wall);
    let late = builder().clock(clock.clone()).build().unwrap();
    let other = late.assert_identity("agent-7").unwrap();
    let other_task = late.open(&other, Purpose::new("reporting")).unwrap();
    let expired = other_task.request(query_scope(), &Context::new()).unwrap();
    let call = QUERY.call();
    assert!(late.gate().check(expired.token(), &other, &call, &context).is_ok());
    clock.advance(Duration::from_secs(3600));
    let denial = late.gate().check(expired.token(), &other, &call, &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::Expired);
    println!("W1/hallpass/wire: {} bytes", token.expose().len());
    let traversal = Query { path: "/data/reports/../../etc/passwd", ..QUERY };
    println!("W1/hallpass/traversal: permitted = {}", check(token, &agent, &traversal));

    let deny_arg = OUTSIDE[0].1;
    c.bench_function("W1/hallpass/allow", |b| {
        b.iter(|| check(black_box(token), black_box(&agent), black_box(&QUERY)));
    });
    c.bench_function("W1/hallpass/deny-arg", |b| {
        b.iter(|| check(black_box(token), black_box(&agent), black_box(&deny_arg)));
    });
    c.bench_function("W1/hallpass/deny-sig", |b| {
        b.iter(|| check(black_box(&forged), black_box(&agent), black_box(&QUERY)));
    });
    c.bench_function("W1/hallpass-prebuilt-call/allow", |b| {
        b.iter(|| gate.check(black_box(token), &agent, black_box(&call), &context).is_ok());
    });
    c.bench_function("W1/hallpass/part-call", |b| b.iter(|| black_box(&QUERY).call()));
}

/// A verifier, and the scope in the token: no table, no task, no rules, no log, nothing counted.
///
/// `allow` includes building the call from the host's values, reading the clock, base64, the signature,
/// decoding root block and scope from their bytes (nothing is kept from one call to the next), expiry,
/// audience and holder, matching the call, and the answer that names issuer, task and holder. `deny-arg` the
/// same up to the condition that fails. `deny-sig` ends at the signature: nothing is decoded, and clock and
/// call are read and built all the same.
fn hallpass_verifier(c: &mut Criterion) {
    let ring =
        || KeyRing::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap());
    let verifier = Verifier::new(ring().audience_secret("search").unwrap(), "zsp-bench");
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let builder = Broker::builder(policy).issuer("zsp-bench").audience("tool-gateway");
    let broker = builder.keys(ring()).default_ttl(Duration::from_secs(300)).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope().embedded_for("search"), &Context::new()).unwrap();
    // The string that came over the wire: a `Token` is that string and nothing else.
    let wire = grant.token_for("search").unwrap();
    let clock = SystemClock::new();
    let verify = |wire: &Token, holder: &str, query: &Query<'_>| {
        let now = clock.read().unwrap().wall;
        verifier.verify(wire, Some(holder), &query.call(), now).map(|answer| answer.grant())
    };

    assert_eq!(verify(wire, "agent-7", &QUERY), Ok(grant.id()));
    for (case, query) in &OUTSIDE {
        let refused = verify(wire, "agent-7", query);
        assert!(matches!(refused, Err(VerifierError::OutOfScope(_))), "{case}");
    }
    let forged = forged(wire.expose());
    let refused = verify(&forged, "agent-7", &QUERY);
    assert_eq!(refused, Err(VerifierError::Token(TokenError::BadSignature)));
    let stranger = verify(wire, "agent-8", &QUERY);
    assert!(matches!(stranger, Err(VerifierError::NotTheHolder(_))), "stranger");
    let late = clock.read().unwrap().wall.checked_add(Duration::from_secs(3600)).unwrap();
    let expired = verifier.verify(wire, Some("agent-7"), &QUERY.call(), late);
    assert!(matches!(expired, Err(VerifierError::Token(TokenError::Expired))), "expired");
    println!("W1/hallpass-verifier/wire: {} bytes", wire.expose().len());
    let traversal = Query { path: "/data/reports/../../etc/passwd", ..QUERY };
    let permitted = verify(wire, "agent-7", &traversal).is_ok();
    println!("W1/hallpass-verifier/traversal: permitted = {permitted}");

    let deny_arg = OUTSIDE[0].1;
    c.bench_function("W1/hallpass-verifier/allow", |b| {
        b.iter(|| verify(black_box(wire), black_box("agent-7"), black_box(&QUERY)));
    });
    c.bench_function("W1/hallpass-verifier/deny-arg", |b| {
        b.iter(|| verify(black_box(wire), black_box("agent-7"), black_box(&deny_arg)));
    });
    c.bench_function("W1/hallpass-verifier/deny-sig", |b| {
        b.iter(|| verify(black_box(&forged), black_box("agent-7"), black_box(&QUERY)));
    });
}

/// The token alone: framing, signature, decoding, lifetime and audience.
fn verify_only(c: &mut Criterion) {
    let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
    let keys = gate_keys(&KeyRing::from_secret(secret), "tool-gateway").unwrap();
    let issued = SystemClock::new().read().unwrap().wall;
    let claims = Claims {
        issuer: "zsp-bench",
        audience: "tool-gateway",
        task: "task-42",
        generation: 1,
        grant: hallpass::grant::GrantId::from_bytes([0x0a; 16]),
        serial: 1,
        holder: "agent-7",
        issued,
        expires: issued.checked_add(Duration::from_secs(300)).unwrap(),
        scope: None,
    };
    let token = mint(&keys, &claims).unwrap();
    let verify = |text: &str| {
        Unverified::parse(text).is_ok_and(|presented| {
            presented.verify(&keys, issued).is_ok_and(|v| v.claims().serial == 1)
        })
    };
    assert!(verify(token.expose()));
    c.bench_function("W1/hallpass/part-verify", |b| b.iter(|| verify(black_box(token.expose()))));
}

fn hand_ring_bin(c: &mut Criterion) {
    let hand = Hand::new();
    let now = (SystemClock::new().read().unwrap().wall.unix_millis() / 1000) as u64;
    let token = hand.mint(now, now + 300);
    let check = |token: &str, query: &Query<'_>| hand.check(token, "agent-7", query).is_some();

    assert!(check(&token, &QUERY));
    for (case, query) in &OUTSIDE {
        assert!(!check(&token, query), "{case}");
    }
    // The tag stands first: a character of it is changed.
    let forged = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
    assert!(!check(&forged, &QUERY), "deny-sig");
    assert!(hand.check(&token, "agent-8", &QUERY).is_none(), "stranger");
    assert!(!check(&hand.mint(now - 600, now - 300), &QUERY), "expired");

    let deny_arg = OUTSIDE[0].1;
    c.bench_function("W1/hand-ring-bin/allow", |b| {
        b.iter(|| check(black_box(&token), black_box(&QUERY)));
    });
    c.bench_function("W1/hand-ring-bin/deny-arg", |b| {
        b.iter(|| check(black_box(&token), black_box(&deny_arg)));
    });
    c.bench_function("W1/hand-ring-bin/deny-sig", |b| {
        b.iter(|| check(black_box(&forged), black_box(&QUERY)));
    });
}
