//! Every permit has its outcome, however its request ends.

use hallpass::audit::Outcome;
use rmcp::model::{ClientRequest, Request};
use rmcp::service::PeerRequestOptions;
use serde_json::json;

use crate::calls::{POLICY, SCOPE};
use crate::world::{params, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cancelled_is_interrupted() {
    let world = world(POLICY, SCOPE).await;
    let request = ClientRequest::CallToolRequest(Request::new(params("hang", json!({}))));
    let options = PeerRequestOptions::no_options();
    let handle = world.client.send_cancellable_request(request, options).await.unwrap();
    world.desk.started.notified().await;
    assert_eq!(world.outcomes(), [None]);
    handle.cancel(Some("no longer wanted".to_owned())).await.unwrap();
    assert_eq!(world.settled(1).await, [Outcome::Interrupted]);
    assert_eq!(world.call("add", crate::world::sum(1, 2)).await.text, "3");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_interrupted() {
    let world = world(POLICY, SCOPE).await;
    let client = world.client.peer().clone();
    // Its answer never comes.
    let call = tokio::spawn(async move { client.call_tool(params("panic", json!({}))).await });
    assert_eq!(world.settled(1).await, [Outcome::Interrupted]);
    call.abort();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_interrupts_what_runs() {
    let world = world(POLICY, SCOPE).await;
    let client = world.client.peer().clone();
    let call = tokio::spawn(async move { client.call_tool(params("hang", json!({}))).await });
    world.desk.started.notified().await;
    let (broker, log, session, desk) =
        (world.broker.clone(), world.log.clone(), world.session.clone(), world.desk.clone());
    world.client.cancel().await.unwrap();
    world.server.await.unwrap();
    assert!(call.await.unwrap().is_err());
    let (client, server) =
        crate::world::connect(hallpass_rmcp::Gated::new(desk.clone(), session.clone())).await;
    let again = crate::world::World { broker, log, session, desk, client, server };
    assert_eq!(again.settled(1).await, [Outcome::Interrupted]);
    again.end().await;
}
