//! The flows, states, denial reasons and rules of OpenID AuthZEN's profile for asking for access and approving it.
//!
//! An adapter is a rename: a question is a task of the profile, its state a status, an approval what a permit
//! names. The renames stand here, and everything else is the crate's own.

mod host;

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context as Polled, Poll, Waker};

use hallpass::prelude::*;
use hallpass::value::Digest;
use hallpass::{Halt, NotCounted, Pending, QuestionState};
use serde_json::json;
use testkit::corpora::{Json, corpus, list, text};

use self::host::{Host, four_eyes, read};

/// The status of the profile that a state has. What becomes of an approval later is its business alone: a request
/// that was approved stays that.
fn status(state: QuestionState) -> &'static str {
    match state {
        QuestionState::Waiting => "pending",
        QuestionState::Approved
        | QuestionState::Spent
        | QuestionState::Lapsed
        | QuestionState::Withdrawn => "approved",
        QuestionState::Denied => "denied",
        QuestionState::Expired => "expired",
        QuestionState::Cancelled | QuestionState::Amended => "cancelled",
        // A2: what is not known was not approved.
        _ => "failed",
    }
}

/// Of several items, as the profile puts them together: one of them waits, all are the same, or some are not.
fn status_of(pending: &Pending) -> &'static str {
    let items = pending.items().into_iter().map(|(_, state)| status(state));
    let mut all: Vec<&str> = items.collect();
    all.sort_unstable();
    all.dedup();
    match all[..] {
        [] => status(pending.state()),
        [one] => one,
        _ if all.contains(&"pending") => "pending",
        _ => "partial",
    }
}

/// A1: a request leaves `pending` once, to each of the statuses that the profile has, and to no other after that.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_transition_of_the_profile_is_made_once_and_is_final() {
    let profile = corpus("authzen/approval_profile.json");
    let transitions = list(&profile["transitions"]);
    for transition in transitions {
        let to = text(&transition["to"]);
        let host = Host::new();
        let (task, grant) = host.errand();
        let pending = match to {
            "partial" => host.plan(&task),
            _ => host.asked(&grant, &read("q4-plan")),
        };
        assert_eq!(status_of(&pending), transition["from"], "{to}");
        match to {
            "approved" => host.approve(&pending, "bob"),
            "denied" => host.deny(&pending, "bob"),
            "expired" => host.clock.advance(host.question(&pending).expires().since(host.now())),
            "cancelled" => drop(pending.cancel().unwrap()),
            // A rule that it was asked under is another.
            "failed" => host.load(four_eyes(2)),
            "partial" => {
                let (bob, question) = (host.person("bob"), host.question(&pending));
                let shown = question.view().digest();
                let reviews = host.broker.reviews();
                reviews.approve_items(&question, &bob, &shown, &[1]).unwrap();
                assert_eq!(status_of(&pending), "pending", "the other waits");
                reviews.deny_items(&question, &bob, &[2], "no").unwrap();
            }
            other => panic!("the profile has a status of which nothing is known: {other}"),
        }
        assert_eq!(status_of(&pending), to);
        assert!(list(&profile["terminal"]).iter().any(|own| own == to), "{to}");
        // Whatever is said then, the request has ended; only an approval can be taken back, which is not a status.
        let late = host.try_approve(&pending, "eve");
        assert_eq!(late.is_ok(), matches!(to, "approved" | "partial"), "{to}: {late:?}");
        assert!(pending.cancel().is_err(), "{to}: what has ended is not cancelled");
        let _ = host.try_deny(&pending, "eve");
        assert_eq!(status_of(&pending), to, "after a late no");
        host.clock.advance(host.day());
        assert_eq!(status_of(&pending), to, "a day later");
    }
    println!("authzen approval profile: {} transitions", transitions.len());
    assert_eq!(transitions.len(), 6);
}

