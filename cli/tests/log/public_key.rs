//! What anyone who has the public key of a log alone learns.

use super::*;

#[test]
fn who_has_the_public_key_alone_learns_whether_the_log_is_what_its_checkpoint_has_seen() {
    let folder = written(Durability::Buffered);
    let vkey = folder.read("vkey");
    let args = ["verify", "log", "--log-vkey", &vkey];
    let ran = log(&args, &folder);
    assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
    assert!(
        ran.output.starts_with("covered   yes: records 1 to 32, each as a checkpoint over 32"),
        "{ran:?}"
    );
    assert!(ran.output.contains("lies with the log"), "{ran:?}");
    let seen = [&args[..], &["--checkpoint", "seen"]].concat();
    assert!(!log(&seen, &folder).output.contains("lies with the log"));
    let told = object(&log(&[&seen[..], &["--key-file", "key", "--json"]].concat(), &folder));
    assert_eq!((&told["intact"], &told["public"]["intact"]), (&json!(true), &json!(true)));
    assert_eq!((&told["public"]["covered"], &told["public"]["size"]), (&json!(32), &json!(32)));
}

/// attacks 130, 131, 132, 181, 182, 184 and 185
#[test]
fn a_log_that_is_not_what_its_checkpoint_has_seen_is_an_exit_code_for_who_has_the_public_key() {
    let refused = |folder: &Folder, args: &[&str], why: &str| {
        let vkey = folder.read("vkey");
        let ran = log(&[&["verify", "log", "--log-vkey", &vkey], args].concat(), folder);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.output.starts_with("covered   NO") && ran.output.contains(why), "{ran:?}");
    };
    let folder = written(Durability::Flushed);
    change(&folder, FIRST, "bank.pay\",\"args\":\"", "bank.say\",\"args\":\"");
    refused(&folder, &[], "record 5 is not the one");
    let folder = written(Durability::Flushed);
    let text = folder.read("log/log-0000000002.jsonl");
    let cut: Vec<_> = text.lines().collect();
    folder.write("log/log-0000000002.jsonl", cut[..cut.len() - 1].join("\n") + "\n");
    refused(&folder, &[], "the log was cut: it has 31 records, and a checkpoint has seen 32");
    // The checkpoint cut away with it: only who has kept one knows.
    std::fs::remove_file(folder.path().join("log/checkpoint")).unwrap();
    let vkey = folder.read("vkey");
    let ran = log(&["verify", "log", "--log-vkey", &vkey], &folder);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.output.starts_with("covered   not known"), "{ran:?}");
    refused(&folder, &["--checkpoint", "seen"], "the log was cut");
    // Another log of the same broker.
    let (folder, other) = (written(Durability::Flushed), written(Durability::Flushed));
    folder.write("vkey", other.read("vkey"));
    refused(&folder, &[], "a checkpoint of the log does not verify");
    std::fs::remove_file(folder.path().join("log/checkpoint")).unwrap();
    refused(&folder, &[], "the log is that of `acme/payments/");
    for (args, why) in [
        (["--log-vkey", "acme+00000000+AQ=="], "not a verifier key"),
        (["--checkpoint", "seen"], "--log-vkey"),
    ] {
        let ran = log(&[&["verify", "log"][..], &args].concat(), &folder);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains(why), "{ran:?}");
    }
}

/// attack 185, of receipts
#[test]
fn a_receipt_shows_a_record_to_who_has_the_public_key_and_nothing_else() {
    let folder = written(Durability::Flushed);
    let vkey = folder.read("vkey");
    let make =
        ["receipt", "log", "--log-vkey", &vkey, "--task", "bills", "--out", "bills.tlog-proof"];
    let ran = log(&make, &folder);
    assert_eq!((ran.code, &*ran.output, &*ran.errors), (0, "", ""), "{ran:?}");
    let check = ["check-receipt", "bills.tlog-proof", "--log-vkey", &vkey];
    let ran = log(&check, &folder);
    assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
    assert!(ran.output.starts_with("proved    yes: record "), "{ran:?}");
    let told = object(&log(&[&check[..], &["--json"]].concat(), &folder));
    assert_eq!(
        (&told["record"]["kind"], &told["record"]["task"]),
        (&json!("ended"), &json!("bills"))
    );
    let seq = told["seq"].to_string();
    let by_number = log(&["receipt", "log", "--log-vkey", &vkey, "--record", &seq], &folder);
    assert_eq!(by_number.output, folder.read("bills.tlog-proof"));
    // No witness has seen it.
    folder.write("none", "quorum none\n");
    assert_eq!(log(&[&check[..], &["--witness-policy", "none"]].concat(), &folder).code, 0);
    let witness = hallpass::audit::VerifierKey::of_witness("w.example", [7; 32]).unwrap();
    folder.write("policy", format!("witness w {witness}\nquorum w\n"));
    let ran = log(&[&check[..], &["--witness-policy", "policy"]].concat(), &folder);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.output.contains("witnessed NO: by none, which is not enough"), "{ran:?}");
    let verify = ["verify", "log", "--log-vkey", &vkey, "--witness-policy", "policy"];
    assert_eq!(log(&verify, &folder).code, 1);
    let forged = folder.read("bills.tlog-proof").replace("index ", "index 1");
    folder.write("forged", forged);
    let ran = log(&["check-receipt", "forged", "--log-vkey", &vkey], &folder);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.output.starts_with("proved    NO: the record is not in the log"), "{ran:?}");
    for (args, why) in [
        (&["receipt", "log", "--log-vkey", &vkey, "--record", "99"][..], "has no record 99"),
        (&["receipt", "log", "--log-vkey", &vkey, "--task", "other"], "no task `other` has ended"),
        (&["check-receipt", "absent", "--log-vkey", &vkey], "absent: "),
        (
            &["check-receipt", "forged", "--log-vkey", &vkey, "--witness-policy", "key"],
            "key: line 1",
        ),
    ] {
        let ran = log(args, &folder);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains(why), "{ran:?}");
    }
}
