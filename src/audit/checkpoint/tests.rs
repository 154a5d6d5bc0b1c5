mod policies;

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::audit::{LogId, Origin, TreeHash};
use crate::key::SecretKey;

/// The key and the note that the specification of signed notes gives as its example.
const SPEC_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn signer(first: u8) -> LogSigner {
    let bytes: Vec<u8> = (first..first + 32).collect();
    LogSigner::from_secret(SecretKey::from_bytes(&bytes).unwrap())
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint::new("acme/gate/00".into(), size, TreeHash::from_bytes([9; 32]))
}

fn key(first: u8) -> VerifierKey {
    VerifierKey::of_log("acme/gate/00", signer(first).public_key())
}

#[test]
fn the_example_of_the_specification_verifies_under_its_key() {
    let key: VerifierKey = SPEC_KEY.parse().unwrap();
    assert_eq!(key.to_string(), SPEC_KEY);
    let note = Note::read(SPEC_NOTE).unwrap();
    assert_eq!(note.to_string(), SPEC_NOTE);
    let [signature] = note.signatures() else { panic!("{note:?}") };
    assert_eq!((&*signature.name, signature.key), (key.name(), key.id()));
    assert!(key.verifies(note.text().as_bytes(), &signature.bytes));
    assert!(!key.verifies(b"This is an example message.", &signature.bytes));
}

#[test]
fn a_note_has_half_a_mebibyte_and_no_byte_more() {
    let note = |bytes: usize| Note::read(&("x".repeat(bytes - SPEC_NOTE.len()) + SPEC_NOTE));
    assert!(note(512 * 1024).is_ok());
    let longer = note(512 * 1024 + 1).unwrap_err();
    assert_eq!(longer, CheckpointError::NotANote("it is longer than 512 KiB"));
}

#[test]
fn a_checkpoint_is_a_note_of_three_lines_signed_under_the_name_of_its_log() {
    let signed = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap();
    let text = signed.to_string();
    let root = TreeHash::from_bytes([9; 32]).to_string();
    let begins = format!("acme/gate/00\n7\n{root}\n\n— acme/gate/00 ");
    assert!(text.starts_with(&begins) && text.ends_with("\n"), "{text}");
    assert_eq!(SignedCheckpoint::verify(&text, &key(1)), Ok(signed));
    // The same each time, so that the same checkpoint is one text.
    assert_eq!(SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap().to_string(), text);
}

/// attack 185: what signs is the key that was pinned, and none that is called the same
#[test]
fn a_note_that_another_key_signed_shows_nothing() {
    let name = || "acme/gate/00".to_owned();
    let other = SignedCheckpoint::sign(&checkpoint(7), &signer(2)).unwrap().to_string();
    let refused = SignedCheckpoint::verify(&other, &key(1));
    assert_eq!(refused, Err(CheckpointError::Unsigned(name())));
    // With the id of the pinned key, which anyone can write.
    let own = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap().to_string();
    let bytes = |note: &str| {
        let encoded = note.trim_end().rsplit(' ').next().unwrap().to_owned();
        (STANDARD.decode(&encoded).unwrap(), encoded)
    };
    let ((own_bytes, _), (mut forged, encoded)) = (bytes(&own), bytes(&other));
    forged[..4].copy_from_slice(&own_bytes[..4]);
    let forged = other.replace(&encoded, &STANDARD.encode(&forged));
    let refused = SignedCheckpoint::verify(&forged, &key(1));
    assert_eq!(refused, Err(CheckpointError::WrongSignature(name())));
    // A right signature next to a wrong one of the same key is not enough.
    let both = own.clone() + forged.lines().last().unwrap() + "\n";
    let refused = SignedCheckpoint::verify(&both, &key(1));
    assert_eq!(refused, Err(CheckpointError::WrongSignature(name())));
    // One of a key that is not known says nothing.
    let both = own + other.lines().last().unwrap() + "\n";
    assert!(SignedCheckpoint::verify(&both, &key(1)).is_ok());
    let of_witness = VerifierKey::of_witness("acme/gate/00", signer(1).public_key()).unwrap();
    assert!(SignedCheckpoint::verify(&both, &of_witness).is_err());
}

#[test]
fn a_key_signs_for_the_log_of_its_name_alone() {
    let other = Checkpoint { origin: "acme/gate/01".into(), ..checkpoint(7) };
    let text = other.to_string();
    let bytes = signer(1).sign(text.as_bytes()).unwrap().to_vec();
    let signature = NoteSignature { name: "acme/gate/00".into(), key: key(1).id(), bytes };
    let refused = SignedCheckpoint::verify(&Note::new(text, signature).to_string(), &key(1));
    let (found, expected) = ("acme/gate/01".into(), "acme/gate/00".into());
    assert_eq!(refused, Err(CheckpointError::Foreign { found, expected }));
}

#[test]
fn a_note_of_which_any_bit_is_another_is_refused() {
    let text = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap().to_string();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(SignedCheckpoint::verify(&changed, &key(1)).is_err(), "{changed}");
        }
    }
}

