//! An agent that is dropped, and a session that is over.

use hallpass::audit::Outcome;
use rig_core::tool::ToolOutput;
use serde_json::json;

use crate::calls::{POLICY, SCOPE};
use crate::world::{call, definition, world};

#[tokio::test]
async fn a_call_that_is_dropped_is_interrupted() {
    let world = world(POLICY, SCOPE);
    let begun = std::sync::Arc::new(tokio::sync::Notify::new());
    let begins = begun.clone();
    let read = world.gate().function(definition("read"), move |_| {
        let begins = begins.clone();
        Box::pin(async move {
            begins.notify_one();
            std::future::pending::<()>().await;
            Ok(ToolOutput::text("read"))
        })
    });
    tokio::select! {
        _ = read.execute(json!({ "path": "/srv/a" })) => panic!("it never ends"),
        () = begun.notified() => {}
    }
    assert_eq!(world.outcomes(), [Outcome::Interrupted]);
    world.end();
}

#[tokio::test]
async fn nothing_runs_once_the_session_is_over() {
    let world = world(POLICY, SCOPE);
    let add = world.add();
    world.session.end();
    let told = world.told(add, vec![call("add", json!({ "a": 98, "b": 2 }))]).await;
    assert!(told[0].as_str().unwrap().starts_with("denied: "), "{told:?}");
    assert!(world.notes.all().is_empty());
    world.end();
}
