//! `docs/identity.md`: its program is that of `examples/identify.rs`, and it runs.

use std::path::Path;

use hallpass::{Broker, Policy};
use serde_json::Value;

use crate::world::{NOW, at};

#[allow(dead_code, reason = "its `main` reads the system's clock")]
#[path = "../../examples/identify.rs"]
mod identify;

#[test]
fn the_page_has_the_program_that_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../../docs/identity.md")).unwrap();
    let program = std::fs::read_to_string(root.join("examples/identify.rs")).unwrap();
    let (_, program) = program.split_once("\n\n").unwrap();
    let block = page.split("```rs\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(block.trim_end(), program.trim_end());

    let held: Value = serde_json::from_str(include_str!("data/pyjwt.json")).unwrap();
    let token = |alg: &str| {
        let tokens = held["tokens"].as_array().unwrap();
        let found = tokens.iter().find(|own| own["alg"] == alg).unwrap();
        found["token"].as_str().unwrap().to_owned()
    };
    let broker = Broker::new(Policy::builder().build().unwrap()).unwrap();
    let provider = identify::Provider::new(broker, &held["jwks"].to_string()).unwrap();
    let caller = provider.caller(&token("ES256"), at(NOW)).unwrap();
    assert_eq!((caller.subject().as_str(), caller.in_group("finance")), ("user-17", true));
    assert_eq!(caller.until(), Some(at(1_795_903_600)));
    assert!(provider.caller(&token("RS256"), at(NOW)).is_err());
    assert_eq!(provider.pushed(&token("ES256"), at(NOW)), Err("invalid_request"));
}
