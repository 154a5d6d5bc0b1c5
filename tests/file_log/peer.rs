//! Checkpoints, trees and receipts, checked by the library that Go's checksum database is checked with. `checkpoint.go`
//! calls it; it is as others published it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog};

use super::checkpoints::signer;
use super::world::{Folder, ORIGIN, builder, keys, options, pay};

/// What the program says: its output, or what is wrong.
fn check(folder: &Path, vkey: &str, receipt: &Path) -> Result<String, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/file_log/checkpoint.go");
    let mut go = Command::new("go");
    // Debian's package of the library lies there.
    go.env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", folder.join("go"));
    let output = go.args(["run", program]).arg(folder).arg(vkey).arg(receipt).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
#[ignore = "needs Go and golang.org/x/mod (apt-get install golang-go golang-golang-x-mod-dev)"]
fn an_implementation_that_is_not_ours_verifies_checkpoint_tree_and_receipt() {
    let folder = Folder::new();
    let options = options(Durability::Buffered).rotate_at(8192).checkpoints(signer());
    let log = options.open(folder.path(), &keys(), &ORIGIN).unwrap();
    let broker = builder().log_keys(keys()).resume_from(&log).build().unwrap();
    (0..50).for_each(|_| _ = pay(&broker).0.complete());
    broker.flush();
    log.checkpoint().unwrap();
    (0..5).for_each(|_| _ = pay(&broker).0.complete());
    broker.close(Duration::from_secs(5));
    let checkpoint = log.checkpoint().unwrap();
    let key = log.verifier_key().unwrap();
    let receipts = FileLog::receipts(folder.path(), &key, &[33]).unwrap();
    let receipt = folder.path().join("receipt");
    std::fs::write(&receipt, receipts[0].to_string()).unwrap();
    let told = check(folder.path(), &key.to_string(), &receipt);
    assert_eq!(told, Ok(format!("{}\n", checkpoint.size())));

    // And it refuses what is not so.
    let first = folder.path().join("log-0000000001.jsonl");
    let text = std::fs::read_to_string(&first).unwrap();
    std::fs::write(&first, text.replacen("bank.pay", "bank.say", 1)).unwrap();
    assert!(check(folder.path(), &key.to_string(), &receipt).is_err());
    std::fs::write(&first, text).unwrap();
    let other = receipts[0].to_string().replace("index 32", "index 31");
    std::fs::write(&receipt, other).unwrap();
    assert!(check(folder.path(), &key.to_string(), &receipt).is_err());
}
