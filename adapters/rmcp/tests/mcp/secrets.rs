//! Tools that run with credentials, and what is taken out of every result.

use hallpass::audit::Outcome;
use hallpass::vault::{Secret, Vault};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;

use crate::world::{SECRET, built, params};

const POLICY: &str = r#"
    version = 1
    [[tool]]
    name = "mail"
    credential = "mail-key"
    args = { to = "text" }
    [[tool]]
    name = "leak"
    [[tool]]
    name = "fail"
    [[rule]]
    id = "all"
    effect = "permit"
    what = { tool = { one_of = ["mail", "leak", "fail"] }, args = "any" }
"#;
const SCOPE: &str =
    r#"[{"tool":"mail","args":"any"},{"tool":"leak","args":"any"},{"tool":"fail","args":"any"}]"#;

fn vault() -> Vault {
    let vault = Vault::new().unwrap();
    vault.seal("mail-key", Secret::new(SECRET).unwrap()).unwrap();
    vault
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_is_lent_its_credential_and_no_result_shows_it() {
    let vault = vault();
    let world = built(
        POLICY,
        SCOPE,
        |builder| builder.vault(&vault),
        |gated| {
            gated.tool_with_secrets("mail", |running, secrets| {
                Box::pin(async move {
                    let key =
                        std::str::from_utf8(secrets.get("mail-key").unwrap().expose()).unwrap();
                    let told = format!("to {} with {key}", running.args().text("to").unwrap());
                    Ok(CallToolResult::success(vec![ContentBlock::text(told)]))
                })
            })
        },
    )
    .await;
    let sent = world.call("mail", json!({ "to": "ada" })).await;
    assert!(sent.text.starts_with("to ada with ") && !sent.text.contains(SECRET), "{sent:?}");
    assert!(!sent.is_error);
    // It was learned by the other tool of the task, and comes back by this one.
    let leaked = world.call("leak", json!({})).await;
    assert!(!leaked.is_error && !leaked.text.contains(SECRET), "{leaked:?}");
    let failed = world.client.call_tool(params("fail", json!({}))).await.unwrap_err().to_string();
    assert!(failed.contains("it failed: ") && !failed.contains(SECRET), "{failed}");
    assert_eq!(world.notes(), ["leak {}", "fail {}"], "the server's own handler sends no mail");
    assert_eq!(world.outcomes(), [Some(Outcome::Ok), Some(Outcome::Ok), Some(Outcome::Error)]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_with_a_credential_never_runs_without() {
    let vault = vault();
    let world = built(POLICY, SCOPE, |builder| builder.vault(&vault), |gated| gated).await;
    let denied = world.client.call_tool(params("mail", json!({ "to": "ada" }))).await.unwrap_err();
    assert!(denied.to_string().contains("denied: unavailable"), "{denied}");
    assert!(world.notes().is_empty());
    world.end().await;
}
