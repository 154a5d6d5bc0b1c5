//! What waits for people comes back with what they answered.

use hallpass::identity::Assertion;
use hallpass::policy::Width;
use serde_json::json;

use crate::world::{sum, world};

const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "all"
    effect = "permit"
    what = { tool = { one_of = ["add", "erase"] }, args = "any" }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "add" }
    approval = { review = [{ groups = { has_any = ["finance"] } }], expires = "15m", good_for = "5m" }
"#;
const SCOPE: &str = r#"[{"tool":"add","args":"any"},{"tool":"erase","args":"any"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_people_agreed_to_runs_once_and_by_its_own_tool() {
    let world = world(POLICY, SCOPE).await;
    let asked = world.call("add", sum(98, 2)).await;
    assert_eq!(asked.code.as_deref(), Some("approval_required"));
    assert!(asked.text.contains("waits for people to agree"), "{asked:?}");
    let pending = json!({ "hallpass/pending": asked.pending.unwrap() });
    let early = world.call_with("add", sum(98, 2), pending.clone()).await;
    assert_eq!(early.code.as_deref(), Some("approval_required"));
    let ada = Assertion::human("ada@acme.test").group("finance");
    let ada = world.broker.assert_identity(ada).unwrap();
    let reviews = world.broker.reviews();
    for question in reviews.list(&ada) {
        reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).unwrap();
    }
    // Another tool would run from these arguments.
    assert!(world.call_with("erase", sum(98, 2), pending.clone()).await.is_error);
    for forged in [json!("x"), json!(7), json!(null)] {
        let meta = json!({ "hallpass/pending": forged });
        assert!(world.call_with("add", sum(98, 2), meta).await.is_error);
    }
    // What is sent along with it changes nothing.
    assert_eq!(world.call_with("add", sum(9800, 2), pending.clone()).await.text, "100");
    assert!(world.call_with("add", sum(98, 2), pending).await.is_error);
    assert_eq!(world.notes(), [r#"add {"a":98,"b":2,"fails":false}"#]);
    world.end().await;
}
