//! hallpass on the same workloads.
//!
//! W1 is `Gate::check` under one rule that permits all: token, holder, task, grant, scope and rule, nothing recorded; a
//! row of its own is `Verifier`, which holds no table. W4 is `Gate::authorize` with its record in a buffered log on file,
//! after 100,000 grants were revoked, and a row with the call run and its outcome recorded as well: two records where the
//! others have one. *More* than the others: what is permitted can be taken back until the tool starts, a scope
//! for each task, a chain with a key, the digests of arguments and context in each record. *Less*: who verifies holds the
//! secret of its audience.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::key::{KeyRing, LogKeys, SecretKey};
use hallpass::policy::Decision;
use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, one_of};
use hallpass::token::{TokenError, Verifier, VerifierError};

use crate::cases::{self, Request, hop};
use crate::stack::Removed;
use crate::workload::{
    QUERY, Query, Rules, context, forged, member, query_scope, table, table_call, tool,
};

fn secret() -> SecretKey {
    SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
}

pub(crate) fn credential(c: &mut Criterion) {
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let ring = || KeyRing::from_secret(secret());
    let builder = Broker::builder(policy).issuer("zsp-bench").audience("tool-gateway");
    let clock = SystemClock::new();
    let broker = builder.keys(ring()).default_ttl(Duration::from_secs(300)).build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let stranger = broker.assert_identity("agent-8").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope(), &Context::new()).unwrap();
    let context = Context::new();
    let check = |text: &str, query: &Query<'_>| {
        // A `Token` is the text that came over the wire.
        let token = Token::from_text(text.to_owned());
        gate.check(&token, &agent, &query.call(), &context).is_ok()
    };
    let text = grant.token().expose();
    let wrong = forged(text);
    let refused = gate.check(&wrong, &agent, &QUERY.call(), &context).unwrap_err();
    assert_eq!(refused.reason(), Reason::BadSignature);
    assert!(gate.check(grant.token(), &stranger, &QUERY.call(), &context).is_err(), "stranger");
    cases::credential(c, "hallpass", text, wrong.expose(), check);

    let embedded = task.request(query_scope().embedded_for("search"), &context).unwrap();
    let text = embedded.token_for("search").unwrap().expose();
    let verifier = Verifier::new(ring().audience_secret("search").unwrap(), "zsp-bench");
    let verify = |text: &str, holder: &str, query: &Query<'_>, now: Timestamp| {
        let token = Token::from_text(text.to_owned());
        verifier.verify(&token, Some(holder), &query.call(), now).map(drop)
    };
    let now = || clock.read().unwrap().wall;
    let wrong = forged(text);
    let refused = |text, holder, now| verify(text, holder, &QUERY, now).unwrap_err();
    let signature = VerifierError::Token(TokenError::BadSignature);
    assert_eq!(refused(wrong.expose(), "agent-7", now()), signature);
    assert!(matches!(refused(text, "agent-8", now()), VerifierError::NotTheHolder(_)), "stranger");
    let late = now().checked_add(Duration::from_secs(3600)).unwrap();
    assert_eq!(refused(text, "agent-7", late), VerifierError::Token(TokenError::Expired));
    cases::credential(c, "hallpass-verifier", text, wrong.expose(), |text, query| {
        verify(text, "agent-7", query, now()).is_ok()
    });

    let mut token = Token::from_text(grant.token().expose().to_owned());
    for i in 1..=8 {
        token = token.attenuate(&narrower(i), None).unwrap();
        if [1, 3, 8].contains(&i) {
            let text = token.expose();
            cases::narrowed(c, "hallpass", i, text, forged(text).expose(), check);
        }
    }
    c.bench_function("W2/hallpass/narrow-1", |b| {
        b.iter(|| black_box(grant.token()).attenuate(&narrower(1), None).unwrap());
    });
}

fn narrower(i: i64) -> Scope {
    let (most, tables) = hop(i);
    Scope::tool("db.query")
        .arg("table", one_of(tables.iter().copied()))
        .arg("limit", max(most))
        .arg("path", any())
}

