//! Tools that run with credentials, and what is taken out of every result.

use hallpass::audit::Outcome;
use hallpass::vault::{Secret, Vault};
use rig_core::tool::{DynamicTool, ToolExecutionError, ToolOutput};
use serde_json::json;

use crate::world::{World, built, call, definition};

const POLICY: &str = r#"
    version = 1
    [[tool]]
    name = "mail"
    credential = "mail-key"
    [[tool]]
    name = "leak"
    [[rule]]
    id = "all"
    effect = "permit"
    what = { tool = { one_of = ["mail", "leak"] }, args = "any" }
"#;
const SCOPE: &str = r#"[{"tool":"mail","args":"any"},{"tool":"leak","args":"any"}]"#;
const SECRET: &str = "fD3kW9sLq2-fD3kW9sLq2";

fn with_key() -> World {
    let vault = Vault::new().unwrap();
    vault.seal("mail-key", Secret::new(SECRET).unwrap()).unwrap();
    built(POLICY, SCOPE, |builder| builder.vault(&vault))
}

fn mail(world: &World) -> DynamicTool {
    world.gate().function_with_secrets(definition("mail"), |running, secrets| {
        Box::pin(async move {
            let key = std::str::from_utf8(secrets.get("mail-key").unwrap().expose()).unwrap();
            match running.args().text("to") {
                Some(to) => Ok(ToolOutput::json(json!({ "to": to, "with": key }))),
                None => Err(ToolExecutionError::provider(format!("no one to mail to with {key}"))),
            }
        })
    })
}

#[tokio::test]
async fn a_tool_is_lent_its_credential_and_no_result_shows_it() {
    let world = with_key();
    let told = world
        .told(mail(&world), vec![call("mail", json!({ "to": "ada" })), call("mail", json!({}))])
        .await;
    assert_eq!(told[0]["to"], "ada");
    assert!(told[1].as_str().unwrap().starts_with("no one to mail to with "), "{told:?}");
    // It was learned by the other tool of the task, and comes back by this one.
    let leak = world.gate().function(definition("leak"), |_| {
        Box::pin(async { Ok(ToolOutput::text(format!("the key is {SECRET}"))) })
    });
    let leaked = world.told(leak, vec![call("leak", json!({}))]).await;
    assert!(leaked[0].as_str().unwrap().starts_with("the key is "));
    assert!(!format!("{told:?}{leaked:?}").contains(SECRET), "{told:?} {leaked:?}");
    assert_eq!(world.outcomes(), [Outcome::Ok, Outcome::Error, Outcome::Ok]);
    world.end();
}

#[tokio::test]
async fn a_tool_with_a_credential_never_runs_without() {
    let world = with_key();
    let notes = world.notes.clone();
    let mail = world.gate().function(definition("mail"), move |_| {
        notes.note("ran");
        Box::pin(async { Ok(ToolOutput::text("sent")) })
    });
    let told = world.told(mail, vec![call("mail", json!({ "to": "ada" }))]).await;
    assert!(told[0].as_str().unwrap().starts_with("denied: unavailable"), "{told:?}");
    assert!(world.notes.all().is_empty());
    world.end();
}
