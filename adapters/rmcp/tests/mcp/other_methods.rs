//! What is not a tool is asked for under reserved names.

use hallpass::audit::Outcome;
use rmcp::model::{
    ClientNotification, ClientRequest, CustomRequest, GetMeta, GetPromptRequestParams,
    NumberOrString, PaginatedRequestParams, ProgressNotification, ProgressNotificationParam,
    ProgressToken, ReadResourceRequestParams, SubscribeRequestParams,
};
#[expect(deprecated, reason = "they are of the revisions that have them")]
use rmcp::model::{LoggingLevel, SetLevelRequest, SetLevelRequestParams};
use serde_json::json;

use crate::world::world;

const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "readers"
    effect = "permit"
    what = { tool = "mcp:resources/read", args = { uri = "file:///a" } }
    [[rule]]
    id = "greeters"
    effect = "permit"
    what = { tool = "mcp:prompts/get", args = { name = "greet", arguments = "any" } }
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "add", args = "any" }
"#;
const ADD: &str = r#"[{"tool":"add","args":"any"}]"#;
const ALL: &str = r#"[{"tool":"mcp:resources/read","args":{"uri":{"eq":"file:///a"}}},
    {"tool":"mcp:prompts/get","args":{"name":{"eq":"greet"},"arguments":"any"}}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn resources_and_prompts_are_asked_for_by_their_parameters() {
    let world = world(POLICY, ALL).await;
    assert_eq!(world.client.list_all_resources().await.unwrap().len(), 1);
    assert_eq!(world.client.list_all_prompts().await.unwrap().len(), 1);
    assert!(world.client.list_all_tools().await.unwrap().is_empty());
    let read = |uri: &str| world.client.read_resource(ReadResourceRequestParams::new(uri));
    assert!(read("file:///a").await.is_ok());
    let denied = read("file:///b").await.unwrap_err().to_string();
    assert!(denied.contains("denied: out_of_scope"), "{denied}");
    let prompt = |name: &str| world.client.get_prompt(GetPromptRequestParams::new(name));
    let mut greet = GetPromptRequestParams::new("greet");
    greet.arguments = json!({ "whom": "ada" }).as_object().cloned();
    assert!(world.client.get_prompt(greet).await.is_ok());
    assert!(prompt("order").await.is_err());
    #[expect(deprecated, reason = "it is of the revisions that have it")]
    let subscribed = world.client.subscribe(SubscribeRequestParams::new("file:///a"));
    assert!(subscribed.await.is_err());
    assert_eq!(world.notes(), ["read file:///a", r#"prompt greet {"whom":"ada"}"#]);
    assert_eq!(world.outcomes(), [Some(Outcome::Ok), Some(Outcome::Ok)]);
    assert_eq!(world.reasons().len(), 3 + 2, "and two of tools that are doubled");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_had_is_not_listed_and_what_is_unknown_is_refused_on_record() {
    let world = world(POLICY, ADD).await;
    assert!(world.client.list_all_resources().await.unwrap().is_empty());
    assert!(world.client.list_all_prompts().await.unwrap().is_empty());
    assert_eq!(world.client.list_all_tools().await.unwrap().len(), 1);
    let custom = ClientRequest::CustomRequest(CustomRequest::new("desk/erase", None));
    let refused = world.client.send_request(custom).await.unwrap_err().to_string();
    assert!(refused.contains("method not found"), "{refused}");
    assert_eq!(world.reasons(), ["unknown_tool"; 3], "two are of tools that are doubled");
    assert!(world.notes().is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_gates_alone_reaches_the_server_with_no_request_and_no_notification() {
    let world = world(POLICY, ADD).await;
    let own = json!({ "hallpass/token": "hp1.a.b", "hallpass/pending": "1", "other": 1 });
    #[expect(deprecated, reason = "it is of the revisions that have it")]
    let level = SetLevelRequest::new(SetLevelRequestParams::new(LoggingLevel::Info));
    let mut level = ClientRequest::SetLevelRequest(level);
    *level.get_meta_mut() = serde_json::from_value(own.clone()).unwrap();
    world.client.send_request(level).await.unwrap();
    let mut list = PaginatedRequestParams::default();
    list.meta = serde_json::from_value(own.clone()).unwrap();
    world.client.list_tools(Some(list)).await.unwrap();
    let token = ProgressToken(NumberOrString::Number(1));
    let progress = ProgressNotification::new(ProgressNotificationParam::new(token, 1.0));
    let mut progress = ClientNotification::ProgressNotification(progress);
    *progress.get_meta_mut() = serde_json::from_value(own).unwrap();
    world.client.send_notification(progress).await.unwrap();
    world.desk.started.notified().await;
    assert_eq!(world.notes(), Vec::<String>::new());
    world.end().await;
}