/// What an asker does next, as the profile says it: asks anew, tries again, or nothing.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_denial_at_re_evaluation_says_what_comes_next() {
    let profile = corpus("authzen/approval_profile.json");
    let reasons = list(&profile["reevaluation_denial_reasons"]);
    for row in reasons {
        let (reason, next) = (text(&row["reason"]), text(&row["next"]));
        let host = Host::new();
        let (task, mut grant) = host.errand();
        let pending = host.asked(&grant, &read("q4-plan"));
        host.approve(&pending, "bob");
        let (mut call, mut presented) = (read("q4-plan"), pending.clone());
        let expected = match reason {
            "approval_expired" => {
                host.clock.advance(host.good_for());
                grant = host.grant(&task);
                Reason::ApprovalVoid
            }
            // Of other arguments or another resource people were not asked.
            "out_of_scope" => {
                call = read("q5-plan");
                let denial = host.authorize(&grant, &call).unwrap_err();
                presented = denial.pending().unwrap().clone();
                Reason::ApprovalRequired
            }
            // What the approval is used with is not there.
            "grant_pending" => {
                drop(task.revoke_grant(&grant));
                Reason::Revoked
            }
            "policy_denied" => {
                host.broker.control().halt(Halt::tool("can_read").unwrap());
                Reason::Halted
            }
            "approval_unverifiable" => {
                let other = Host::new();
                let (_theirs, their_grant) = other.errand();
                presented = other.asked(&their_grant, &call);
                other.approve(&presented, "bob");
                assert!(host.gate.pending(&presented.to_text().unwrap()).is_none());
                assert!(host.gate.pending(&host.edited(&pending)).is_none());
                Reason::ApprovalVoid
            }
            other => panic!("the profile has a reason of which nothing is known: {other}"),
        };
        assert_eq!(host.redeem(&presented, &grant).unwrap_err().reason(), expected, "{reason}");
        match next {
            "request" => {
                let denial = host.authorize(&grant, &call).unwrap_err();
                let again = denial.pending().expect("it can be asked for anew").clone();
                assert_ne!(again.id(), pending.id(), "{reason}");
                host.approve(&again, "bob");
                host.runs(&again, &grant);
            }
            "retry" => {
                let fresh = host.grant(&task);
                host.runs(&pending, &fresh);
            }
            "none" => {
                assert!(host.redeem(&presented, &grant).is_err(), "{reason}");
                if reason == "policy_denied" {
                    assert!(host.authorize(&grant, &call).unwrap_err().pending().is_none());
                }
            }
            other => panic!("{reason}: nothing is known of {other}"),
        }
    }
    println!("authzen approval profile: {} denial reasons", reasons.len());
    assert_eq!(reasons.len(), 5);
}

/// Each step of a flow, with the bodies and the times of the profile.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_step_of_the_flows_agrees() {
    let profile = corpus("authzen/approval_profile.json");
    let mut steps = 0;
    for flow in list(&profile["flows"]) {
        let bodies = |step: &str| {
            let own = list(&flow["steps"]).iter().find(|own| own["step"] == step);
            own.map(|own| &own["body"])
        };
        let body = |step: &str| bodies(step).unwrap_or_else(|| panic!("{step} is not there"));
        let (asked, refused) = (body("Initial Evaluation Request"), body("Requestable Denial"));
        let handle = &body("Task Handle")["task"];
        let approval = &body("Completed Task")["result"]["approval"];
        let expires = host::at(&handle["expires_at"]);
        let (from, until) =
            (host::at(&approval["approved_at"]), host::at(&approval["approved_until"]));
        let begun = host::at(&refused["context"]["evaluated_at"]);
        let host = Host::of(begun, (expires.since(begun), until.since(from)));
        let (who, call) = (host::subject(asked), host::call(asked));
        let (task, grant) = host.errand_of(who.clone());

        // Requestable denial, and what the host submits: asked is what the broker was asked, nothing else.
        let denial = host.authorize(&grant, &call).unwrap_err();
        assert_eq!(refused["decision"], denial.pending().is_none());
        assert_eq!(denial.code(), Code::ApprovalRequired);
        let submitted = body("Submitting the Access Request");
        for part in ["subject", "resource", "action"] {
            // A11: it is bound to what was denied.
            assert_eq!(submitted[part]["id"], asked[part]["id"]);
        }
        let pending = denial.pending().unwrap().clone();
        let same = host.authorize(&grant, &host::call(submitted)).unwrap_err();
        assert_eq!(same.pending().unwrap().id(), pending.id());

        // Task handle.
        assert_eq!(status_of(&pending), handle["status"]);
        // Nothing outlives its task, which lasts for a week at the most.
        assert_eq!(pending.expires(), expires.min(task.ceiling()));

        // Completed, and told: `requested_until` is a wish (A10), the rule says how long a yes is good.
        host.clock.advance(from.since(begun));
        let mut decided = pin!(pending.decided());
        let mut polled = Polled::from_waker(Waker::noop());
        assert!(decided.as_mut().poll(&mut polled).is_pending());
        host.approve(&pending, "manager");
        assert_eq!(decided.as_mut().poll(&mut polled), Poll::Ready(QuestionState::Approved));
        for told in ["Completed Task", "Approval Callback"].into_iter().filter_map(bodies) {
            assert_eq!(status_of(&pending), told["task"]["status"]);
        }

        // Re-evaluation and final decision: a new decision, which names the approval.
        let again = body("Re-evaluation After Approval");
        assert_eq!(host::call(again), call, "A12: the same, however it is written");
        host.clock.advance(host::at(&again["context"]["time"]).since(host.now()));
        let grant = host.grant(&task);
        let permit = host.redeem(&pending, &grant).unwrap();
        assert_eq!(body("Final Decision")["decision"], true);
        assert_eq!(host.approvals_of(&permit), [pending.id()]);
        drop(permit);

        // A4: at its end the approval is not used.
        let end = until.min(task.ceiling());
        host.clock.advance(end.since(host.now()));
        let (grant, reason) = match end == until {
            true => (host.grant(&task), Reason::ApprovalVoid),
            false => (grant, Reason::Expired),
        };
        assert_eq!(host.redeem(&pending, &grant).unwrap_err().reason(), reason);
        steps += list(&flow["steps"]).len();
    }
    println!("authzen approval profile: {steps} steps of two flows");
    assert_eq!(steps, 7 + 8);
}

