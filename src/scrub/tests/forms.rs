//! The forms of a secret in other dress, and how often it is kept.

use std::sync::Arc;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use super::{SECRET, Scrub, UsedSecrets, by, json, percent};
use crate::vault::{Secret, Vault};

type Escape = fn(&[u8]) -> Vec<u8>;

/// attack 128: nor do those that are written as escapes, once or twice, in part or as a whole
#[test]
fn escaped_base64_loses_the_characters_around_the_secret_too() {
    let once: [Escape; 2] = [percent, json];
    for before in 0..3 {
        let whole = [&b"abc"[..before], SECRET, b"xyz"].concat();
        let text = STANDARD.encode(&whole);
        let (first, past) = (before * 8 / 6, ((before + SECRET.len()) * 8).div_ceil(6));
        for (outer, inner) in once.into_iter().flat_map(|outer| once.map(|inner| (outer, inner))) {
            let escapes: [Escape; 2] = [inner, <[u8]>::to_vec];
            for inner in escapes {
                let escape = |part: &str| outer(&inner(part.as_bytes()));
                let parts = [&text[..first], &text[past..]].map(escape);
                let expected = [&parts[0][..], b"[redacted]", &parts[1]].concat();
                let rest = escape(&text).scrub(&by(&[SECRET.to_vec()]).scrubber());
                assert_eq!(rest.escape_ascii().to_string(), expected.escape_ascii().to_string());
            }
        }
    }
}

/// What a task runs with again and again is looked for once.
#[test]
fn a_secret_that_is_used_again_is_kept_once() {
    let vault = Vault::new().unwrap();
    let sealed = ["a-secret-of-some-length", "another-secret-one"].map(|secret| {
        let secret = Secret::new(secret).unwrap();
        Arc::new(vault.sealed("s", &secret).unwrap())
    });
    let used = UsedSecrets::new(|_| ());
    for _ in 0..3 {
        used.add(&sealed);
    }
    assert_eq!(used.count(), 2);
}
