//! `jsonwebtoken`: W1, and what W4 verifies.
//!
//! HMAC-SHA256 with `aws-lc-rs`; claims into a struct; the scope is a claim that the host compares by hand, which is all
//! the code that a path or a range has. *Less* than hallpass: no holder but `sub`, no task that can end, nothing that revokes.
//! W2 can't be expressed: a token can't be narrowed without the key.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use criterion::Criterion;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::cases::{self, changed};
use crate::workload::{QUERY, Query};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) task: String,
    pub(crate) jti: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Claimed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claimed {
    tool: String,
    table: Vec<String>,
    limit: (i64, i64),
    path: String,
}

impl Claimed {
    fn covers(&self, query: &Query<'_>) -> bool {
        self.tool == query.tool
            && self.table.iter().any(|table| table == query.table)
            && (self.limit.0..=self.limit.1).contains(&query.limit)
            && Path::new(query.path).starts_with(&self.path)
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Claims that a scope is added to, of an agent.
pub(crate) fn claims(agent: &str, id: &str) -> Claims {
    let now = now();
    Claims {
        iss: "zsp-bench".into(),
        aud: "tool-gateway".into(),
        sub: agent.into(),
        task: "task-42".into(),
        jti: id.into(),
        iat: now,
        exp: now + 300,
        scope: None,
    }
}

/// What is checked of every token: signature, expiry without leeway, issuer, audience.
pub(crate) fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 0;
    validation.set_audience(&["tool-gateway"]);
    validation.set_issuer(&["zsp-bench"]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation
}

pub(crate) fn credential(c: &mut Criterion) {
    let secret: Vec<u8> = (0..32).collect();
    let (signing, key) =
        (EncodingKey::from_secret(&secret).unwrap(), DecodingKey::from_secret(&secret).unwrap());
    let mut validation = validation();
    validation.sub = Some("agent-7".to_owned());
    let scope = Claimed {
        tool: "db.query".into(),
        table: vec!["orders".into(), "customers".into()],
        limit: (0, 1000),
        path: "/data/reports".into(),
    };
    let of = |agent| Claims {
        scope: Some(scope.clone()),
        ..claims(agent, "0af7651916cd43dd8448eb211c80319c")
    };
    let encoded = |claims: &Claims| encode(&Header::default(), claims, &signing).unwrap();
    let text = encoded(&of("agent-7"));
    let check = |text: &str, query: &Query<'_>| {
        decode::<Claims>(text, &key, &validation)
            .is_ok_and(|token| token.claims.scope.is_some_and(|scope| scope.covers(query)))
    };
    let forged = changed(&text, text.rfind('.').unwrap() - 10);
    let refused = |text: &str| decode::<Claims>(text, &key, &validation).unwrap_err().into_kind();
    assert!(matches!(refused(&forged), ErrorKind::InvalidSignature));
    let late = Claims { exp: now() - 300, ..of("agent-7") };
    assert!(matches!(refused(&encoded(&late)), ErrorKind::ExpiredSignature));
    assert!(!check(&encoded(&of("agent-8")), &QUERY), "stranger");
    cases::credential(c, "jsonwebtoken", &text, &forged, check);
}
