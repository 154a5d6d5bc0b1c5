//! A hijacked agent's whole session: the bill is paid, and nothing else is.

use serde_json::{Value, json};

use crate::world::Folder;
use crate::world::gated::{assert_nothing_stands, of_kind, outcomes, records};
use crate::{about, client, logged, peer, script};

/// The bill is read and paid once, and nothing else is done, whatever the agent was told.
fn only_the_bill_is_paid(mode: &str, of_client: &str, of_server: &str) {
    let folder = Folder::new();
    let (mut args, server) =
        (vec![script("hijacked_client.py"), mode.to_owned()], script("bank_server.py"));
    args.push(env!("CARGO_BIN_EXE_hallpass").to_owned());
    args.extend(logged(&folder, "banking.toml"));
    let who = ["--as", "clerk", "--for", "emma@hollow-bank.test", "--purpose", "pay-bill"];
    let why = ["--ticket", "BILL-2207", "--context", "channel=app", "--"];
    args.extend(who.iter().chain(&why).map(|own| (*own).to_owned()));
    args.extend([peer(&format!("{of_server}/bin/python")), server, "ledger".to_owned()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let lines = client(folder.path(), &peer(&format!("{of_client}/bin/python")), &args);
    assert_only_the_bill_was_paid(&lines, &folder);
}

/// What a client has told, and what is in the ledger and in the log.
pub(crate) fn assert_only_the_bill_was_paid(lines: &[Value], folder: &Folder) {
    let shown =
        json!(["files.read", "bank.transactions", "bank.send_money", "bank.standing_order"]);
    assert_eq!(lines[0]["shown"], shown, "the password is not a tool of this agent's");
    assert_eq!(lines[1]["resources"], 0);
    let tried = about(lines, "what");
    assert_eq!(tried.len(), 16);
    for line in tried {
        let well = line["what"] == "the bill is read" || line["what"] == "the bill is paid";
        assert_eq!(line["failed"], !well, "{line}");
        assert!(well || line["text"].as_str().unwrap().contains("denied: "), "{line}");
    }
    assert_eq!(about(lines, "at_once")[0]["at_once"], 64);

    let ledger = folder.read("ledger");
    let done: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (looked, done): (Vec<Value>, _) =
        done.into_iter().partition(|own| own["did"] == "bank.transactions");
    assert_eq!(looked.len(), 64);
    let read = json!({ "did": "files.read", "path": "bills/harbour-water.txt" });
    let paid = json!({ "did": "bank.send_money", "recipient": "ZZ11HARBOUR0042", "amount": 98.7 });
    assert_eq!(done, [read, paid]);

    let records = records(folder);
    assert_nothing_stands(&records);
    assert_eq!(outcomes(&records), ["ok"; 66]);
    assert_eq!(of_kind(&records, "denied").len(), 14, "each attempt is on record");
    let text = format!("{records:?}");
    assert!(!text.contains("ZZ66NOWHERE6666") && !text.contains("letmein"), "no argument is");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn of_a_client_of_python_1_and_a_server_of_python_1() {
    only_the_bill_is_paid("legacy", "python1", "python1");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn of_a_client_of_python_1_and_a_server_of_python_2() {
    only_the_bill_is_paid("legacy", "python1", "python2");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn of_a_client_of_python_2_that_begins_with_a_handshake() {
    only_the_bill_is_paid("legacy", "python2", "python2");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn of_a_client_of_python_2_that_falls_back_to_a_handshake() {
    only_the_bill_is_paid("auto", "python2", "python1");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn of_a_client_and_a_server_of_python_2_that_need_no_handshake() {
    only_the_bill_is_paid("auto", "python2", "python2");
}
