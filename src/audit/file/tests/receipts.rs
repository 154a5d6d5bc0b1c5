//! Receipts: what they show, and to whom.

use super::checkpoints::{signed, written};
use super::*;
use crate::audit::VerifierKey;
use crate::audit::checkpoint::{Receipt, ReceiptError};
use crate::audit::file::receipts::{ReceiptFailure, make};

#[test]
fn every_record_that_is_covered_has_a_receipt_that_the_public_key_alone_verifies() {
    let (disk, life) = written(40);
    life.log.checkpoint().unwrap();
    let key = life.log.verifier_key().unwrap();
    life.permit("later").unwrap();
    let records = read(&disk).unwrap();
    let seqs: Vec<u64> = (1..=41).collect();
    let receipts = make(&disk, &key, &seqs).unwrap();
    for (receipt, record) in receipts.iter().zip(&records) {
        let read = Receipt::verify(&receipt.to_string(), &key).unwrap();
        assert_eq!((&read, read.record()), (receipt, record));
    }
    // In any order, and more than once.
    let again = make(&disk, &key, &[40, 3, 3]).unwrap();
    assert_eq!(again, [receipts[39].clone(), receipts[2].clone(), receipts[2].clone()]);
    let refused = |seq| make(&disk, &key, &[2, seq]).unwrap_err();
    assert!(matches!(refused(42), ReceiptFailure::NotCovered { seq: 42 }));
    assert!(matches!(refused(43), ReceiptFailure::NoRecord { seq: 43 }));
    // No number is below 1: the first record stands for it no more than for another log.
    assert!(matches!(refused(0), ReceiptFailure::NoRecord { seq: 0 }));
}

#[test]
fn a_number_that_was_lost_has_the_receipt_of_the_record_that_says_so() {
    let (disk, life) = written(3);
    life.kill();
    let open = Life::begin(&disk, &signed(Durability::Flushed)).unwrap();
    let seq = open.permit("after").unwrap();
    open.log.checkpoint().unwrap();
    let key = open.log.verifier_key().unwrap();
    let receipts = make(&disk, &key, &[5, 9, seq]).unwrap();
    assert!(receipts[0].line().contains("\"void\"") && receipts[0] == receipts[1]);
    assert_eq!(receipts[2].record().seq, seq);
}

/// attack 185: a record that is not in the log, or is elsewhere, and a key that comes with it
#[test]
fn a_receipt_of_which_anything_is_another_shows_nothing() {
    let (disk, life) = written(20);
    life.log.checkpoint().unwrap();
    let key = life.log.verifier_key().unwrap();
    let text = make(&disk, &key, &[7]).unwrap()[0].to_string();
    let other = make(&disk, &key, &[8]).unwrap()[0].to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(Receipt::verify(&changed, &key).is_err(), "{changed}");
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (own, others) = (lines(&text), lines(&other));
    for line in 1..own.len() {
        let mut mixed = own.clone();
        if mixed[line] == others[line] {
            continue;
        }
        mixed[line].clone_from(&others[line]);
        let refused = Receipt::verify(&(mixed.join("\n") + "\n"), &key);
        assert_eq!(refused, Err(ReceiptError::NotIncluded), "line {line}");
    }
    let foreign = VerifierKey::of_log(key.name(), [7; 32]);
    let refused = Receipt::verify(&text, &foreign).unwrap_err();
    assert!(matches!(refused, ReceiptError::Checkpoint(_)), "{refused}");
    for (bad, why) in [
        (text.replace("@v1", "@v2"), "first line"),
        (text.replace("extra ", "extra  "), "extra"),
        (text.replacen("extra", "index 1\nextra", 1), "second line"),
        (text.replace("index 6", "index 06"), "third line"),
        (text.replace("index 6", "index 6\nx"), "hash in base64"),
        (text.replace("\n\n", "\n"), "empty line"),
        (String::new(), "empty line"),
    ] {
        let error = Receipt::verify(&bad, &key).unwrap_err().to_string();
        assert!(error.contains(why), "{error}: {bad}");
    }
}

#[test]
fn no_receipt_is_made_of_what_the_checkpoint_has_not_seen() {
    let (disk, life) = written(20);
    let key = life.log.verifier_key().unwrap();
    assert!(matches!(make(&disk, &key, &[2]), Err(ReceiptFailure::NoCheckpoint)));
    life.log.checkpoint().unwrap();
    let tree = disk.bytes("tree");
    for bytes in [&[][..], &tree[..64], &[7; 2000]] {
        disk.put("tree", bytes);
        assert!(matches!(make(&disk, &key, &[7]), Err(ReceiptFailure::NoProof { seq: 7 })));
    }
    disk.put("tree", &tree);
    let text = String::from_utf8(disk.bytes(&name_of(1))).unwrap();
    disk.put(&name_of(1), text.replace("\"t5\"", "\"x5\"").as_bytes());
    assert!(matches!(make(&disk, &key, &[7]), Err(ReceiptFailure::NoProof { seq: 7 })));
    assert!(make(&disk, &key, &[6]).is_ok());
    disk.put("checkpoint", b"nothing");
    assert!(matches!(make(&disk, &key, &[6]), Err(ReceiptFailure::Checkpoint(_))));
}
