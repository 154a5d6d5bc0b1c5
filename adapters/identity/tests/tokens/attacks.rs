//! The attacks on libraries that take tokens, as tables: each row is refused for its own reason, and what differs from it in
//! that alone is taken.

use std::time::Duration;

use hallpass_identity::{Algorithm, Keys, TokenVerifier};
use ring::hmac;
use serde_json::{Value, json};

use crate::world::{AUDIENCE, NOW, Signer, at, but, claims, encoded, oidc, set_of};

/// A public key of another kind, in the same set.
fn other_key() -> Value {
    let held: Value = serde_json::from_str(include_str!("data/pyjwt.json")).unwrap();
    held["jwks"]["keys"][0].clone()
}

fn verifier(signer: &Signer) -> TokenVerifier {
    oidc(Keys::new(set_of(&[signer.jwk(), other_key()])))
}

fn refused(verifier: &TokenVerifier, token: &str) -> String {
    match verifier.verify(token, at(NOW)) {
        Ok(verified) => panic!("{verified:?} of {token}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_token_of_the_issuer_is_taken() {
    let signer = Signer::new("key-1", 7);
    let verified = verifier(&signer).verify(&signer.token(&claims()), at(NOW)).unwrap();
    assert_eq!((verified.subject(), verified.expires()), ("user-17", at(NOW + 3500)));
    assert_eq!(verified.texts("groups").collect::<Vec<_>>(), ["finance", "staff"]);
    assert_eq!(verified.texts("sub").collect::<Vec<_>>(), ["user-17"]);
    assert_eq!(verified.texts("exp").count(), 0);
}

#[test]
fn no_header_chooses_how_it_is_verified() {
    let signer = Signer::new("key-1", 7);
    let verifier = verifier(&signer);
    let own = Signer::new("own", 8).jwk();
    let table = [
        (json!({ "alg": "none" }), "another algorithm"),
        (json!({ "alg": "None" }), "another algorithm"),
        (json!({ "alg": "HS256" }), "another algorithm"),
        (json!({ "alg": "RS256" }), "another algorithm"),
        (json!({ "alg": "ES256" }), "another algorithm"),
        (json!({ "alg": "eddsa" }), "another algorithm"),
        (json!({ "alg": "EdDSA " }), "another algorithm"),
        (json!({ "alg": null }), "another algorithm"),
        (json!({ "alg": 1 }), "`alg` that is a number"),
        (json!({ "alg": ["EdDSA"] }), "`alg` that is a list"),
        (json!({ "kid": null }), "names no key"),
        (json!({ "kid": "key-2" }), "names no key"),
        (json!({ "kid": "KEY-1" }), "names no key"),
        (json!({ "kid": "key-1\u{0}" }), "names no key"),
        (json!({ "kid": "" }), "names no key"),
        (json!({ "kid": "../../../dev/null" }), "names no key"),
        (json!({ "kid": "key-1' UNION SELECT 'x" }), "names no key"),
        (json!({ "kid": "https://thief.test/key" }), "names no key"),
        (json!({ "kid": 1 }), "`kid` that is a number"),
        (json!({ "kid": "key-rsa" }), "not for `EdDSA`"),
        (json!({ "jwk": own }), "says `jwk`"),
        (json!({ "jku": "https://thief.test/jwks.json" }), "says `jku`"),
        (json!({ "x5u": "https://thief.test/cert.pem" }), "says `x5u`"),
        (json!({ "x5c": ["MIIB"] }), "says `x5c`"),
        (json!({ "crit": ["exp"] }), "says `crit`"),
        (json!({ "crit": [] }), "says `crit`"),
        (json!({ "b64": false }), "says `b64`"),
        (json!({ "zip": "DEF" }), "says `zip`"),
        (json!({ "enc": "A256GCM" }), "says `enc`"),
        (json!({ "cty": "JWT" }), "says `cty`"),
        (json!({ "typ": "secevent+jwt" }), "another type"),
        (json!({ "typ": "dpop+jwt" }), "another type"),
        (json!({ "typ": "JWE" }), "another type"),
        (json!({ "typ": 1 }), "`typ` that is a number"),
    ];
    for (changes, why) in table {
        let header = but(signer.header(), changes.clone());
        let told = refused(&verifier, &signer.sign(&header.to_string(), &claims().to_string()));
        assert!(told.contains(why), "{changes}: {told}");
    }
    // What says nothing about verifying is passed over, and types are of any case.
    for changes in
        [json!({ "x5t": "abc" }), json!({ "typ": null }), json!({ "typ": "application/AT+JWT" })]
    {
        let header = but(signer.header(), changes);
        let token = signer.sign(&header.to_string(), &claims().to_string());
        assert!(verifier.verify(&token, at(NOW)).is_ok(), "{header}");
    }
}

/// The public key taken for a shared secret, in each form that a thief could have it in.
#[test]
fn no_public_key_is_a_secret() {
    let signer = Signer::new("key-1", 7);
    let verifier = verifier(&signer);
    let jwk = signer.jwk();
    let forms: [&[u8]; 4] = [
        signer.public(),
        jwk["x"].as_str().unwrap().as_bytes(),
        &jwk.to_string().into_bytes(),
        b"",
    ];
    for (secret, alg) in forms.iter().flat_map(|own| [(*own, "HS256"), (*own, "EdDSA")]) {
        let header = json!({ "alg": alg, "kid": "key-1" }).to_string();
        let signed = format!("{}.{}", encoded(header), encoded(claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let told = refused(&verifier, &format!("{signed}.{}", encoded(tag)));
        assert!(told.contains("another algorithm") || told.contains("does not verify"), "{told}");
    }
}

#[test]
fn no_claim_is_missing_or_another_kind_or_for_others() {
    let signer = Signer::new("key-1", 7);
    let verifier = verifier(&signer);
    let table = [
        (json!({ "iss": null }), "has no `iss`"),
        (json!({ "iss": "https://idp.acme.test/" }), "another issuer"),
        (json!({ "iss": "https://IDP.acme.test" }), "another issuer"),
        (json!({ "iss": ["https://idp.acme.test"] }), "`iss` that is a list"),
        (json!({ "sub": null }), "has no `sub`"),
        (json!({ "sub": "" }), "`sub` that is empty"),
        (json!({ "sub": 17 }), "`sub` that is a number"),
        (json!({ "aud": null }), "has no `aud`"),
        (json!({ "aud": "hallpas" }), "another audience"),
        (json!({ "aud": "hallpass2" }), "another audience"),
        (json!({ "aud": "" }), "another audience"),
        (json!({ "aud": [] }), "another audience"),
        (json!({ "aud": ["hallpass", "thief"] }), "another audience"),
        (json!({ "aud": ["hallpass", 1] }), "`aud` that is a number"),
        (json!({ "aud": { "hallpass": true } }), "`aud` that is a object"),
        (json!({ "exp": null }), "has no `exp`"),
        (json!({ "exp": NOW }), "has expired"),
        (json!({ "exp": NOW - 1 }), "has expired"),
        (json!({ "exp": 0 }), "has expired"),
        (json!({ "exp": -1 }), "`exp` that is not a time"),
        (json!({ "exp": NOW as f64 + 0.5 }), "`exp` that is not a time"),
        (json!({ "exp": 9_223_372_036_854_775_807_i64 }), "`exp` that is not a time"),
        (json!({ "exp": (NOW + 3500).to_string() }), "`exp` that is a text"),
        (json!({ "nbf": NOW + 1 }), "`nbf` in the future"),
        (json!({ "nbf": "0" }), "`nbf` that is a text"),
        (json!({ "iat": NOW + 1 }), "`iat` in the future"),
        (json!({ "iat": true }), "`iat` that is a boolean"),
    ];
    for (changes, why) in table {
        let told = refused(&verifier, &signer.token(&but(claims(), changes.clone())));
        assert!(told.contains(why), "{changes}: {told}");
    }
    for changes in [
        json!({ "aud": ["hallpass"] }),
        json!({ "exp": NOW + 1 }),
        json!({ "nbf": NOW, "iat": NOW }),
        json!({ "nbf": null, "iat": null }),
    ] {
        let token = signer.token(&but(claims(), changes.clone()));
        assert!(verifier.verify(&token, at(NOW)).is_ok(), "{changes}");
    }
}

#[test]
fn leeway_is_for_what_begins_and_never_for_what_ends() {
    let signer = Signer::new("key-1", 7);
    let lenient = verifier(&signer).leeway(Duration::from_secs(30));
    let taken = |verifier: &TokenVerifier, changes| {
        verifier.verify(&signer.token(&but(claims(), changes)), at(NOW)).is_ok()
    };
    assert!(taken(&lenient, json!({ "nbf": NOW + 30, "iat": NOW + 30 })));
    assert!(
        !taken(&lenient, json!({ "nbf": NOW + 31 }))
            && !taken(&lenient, json!({ "iat": NOW + 31 }))
    );
    assert!(!taken(&lenient, json!({ "exp": NOW })));
    // Days of leeway are a mistake.
    let careless = verifier(&signer).leeway(Duration::from_secs(86_400));
    assert!(
        taken(&careless, json!({ "nbf": NOW + 300 }))
            && !taken(&careless, json!({ "nbf": NOW + 301 }))
    );
    let shared = verifier(&signer).among_other_audiences();
    assert!(
        taken(&shared, json!({ "aud": ["others", AUDIENCE] }))
            && !taken(&shared, json!({ "aud": ["others"] }))
    );
}

#[test]
fn what_two_readers_could_take_for_two_things_is_refused() {
    let signer = Signer::new("key-1", 7);
    let verifier = verifier(&signer);
    let (header, payload) = (signer.header().to_string(), claims().to_string());
    let twice = |member: &str| format!("{},{member}}}", payload.strip_suffix('}').unwrap());
    let table = [
        (signer.sign(&header, &twice(r#""sub":"root""#)), "not a JSON object"),
        (signer.sign(&header, &twice(r#""\u0073ub":"root""#)), "not a JSON object"),
        (signer.sign(&header, &twice(r#""x":{"a":1,"a":2}"#)), "not a JSON object"),
        (
            signer.sign(r#"{"alg":"EdDSA","kid":"key-1","alg":"none"}"#, &payload),
            "not a JSON object",
        ),
        (signer.sign(&header, &format!("{payload}{payload}")), "not a JSON object"),
        (signer.sign(&header, &format!("\u{feff}{payload}")), "not a JSON object"),
        (signer.sign(&header, &format!("[{payload}]")), "it is a list"),
        (signer.sign("\"EdDSA\"", &payload), "it is a text"),
        (signer.sign(&header, &"[".repeat(5000)), "not a JSON object"),
    ];
    for (token, why) in table {
        let told = refused(&verifier, &token);
        assert!(told.contains(why), "{token}: {told}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let signer = Signer::new("key-1", 7);
    let verifier = verifier(&signer);
    let token = signer.token(&claims());
    let [header, payload, tag] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let root = encoded(but(claims(), json!({ "sub": "root" })).to_string());
    let other = signer.token(&but(claims(), json!({ "sub": "user-18" })));
    let other_tag = other.rsplit('.').next().unwrap();
    let thief = Signer::new("key-1", 9).token(&claims());
    // The last character of 64 bytes holds bits that mean nothing.
    let last = tag.chars().last().unwrap();
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    let loose = format!("{}{next}", &tag[..tag.len() - 1]);
    let table = [
        String::new(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{tag}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}="),
        format!("{header}=.{payload}.{tag}"),
        format!("{header}.{root}.{tag}"),
        format!("{header}.{payload}.{other_tag}"),
        format!("{header}.{payload}.{loose}"),
        format!("{header}.{payload}.{}", encoded([0; 64])),
        thief,
        signer.token(&but(claims(), json!({ "x": "x".repeat(16 * 1024) }))),
    ];
    for forged in table {
        let _ = refused(&verifier, &forged);
    }
    assert!(verifier.verify(&token, at(NOW)).is_ok());
}

#[test]
fn a_jwt_svid_is_of_its_trust_domain() {
    let signer = Signer::new("key-1", 7);
    let keys = Keys::new(set_of(&[signer.jwk()]));
    let verifier =
        TokenVerifier::jwt_svid("acme.test", AUDIENCE, Algorithm::EdDSA, keys.clone()).unwrap();
    let svid = |id: &str| but(claims(), json!({ "sub": id, "iss": null }));
    let verify = |claims: Value| {
        verifier.verify(&signer.token(&claims), at(NOW)).map(|own| own.subject().to_owned())
    };
    let id = "spiffe://acme.test/agent/payer";
    assert_eq!(verify(svid(id)), Ok(id.to_owned()));
    for other in [
        "spiffe://acme.test.thief.test/agent/payer",
        "spiffe://thief.test/acme.test",
        "spiffe://ACME.test/agent/payer",
        "SPIFFE://acme.test/agent/payer",
        "spiffe://acme.test/../agent",
        "spiffe://acme.test@thief.test/agent",
        "agent/payer",
        "user-17",
    ] {
        assert!(verify(svid(other)).is_err(), "{other}");
    }
    for changes in
        [json!({ "exp": null }), json!({ "aud": null }), json!({ "aud": [AUDIENCE, "x"] })]
    {
        assert!(verify(but(svid(id), changes)).is_err());
    }
    for domain in ["", "acme.test/agent", "ACME.test", "acme.test."] {
        assert!(
            TokenVerifier::jwt_svid(domain, AUDIENCE, Algorithm::EdDSA, keys.clone()).is_err(),
            "{domain}"
        );
    }
    assert!(TokenVerifier::jwt_svid("acme.test", "", Algorithm::EdDSA, keys.clone()).is_err());
    assert!(TokenVerifier::oidc("", AUDIENCE, Algorithm::EdDSA, keys).is_err());
}

/// Providers that do not say the type of a logout token say whom it is about, for whom, and until when, as an ID token does.
#[test]
fn a_token_that_tells_of_events_is_no_ones_identity_whatever_its_type() {
    let signer = Signer::new("key-1", 7);
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for events in [json!({ event: {} }), json!({}), json!("none")] {
        let claims = but(claims(), json!({ "events": events, "jti": "1" }));
        for typ in [json!("JWT"), json!(null)] {
            let header = but(signer.header(), json!({ "typ": typ }));
            let token = signer.sign(&header.to_string(), &claims.to_string());
            assert!(refused(&verifier(&signer), &token).contains("another type"), "{claims}");
        }
    }
}
