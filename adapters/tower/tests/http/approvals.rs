//! What waits for people comes back with what they answered.

use axum::routing::post;
use hallpass::audit::Outcome;
use hallpass::identity::Assertion;
use hallpass::policy::Width;
use hallpass_tower::{HostState, Permitted};

use crate::world::{Answered, Notes, World};

const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "pay"
    effect = "permit"
    what = { tool = { one_of = ["http:POST:/payments", "http:POST:/refunds"] }, args = "any" }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "http:POST:/payments" }
    approval = { review = [{ groups = { has_any = ["finance"] } }], expires = "15m", good_for = "5m" }
"#;
const WANTED: &str =
    r#"[{"tool":"http:POST:/payments","args":"any"},{"tool":"http:POST:/refunds","args":"any"}]"#;
const BODY: [&str; 4] =
    ["-H", "content-type: application/json", "-d", r#"{"to":"CH93","amount":98}"#];

fn world() -> World {
    let note = |HostState(notes): HostState<Notes>, call: Permitted| async move {
        notes.note(format!("{} {}", call.call().tool(), call.args().to_json()));
        "paid"
    };
    World::of(POLICY, WANTED, |routes| {
        routes.route("/payments", post(note)).route("/refunds", post(note))
    })
}

fn pending(answered: &Answered) -> String {
    format!("hallpass-pending: {}", answered.json()["pending"].as_str().unwrap())
}

fn agree(world: &World) {
    let ada = Assertion::human("ada@acme.test").group("finance");
    let ada = world.broker.assert_identity(ada).unwrap();
    let reviews = world.broker.reviews();
    let questions = reviews.list(&ada);
    assert_eq!(questions.len(), 1, "the same call is the same question");
    for question in questions {
        reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).unwrap();
    }
}

#[test]
fn exactly_what_people_agreed_to_runs_once_and_on_its_own_route() {
    let world = world();
    let asked = world.curl("/payments", &BODY);
    assert_eq!((asked.status, asked.code()), (403, "approval_required".to_owned()));
    let pending = pending(&asked);
    let again = [&BODY[..], &["-H", &pending]].concat();
    let early = world.curl("/payments", &again);
    assert_eq!((early.status, early.code()), (403, "approval_required".to_owned()));
    agree(&world);
    // The handler of another route would run from these arguments.
    let elsewhere = world.curl("/refunds", &again);
    assert_eq!((elsewhere.status, elsewhere.code()), (403, "approval_required".to_owned()));
    // What is sent along with it changes nothing.
    let other = r#"{"to":"XX66","amount":9800}"#;
    let args = ["-H", "content-type: application/json", "-d", other, "-H", &pending];
    assert_eq!(world.curl("/payments", &args).status, 200);
    assert_eq!(world.notes.all(), [r#"http:POST:/payments {"amount":98,"to":"CH93"}"#]);
    assert_ne!(world.curl("/payments", &again).status, 200);
    for forged in ["hallpass-pending: x", "hallpass-pending;"] {
        assert_ne!(world.curl("/payments", &[&BODY[..], &["-H", forged]].concat()).status, 200);
    }
    let twice = [&again[..], &["-H", &pending]].concat();
    assert_ne!(world.curl("/payments", &twice).status, 200);
    assert_eq!(world.notes.all().len(), 1);
    assert!(world.outcomes().contains(&Some(Outcome::Ok)));
    world.end();
}

#[test]
fn who_prefers_an_answer_later_is_told_that_it_was_accepted() {
    let world = world();
    let args = [&BODY[..], &["-H", "prefer: wait=10, Respond-Async"]].concat();
    let asked = world.curl("/payments", &args);
    assert_eq!((asked.status, asked.header("preference-applied")), (202, Some("respond-async")));
    let _ = pending(&asked);
    // Nothing else is accepted for later.
    let denied = world.curl("/payments?q=%", &args);
    assert_eq!((denied.status, denied.code()), (400, "bad_request".to_owned()));
    world.end();
}
