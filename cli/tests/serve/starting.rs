//! What a server does not begin with.

use crate::ORDERS;
use crate::server::SECRET;
use crate::world::gated::KEY;
use crate::world::{Folder, hallpass};

#[test]
fn what_is_not_in_order_is_told_before_anything_is_served() {
    let folder = Folder::new();
    for (name, content) in [
        ("p.toml", ORDERS),
        ("key", KEY),
        ("bearer", SECRET),
        ("short", "secret"),
        ("none", "\n"),
        (
            "counts.toml",
            "version = 1\nrule = [{ id = \"n\", effect = \"permit\", what = { tool = \"t\" }, grant = { uses = 2 } }]",
        ),
        ("typo.json", r#"{ "subjcts": [] }"#),
        (
            "twice.json",
            r#"{ "subjects": [{ "type": "user", "id": "a" }, { "type": "user", "id": "a" }] }"#,
        ),
        ("ship.json", r#"{ "subjects": [{ "type": "spaceship", "id": "a" }] }"#),
        ("groups.json", r#"{ "subjects": [{ "type": "user", "id": "a", "groups": "admins" }] }"#),
    ] {
        folder.write(name, content);
    }
    let served = |policy: &str, options: &[&str]| {
        let fixed = ["serve", "--policy", policy, "--purpose", "orders"];
        hallpass(&[&fixed, options].concat(), folder.path())
    };
    let bearer = ["--bearer-file", "bearer"];
    for (options, told) in [
        (&[][..], "say who may ask"),
        (&["--bearer-file", "absent"], "absent: can't be read"),
        (&["--bearer-file", "short"], "short: line 1 is shorter"),
        (&["--bearer-file", "none"], "none: there is no secret"),
        (&["--client-ca", "bearer"], "--tls-cert"),
        (&[bearer[0], bearer[1], "--listen", "0.0.0.0:0"], "say `--tls-cert FILE --tls-key FILE`"),
        (&[bearer[0], bearer[1], "--listen", "[::]:0"], "say `--tls-cert FILE --tls-key FILE`"),
        (&[bearer[0], bearer[1], "--listen", "localhost:0"], "--listen"),
        (&[bearer[0], bearer[1], "--tls-cert", "p.toml", "--tls-key", "p.toml"], "p.toml: "),
        (&[bearer[0], bearer[1], "--url", "http://pdp.test"], "https://HOST"),
        (&[bearer[0], bearer[1], "--url", "https://pdp.test/a?b"], "https://HOST"),
        (&[bearer[0], bearer[1], "--context", "seen=x"], "`--context`"),
        (&[bearer[0], bearer[1], "--context", "a=x", "--context", "a=y"], "twice"),
        (&[bearer[0], bearer[1], "--subject", "bot"], "TYPE=KIND"),
        (&[bearer[0], bearer[1], "--subject", "bot=robot"], "robot"),
        (&[bearer[0], bearer[1], "--entities", "absent"], "absent: "),
        (&[bearer[0], bearer[1], "--entities", "typo.json"], "subjcts"),
        (&[bearer[0], bearer[1], "--entities", "twice.json"], "subject 2: `a` is there twice"),
        (&[bearer[0], bearer[1], "--entities", "ship.json"], "`spaceship`"),
        (&[bearer[0], bearer[1], "--entities", "groups.json"], "`groups` is not a list"),
        (&[bearer[0], bearer[1], "--log", "log"], "--key-file"),
    ] {
        let ran = served("p.toml", options);
        assert_eq!((ran.code, &*ran.output), (2, ""), "{options:?} {ran:?}");
        assert!(ran.errors.contains(told), "{options:?} {ran:?}");
        assert!(!ran.errors.contains(SECRET), "{options:?}");
    }
    let ran = served("counts.toml", &bearer);
    assert!(
        ran.code == 2 && ran.errors.contains("rule `n` depends on what its task did before"),
        "{ran:?}"
    );
}

#[test]
fn an_address_that_is_taken_is_told() {
    let folder = Folder::new();
    folder.write("p.toml", ORDERS);
    folder.write("bearer", SECRET);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let options = ["--bearer-file", "bearer", "--listen", &address];
    let ran = hallpass(
        &[&["serve", "--policy", "p.toml", "--purpose", "orders"][..], &options].concat(),
        folder.path(),
    );
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("can't be listened on"), "{ran:?}");
}
