//! Tokens, at the gate: forged, broken, stolen, foreign and outlived ones.
//!
//! The table of the token's own bytes is `tests/attacks/token_text.rs`. Left for later: 75 (snapshots do
//! not exist yet), 76, 77 and 151 (call-bound presentations). That a bad token costs no more than a
//! good one (78) is measured by the benches; here it yields one opaque word.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::key::KeyRing;
use hallpass::prelude::*;
use hallpass::token::MAX_TOKEN_TEXT;
use hallpass::token::hazmat::{Claims, Unverified, append_block, gate_keys, mint};

use crate::derived::{OTHER_USES, signed_for};
use crate::world::{World, broad, plain, policy, ring, secret, start};

pub(crate) fn world() -> World {
    World::new([broad()])
}

/// Says the same as the grant's own token, but for one change, signed by a ring's active key.
pub(crate) fn reminted(
    grant: &Grant,
    ring: &KeyRing,
    change: impl FnOnce(Claims<'_>) -> Claims<'_>,
) -> Token {
    let unverified = Unverified::parse(grant.token().expose()).unwrap();
    let own = gate_keys(&crate::world::ring(), "hallpass").unwrap();
    let verified = unverified.verify(&own, start()).unwrap();
    let claims = change(*verified.claims());
    mint(&gate_keys(ring, claims.audience).unwrap(), &claims).unwrap()
}

fn take_apart(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (body, tag) = text.strip_prefix("hp1.").unwrap().split_once('.').unwrap();
    (URL_SAFE_NO_PAD.decode(body).unwrap(), URL_SAFE_NO_PAD.decode(tag).unwrap())
}

fn put_together(body: &[u8], tag: &[u8]) -> String {
    format!("hp1.{}.{}", URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(tag))
}

/// Asserts that the gate refuses the text, with the one word that says nothing, and records it.
#[track_caller]
pub(crate) fn refused(world: &World, text: &str, note: &str) -> Reason {
    let before = world.log.len();
    let denial = world.present(text).expect_err(note);
    assert_eq!(denial.to_string(), "denied: invalid_token", "{note}: {}", denial.explain());
    assert_eq!(world.log.len(), before + 1, "{note}: recorded");
    denial.reason()
}

/// attack 66, attack 78: whatever bit of a real token is flipped, the gate says the same word
#[test]
fn a_token_with_any_bit_flipped_is_refused_at_the_gate() {
    let world = world();
    let (_task, grant) = world.granted();
    let text = grant.token().expose();
    for at in 0..text.len() * 8 {
        let mut flipped = text.as_bytes().to_vec();
        flipped[at / 8] ^= 1 << (at % 8);
        // Text that is not UTF-8 cannot even be presented.
        if let Ok(flipped) = String::from_utf8(flipped) {
            refused(&world, &flipped, &format!("bit {at} of the text"));
        }
    }
    let (body, tag) = take_apart(text);
    for at in 0..(body.len() + tag.len()) * 8 {
        let mut bytes = [&*body, &tag].concat();
        bytes[at / 8] ^= 1 << (at % 8);
        let (body, tag) = bytes.split_at(body.len());
        refused(&world, &put_together(body, tag), &format!("bit {at} of the bytes"));
    }
    assert_eq!(world.attempt(&grant, plain()), Ok(()), "the token itself still stands");
}

/// attack 66: bytes removed, added and joined
#[test]
fn a_token_cut_lengthened_or_joined_is_refused_at_the_gate() {
    let world = world();
    let (_task, grant) = world.granted();
    let text = grant.token().expose();
    for at in 0..text.len() {
        refused(&world, &text[..at], &format!("cut at {at}"));
        refused(&world, &[&text[..at], &text[at + 1..]].concat(), &format!("without {at}"));
        refused(&world, &[&text[..at], "A", &text[at..]].concat(), &format!("more at {at}"));
    }
    for joined in [
        [text, text].concat(),
        [text, ".", text].concat(),
        [text, "\n", text].concat(),
        [text, "\0"].concat(),
    ] {
        refused(&world, &joined, "joined");
    }
}

/// attack 67: one token has one spelling
#[test]
fn another_spelling_of_a_good_token_is_refused() {
    let world = world();
    let (_task, grant) = world.granted();
    let text = grant.token().expose();
    let (body, tag) = text[4..].split_once('.').unwrap();
    let standard = |part: &str| part.replace('-', "+").replace('_', "/");
    let last = |part: &str| {
        // Sets a bit that the last character has and no byte uses.
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (rest, last) = part.split_at(part.len() - 1);
        let at = ALPHABET.find(last).unwrap();
        format!("{rest}{}", &ALPHABET[at + 1..at + 2])
    };
    let rows = [
        ("padding", format!("hp1.{body}.{tag}=")),
        ("padding of the body", format!("hp1.{body}==.{tag}")),
        ("trailing bits", format!("hp1.{body}.{}", last(tag))),
        ("space before", format!(" {text}")),
        ("space after", format!("{text} ")),
        ("line break", format!("{text}\n")),
        ("line break within", format!("hp1.{body}\n.{tag}")),
        ("version in capitals", format!("HP1.{body}.{tag}")),
        ("percent", text.replace('.', "%2e")),
    ];
    for (note, other) in rows {
        assert_eq!(refused(&world, &other, note), Reason::MalformedToken, "{note}");
    }
    let other = format!("hp1.{}.{}", standard(body), standard(tag));
    if other != text {
        refused(&world, &other, "standard alphabet");
    }
    assert_eq!(world.present(text).map_err(|denial| denial.reason()), Ok(()));
}

/// attack 68, attack 69: another version, and fields that trade bytes, doubled or put elsewhere
#[test]
fn an_unknown_version_and_moved_fields_are_refused() {
    let world = world();
    let (_task, grant) = world.granted();
    let text = grant.token().expose();
    for version in ["hp0", "hp2", "hp10", "hp1c", "hp", "", "jwt"] {
        let other = format!("{version}.{}", &text[4..]);
        assert_eq!(refused(&world, &other, version), Reason::MalformedToken);
    }
    let (body, tag) = take_apart(text);
    for at in 0..body.len() {
        let (front, back) = body.split_at(at);
        for moved in [[back, front].concat(), [front, &body, back].concat()] {
            if moved != body {
                refused(&world, &put_together(&moved, &tag), &format!("moved at {at}"));
            }
        }
    }
    // Issuer and task trade bytes across their boundary, under one key.
    let named = |issuer: &str| World::of(policy([broad()]), |builder| builder.issuer(issuer));
    let (one, other) = (named("x-y"), named("x"));
    let task = one.broker.open_named("z", &one.agent, Purpose::new("test")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &one.context).unwrap();
    let _twin = other.broker.open_named("yz", &other.agent, Purpose::new("test")).unwrap();
    assert_eq!(refused(&other, grant.token().expose(), "traded"), Reason::ForeignToken);
}

/// attack 70: a tag made for another use is not a token's tag
#[test]
fn a_tag_of_another_use_is_a_bad_signature_at_the_gate() {
    let world = world();
    let (_task, grant) = world.granted();
    let (body, _) = take_apart(grant.token().expose());
    for (label, context) in OTHER_USES {
        let tag = signed_for(label, context, &body);
        let reason = refused(&world, &put_together(&body, &tag), "another use");
        assert_eq!(reason, Reason::BadSignature, "{label}");
    }
    // The key that was meant, derived in the same way, so that it is the use that is refused.
    let tag = signed_for("hallpass/v1/token", "hallpass", &body);
    assert_eq!(put_together(&body, &tag), grant.token().expose());
    // The tags that the log shows sign nothing, either.
    for (_, tag) in world.lines() {
        let forged = put_together(&body, tag.as_bytes());
        assert_eq!(refused(&world, &forged, "the log's"), Reason::BadSignature);
    }
}

/// attack 152: an attenuation that this gate cannot enforce is refused, not skipped
#[test]
fn a_token_with_a_block_of_an_unknown_kind_is_refused() {
    let world = world();
    let (_task, grant) = world.granted();
    for block in [&b"x"[..], &[0], &[255; 64]] {
        let narrowed = append_block(grant.token(), block).unwrap();
        assert_eq!(refused(&world, narrowed.expose(), "block"), Reason::UnsupportedToken);
    }
}

/// attack 78: unknown, foreign, forged, ended and superseded: the agent is told one thing
#[test]
fn all_bad_tokens_look_the_same_to_the_agent() {
    let world = world();
    let (task, grant) = world.granted();
    let revoked = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert!(!task.revoke_grant(&revoked).is_empty());
    let (ended, dead) = world.granted();
    ended.complete();
    let bad = [
        String::new(),
        "hp1..".to_owned(),
        "hp1.AAAA.BBBB".to_owned(),
        grant.token().expose().replace("hp1.", "hp1c."),
        revoked.token().expose().to_owned(),
        dead.token().expose().to_owned(),
        reminted(&grant, &KeyRing::from_secret(secret(9)), |claims| claims).expose().to_owned(),
        reminted(&grant, &ring(), |claims| Claims { issuer: "other", ..claims })
            .expose()
            .to_owned(),
        reminted(&grant, &ring(), |claims| Claims { serial: 9, ..claims }).expose().to_owned(),
        reminted(&grant, &ring(), |claims| Claims { holder: "other", ..claims })
            .expose()
            .to_owned(),
    ];
    let reasons: std::collections::BTreeSet<_> =
        bad.iter().map(|text| refused(&world, text, text)).collect();
    assert!(reasons.len() >= 7, "operators can tell them apart: {reasons:?}");
    // `check` is not an oracle next to the gate.
    for text in &bad {
        let token = Token::from_text(text.clone());
        let denial = world.gate.check(&token, &world.agent, &plain(), &world.context).unwrap_err();
        assert_eq!(denial.to_string(), "denied: invalid_token");
    }
}

/// attack 79: a token of a megabyte is refused for its length alone
#[test]
fn a_huge_token_is_refused_before_it_is_read() {
    let world = world();
    let (_task, grant) = world.granted();
    let (body, tag) = grant.token().expose()[4..].split_once('.').unwrap();
    let huge = format!("hp1.{}.{tag}", body.repeat((1 << 20) / body.len()));
    let denial = world.present(&huge).unwrap_err();
    assert_eq!(denial.code(), Code::InvalidToken);
    assert!(denial.explain().to_string().contains(&huge.len().to_string()), "{}", denial.explain());
    let just_over = "x".repeat(MAX_TOKEN_TEXT + 1);
    assert!(world.present(&just_over).unwrap_err().explain().to_string().contains("bytes"));
    let records = world.lines();
    assert!(records.iter().all(|(line, _)| line.len() < 4096), "nor does the log repeat it");
}

/// attack 80: nothing that has to do with a token prints it
#[test]
fn a_token_is_never_printed() {
    let world = world();
    let (task, grant) = world.granted();
    let text = grant.token().expose();
    let (body, tag) = text[4..].split_once('.').unwrap();
    let forged = put_together(&take_apart(text).0, &[9; 32]);
    let denial = world.present(&forged).unwrap_err();
    let permit = world.authorize(&grant, plain()).unwrap();
    let mut shown = vec![
        format!("{:?} {:?} {:?}", world.broker, world.gate, world.control),
        format!("{task:?} {grant:?} {:?}", grant.token()),
        format!("{permit:?}"),
        format!("{denial} {denial:?} {}", denial.explain()),
        format!("{:?}", world.broker.standing()),
        format!("{:?}", world.agent),
        format!("{:?}", world.records()),
    ];
    let running = permit.start().unwrap();
    shown.push(format!("{running:?}"));
    running.succeed();
    let ended = task.complete();
    shown.push(format!("{ended:?}"));
    shown.extend(world.lines().into_iter().map(|(line, _)| line));
    for printed in shown {
        assert!(!printed.contains(tag) && !printed.contains(body), "{printed}");
        assert!(!printed.contains(&forged[4..40]), "{printed}");
    }
}
