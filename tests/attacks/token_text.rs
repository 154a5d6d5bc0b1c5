//! Attacks on tokens, as a holder, thief or forger would try them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::token::hazmat::{
    AudienceKeys, Claims, MAX_BLOCK, Unverified, append_block, gate_keys, mint,
};
use hallpass::token::{MAX_ATTENUATIONS, MAX_TOKEN_TEXT, MintError, Token, TokenError};
use proptest::prelude::*;

use crate::derived::{OTHER_USES, signed_for};

const NOW: i64 = 1_767_225_600_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

fn keys() -> AudienceKeys {
    gate_keys(&KeyRing::from_secret(secret(0)), "tool-gateway").unwrap()
}

/// The credential of workload W1.
fn claims() -> Claims<'static> {
    Claims {
        issuer: "zsp-bench",
        audience: "tool-gateway",
        task: "task-42",
        generation: 1,
        grant: GrantId::from_bytes(0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes()),
        serial: 1,
        holder: "agent-7",
        issued: at(NOW),
        expires: at(NOW + 300_000),
        scope: None,
    }
}

fn token() -> Token {
    mint(&keys(), &claims()).unwrap()
}

fn check(text: &str, keys: &AudienceKeys) -> Result<(), TokenError> {
    Unverified::parse(text)?.verify_chain(keys, at(NOW)).map(|_| ())
}

fn blocks(text: &str) -> Vec<Vec<u8>> {
    let unverified = Unverified::parse(text).unwrap();
    let verified = unverified.verify_chain(&keys(), at(NOW)).unwrap();
    verified.blocks().map(<[u8]>::to_vec).collect()
}

/// Body and tag of a token's text.
fn take_apart(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (body, tag) = text.strip_prefix("hp1.").unwrap().split_once('.').unwrap();
    (URL_SAFE_NO_PAD.decode(body).unwrap(), URL_SAFE_NO_PAD.decode(tag).unwrap())
}

fn put_together(body: &[u8], tag: &[u8]) -> String {
    format!("hp1.{}.{}", URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(tag))
}

#[test]
fn the_credential_of_the_benchmark_fits_two_hundred_bytes() {
    assert_eq!(token().expose().len(), 171);
    assert_eq!(check(token().expose(), &keys()), Ok(()));
}

/// attack 66
#[test]
fn a_token_with_any_bit_flipped_is_refused() {
    let (body, tag) = take_apart(token().expose());
    for at in 0..(body.len() + tag.len()) * 8 {
        let mut bytes = [&*body, &tag].concat();
        bytes[at / 8] ^= 1 << (at % 8);
        let (body, tag) = bytes.split_at(body.len());
        assert!(check(&put_together(body, tag), &keys()).is_err(), "bit {at}");
    }
    let text = token().expose().as_bytes().to_vec();
    for at in 0..text.len() * 8 {
        let mut flipped = text.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let refused = std::str::from_utf8(&flipped).is_ok_and(|text| check(text, &keys()).is_err());
        // Text that is not UTF-8 cannot even be presented.
        assert!(refused || flipped[at / 8] >= 0x80, "bit {at} of the text");
    }
}

/// attack 66
#[test]
fn a_token_with_a_byte_removed_or_added_is_refused() {
    let token = token();
    let text = token.expose();
    for at in 0..=text.len() {
        for added in ["A", "_", ".", "=", "\n", " ", "\0", "é"] {
            let longer = [&text[..at], added, &text[at..]].concat();
            assert!(check(&longer, &keys()).is_err(), "{added:?} at {at}");
        }
        assert!(at == text.len() || check(&text[..at], &keys()).is_err(), "cut at {at}");
    }
    for at in 0..text.len() {
        let shorter = [&text[..at], &text[at + 1..]].concat();
        assert!(check(&shorter, &keys()).is_err(), "without {at}");
    }
}

