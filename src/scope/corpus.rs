//! Addresses and paths as published vectors judge them.

use serde_json::Value as Json;
use testkit::corpora::corpus;

use super::constraint::Constraint;
use super::evaluate::Stance;
use super::fact::Absence;
use super::truth::Truth;
use super::words::{cidr, under};
use crate::meter::Meter;
use crate::value::Value;

fn rows<'c>(corpus: &'c Json, at: &str) -> &'c [Json] {
    let rows = corpus.pointer(at).and_then(Json::as_array).unwrap();
    assert!(!rows.is_empty(), "{at} has rows");
    rows
}

fn covers(constraint: &Constraint, text: &str) -> Truth {
    constraint.holds_of(
        Some(&Value::from(text)),
        Absence::Argument,
        Stance::Cover,
        false,
        &Meter::ample(),
    )
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn networks_are_judged_as_elsewhere_but_for_the_listed_differences() {
    let corpus = corpus("cidr/cidr.json");
    let mut disagreements = Vec::new();
    for row in rows(&corpus, "/boundaries/rows") {
        let (network, address) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
        let expected = row[2].as_bool().unwrap();
        if (covers(&cidr([network]), address) == Truth::True) != expected {
            disagreements.push((network.to_owned(), address.to_owned(), expected));
        }
    }
    for row in rows(&corpus, "/casbin_ipmatch/vectors") {
        let (network, address) = (row["pattern"].as_str().unwrap(), row["value"].as_str().unwrap());
        let expected = row["match"].as_bool().unwrap();
        if (covers(&cidr([network]), address) == Truth::True) != expected {
            disagreements.push((network.to_owned(), address.to_owned(), expected));
        }
    }
    let deliberate: Vec<_> = [
        // An IPv4 address written as IPv6 reaches the same host, so it is the same address.
        ("10.0.0.0/8", "::ffff:10.0.0.1", false),
        ("::ffff:0:0/96", "10.0.0.1", false),
        // The form alone is named, and not what its addresses stand for.
        ("64:ff9b::/96", "64:ff9b::", true),
        ("64:ff9b::/96", "64:ff9b::1", true),
        ("64:ff9b::/96", "64:ff9b::ffff:ffff", true),
        ("0.0.0.0/0", "::ffff:10.0.0.1", false),
        // Its author means 256 addresses or 65 536: refused, with what to write instead.
        ("192.168.2.0/16", "192.168.2.123", true),
    ]
    .map(|(network, address, expected)| (network.to_owned(), address.to_owned(), expected))
    .into();
    assert_eq!(disagreements, deliberate);
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn addresses_are_read_as_elsewhere() {
    let corpus = corpus("cidr/cidr.json");
    for (family, everything) in [("ipv4", "0.0.0.0/0"), ("ipv6", "::/0")] {
        let all = cidr([everything, "0.0.0.0/0"]);
        for row in rows(&corpus, &format!("/address_syntax/{family}")) {
            let text = row["text"].as_str().unwrap();
            let valid = row["valid"].as_bool().unwrap();
            // The vectors are of one family each; here either is an address.
            let other_family =
                text.contains(':') != (family == "ipv6") && covers(&all, text) == Truth::True;
            let of_another = other_family || (family == "ipv4" && text.starts_with("::ffff:"));
            if !of_another {
                let expected = if valid { Truth::True } else { Truth::Unknown };
                assert_eq!(covers(&all, text), expected, "{text:?}");
            }
        }
    }
}

/// attacks 1 to 6: whatever the payload hopes its reader does with it, it is not under the root.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn no_traversal_payload_is_under_the_root() {
    let corpus = corpus("paths/traversal_payloads.json");
    let root = corpus["root_used_for_class"].as_str().unwrap().to_owned();
    let data = under(&root);
    let mut inside = Vec::new();
    for row in rows(&corpus, "/lists/directory_traversal") {
        let payload = row["payload"].as_str().unwrap();
        let class = row["class"].as_str().unwrap();
        assert_ne!(covers(&data, payload), Truth::True, "{payload}");
        // As a tool joins it: what escapes in some reading is refused, not judged.
        let joined = format!("{root}/{}", payload.trim_start_matches('/'));
        match covers(&data, &joined) {
            Truth::True => inside.push(payload.to_owned()),
            Truth::Unknown => {}
            Truth::False => panic!("{joined} is not under its own root"),
        }
        if class.starts_with("escapes") && !payload.starts_with('/') {
            assert_eq!(covers(&data, &joined), Truth::Unknown, "{class}: {joined}");
        }
    }
    inside.sort();
    // Plain names: joined to the root they are files in it.
    assert_eq!(inside, [".htaccess", "C:/boot.ini", "C:/inetpub/wwwroot/global.asa"]);
}

/// The library behind these vectors repairs a path; here one with `..` is refused, for what
/// `link/..` is only the file system knows. Everything else it repairs to the same path.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn paths_are_joined_as_elsewhere_or_refused() {
    let corpus = corpus("paths/securejoin.json");
    for row in rows(&corpus, "/no_symlink") {
        let path = row["unsafe"].as_str().unwrap();
        let expected = row["joined"].as_str().unwrap().replace("<root>", "/root");
        match super::canonical_path(&format!("/root/{path}")) {
            Ok(one) => assert_eq!(one, expected),
            Err(fault) => {
                assert_eq!((fault, path.contains("..")), (super::PathFault::Parent, true))
            }
        }
    }
    for row in rows(&corpus, "/has_dotdot") {
        let refused = super::canonical_path(row["path"].as_str().unwrap()).is_err();
        assert_eq!(refused, row["has_dotdot_segment"].as_bool().unwrap(), "{row}");
    }
    for row in rows(&corpus, "/unclean_root") {
        let root = row["root"].as_str().unwrap().replace("<tmp>", "/tmp");
        assert_eq!(under(&root).check().is_err(), row["unsafe_root"].as_bool().unwrap(), "{row}");
    }
}
