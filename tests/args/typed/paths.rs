//! Paths of the published payloads, and any that can be thought of.

use hallpass::prelude::*;
use hallpass::scope::under;
use proptest::prelude::*;
use serde_json::json;

use super::{World, any_mail, attached};
use testkit::corpora::{corpus, list, text};

/// attacks 1 to 6: a payload is refused, or what the tool gets is a path that stays below the root
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn no_traversal_payload_leaves_the_root() {
    let corpus = corpus("paths/traversal_payloads.json");
    let root = text(&corpus["root_used_for_class"]);
    let world = World::of([any_mail()]);
    let task = world.open();
    let grant = task.request(Scope::tool("mail.send").any_args(), &Context::new()).unwrap();
    let send = |path: &str| {
        let call = Call::new("mail.send", json!({ "attachment": path })).unwrap();
        let sent = world.attempt(grant.token(), call);
        sent.map(|args| text(&args["attachment"]).to_owned()).map_err(|denial| denial.reason())
    };
    let mut got: Vec<String> = Vec::new();
    for row in list(&corpus["lists"]["directory_traversal"]) {
        let payload = text(&row["payload"]);
        for path in [payload.to_owned(), format!("{root}/{payload}")] {
            match send(&path) {
                Ok(path) => got.push(path),
                Err(reason) => assert_eq!(reason, Reason::MalformedCall, "{path:?}"),
            }
        }
    }
    got.sort();
    got.dedup();
    let joined: Vec<&str> =
        got.iter().filter_map(|path| path.strip_prefix(root)?.strip_prefix('/')).collect();
    let alone: Vec<&str> =
        got.iter().filter(|path| !path.starts_with(root)).map(String::as_str).collect();
    // What is left names what it means, with neither `..` nor anything to decode: `...` is a name, and
    // so is `C:`.
    let names =
        [".../.../.../.../...", ".htaccess", "C:/boot.ini", "C:/inetpub/wwwroot/global.asa"];
    assert_eq!(joined, [&names[..], &["boot.ini", "etc/passwd", "etc/shadow"]].concat());
    let rooted = ["/.../.../.../.../...", "/boot.ini", "/etc/passwd", "/etc/shadow"];
    assert_eq!(alone, [&names[1..2], &rooted[..], &names[2..]].concat());
}

/// The library behind these vectors repairs `..`; here it is refused, for what `link/..` is only the file
/// system knows. Everything else comes to the same path.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn paths_are_joined_as_elsewhere_or_refused() {
    let corpus = corpus("paths/securejoin.json");
    let world = World::of([any_mail()]);
    for row in list(&corpus["no_symlink"]) {
        let path = text(&row["unsafe"]);
        let scope = Scope::tool("mail.send").any_args();
        match world.send(scope, json!({ "attachment": format!("/root/{path}") })) {
            Ok(got) => {
                let joined = text(&row["joined"]).replace("<root>", "/root");
                assert_eq!(got, json!({ "attachment": joined }));
            }
            Err(denial) => assert!(path.contains(".."), "{path}: {}", denial.explain()),
        }
    }
}

fn segments() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        proptest::sample::select(vec!["a", "b", ".", "..", "", "data", "%", "\\", "~", "\u{0}"]),
        0..5,
    )
    .prop_map(|segments| segments.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is given, the tool gets nothing, or a path in its one spelling that is under the folder
    /// that the scope names.
    #[test]
    fn what_the_tool_gets_is_under_the_folder(rest in segments(), rooted in any::<bool>()) {
        let path = if rooted { format!("/data/{rest}") } else { rest };
        let world = World::of([any_mail()]);
        if let Ok(got) = world.send(attached(under("/data")), json!({ "attachment": path })) {
            let got = got["attachment"].as_str().unwrap().to_owned();
            prop_assert!(got == "/data" || got.starts_with("/data/"), "{}", got);
            prop_assert!(!got.ends_with('/') && !got.contains("//"), "{}", got);
            prop_assert!(got.split('/').all(|part| part != "." && part != ".."), "{}", got);
        }
    }
}