/// The profile's rules, each by what holds it.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_rule_of_the_profile_holds() {
    let profile = corpus("authzen/approval_profile.json");
    let rules = list(&profile["rules_in_our_words"]);
    for rule in rules {
        match text(&rule["id"]) {
            // Held by the tables of this file: transitions, `status`, denial reasons and flows.
            "A1" | "A2" | "A3" | "A4" | "A10" | "A11" => {}
            "A5" => an_approval_fits_who_asked_for_what(),
            "A6" => a_text_and_an_id_of_two_approvals_are_no_approval(),
            "A7" => who_takes_part_does_not_approve(),
            // `tests/break_glass`: the emergency path has no approval, and every forbid holds on it.
            "A8" => assert!(read("q4-plan").args().is_empty()),
            "A9" => who_may_ask_may_not_cancel_for_another(),
            "A12" => bound_values_are_compared_by_what_they_are(),
            other => panic!("the profile has a rule of which nothing is known: {other}"),
        }
    }
    assert_eq!(rules.len(), 12);
}

fn an_approval_fits_who_asked_for_what() {
    let host = Host::new();
    let (task, grant) = host.errand();
    let pending = host.asked(&grant, &read("q4-plan"));
    host.approve(&pending, "bob");
    // Another subject, another task, another resource, another action.
    let (_other, theirs) = host.errand_of(Assertion::agent("mallory"));
    let (_again, own) = host.errand();
    for presented in [&theirs, &own] {
        assert_eq!(host.redeem(&pending, presented).unwrap_err().reason(), Reason::NotTheHolder);
    }
    for other in [read("q5-plan"), host::call_of("can_write", "q4-plan", &json!({}))] {
        let denial = host.authorize(&grant, &other).unwrap_err();
        assert_ne!(denial.pending().unwrap().id(), pending.id());
    }
    host.runs(&pending, &grant);
    assert_eq!(host.redeem(&pending, &grant).unwrap_err().reason(), Reason::ApprovalSpent);
    drop(task);
}

fn a_text_and_an_id_of_two_approvals_are_no_approval() {
    let host = Host::new();
    let (_task, grant) = host.errand();
    let [one, other] = ["q4-plan", "q5-plan"].map(|plan| host.asked(&grant, &read(plan)));
    let found = host.gate.pending(&one.to_text().unwrap()).unwrap();
    assert_eq!(found.id(), one.id());
    assert!(host.gate.pending(&host.edited(&one)).is_none());
    assert!(host.gate.pending(&other.id()).is_none(), "an id alone finds nothing for an asker");
}

fn who_takes_part_does_not_approve() {
    let host = Host::new();
    let (_task, grant) = host.errand_of(Assertion::human("alice@example.com").group("managers"));
    let pending = host.asked(&grant, &read("q4-plan"));
    assert_eq!(host.try_approve(&pending, "alice@example.com"), Err(NotCounted::NotEligible));
    assert_eq!(status_of(&pending), "pending");
}

fn who_may_ask_may_not_cancel_for_another() {
    let host = Host::new();
    let (_task, grant) = host.errand();
    let pending = host.asked(&grant, &read("q4-plan"));
    // There is no way to a question but the handle of who asked; a text finds it, and lends no authority, but is
    // kept from others as the handle is. Reviewers say no, and only those who may.
    assert_eq!(host.try_deny_of(&pending, "zoe", "strangers"), Err(NotCounted::NotEligible));
    assert_eq!(status_of(&pending), "pending");
}

fn bound_values_are_compared_by_what_they_are() {
    let of = |args: &Json| host::call_of("can_read", "q4-plan", args);
    let digest = Digest::of(b"1");
    for (one, other, same) in [
        (json!({ "a": 1, "b": [1, 2] }), json!({ "b": [1, 2], "a": 1 }), true),
        (json!({ "a": 1 }), json!({ "a": "1" }), false),
        (json!({ "a": [1, 2] }), json!({ "a": [2, 1] }), false),
        (json!({ "a": null }), json!({}), false),
        (json!({ "a": "\u{e9}" }), json!({ "a": "e\u{301}" }), false),
    ] {
        assert_eq!(of(&one) == of(&other), same, "{one} and {other}");
    }
    let number = |text: &str| Call::from_json("can_read", &format!("{{\"a\":{text}}}")).unwrap();
    assert_eq!(number("1.0"), number("1"), "numbers by what they are");
    assert_eq!(number("1e2"), number("100"));
    assert_ne!(of(&json!({})), of(&json!({})).material("plan", digest));
}