/// attack 66
#[test]
fn tokens_joined_together_are_refused() {
    let token = token();
    let (body, tag) = take_apart(token.expose());
    let text = token.expose();
    for joined in [
        [text, text].concat(),
        [text, ".", text].concat(),
        [text, "\n", text].concat(),
        put_together(&[&*body, &body].concat(), &tag),
        put_together(&body, &[&*tag, &tag].concat()),
    ] {
        assert!(check(&joined, &keys()).is_err());
    }
}

/// attack 69
#[test]
fn swapped_field_boundaries_give_another_tag() {
    let one = mint(&keys(), &Claims { issuer: "x|y", task: "z", ..claims() }).unwrap();
    let other = mint(&keys(), &Claims { issuer: "x", task: "y|z", ..claims() }).unwrap();
    assert_ne!(take_apart(one.expose()).1, take_apart(other.expose()).1);
}

/// attack 70
#[test]
fn a_tag_made_for_another_use_is_no_tokens_tag() {
    let (body, _) = take_apart(token().expose());
    for (label, context) in OTHER_USES {
        let tag = signed_for(label, context, &body);
        let forged = put_together(&body, &tag);
        assert_eq!(check(&forged, &keys()), Err(TokenError::BadSignature), "{label}");
    }
    let tag = signed_for("hallpass/v1/token", "tool-gateway", &body);
    assert_eq!(check(&put_together(&body, &tag), &keys()), Ok(()));
}

/// attack 72
#[test]
fn a_retired_key_verifies_until_its_grace_ends_and_an_unknown_one_never() {
    let mut ring = KeyRing::from_secret(secret(0));
    let first = ring.active();
    let life = Claims { expires: at(NOW + 3_600_000), ..claims() };
    let old = mint(&gate_keys(&ring, "tool-gateway").unwrap(), &life).unwrap();
    let verify = |ring: &KeyRing, token: &Token, now| {
        let keys = gate_keys(ring, "tool-gateway").unwrap();
        Unverified::parse(token.expose()).unwrap().verify(&keys, at(now)).map(|_| ())
    };

    ring.rotate(secret(1), Duration::from_secs(60), at(NOW)).unwrap();
    let new = mint(&gate_keys(&ring, "tool-gateway").unwrap(), &life).unwrap();
    assert_eq!(Unverified::parse(new.expose()).unwrap().key_id(), ring.active());
    assert_eq!(verify(&ring, &new, NOW), Ok(()));
    assert_eq!(verify(&ring, &old, NOW + 59_999), Ok(()));
    assert_eq!(verify(&ring, &old, NOW + 60_000), Err(TokenError::RetiredKey(first)));

    let second = ring.active();
    ring.rotate(secret(2), Duration::from_secs(60), at(NOW)).unwrap();
    for token in [&old, &new] {
        assert_eq!(verify(&ring, token, NOW), Ok(()), "each by its own key");
    }
    ring.retire(first).unwrap();
    assert_eq!(verify(&ring, &old, NOW), Err(TokenError::UnknownKey(first)));
    assert_eq!(verify(&ring, &new, NOW), Ok(()));
    let stranger = KeyRing::from_secret(secret(9));
    assert_eq!(verify(&stranger, &new, NOW), Err(TokenError::UnknownKey(second)));
}

/// attack 73
#[test]
fn a_token_for_one_audience_is_a_bad_signature_at_another() {
    let vault = gate_keys(&KeyRing::from_secret(secret(0)), "vault").unwrap();
    assert_eq!(check(token().expose(), &vault), Err(TokenError::BadSignature));
    let refused = mint(&vault, &claims()).unwrap_err();
    assert_eq!(
        refused,
        MintError::OtherAudience { keys: "vault".into(), claims: "tool-gateway".into() }
    );
}