#[test]
fn a_note_has_one_form() {
    let good = SignedCheckpoint::sign(&checkpoint(7), &signer(1)).unwrap().to_string();
    let line = good.lines().last().unwrap().to_owned();
    let many = good.clone() + &format!("{line}\n").repeat(64);
    for (bad, why) in [
        (String::new(), "no empty line"),
        (good.replace("\n\n", "\n"), "no empty line"),
        (good.trim_end().to_owned(), "no end"),
        (format!("{good}\n"), "no end"),
        (good.replace("— ", "- "), "not a signature"),
        (good.replace("— ", "—  "), "not a signature"),
        (good.replace("— acme/gate/00", "— acme+gate"), "not a signature"),
        (good.replace("— acme/gate/00", "— acme\u{a0}gate"), "not a signature"),
        (good.replace("=\n", "\n"), "not a "),
        (good.replace('\n', "\r\n"), "control"),
        (format!("{}\n— a AAAAAA==\n", good.trim_end()), "not a signature"),
        (many, "more than 64"),
        ("x".repeat(600_000), "512 KiB"),
    ] {
        let error = SignedCheckpoint::verify(&bad, &key(1)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}: {bad:.300}");
    }
}

#[test]
fn what_a_checkpoint_says_has_one_form() {
    let root = TreeHash::from_bytes([9; 32]).to_string();
    let empty = TreeHash::of_empty_tree();
    for good in [format!("a\n7\n{root}\n"), format!("a\n0\n{empty}\n")] {
        assert_eq!(Checkpoint::read(&good).unwrap().to_string(), good);
    }
    for bad in [
        format!("a\n7\n{root}"),
        format!("a\n7\n{root}\nmore\n"),
        format!("a\n07\n{root}\n"),
        format!("a\n+7\n{root}\n"),
        format!("a\n18446744073709551616\n{root}\n"),
        format!("a\n0\n{root}\n"),
        format!("\n7\n{root}\n"),
        "a\n7\nAAAA\n".to_owned(),
        "a\n7\n".to_owned(),
        String::new(),
    ] {
        assert!(Checkpoint::read(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_key_has_one_text() {
    let of_witness = VerifierKey::of_witness("w.example/1", [7; 32]).unwrap();
    assert_eq!(of_witness.to_string().parse(), Ok(of_witness.clone()));
    assert!(of_witness.is_of_witness() && !key(1).is_of_witness());
    let good = key(1).to_string();
    let encoded = good.rsplit_once('+').unwrap().1.to_owned();
    let kind =
        |kind: u8, length: usize| STANDARD.encode([&[kind][..], &[7; 33][..length]].concat());
    for bad in [
        String::new(),
        "acme".into(),
        good.replace("acme/gate/00", "acme/gate/01"),
        good.replace("acme/gate/00", ""),
        good.replace("acme/gate/00", "acme gate"),
        good.to_uppercase(),
        format!("{good} "),
        good.replace(&encoded, &kind(1, 31)),
        good.replace(&encoded, &kind(1, 33)),
        good.replace(&encoded, &kind(2, 32)),
        good.replace(&encoded, ""),
    ] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(VerifierKey::of_witness(name, [7; 32]).is_err(), "{name}");
    }
}

#[test]
fn no_two_logs_have_one_name() {
    let name = |issuer, audience, id| {
        origin_of(&LogId::from_bytes([id; 16]), &Origin::new(issuer, audience))
    };
    let zeros = "0".repeat(32);
    assert_eq!(name("acme", "gate", 0), format!("acme/gate/{zeros}"));
    assert_eq!(name("a b/ü", "+%\n", 0), format!("a%20b%2F%C3%BC/%2B%25%0A/{zeros}"));
    let names = [
        name("a/b", "c", 0),
        name("a", "b/c", 0),
        name("a%2Fb", "c", 0),
        name("a", "b", 0),
        name("a", "b", 1),
    ];
    for (at, one) in names.iter().enumerate() {
        assert!(!names[..at].contains(one), "{one}");
    }
}

#[test]
fn the_key_of_a_signer_is_of_its_secret_and_of_this_use_and_is_never_shown() {
    assert_ne!(signer(1).public_key(), signer(2).public_key());
    let secret: Vec<u8> = (1..33).collect();
    let raw = ring::signature::Ed25519KeyPair::from_seed_unchecked(&secret).unwrap();
    let raw = ring::signature::KeyPair::public_key(&raw).as_ref().to_vec();
    assert_ne!(signer(1).public_key()[..], raw);
    assert_eq!(format!("{:?}", signer(1)), "LogSigner { .. }");
    assert_eq!(format!("{:?}", SharedSigner::new(signer(1))), "Signer { .. }");
}

/// A signer that signs something else, or nothing.
struct Wrong(AtomicBool);

impl Signer for Wrong {
    fn public_key(&self) -> [u8; 32] {
        signer(1).public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignerError> {
        match self.0.load(Ordering::Relaxed) {
            true => signer(1).sign(b"something else"),
            false => Err(SignerError::new("the device is not plugged in")),
        }
    }
}

#[test]
fn what_a_signer_gives_is_verified() {
    let wrong = Wrong(AtomicBool::new(false));
    let error = SignedCheckpoint::sign(&checkpoint(7), &wrong).unwrap_err();
    assert_eq!(error.to_string(), "the device is not plugged in");
    wrong.0.store(true, Ordering::Relaxed);
    let error = SignedCheckpoint::sign(&checkpoint(7), &wrong).unwrap_err();
    assert!(error.to_string().contains("not one of this text"), "{error}");
}
