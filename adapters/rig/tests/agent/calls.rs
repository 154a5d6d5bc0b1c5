//! What is permitted runs from the permit, and the model is told of the rest.

use hallpass::audit::Outcome;
use hallpass::{Context, Denial, Reason};
use hallpass_rig::ToolGate;
use rig_core::tool::context::ContextValue;
use rig_core::tool::{ToolContext, ToolOutput};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::world::{Add, call, definition, world};

pub(crate) const POLICY: &str = r#"
    version = 1
    [[tool]]
    name = "add"
    [[tool]]
    name = "read"
    args = { path = "path" }
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "add", args = { a = { max = 1000 }, b = { max = 1000 } } }
    [[rule]]
    id = "readers"
    effect = "permit"
    what = { tool = "read", args = { path = { under = "/srv" } } }
    when = { late = { not = { eq = true } } }
"#;
pub(crate) const SCOPE: &str = r#"[{"tool":"add","args":{"a":{"max":1000},"b":{"max":1000}}},{"tool":"read","args":{"path":{"under":"/srv"}}}]"#;

#[tokio::test]
async fn a_permitted_call_runs_once_and_a_denied_one_never() {
    let world = world(POLICY, SCOPE);
    let calls = vec![
        call("add", json!({ "a": 98, "b": 2 })),
        call("add", json!({ "a": 1001, "b": 2 })),
        call("add", json!({ "a": 1, "b": 2, "c": 3 })),
        call("add", json!([98, 2])),
        call("add", json!({ "a": 400, "b": 200 })),
        call("add", json!({ "a": 1.5, "b": 2 })),
    ];
    let told = world.told(world.add(), calls).await;
    assert_eq!(told[0], json!(100));
    assert_eq!(told[1], json!("denied: out_of_scope"));
    assert_eq!(told[2], json!("denied: out_of_scope"), "an argument that no rule names");
    let own = "The arguments for tool `add` are not a JSON object";
    assert!(told[3].as_str().unwrap().starts_with(own), "rig does not call a tool with a list");
    assert_eq!(told[4], json!("the tool failed"), "rig's own words for an error of the tool's");
    assert!(told[5].as_str().unwrap().starts_with("failed to parse tool arguments"), "{told:?}");
    assert_eq!(world.notes.all(), ["98 + 2", "400 + 200"]);
    assert_eq!(world.outcomes(), [Outcome::Ok, Outcome::Error, Outcome::Error]);
    world.end();
}

#[tokio::test]
async fn a_function_runs_from_the_one_spelling_that_was_decided_about() {
    let world = world(POLICY, SCOPE);
    let notes = world.notes.clone();
    let read = world.gate().function(definition("read"), move |running| {
        let notes = notes.clone();
        Box::pin(async move {
            notes.note(running.args().text("path").unwrap());
            Ok(ToolOutput::text("read"))
        })
    });
    let calls = ["/srv/a/./b", "/etc/passwd"].map(|path| call("read", json!({ "path": path })));
    let told = world.told(read, calls.to_vec()).await;
    assert_eq!((&told[0], &told[1]), (&json!("read"), &json!("denied: out_of_scope")));
    assert_eq!(world.notes.all(), ["/srv/a/b"]);
    world.end();
}

#[derive(Serialize, Deserialize)]
struct Late(bool);

impl ContextValue for Late {
    const KEY: &'static str = "late";
}

/// What a host puts into the context of a run is what its functions say of a call.
#[tokio::test]
async fn whose_a_call_is_and_what_is_known_of_the_moment_are_the_hosts_to_say() {
    let world = world(POLICY, SCOPE);
    let session = world.session.clone();
    let late = |call: &ToolContext| call.get::<Late>().ok().flatten().is_some_and(|own| own.0);
    let gate = ToolGate::by_call(move |call| match call.contains::<Late>() {
        true => Ok(session.clone()),
        false => Err(nobody()),
    })
    .context(move |call| Context::new().with("late", late(call)));
    let read =
        gate.function(definition("read"), |_| Box::pin(async { Ok(ToolOutput::text("read")) }));
    let args = json!({ "path": "/srv/a" });
    let mut told = Vec::new();
    for own in [Some(Late(false)), Some(Late(true)), None] {
        let mut context = ToolContext::new();
        if let Some(own) = own {
            context.insert(own).unwrap();
        }
        let given = read.execute_with(&mut context, args.clone()).await;
        told.push(
            given.map_or_else(|error| error.code().unwrap().to_owned(), |_| "ran".to_owned()),
        );
    }
    assert_eq!(told, ["ran", "not_permitted", "invalid_token"]);
    world.end();
}

fn nobody() -> Denial {
    let broker = hallpass::Broker::new(hallpass::Policy::builder().build().unwrap()).unwrap();
    let who = broker.assert_identity("unknown").unwrap();
    broker.gate().deny(&who, "read", Reason::UnknownGrant, "the run says not whose it is")
}

#[tokio::test]
async fn a_tool_is_listed_as_rig_would_list_it() {
    let world = world(POLICY, SCOPE);
    let own = rig_core::tool::tool_definition(&Add(world.notes.clone()));
    let gated = world.add().definition();
    assert_eq!(
        (&gated.name, &gated.description, &gated.parameters),
        (&own.name, &own.description, &own.parameters)
    );
    world.end();
}
