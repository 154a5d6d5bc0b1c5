//! Where what a tool is lent may be sent: what the catalogue says, and nowhere where it says nothing.

use hallpass::prelude::*;

use crate::world::*;

const SAID: &str = r#"
    version = 1
    tool = [
        { name = "both", credential = ["orders-db", "mail-key"], origins = { orders-db = ["https://b.test:8443", "https://a.test"] } },
        { name = "db.query", credential = "orders-db", origins = { orders-db = "https://c.test" } },
        { name = "mail.send", credential = "mail-key" },
        { name = "ping" },
    ]
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" }, grant = { uses = 100 } }]
"#;

/// P8, attack 174
#[test]
fn a_tool_is_told_where_it_may_send_what_it_is_lent_and_nowhere_else() {
    let world = World::with(Policy::from_toml(SAID).unwrap(), |builder| builder);
    let (_task, grant) = world.open();
    let origins = |tool: &str, credential: &str| -> Vec<String> {
        let permit = world.authorize(&grant, tool);
        let told = permit.run_with(|_, secrets| {
            Ok::<_, ()>(secrets.origins(credential).map(str::to_owned).collect())
        });
        told.unwrap().raw()
    };
    assert_eq!(origins("both", "orders-db"), ["https://a.test", "https://b.test:8443"]);
    assert_eq!(origins("both", "mail-key"), [""; 0]);
    // Another tool may send the same somewhere else.
    assert_eq!(origins("db.query", "orders-db"), ["https://c.test"]);
    assert_eq!(origins("db.query", "mail-key"), [""; 0]);
    assert_eq!(origins("mail.send", "mail-key"), [""; 0]);
}

/// A line that could not act, or would act otherwise than it reads, does not load.
#[test]
fn an_origin_that_could_not_be_acted_on_does_not_load() {
    let load = |origins: &str| {
        let tool = format!(
            "tool = [{{ name = \"t\", credential = [\"a\", \"b\"], origins = {origins} }}]"
        );
        Policy::from_toml(&format!("version = 1\n{tool}\n"))
    };
    assert!(load(r#"{ a = "https://a.test", b = ["https://a.test", "https://b.test"] }"#).is_ok());
    for (origins, told) in [
        (r#"{ c = "https://a.test" }"#, "does not run with `c`"),
        (r#"{ a = [] }"#, "an empty list names nothing"),
        (r#"{ a = ["https://a.test", "https://a.test"] }"#, "given twice"),
        (r#"{ a = "https://a.test/" }"#, "expected `https://host`"),
        (r#"{ a = "http://a.test" }"#, "in the clear"),
        (r#"{ a = "https://a.test:443" }"#, "the port that its scheme has"),
        (r#""https://a.test""#, "a table such as"),
        ("{}", ""),
    ] {
        match load(origins) {
            Err(error) => assert!(error.to_string().contains(told), "{origins}: {error}"),
            Ok(_) => assert!(origins == "{}", "{origins}"),
        }
    }
}

/// What is said of origins is a part of the policy: a reload that changes it is another policy.
#[test]
fn where_a_credential_goes_is_in_the_digest() {
    let digest = |text: &str| Policy::from_toml(text).unwrap().digest();
    let other = SAID.replace("https://c.test", "https://d.test");
    assert_ne!(digest(SAID), digest(&other));
    let order = SAID.replace(
        r#"["https://b.test:8443", "https://a.test"]"#,
        r#"["https://a.test", "https://b.test:8443"]"#,
    );
    assert_eq!(digest(SAID), digest(&order));
}
