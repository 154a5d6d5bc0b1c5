//! Plans: a scope waits until people agree, item by item, and what they agreed to is taken and kept.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::audit::Event;
use hallpass::clock::Timestamp;
use hallpass::policy::{ApprovalTerms, Moment, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::{eq, max, prefix};
use hallpass::{NotCounted, QuestionState};
use serde_json::json;

use crate::office::{MINUTE, reviewers};
use crate::release::{Release, call, deploy, here, permit, terms, three};

#[test]
fn a_scope_that_asks_withhold_is_parked_and_taken_once_people_agreed() {
    let release = Release::new(terms());
    let pending = release.ask(three());
    assert_eq!(release.not_taken(&pending), Reason::ApprovalRequired);
    assert_eq!(release.ask(three()).id(), pending.id(), "the same is the same question");
    assert_ne!(release.ask(deploy("api")).id(), pending.id());
    let view = release.office.question(&pending).view().to_string();
    for line in [
        "item 1 tool: \"deploy\"",
        "item 1 argument service: {\"eq\":\"api\"}",
        "item 1 covers: {\"args\":{\"service\":\"api\"}}",
        "item 1 covers: no other call",
        "item 3 argument service: {\"eq\":\"db\"}",
        "item 3 does not cover: ",
        "ask: \"releases\" [owner \"release@acme.test\"]",
    ] {
        assert!(view.contains(line), "{line}\n{view}");
    }
    assert!(!view.contains("status"), "what no one is asked about: {view}");
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    assert_eq!(pending.state(), QuestionState::Spent);
    assert_eq!(release.not_taken(&pending), Reason::ApprovalSpent);
    for service in ["api", "web", "db"] {
        assert_eq!(release.runs(&grant, call(service)), Ok(()));
    }
    assert_eq!(release.runs(&grant, call("other")), Err(Reason::OutOfScope));
    let status = Call::new("status", json!({})).unwrap();
    assert_eq!(release.runs(&grant, status), Ok(()), "what no ask withheld is given, too");
    let granted = release.office.events().into_iter().find_map(|event| match event {
        Event::Granted { approvals, .. } => Some(approvals),
        _ => None,
    });
    assert_eq!(granted.unwrap(), [pending.id()]);
    release.office.verify();
}

/// Asked for a shorter time, or later, it is not taken for longer or at once.
#[test]
fn what_is_asked_for_another_time_is_another_question() {
    let release = Release::new(terms());
    let scope = || deploy("api");
    let later = Timestamp::parse_rfc3339("2200-01-01T00:00:00Z").unwrap();
    let all = [scope(), scope().ttl(MINUTE), scope().ttl(2 * MINUTE), scope().starting(later)];
    let ids: BTreeSet<String> = all.into_iter().map(|own| release.ask(own).id()).collect();
    assert_eq!(ids.len(), 4);
    let short = release.ask(scope().ttl(MINUTE));
    assert!(ids.contains(&short.id()), "the same is the same question");
    release.approve(&short);
    let grant = release.task.take(&short, &here()).unwrap();
    assert_eq!(grant.expires().since(release.office.now()), MINUTE);
}

#[test]
fn a_plan_is_answered_item_by_item_and_a_part_is_taken_only_where_the_asker_says_so() {
    let release = Release::new(terms());
    let pending = release.ask(three());
    assert_eq!(release.says(&pending, "ada", &[1, 3]), Ok(QuestionState::Partial));
    assert_eq!(release.not_taken(&pending), Reason::ApprovalRequired, "one waits");
    assert_eq!(release.office.reviews.list(&release.office.person("bob", "ops")).len(), 1);
    assert_eq!(release.refuses(&pending, &[2]), Ok(QuestionState::Partial));
    assert!(release.office.reviews.list(&release.office.person("bob", "ops")).is_empty());
    let states = [QuestionState::Approved, QuestionState::Denied, QuestionState::Approved];
    assert_eq!(pending.items(), [1, 2, 3].into_iter().zip(states).collect::<Vec<_>>());
    assert!(matches!(release.says(&pending, "ada", &[2]), Err(NotCounted::NotWaiting(_))));
    assert_eq!(release.not_taken(&pending), Reason::ApprovalVoid, "a part was not asked for");
    let grant = release.task.take_part(&pending, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    assert_eq!(release.runs(&grant, call("db")), Ok(()));
    assert_eq!(release.runs(&grant, call("web")), Err(Reason::OutOfScope));
    let again = release.task.take_part(&pending, &here()).unwrap_err();
    assert!(matches!(again.reason(), Reason::ApprovalVoid | Reason::ApprovalSpent));
    release.office.verify();
}

#[test]
fn items_that_are_not_there_are_not_answered_and_a_call_has_one() {
    let release = Release::new(terms());
    let pending = release.ask(three());
    for wrong in [&[0][..], &[4], &[1, 4], &[], &[65], &[u32::MAX]] {
        assert_eq!(release.says(&pending, "ada", wrong), Err(NotCounted::NoSuchItem), "{wrong:?}");
        assert_eq!(release.refuses(&pending, wrong), Err(NotCounted::NoSuchItem), "{wrong:?}");
    }
    assert_eq!(pending.state(), QuestionState::Waiting);
    assert_eq!(release.says(&pending, "zoe", &[1, 1]), Ok(QuestionState::Partial));
    release.office.verify();
}

#[test]
fn each_item_has_its_own_quorum_and_its_own_asks() {
    let two = ApprovalTerms::per(Per::Task).review(reviewers("ops").count(2));
    let board = ApprovalTerms::per(Per::Task).review(reviewers("board"));
    let rules = [
        permit(),
        Rule::ask("two").tool("deploy").approval(two),
        Rule::ask("board").tool("deploy").arg("service", eq("db")).approval(board),
    ];
    let release = Release::of(Policy::builder().rules(rules).build().unwrap());
    let pending = release.ask(three());
    assert_eq!(release.says(&pending, "ada", &[1, 2, 3]), Ok(QuestionState::Waiting));
    assert_eq!(
        release.says(&pending, "ada", &[1]),
        Ok(QuestionState::Waiting),
        "one person is one"
    );
    assert_eq!(release.says(&pending, "bob", &[1, 3]), Ok(QuestionState::Partial));
    let mia = release.office.person("mia", "board");
    let question = release.office.question(&pending);
    let shown = question.view().digest();
    let (reviews, items) = (&release.office.reviews, |items: &[u32]| items.to_vec());
    let other = reviews.approve_items(&question, &mia, &shown, &items(&[2]));
    assert_eq!(other, Err(NotCounted::NotEligible), "the board is not asked about it");
    assert_eq!(pending.items()[2].1, QuestionState::Waiting);
    reviews.approve_items(&question, &mia, &shown, &items(&[3])).unwrap();
    assert_eq!(pending.items()[2].1, QuestionState::Approved);
    assert_eq!(release.says(&pending, "eve", &[2]), Ok(QuestionState::Approved));
    let _ = release.task.take(&pending, &here()).unwrap();
    release.office.verify();
}

#[test]
fn a_yes_to_one_item_is_none_to_another() {
    let two = ApprovalTerms::per(Per::Task).review(reviewers("ops").count(2));
    let release = Release::new(two);
    let pending = release.ask(three());
    release.says(&pending, "ada", &[1]).unwrap();
    release.says(&pending, "bob", &[1, 2]).unwrap();
    let states = [QuestionState::Approved, QuestionState::Waiting, QuestionState::Waiting];
    assert_eq!(pending.items(), [1, 2, 3].into_iter().zip(states).collect::<Vec<_>>());
    release.office.verify();
}

#[test]
fn a_renewal_that_parks_leaves_the_grant_alive_to_its_old_expiry() {
    let release = Release::new(terms().good_for(2 * MINUTE));
    let pending = release.ask(deploy("api").and(Scope::tool("status").any_args()));
    release.approve(&pending);
    let mut grant = release.task.take(&pending, &here()).unwrap();
    let (holder, expires) = (grant.holder().clone(), grant.expires());
    release.office.clock.advance(3 * MINUTE);
    let parked = release.task.renew(&mut grant, &holder, &here()).unwrap_err();
    let pending = release.asked(&parked);
    assert_eq!(grant.expires(), expires);
    let status = || Call::new("status", json!({})).unwrap();
    assert_eq!(release.runs(&grant, status()), Ok(()));
    let again = release.task.renew(&mut grant, &holder, &here()).unwrap_err();
    assert_eq!(release.asked(&again).id(), pending.id());
    release.approve(&pending);
    release.task.renew(&mut grant, &holder, &here()).unwrap();
    assert!(grant.expires() > expires);
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    // Not renewed in time it ends.
    release.office.clock.advance(5 * MINUTE);
    assert_eq!(release.runs(&grant, status()), Err(Reason::Expired));
    release.office.verify();
}

#[test]
fn a_delegation_is_asked_about_and_taken_as_one() {
    let release = Release::new(terms().good_for(60 * MINUTE));
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    let bob = release.office.person("bob", "ops");
    let denial = release.task.delegate(&grant, &bob, deploy("api"), &here()).unwrap_err();
    let delegated = release.asked(&denial);
    let question = release.office.question(&delegated);
    let own =
        release.office.reviews.approve(&question, &bob, &question.view().digest(), Width::CALL);
    assert_eq!(own, Err(NotCounted::NotEligible), "the holder is a party");
    release.approve(&delegated);
    let child = release.task.take(&delegated, &here()).unwrap();
    assert_eq!(child.holder().subject().as_str(), "bob");
    assert_eq!(release.runs(&child, call("api")), Ok(()));
    // It hangs from its parent.
    grant.revoke();
    assert!(release.runs(&child, call("api")).is_err());
    release.office.verify();
}

#[test]
fn items_no_one_answered_in_time_are_not_given_and_the_others_are() {
    let release = Release::new(terms().expires(MINUTE).good_for(10 * MINUTE));
    let pending = release.ask(three());
    release.says(&pending, "ada", &[1]).unwrap();
    release.office.clock.advance(MINUTE);
    assert_eq!(pending.state(), QuestionState::Partial);
    assert_eq!(pending.items()[1].1, QuestionState::Expired);
    assert!(matches!(release.says(&pending, "ada", &[2]), Err(NotCounted::NotWaiting(_))));
    assert_eq!(release.not_taken(&pending), Reason::ApprovalVoid);
    let grant = release.task.take_part(&pending, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    let none = release.ask(deploy("cdn"));
    release.office.clock.advance(MINUTE);
    assert_eq!(none.state(), QuestionState::Expired);
    assert_eq!(release.not_taken(&none), Reason::ApprovalVoid);
    release.office.verify();
}

#[test]
fn where_a_capability_is_not_given_at_all_no_one_is_asked() {
    let release = Release::new(terms());
    for other in [Scope::tool("delete").any_args(), Scope::tool("status").any_resource()] {
        let denial = release.task.request(deploy("api").and(other), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotCovered);
        assert!(denial.pending().is_none());
    }
    assert!(!release.office.events().iter().any(|event| matches!(event, Event::Asked(_))));
}

/// attack 166: in other words of the same
#[test]
fn what_was_denied_three_times_rests() {
    let release = Release::new(terms());
    for service in ["a", "b", "c"] {
        let pending = release.ask(deploy(service));
        assert_eq!(release.refuses(&pending, &[1]), Ok(QuestionState::Denied));
    }
    for again in [deploy("a"), Scope::tool("deploy").arg("service", prefix("a"))] {
        let denial = release.task.request(again, &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::TooMany);
    }
    release.office.clock.advance(10 * MINUTE);
    release.ask(deploy("a"));
    release.office.verify();
}

#[test]
fn a_scope_is_not_redeemed_and_a_call_is_not_taken() {
    let rules = [
        permit(),
        Rule::ask("releases").tool("deploy").approval(terms()),
        Rule::ask("looks")
            .tool("status")
            .approval(ApprovalTerms::per(Per::Call).review(reviewers("ops"))),
    ];
    let release = Release::of(Policy::builder().rules(rules).build().unwrap());
    let scope = release.ask(deploy("api"));
    release.approve(&scope);
    let grant = release.task.request(Scope::tool("status").any_args(), &here()).unwrap();
    assert_eq!(release.office.refused(&scope, &grant), Reason::ApprovalVoid);
    let look = Call::new("status", json!({})).unwrap();
    let pending = release.office.ask(&grant, &look);
    release.approve(&pending);
    assert_eq!(release.not_taken(&pending), Reason::ApprovalVoid);
    release.office.redeem(&pending, &grant).unwrap().start().unwrap().succeed();
    release.office.verify();
}

#[test]
fn what_today_says_of_it_holds_for_what_is_taken() {
    let release = Release::new(terms());
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    release.office.broker.control().halt(hallpass::Halt::tool("deploy").unwrap());
    assert_eq!(release.not_taken(&pending), Reason::Halted);
    release.office.broker.control().resume(&hallpass::Halt::tool("deploy").unwrap());
    release.office.broker.flush();
    release.office.sink.fail_next(1);
    assert_eq!(release.not_taken(&pending), Reason::LogRefused);
    assert_eq!(pending.state(), QuestionState::Approved);
    let grant = release.task.take(&pending, &here()).unwrap();
    assert!(grant.expires() <= release.task.ceiling());
    release.office.verify();
}

/// attacks 117 and 165: two who take, one grant
#[test]
fn two_who_take_at_once_get_one_grant() {
    for _ in 0..20 {
        let release = Release::new(terms());
        let pending = release.ask(deploy("api"));
        release.approve(&pending);
        let taken: usize = std::thread::scope(|scope| {
            let take = || usize::from(release.task.take(&pending, &here()).is_ok());
            let all = [scope.spawn(take), scope.spawn(take), scope.spawn(take)];
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(taken, 1);
        release.office.verify();
    }
}

#[test]
fn a_session_goes_on_with_its_grant_while_people_are_asked_about_the_next() {
    let ask = terms().good_for(Duration::from_secs(200));
    let rules =
        [permit(), Rule::ask("releases").on([Moment::Request]).tool("deploy").approval(ask)];
    let release = Release::of(Policy::builder().rules(rules).build().unwrap());
    let agent = release.office.attest("deployer");
    let wanted = Scope::tool("deploy").arg("size", max(5));
    let session = release.office.broker.session(&agent, Purpose::new("release"), wanted).unwrap();
    let small = || Call::new("deploy", json!({ "size": 1 })).unwrap();
    let call = || session.call(small(), &here(), |_| Ok::<_, ()>(()));
    assert!(call().is_err());
    let people = |release: &Release| {
        let ada = release.office.person("ada", "ops");
        for question in release.office.reviews.list(&ada) {
            let shown = question.view().digest();
            release.office.reviews.approve(&question, &ada, &shown, Width::CALL).unwrap();
        }
    };
    people(&release);
    call().unwrap();
    release.office.clock.advance(Duration::from_secs(250));
    call().unwrap();
    people(&release);
    call().unwrap();
    release.office.clock.advance(Duration::from_secs(100));
    call().unwrap();
}
