//! What waits for people says so, and runs once they have agreed.

use hallpass::identity::Assertion;
use hallpass::policy::Width;
use hallpass_rig::Waiting;
use rig_core::tool::ToolContext;
use serde_json::json;

use crate::world::{call, world};

const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "add", args = "any" }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "add" }
    approval = { review = [{ groups = { has_any = ["finance"] } }], expires = "15m", good_for = "5m" }
"#;
const SCOPE: &str = r#"[{"tool":"add","args":"any"}]"#;

#[tokio::test]
async fn exactly_what_people_agreed_to_runs_once_when_the_model_calls_again() {
    let world = world(POLICY, SCOPE);
    let sum = json!({ "a": 98, "b": 2 });
    let told =
        world.told(world.add(), vec![call("add", sum.clone()), call("add", sum.clone())]).await;
    let words = told[0].as_str().unwrap();
    assert!(words.starts_with("denied: approval_required: question "), "{words}");
    assert!(words.ends_with("call again with the same arguments once they have"), "{words}");
    assert_eq!(told[0], told[1], "it is the same question");

    // The host finds it in the context of the result.
    let mut context = ToolContext::new();
    let error = world.add().execute_with(&mut context, sum.clone()).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), (Some("approval_required"), Some(true)));
    let waiting = context.require_result::<Waiting>().unwrap();
    assert!(words.contains(&waiting.id));
    let pending = world.session.pending(&waiting.text.unwrap()).unwrap();
    assert_eq!(pending.id(), waiting.id);

    let ada = Assertion::human("ada@acme.test").group("finance");
    let ada = world.broker.assert_identity(ada).unwrap();
    let reviews = world.broker.reviews();
    for question in reviews.list(&ada) {
        reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).unwrap();
    }
    let other = call("add", json!({ "a": 9800, "b": 2 }));
    let calls = vec![other, call("add", sum.clone()), call("add", sum)];
    let told = world.told(world.add(), calls).await;
    assert!(told[0].as_str().unwrap().starts_with("denied: approval_required"), "another sum");
    assert_eq!(told[1], json!(100));
    assert!(told[2].as_str().unwrap().starts_with("denied: approval_required"), "it was good once");
    assert_eq!(world.notes.all(), ["98 + 2"]);
    world.end();
}
