//! The notifier and its callbacks against a stand-in of the chat, which speaks the form that its API documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod chat;

use hallpass::QuestionState;
use hallpass_chat::Unsigned;
use serde_json::json;

use self::chat::{NOW, World, secret};

#[test]
fn a_question_is_posted_while_the_call_waits_and_approve_lets_exactly_that_call_run() {
    let mut world = World::new();
    let pending = world.ask(json!({ "to": "CH93", "amount": 98 }));
    world.step();
    let message = world.chat.last();
    let shown = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(
        shown.contains("CH93") && shown.contains("98") && shown.contains("bank.pay"),
        "{shown}"
    );
    assert_eq!(world.click(&message, "approve", "U-ADA"), 200);
    assert_eq!(world.redeem(&pending).as_deref(), Some(r#"{"amount":98,"to":"CH93"}"#));
    // The buttons go with the question.
    world.step();
    let update = world.chat.last();
    assert_eq!(update["ts"], message["ts"]);
    assert!(!update.to_string().contains("button"), "{update}");
    assert!(update["text"].as_str().unwrap().ends_with("is approved."));
}

#[test]
fn deny_stops_it() {
    let mut world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    world.step();
    let message = world.chat.last();
    assert_eq!(world.click(&message, "deny", "U-ADA"), 200);
    assert_eq!((pending.state(), world.redeem(&pending)), (QuestionState::Denied, None));
}

#[test]
fn who_may_not_answer_does_not_and_is_told() {
    let mut world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    world.step();
    let message = world.chat.last();
    for (user, why) in [("U-EVE", "may not"), ("U-ELSE", "not known")] {
        for action in ["approve", "deny"] {
            assert_eq!(world.click(&message, action, user), 200);
            let told = world.chat.last();
            assert_eq!(told["user"], user);
            assert!(told["text"].as_str().unwrap().contains(why), "{told}");
        }
    }
    assert_eq!(pending.state(), QuestionState::Waiting);
}

/// A callback is believed by its signature and its time, and by nothing that it says.
#[test]
fn a_callback_that_is_forged_or_old_is_refused() {
    let mut world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    world.step();
    let message = world.chat.last();
    let body = chat::clicked(&message, "approve", "U-ADA");
    let now = NOW.to_string();
    let good = secret().sign(&now, body.as_bytes());
    let old = (NOW - 301).to_string();
    let ahead = (NOW + 301).to_string();
    let other = hallpass_chat::SigningSecret::new(b"another").sign(&now, body.as_bytes());
    for (what, timestamp, signature) in [
        ("none", Some(&*now), None),
        ("of another secret", Some(&*now), Some(&*other)),
        ("of another time", Some(&*(NOW - 1).to_string()), Some(&*good)),
        ("cut", Some(&*now), Some(&good[..20])),
        ("not hex", Some(&*now), Some("v0=zz")),
        ("of another version", Some(&*now), Some(&*good.replacen("v0", "v1", 1))),
        ("without a time", None, Some(&*good)),
        ("old", Some(&*old), Some(&*secret().sign(&old, body.as_bytes()))),
        ("of a time to come", Some(&*ahead), Some(&*secret().sign(&ahead, body.as_bytes()))),
    ] {
        assert_eq!(world.post(&body, timestamp, signature), 401, "{what}");
    }
    let swapped = body.replace("approve", "deny");
    assert_eq!(world.post(&swapped, Some(&now), Some(&good)), 401, "another body");
    assert_eq!(pending.state(), QuestionState::Waiting);
    assert_eq!(world.post(&body, Some(&now), Some(&good)), 200);
    assert_eq!(pending.state(), QuestionState::Approved);
    assert_eq!(secret().check(Some(""), Some(&good), b"", NOW), Err(Unsigned::NoTime));
}

/// A button of an older view approves nothing, nor does one whose text was made up.
#[test]
fn a_button_that_shows_something_else_approves_nothing() {
    let mut world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    let other = world.ask(json!({ "amount": 99 }));
    world.step();
    let first = world.chat.last();
    world.step();
    let second = world.chat.last();
    let value = |message: &serde_json::Value| {
        message["blocks"][2]["elements"][0]["value"].as_str().unwrap().to_owned()
    };
    let (one, two) = (value(&first), value(&second));
    let crossed = format!("{}.{}", one.split_once('.').unwrap().0, two.split_once('.').unwrap().1);
    for made_up in [crossed.as_str(), pending.id().as_str(), "", "x.y"] {
        let mut message = first.clone();
        message["blocks"][2]["elements"][0]["value"] = made_up.into();
        assert_eq!(world.click(&message, "approve", "U-ADA"), 200);
    }
    let mut message = first.clone();
    message["blocks"][2]["elements"][0]["action_id"] = "approve_all".into();
    assert_eq!(world.click(&message, "approve_all", "U-ADA"), 200);
    for own in [&pending, &other] {
        assert_eq!(own.state(), QuestionState::Waiting);
    }
}

#[test]
fn a_hostile_argument_is_literal_text_and_what_does_not_fit_is_approved_on_the_page_alone() {
    let mut world = World::new();
    world.ask(json!({ "note": "<!channel> *bold* <https://evil.test|click> :tada: \u{202e} ```" }));
    world.step();
    let message = world.chat.last();
    let text = &message["blocks"][0]["text"];
    assert_eq!((&text["type"], &text["emoji"]), (&json!("plain_text"), &json!(false)));
    let shown = text["text"].as_str().unwrap();
    assert!(shown.contains("&lt;!channel&gt;") && !shown.contains('<'), "{shown}");
    assert!(!shown.contains('\u{202e}'), "{shown}");
    let many: serde_json::Map<_, _> =
        (0..60).map(|at| (format!("argument{at}"), json!("x".repeat(80)))).collect();
    let pending = world.ask(many.into());
    world.step();
    let message = world.chat.last();
    let buttons = message["blocks"][2]["elements"].as_array().unwrap();
    assert_eq!(buttons.len(), 1, "a no alone");
    assert_eq!(buttons[0]["action_id"], "deny");
    let told = message["blocks"][1]["elements"][0]["text"].as_str().unwrap();
    assert!(told.contains(&format!("https://approvals.acme.test/#{}", pending.id())), "{told}");
}

/// What was asked before it could be posted is on the page; what was posted and is over has no button any more.
#[test]
fn a_notifier_that_fell_behind_takes_the_buttons_of_what_is_over() {
    let mut world = World::new();
    let pending = world.ask(json!({ "amount": 98 }));
    world.step();
    let message = world.chat.last();
    pending.cancel().unwrap();
    world.restate();
    world.step();
    let update = world.chat.last();
    assert_eq!(update["ts"], message["ts"]);
    assert!(update["text"].as_str().unwrap().ends_with("is cancelled."), "{update}");
}