/// attack 80
#[test]
fn nothing_that_holds_a_token_prints_its_tag() {
    let token = token();
    let narrowed = append_block(&token, b"block").unwrap();
    for token in [&token, &narrowed] {
        let (_, tag) = token.expose().rsplit_once('.').unwrap();
        let unverified = Unverified::parse(token.expose()).unwrap();
        let verified = unverified.verify_chain(&keys(), at(NOW)).unwrap();
        let (_, tag_bytes) = take_apart(token.expose());
        for text in [
            format!("{token:?} {token:#?}"),
            format!("{unverified:?} {unverified:#?}"),
            format!("{verified:?} {verified:#?}"),
            format!("{:?}", Unverified::parse(&token.expose()[1..])),
            format!("{:?}", unverified.verify(&keys(), at(0))),
            format!("{:?}", keys()),
        ] {
            assert!(!text.contains(tag), "{text}");
            assert!(!text.contains(&format!("{tag_bytes:?}")), "{text}");
        }
    }
}

/// attack 152
#[test]
fn an_attenuated_token_is_refused_where_blocks_are_not_enforced() {
    let narrowed = append_block(&token(), b"block").unwrap();
    let unverified = Unverified::parse(narrowed.expose()).unwrap();
    assert_eq!(unverified.verify(&keys(), at(NOW)).unwrap_err(), TokenError::Attenuated);
    let verified = unverified.verify_chain(&keys(), at(NOW)).unwrap();
    assert_eq!(verified.claims(), &claims());
    assert_eq!(verified.blocks().collect::<Vec<_>>(), [b"block"]);
}

/// attack 57
#[test]
fn links_cannot_be_dropped_reordered_doubled_replaced_or_moved() {
    let root = token();
    let one = append_block(&root, b"one").unwrap();
    let two = append_block(&one, b"two").unwrap();
    let other = mint(&keys(), &Claims { serial: 2, ..claims() }).unwrap();
    let other = append_block(&other, b"one").unwrap();
    assert_eq!(blocks(two.expose()), [b"one", b"two"]);

    let (root_frame, root_tag) = take_apart(root.expose());
    let (_, one_tag) = take_apart(one.expose());
    let (_, two_tag) = take_apart(two.expose());
    let (other_body, other_tag) = take_apart(other.expose());
    let (first, second) = (&b"\0\x03one"[..], &b"\0\x03two"[..]);
    let row = |frames: &[&[u8]]| [&[&*root_frame], frames].concat().concat();

    for tag in [&root_tag, &one_tag, &two_tag, &other_tag] {
        // Every row but the three true ones, under every tag there is to be had.
        for frames in [
            &[second][..],
            &[second, first],
            &[first, first],
            &[first, second, second],
            &[first, first, second],
            &[first, b"\0\x03tw0"],
            &[b"\0\x06onetwo"],
            &[first, b"\0\x00"],
        ] {
            assert!(check(&put_together(&row(frames), tag), &keys()).is_err(), "{frames:?}");
        }
        // The leaf alone, or at the root's place.
        for body in [second.to_vec(), [first, second].concat(), [first, &root_frame].concat()] {
            assert!(check(&put_together(&body, tag), &keys()).is_err());
        }
        if tag != &other_tag {
            assert!(check(&put_together(&other_body, tag), &keys()).is_err());
        }
    }
    // Truncation: the row without its last links, under the tags a holder of the leaf has.
    assert!(check(&put_together(&row(&[first]), &two_tag), &keys()).is_err());
    assert!(check(&put_together(&row(&[]), &two_tag), &keys()).is_err());
    assert!(check(&put_together(&row(&[]), &one_tag), &keys()).is_err());
}

/// attack 56
#[test]
fn a_chain_has_at_most_so_many_blocks_of_so_many_bytes() {
    let mut token = token();
    for hop in 0..MAX_ATTENUATIONS {
        assert_eq!(blocks(token.expose()).len(), hop);
        token = append_block(&token, b"block").unwrap();
    }
    assert_eq!(blocks(token.expose()).len(), MAX_ATTENUATIONS);
    assert_eq!(append_block(&token, b"block").unwrap_err(), MintError::TooManyBlocks);
    let (body, tag) = take_apart(token.expose());
    let longer = put_together(&[&*body, b"\0\x05block"].concat(), &tag);
    assert_eq!(check(&longer, &keys()), Err(TokenError::TooManyBlocks));
}

