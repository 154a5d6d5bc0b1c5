//! What rules alone are asked, with their steps spent at every point.

use super::spent::{at_every_point, noon, points};
use super::{counted, limited};
use crate::policy::{ApprovalTerms, Moment, Per, RecordedRequest, Reviewers};
use crate::prelude::*;
use crate::scope::{contains, glob, has_any, prefix};
use crate::value::Value;

fn policy() -> Policy {
    let permit = |id: &str, start: &str| Rule::permit(id).tool("t").arg("x", prefix(start));
    let terms = ApprovalTerms::per(Per::Task).review(Reviewers::in_groups(has_any(["owners"])));
    let rules = [
        permit("a", "/data/a/"),
        permit("b", "/data/b/"),
        permit("also", "/data/a/b"),
        permit("c", "/data/c/"),
        permit("c-also", "/data/c/d"),
        Rule::forbid("keys").tool("t").arg("x", glob("/data/*/keys/*")),
        Rule::forbid("hidden").tool("t").arg("x", contains("/.")),
        Rule::ask("people").tool("t").arg("x", prefix("/data/c/")).approval(terms),
    ];
    Policy::builder().rules(rules).build().unwrap()
}

/// A recorded request is decided again as it was, or is said not to be.
#[test]
fn a_recorded_request_that_is_spent_anywhere_is_refused_as_too_costly() {
    let policy = policy();
    let agent = Broker::new(policy.clone()).unwrap().assert_identity("a").unwrap();
    let (why, context, seen) = (Purpose::new("errand"), Context::new(), Value::List(Vec::new()));
    let rounds = [vec![(agent, Moment::Request)]];
    for start in ["/data/a/b/", "/data/", "/data/b/keys/c", "/data/b/c/", "/data/c/d/"] {
        let scope = Scope::tool("t").arg("x", prefix(start));
        let (why, scope, context) = (&why, &scope, &context);
        let recorded =
            RecordedRequest { rounds: &rounds, why, scope, context, seen: &seen, now: noon() };
        at_every_point(start, || match policy.decide_request_again(&recorded) {
            Err(denial) if denial.reason() == Reason::TooCostly => None,
            answer => Some(format!("{answer:?}")),
        });
    }
}

/// What it takes too long to tell of is not given as it is: that would be said by leaving it out.
#[test]
fn what_can_not_be_told_is_not_left_out_of_what_would_have_to_change() {
    let policy = policy();
    let agent = Broker::new(policy.clone()).unwrap().assert_identity("a").unwrap();
    let (why, context) = (Purpose::new("errand"), Context::new());
    for (start, is_given) in [("/data/a/b/", true), ("/data/", false), ("/data/c/d/", false)] {
        let scope = Scope::tool("t").arg("x", prefix(start));
        let ask = || policy.nearest_grant(&agent, &why, &scope, &context, noon()).unwrap();
        let ((taken, _), full) = counted(|| limited(u64::MAX, ask));
        assert_eq!(full.is_empty(), is_given, "{full:?}");
        let mut spent = 0;
        for steps in points(taken.min(2_000)) {
            let told = limited(steps, ask);
            match told.get(&0) {
                None => assert!(is_given, "{start} with {steps} steps"),
                Some(remedies) => {
                    let known = full.get(&0).map(Vec::as_slice).unwrap_or_default();
                    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                    let told = remedies.iter().map(ToString::to_string);
                    assert!(
                        told.clone().all(|own| known.contains(&own)),
                        "{:?}",
                        told.collect::<Vec<_>>()
                    );
                    spent += u32::from(remedies.is_empty());
                }
            }
        }
        assert!(spent > 0, "{start} is never spent");
    }
}
