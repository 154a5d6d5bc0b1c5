//! The base64 vectors of RFC 4648 and of the web platform tests against the strict reader of tokens.
//! (The HMAC vectors are read next to the crate's own key type, which takes no bytes from outside.)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::token::hazmat::Unverified;
use testkit::corpora::{Json, corpus, list, own};

/// attack 67: of all the spellings a forgiving decoder takes, the canonical one alone
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn the_base64_corpus_agrees() {
    let corpus = corpus("crypto_tokens/base64.json");
    assert_eq!(list(&corpus["wpt_forgiving"]["rows"]).len(), 80);
    assert_eq!(accepted(&corpus), ["", "abcd", "abc", "YQ"]);
}

/// attack 67
#[test]
fn the_canonical_spelling_alone_is_read_of_the_rows_of_this_repository() {
    assert_eq!(accepted(&own("base64.json")), ["", "aGFsbHBhc3M", "_-8", "AA"]);
}

/// The spellings of a table that are read. Whatever is read has the bytes that the table says, and is
/// how this alphabet writes them.
fn accepted(corpus: &Json) -> Vec<&str> {
    let mut accepted = Vec::new();

    // Rows of [bytes as text, padded base64]: taken without the padding only.
    for row in list(&corpus["rfc4648"]["rows"]) {
        let (bytes, padded) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
        assert!(reads(padded.trim_end_matches('='), bytes.len()), "{row}");
        assert!(!padded.ends_with('=') || !reads(padded, bytes.len()), "{row}");
    }

    // Rows of [text, bytes or null]: null must never be read, whatever length is expected.
    for row in list(&corpus["wpt_forgiving"]["rows"]) {
        let text = row[0].as_str().unwrap();
        let expected = row[1].as_array().map(Vec::len);
        let read = (0..=text.len()).find(|length| reads(text, *length));
        // `--` and `__` are not base64 but base64url of one byte, with trailing bits set.
        assert!(read.is_none() || read == expected, "{row}");
        if let Some(bytes) = row[1].as_array() {
            let bytes: Vec<u8> = bytes.iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
            assert_eq!(read.is_some(), URL_SAFE_NO_PAD.encode(&bytes) == text, "{row}");
        }
        accepted.extend(read.map(|_| text));
    }
    accepted
}

/// Whether a token whose body ends in `text` is taken apart, its frame counting `length` bytes for it.
fn reads(text: &str, length: usize) -> bool {
    let head = [0, 7 + length as u8, 1, 0, 0, 0, 0, 0, 0];
    let tag = URL_SAFE_NO_PAD.encode([0; 32]);
    Unverified::parse(&format!("hp1.{}{text}.{tag}", URL_SAFE_NO_PAD.encode(head))).is_ok()
}
