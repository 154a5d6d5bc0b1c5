//! Sets of keys, and their rotation.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hallpass_identity::{Algorithm, KeySet, Keys, TokenVerifier};
use serde_json::{Value, json};

use crate::world::{AUDIENCE, ISSUER, NOW, Signer, at, but, claims, encoded, oidc, set_of};

fn read(keys: &Value) -> Result<KeySet, String> {
    KeySet::from_json(&json!({ "keys": keys }).to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_set_has_no_secret_and_each_name_once() {
    let key = Signer::new("key-1", 7).jwk();
    let held: Value = serde_json::from_str(include_str!("data/pyjwt.json")).unwrap();
    let [rsa, p256, ..] = &held["jwks"]["keys"].as_array().unwrap()[..] else { panic!("keys") };
    assert!(read(&json!([key, rsa, p256])).is_ok());
    let table = [
        (json!([]), "no key"),
        (json!({}), "no list"),
        (json!([1]), "no object"),
        (json!([key, key]), "twice"),
        (
            json!([
                but(key.clone(), json!({ "kid": null })),
                but(rsa.clone(), json!({ "kid": null }))
            ]),
            "twice",
        ),
        (json!([{ "kty": "oct", "k": "c2VjcmV0", "kid": "s" }]), "secret part `k`"),
        (json!([key, { "kty": "oct", "k": "c2VjcmV0", "kid": "s" }]), "secret part `k`"),
        (json!([but(key.clone(), json!({ "d": encoded([7; 32]) }))]), "secret part `d`"),
        (json!([but(key.clone(), json!({ "x": encoded([7; 31]) }))]), "expected 32"),
        (json!([but(key.clone(), json!({ "x": null }))]), "no `x`"),
        (json!([but(key.clone(), json!({ "x": "AA==" }))]), "not base64url"),
        (json!([but(key.clone(), json!({ "kty": null }))]), "no `kty`"),
        (json!([but(key.clone(), json!({ "kid": "" }))]), "`kid`"),
        (json!([but(key.clone(), json!({ "kid": 1 }))]), "`kid` is a number"),
        (json!([but(key.clone(), json!({ "alg": "ES256" }))]), "none of its kind"),
        (json!([but(p256.clone(), json!({ "y": encoded([7; 33]) }))]), "expected 32"),
        (json!([but(rsa.clone(), json!({ "n": encoded([0xff; 128]) }))]), "expected 2048"),
        // What is left out of a set leaves nothing of these.
        (json!([but(key.clone(), json!({ "use": "enc" }))]), "no key"),
        (json!([but(key.clone(), json!({ "key_ops": ["encrypt"] }))]), "no key"),
        (json!([but(key.clone(), json!({ "alg": "HS256" }))]), "no key"),
        (json!([but(key.clone(), json!({ "kty": "unheard of" }))]), "no key"),
        (json!([but(key.clone(), json!({ "crv": "Ed448" }))]), "no key"),
        (Value::from(vec![key.clone(); 65]), "at most 64"),
    ];
    for (keys, why) in table {
        let told = read(&keys).map(|_| "taken".to_owned()).unwrap_or_else(|told| told);
        assert!(told.contains(why), "{keys}: {told}");
    }
    for text in ["", "[]", r#"{"keys":[],"keys":[]}"#] {
        assert!(KeySet::from_json(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_without_a_name_is_for_tokens_without_one_if_it_is_alone() {
    let signer = Signer::new("key-1", 7);
    let unnamed = but(signer.jwk(), json!({ "kid": null }));
    let header = but(signer.header(), json!({ "kid": null })).to_string();
    let token = signer.sign(&header, &claims().to_string());
    assert!(
        oidc(Keys::new(set_of(std::slice::from_ref(&unnamed)))).verify(&token, at(NOW)).is_ok()
    );
    let two = oidc(Keys::new(set_of(&[unnamed, Signer::new("key-2", 8).jwk()])));
    assert!(two.verify(&token, at(NOW)).is_err());
    // A name that the token has and the key has not is another key's.
    assert!(two.verify(&signer.token(&claims()), at(NOW)).is_err());
}

#[test]
fn a_key_that_says_its_algorithm_is_for_no_other() {
    let held: Value = serde_json::from_str(include_str!("data/pyjwt.json")).unwrap();
    let token = held["tokens"][0]["token"].as_str().unwrap();
    assert_eq!(held["tokens"][0]["alg"], "RS256");
    for (alg, takes) in [(json!(null), true), (json!("RS256"), true), (json!("PS256"), false)] {
        let key = but(held["jwks"]["keys"][0].clone(), json!({ "alg": alg }));
        let keys = Keys::new(set_of(&[key]));
        let verifier = TokenVerifier::oidc(ISSUER, AUDIENCE, Algorithm::RS256, keys).unwrap();
        assert_eq!(verifier.verify(token, at(NOW)).is_ok(), takes, "{alg}");
    }
}

#[test]
fn a_key_that_is_rotated_away_verifies_nothing_any_more() {
    let (first, second) = (Signer::new("key-1", 7), Signer::new("key-2", 8));
    let keys = Keys::new(set_of(&[first.jwk()]));
    let verifier = oidc(keys.clone());
    let takes = |signer: &Signer| verifier.verify(&signer.token(&claims()), at(NOW)).is_ok();
    assert!(takes(&first) && !takes(&second));
    keys.replace(set_of(&[first.jwk(), second.jwk()]));
    assert!(takes(&first) && takes(&second));
    keys.replace(set_of(&[second.jwk()]));
    assert!(!takes(&first) && takes(&second));
}

#[test]
fn new_keys_are_asked_for_where_one_is_missing_and_not_too_often() {
    let (first, second) = (Signer::new("key-1", 7), Signer::new("key-2", 8));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, new) = (asked.clone(), second.jwk());
    let keys = Keys::fetched(set_of(&[first.jwk()]), Duration::from_secs(60), move || match count
        .fetch_add(1, Ordering::SeqCst)
    {
        0 => None,
        1 => panic!("on cue"),
        _ => Some(set_of(std::slice::from_ref(&new))),
    });
    let verifier = oidc(keys);
    let takes = |signer: &Signer, now| verifier.verify(&signer.token(&claims()), at(now)).is_ok();
    let asked = || asked.load(Ordering::SeqCst);
    assert!(takes(&first, NOW));
    assert_eq!(asked(), 0, "what is there is not asked for");
    for _ in 0..100 {
        assert!(!takes(&second, NOW));
    }
    assert_eq!(asked(), 1, "names of keys that there never were are cheap");
    assert!(!takes(&second, NOW + 59) && !takes(&second, NOW - 3600));
    assert_eq!(asked(), 1);
    // A hook that panics gives nothing, and can be asked again.
    assert!(!takes(&second, NOW + 60));
    assert!(takes(&second, NOW + 120) && !takes(&first, NOW + 120));
    assert_eq!(asked(), 3);
}

#[test]
fn a_set_that_was_on_its_way_while_the_host_replaced_the_keys_brings_none_of_them_back() {
    let [first, second, third] =
        [("key-1", 7), ("key-2", 8), ("key-3", 9)].map(|(kid, seed)| Signer::new(kid, seed));
    let own: Arc<OnceLock<Keys>> = Arc::default();
    let (hook, old, new) = (own.clone(), first.jwk(), second.jwk());
    let keys = Keys::fetched(set_of(&[first.jwk()]), Duration::from_secs(60), move || {
        hook.get().unwrap().replace(set_of(std::slice::from_ref(&new)));
        Some(set_of(std::slice::from_ref(&old)))
    });
    own.set(keys.clone()).unwrap();
    let verifier = oidc(keys);
    let takes = |signer: &Signer| verifier.verify(&signer.token(&claims()), at(NOW)).is_ok();
    assert!(takes(&first) && !takes(&third));
    assert!(!takes(&first) && takes(&second));
}