/// The agents that are asked about, as their host knows them.
fn known(broker: &Broker, m: usize) -> HashMap<String, Identity> {
    let stranger = broker.assert_identity("agent-x").unwrap();
    HashMap::from([
        (format!("agent-{m}"), member(broker, m)),
        ("agent-0".to_owned(), member(broker, 0)),
        ("agent-x".to_owned(), stranger),
    ])
}

pub(crate) fn decision(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let policy = rules.policy();
    let broker = Broker::new(policy.clone()).unwrap();
    let agents = known(&broker, rules.middle());
    let why = Purpose::new("reporting");
    let now = SystemClock::new().read().unwrap().wall;
    cases::decision(c, "hallpass", size, |request| {
        let call = table_call(request.tool, request.table);
        let context = context(request.env, request.risk);
        let agent = &agents[request.agent];
        policy.decide(agent, &why, &call, &context, now).as_ref().is_ok_and(Decision::is_permit)
    });
}

/// How many permits are open at a time: they are dropped outside of what is timed.
const OPEN: u64 = 8;

pub(crate) fn gated(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let keys = || LogKeys::from_secret(secret());
    let folder = format!("peers-{}-hallpass-{size}", std::process::id());
    let folder = Removed(std::env::temp_dir().join(folder));
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let log = options.open(&folder.0, &keys(), &Origin::new("acme", "payments")).unwrap();
    let builder = Broker::builder(rules.policy()).issuer("acme").audience("payments");
    let broker = builder.log_keys(keys()).resume_from(&log).build().unwrap();
    let gate = broker.gate();
    let m = rules.middle();
    let (agent, tool, table) = (member(&broker, m), tool(m), table(m));
    let prod = context("prod", 20);
    let scope = || Scope::tool(&tool).arg("table", eq(&*table));
    let mut revoked = None;
    for _ in 0..100_000 {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(scope(), &prod).unwrap();
        broker.control().revoke_grant(grant.id());
        revoked = Some((task, grant));
    }
    let (_kept, revoked) = revoked.unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(scope(), &prod).unwrap();
    let authorize = |token: &Token, request: &Request<'_>| {
        let call = table_call(request.tool, request.table);
        let context = context(request.env, request.risk);
        gate.authorize(token, &agent, call, &context)
    };
    let allow = Request { agent: "", tool: &tool, table: &table, env: "prod", risk: 20 };
    let deny = Request { env: "dev", ..allow };
    assert!(authorize(grant.token(), &allow).is_ok());
    let refused =
        |token: &Token, request| authorize(token, request).map(drop).unwrap_err().reason();
    assert_eq!(refused(grant.token(), &deny), Reason::NoPermit);
    assert_eq!(refused(revoked.token(), &allow), Reason::Revoked);
    let wrong = forged(grant.token().expose());
    assert_eq!(refused(&wrong, &allow), Reason::BadSignature);

    c.bench_function(&format!("W4/hallpass/{size}/allow"), |b| {
        b.iter_custom(|n| {
            let mut took = Duration::ZERO;
            let mut permits = Vec::with_capacity(OPEN as usize);
            for from in (0..n).step_by(OPEN as usize) {
                let start = Instant::now();
                for _ in from..n.min(from + OPEN) {
                    permits.push(authorize(black_box(grant.token()), black_box(&allow)).unwrap());
                }
                took += start.elapsed();
                permits.clear();
            }
            took
        });
    });
    c.bench_function(&format!("W4/hallpass+outcome/{size}/allow"), |b| {
        b.iter(|| {
            let permit = authorize(black_box(grant.token()), black_box(&allow)).unwrap();
            permit.run(|_| Ok::<_, ()>(())).unwrap()
        });
    });
    c.bench_function(&format!("W4/hallpass/{size}/deny"), |b| {
        b.iter(|| authorize(black_box(grant.token()), black_box(&deny)).unwrap_err());
    });
    drop((task, gate, grant, revoked));
    drop(broker);
    drop(log);
    FileLog::read(&folder.0, &keys(), &Origin::new("acme", "payments"), None).unwrap();
}
