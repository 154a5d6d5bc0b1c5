//! Tokens of PyJWT, under each algorithm.

use std::path::{Path, PathBuf};
use std::process::Command;

use hallpass_identity::{Algorithm, KeySet, Keys, TokenVerifier};
use serde_json::Value;

use crate::world::{AUDIENCE, ISSUER, NOW, at};

/// Each token is taken under its own algorithm, and under no other.
fn assert_taken(held: &Value) {
    let keys = Keys::new(KeySet::from_json(&held["jwks"].to_string()).unwrap());
    let tokens = held["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 9);
    for own in tokens {
        let (alg, token) = (own["alg"].as_str().unwrap(), own["token"].as_str().unwrap());
        for other in tokens {
            let named = Algorithm::named(other["alg"].as_str().unwrap()).unwrap();
            let verifier = TokenVerifier::oidc(ISSUER, AUDIENCE, named, keys.clone()).unwrap();
            let verified = verifier.verify(token, at(NOW));
            assert_eq!(verified.is_ok(), named.as_str() == alg, "{alg} as {}", named.as_str());
        }
        let mut forged = token.to_owned();
        // Not the last character, whose bits may mean nothing.
        let at_tag = forged.len() - 10;
        forged.replace_range(
            at_tag..=at_tag,
            if &forged[at_tag..=at_tag] == "A" { "B" } else { "A" },
        );
        let named = Algorithm::named(alg).unwrap();
        let verifier = TokenVerifier::oidc(ISSUER, AUDIENCE, named, keys.clone()).unwrap();
        assert!(verifier.verify(&forged, at(NOW)).is_err(), "{alg}");
    }
}

#[test]
fn tokens_of_another_library_are_taken_under_their_own_algorithm_alone() {
    assert_taken(&serde_json::from_str(include_str!("data/pyjwt.json")).unwrap());
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn and_so_are_those_of_keys_that_are_made_now() {
    let peers =
        PathBuf::from(std::env::var("HALLPASS_PEERS").expect("HALLPASS_PEERS: see `.ci/peers`"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tokens/pyjwt.py");
    let ran = Command::new(peers.join("python2/bin/python")).arg(script).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_taken(&serde_json::from_slice(&ran.stdout).unwrap());
}