#[test]
fn a_block_is_neither_empty_nor_longer_than_a_reader_takes() {
    let most = vec![1; MAX_BLOCK + 1];
    let wrong = |given| MintError::FieldLength { field: "block", given, most: MAX_BLOCK };
    assert_eq!(append_block(&token(), &[]).unwrap_err(), wrong(0));
    assert_eq!(append_block(&token(), &most).unwrap_err(), wrong(MAX_BLOCK + 1));
    let longest = append_block(&token(), &most[1..]).unwrap();
    assert_eq!(blocks(longest.expose()), [&most[1..]]);
    let too_long = append_block(&longest, &most[1..]).unwrap_err();
    assert!(matches!(too_long, MintError::TooLong(length) if length > MAX_TOKEN_TEXT));

    let (body, tag) = take_apart(token().expose());
    for frame in [[&[0x10, 0x01], &*most].concat(), vec![0], vec![0, 0], vec![0, 2, 1]] {
        let body = [&*body, &frame].concat();
        assert_eq!(check(&put_together(&body, &tag), &keys()), Err(TokenError::Framing));
    }
}

proptest! {
    #[test]
    fn what_is_minted_is_what_verifies(
        (issuer, task, holder) in ("\\PC{1,40}", "\\PC{1,40}", "\\PC{1,300}"),
        (generation, grant, serial) in (any::<u64>(), any::<[u8; 16]>(), any::<u32>()),
        (issued, life, age) in (0..NOW, 1_i64..1 << 40, 0_i64..1 << 40),
        scope in prop::option::of(prop::collection::vec(any::<u8>(), 1..600)),
        narrowed in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 0..5),
    ) {
        let claims = Claims {
            issuer: &issuer, task: &task, holder: &holder, generation, serial,
            grant: GrantId::from_bytes(grant), issued: at(issued), expires: at(issued + life),
            scope: scope.as_deref(), ..claims()
        };
        let mut token = mint(&keys(), &claims).unwrap();
        for block in &narrowed {
            token = append_block(&token, block).unwrap();
        }
        let unverified = Unverified::parse(token.expose()).unwrap();
        match unverified.verify_chain(&keys(), at(issued + age)) {
            Ok(verified) => {
                prop_assert!(age < life);
                prop_assert_eq!(verified.claims(), &claims);
                prop_assert_eq!(verified.blocks().collect::<Vec<_>>(), narrowed);
            }
            Err(refused) => {
                prop_assert!(age >= life);
                prop_assert_eq!(refused, TokenError::Expired);
            }
        }
    }

    /// attack 66
    #[test]
    fn any_change_of_the_text_is_refused(
        hops in 0..4_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9_.=-]|\\PC", 0..3), 1..5),
    ) {
        let mut token = token();
        for _ in 0..hops {
            token = append_block(&token, b"block").unwrap();
        }
        let mut text: Vec<char> = token.expose().chars().collect();
        for (at, letter, how) in edits {
            let (at, letter) = (at.index(text.len()), letter.chars().next().unwrap());
            match how {
                0 => text[at] = letter,
                1 => text.insert(at, letter),
                _ => drop(text.remove(at)),
            }
        }
        let text: String = text.into_iter().collect();
        prop_assert_eq!(check(&text, &keys()).is_ok(), text == token.expose());
    }

    /// attack 66
    #[test]
    fn no_text_makes_the_reader_panic(text in "(hp1\\.)?\\PC*", bytes: Vec<u8>, tag: [u8; 32]) {
        prop_assert!(check(&text, &keys()).is_err());
        prop_assert!(check(&put_together(&bytes, &tag), &keys()).is_err());
    }
}
