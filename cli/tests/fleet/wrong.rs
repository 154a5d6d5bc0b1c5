//! Files of a fleet that say too little, too much, or what can't be.

use crate::world::{Folder, hallpass};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const GOOD: &str = r#"
name = "acme"
tenant = "acme"
node = "n1"
store = "host=/nowhere user=hallpass_node dbname=hallpass"
key_file = "fleet.key"
lease_milliseconds = 200
"#;

fn folder(file: &str) -> Folder {
    let folder = Folder::new();
    folder.write("fleet.key", KEY);
    folder.write("fleet.toml", file);
    folder
}

#[test]
fn a_file_that_is_wrong_is_an_error_that_says_what_was_expected() {
    let wrong = |from: &str, to: &str| GOOD.replace(from, to);
    for (file, expected) in [
        (wrong("name = ", "nmae = "), "unknown field `nmae`"),
        (wrong(r#"tenant = "acme""#, ""), "missing field `tenant`"),
        (wrong(r#""acme""#, r#""Acme""#), "`Acme`"),
        (wrong("host=/nowhere", "host=db.acme.test"), "`store` has to name a socket"),
        (wrong("host=/nowhere", "host=10.0.0.1"), "`store` has to name a socket"),
        (
            wrong("host=/nowhere", "host=127.0.0.1 hostaddr=10.0.0.1"),
            "`store` has to name a socket",
        ),
        (wrong("host=/nowhere ", ""), "`store` has to name a socket"),
        (wrong("dbname", "password=x dbname"), "`password_file`"),
        (wrong("dbname", "dbnaem"), "`store`: "),
        (wrong("fleet.key", "absent.key"), "absent.key: can't be read"),
        (wrong("= 200", "= 100"), "200 milliseconds to a minute"),
        (format!("{GOOD}past = \"7\""), "`past`: expected a number"),
    ] {
        let ran = hallpass(&["fleet", "status", "--fleet", "fleet.toml"], folder(&file).path());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains(expected), "expected {expected}: {ran:?}");
    }
    for args in [&["halt", "everything", "x"][..], &["halt", "tool"], &["revoke", "everything"]] {
        let args = [&["fleet"], args, &["--fleet", "fleet.toml"]].concat();
        assert_eq!(hallpass(&args, folder(GOOD).path()).code, 2, "{args:?}");
    }
}

#[test]
fn a_store_that_is_away_is_told_and_nothing_is_done() {
    for args in [&["status"][..], &["halt", "everything"], &["remove", "n1"], &["reset"]] {
        let args = [&["fleet"], args, &["--fleet", "fleet.toml", "--within", "1"]].concat();
        let ran = hallpass(&args, folder(GOOD).path());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains("the fleet's store"), "{ran:?}");
    }
}
