//! What is permitted runs from the permit.

use std::sync::{Arc, Mutex};

use hallpass::audit::Outcome;
use hallpass::{Broker, Context, Policy, Purpose, Scope};
use hallpass_rmcp::{Gated, Presented};
use rmcp::model::PaginatedRequestParams;
use serde_json::json;

use crate::world::{Desk, connect, params, sum, told, world};

pub(crate) const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "add", args = { a = { max = 1000 }, b = { max = 1000 }, fails = "any" } }
    [[rule]]
    id = "hangers"
    effect = "permit"
    what = { tool = { one_of = ["hang", "panic", "twice", "same", "long", "mcp:roots"] } }
"#;
pub(crate) const SCOPE: &str = r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000},"fails":"any"}},
    {"tool":"hang"},{"tool":"panic"},{"tool":"twice"},{"tool":"same"},{"tool":"long"},{"tool":"mcp:roots"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_permitted_call_runs_once_and_a_denied_one_never() {
    let world = world(POLICY, SCOPE).await;
    let listed = world.client.list_all_tools().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["add", "hang", "panic"], "neither doubled nor reserved names");
    assert_eq!(world.call("add", sum(1, 2)).await.text, "3");
    let much = world.call("add", sum(1, 2000)).await;
    assert_eq!((much.text.as_str(), much.is_error), ("denied: out_of_scope", true));
    assert_eq!(much.code.as_deref(), Some("out_of_scope"));
    for tool in ["erase", "no such tool", "mcp:roots", "twice", "same", ""] {
        assert!(world.call(tool, json!({})).await.is_error, "{tool}");
    }
    let failed = world.call("add", json!({ "a": 1, "b": 2, "fails": true })).await;
    assert_eq!((failed.is_error, failed.code), (true, None));
    assert_eq!(
        world.notes(),
        [r#"add {"a":1,"b":2,"fails":false}"#, r#"add {"a":1,"b":2,"fails":true}"#]
    );
    assert_eq!(world.outcomes(), [Some(Outcome::Ok), Some(Outcome::Error)]);
    world.end().await;
}

/// The one spelling of a path that was decided about is the one that the tool gets.
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_gets_the_spelling_that_was_decided_about() {
    let policy = r#"
        version = 1
        [[tool]]
        name = "erase"
        args = { path = "path" }
        [[rule]]
        id = "erasers"
        effect = "permit"
        what = { tool = "erase", args = { path = { under = "/srv/notes" } } }
    "#;
    let scope = r#"[{"tool":"erase","args":{"path":{"under":"/srv/notes"}}}]"#;
    let world = world(policy, scope).await;
    assert_eq!(world.call("erase", json!({ "path": "/srv/./notes//a" })).await.text, "done");
    for path in ["/srv/notes/../keys", "/srv/notes/%2e%2e/keys", "/srv/notesx"] {
        assert!(world.call("erase", json!({ "path": path })).await.is_error, "{path}");
    }
    assert_eq!(world.notes(), [r#"erase {"path":"/srv/notes/a"}"#]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_calls_at_once_each_have_their_outcome_and_a_limit_holds() {
    let policy = POLICY.replacen("[[rule]]", "[[rule]]\ngrant = { uses = 40 }", 1);
    let world = world(&policy, SCOPE).await;
    let calls: Vec<_> = (0..64)
        .map(|n| {
            let client = world.client.peer().clone();
            tokio::spawn(
                async move { told(&client.call_tool(params("add", sum(n, 1))).await.unwrap()) },
            )
        })
        .collect();
    let mut limited = 0;
    for call in calls {
        limited += usize::from(call.await.unwrap().code.as_deref() == Some("limit_reached"));
    }
    assert_eq!((limited, world.notes().len()), (24, 40));
    assert_eq!(world.settled(40).await, [Outcome::Ok; 40]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_come_back_whole() {
    let world = world(POLICY, SCOPE).await;
    let long = world.call("long", json!({})).await;
    assert_eq!(long.text.len(), 10 << 20);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_request_is_worth_something_to_its_holder_alone() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("sums")).unwrap();
    let context = Context::new();
    let grant = task.request(Scope::from_json(SCOPE).unwrap(), &context).unwrap();
    let desk = Desk::default();
    for (who, code) in [("agent-7", None), ("agent-8", Some("invalid_token"))] {
        let (gate, who) = (broker.gate(), broker.assert_identity(who).unwrap());
        let gated = Gated::by_request(desk.clone(), move |request| {
            Ok(Presented::token(gate.clone(), who.clone(), request))
        });
        let (client, server) = connect(gated).await;
        let mut call = params("add", sum(1, 2));
        let without = told(&client.call_tool(call.clone()).await.unwrap());
        assert_eq!(without.code.as_deref(), Some("invalid_token"));
        let meta = json!({ "hallpass/token": grant.token().expose() });
        call.meta = Some(serde_json::from_value(meta).unwrap());
        let with = told(&client.call_tool(call).await.unwrap());
        assert_eq!(with.code.as_deref(), code);
        // No list without a token.
        assert!(client.list_all_tools().await.unwrap().is_empty());
        client.cancel().await.unwrap();
        server.await.unwrap();
    }
    assert_eq!(desk.notes.lock().unwrap().len(), 1);
    task.complete();
    hallpass::assert_nothing_stands!(broker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_presented_shows_nothing_of_its_token_where_a_host_prints_it() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let printed = Arc::new(Mutex::new(Vec::new()));
    let (gate, who) = (broker.gate(), broker.assert_identity("agent-7").unwrap());
    let print = printed.clone();
    let gated = Gated::by_request(Desk::default(), move |request| {
        let presented = Presented::token(gate.clone(), who.clone(), request);
        print.lock().unwrap().push(format!("{presented:?} {presented:#?}"));
        Ok(presented)
    });
    let (client, server) = connect(gated).await;
    let mut call = params("add", sum(1, 2));
    call.meta = Some(serde_json::from_value(json!({ "hallpass/token": "hp1.secret.x" })).unwrap());
    let _ = client.call_tool(call).await.unwrap();
    client.cancel().await.unwrap();
    server.await.unwrap();
    let printed = printed.lock().unwrap().concat();
    assert!(printed.contains("Presented") && !printed.contains("secret"), "{printed}");
}

/// A name that stands for two tools, over pages, stands for none.
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_there_twice_over_pages_is_neither_shown_nor_called() {
    let world = world(POLICY, SCOPE).await;
    let page = world.client.list_tools(None).await.unwrap();
    assert_eq!(page.next_cursor, None, "what was read of all pages is shown as one");
    let names: Vec<&str> = page.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["add", "hang", "panic"]);
    for name in ["twice", "same"] {
        let told = world.call(name, json!({})).await;
        assert_eq!(told.code.as_deref(), Some("not_permitted"), "{name}");
    }
    let unknown = world.reasons().into_iter().filter(|own| own == "unknown_tool").count();
    assert_eq!(unknown, 4, "each is on record, as it is listed and as it is called");
    assert!(world.notes().is_empty());
    let named = Some(PaginatedRequestParams::default().with_cursor(Some("2".to_owned())));
    assert!(world.client.list_tools(named).await.is_err(), "there is no other page");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_an_end_is_given_up() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let scope = Scope::from_json(SCOPE).unwrap();
    let session = broker.session(&agent, Purpose::new("sums"), scope).unwrap();
    let desk = Desk { endless: true, ..Desk::default() };
    let (client, server) = connect(Gated::new(desk, session)).await;
    let error = client.list_tools(None).await.unwrap_err().to_string();
    assert!(error.contains("does not end"), "{error}");
    client.cancel().await.unwrap();
    server.await.unwrap();
}
