//! What people agreed to of a plan is kept, and what ends that.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, ArgType, Moment, Per};
use hallpass::prelude::*;
use hallpass::scope::{eq, one_of};
use hallpass::{Halt, QuestionState};
use serde_json::json;

use crate::office::{MINUTE, reviewers};
use crate::release::{Release, call, deploy, here, permit, policy, terms, three};

/// attack 155: what was agreed to for the task stretches to nothing else
#[test]
fn an_approval_of_a_scope_is_kept_for_its_holder_ask_and_scope_until_it_lapses() {
    let release = Release::new(terms().good_for(10 * MINUTE));
    let wide = Scope::tool("deploy").arg("service", one_of(["api", "web"]));
    let pending = release.ask(wide.clone());
    release.approve(&pending);
    let mut grant = release.task.take(&pending, &here()).unwrap();
    // Inside of it: asked for again, narrower, and renewed.
    let narrow = release.task.request(deploy("api"), &here()).unwrap();
    assert_eq!(release.runs(&narrow, call("api")), Ok(()));
    let holder = grant.holder().clone();
    release.office.clock.advance(4 * MINUTE);
    release.task.renew(&mut grant, &holder, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("web")), Ok(()));
    // Outside of it.
    for other in [deploy("db"), Scope::tool("deploy").any_args(), three()] {
        assert!(release.task.request(other, &here()).unwrap_err().pending().is_some());
    }
    // Another holder, a delegate, and the same agent for somebody else.
    let clerk = release.office.attest("clerk");
    let theirs = release.task.request_for(&clerk, deploy("api"), &here()).unwrap_err();
    assert!(theirs.pending().is_some());
    let child = release.task.delegate(&grant, &clerk, deploy("api"), &here()).unwrap_err();
    assert!(child.pending().is_some());
    let for_bob = release.office.attest(Assertion::agent("deployer").acts_for("bob", Kind::Human));
    let theirs = release.task.request_for(&for_bob, deploy("api"), &here()).unwrap_err();
    assert!(theirs.pending().is_some());
    // Once it lapses, calls and renewals are asked about again.
    release.office.clock.advance(4 * MINUTE);
    release.task.renew(&mut grant, &holder, &here()).unwrap();
    release.office.clock.advance(2 * MINUTE);
    assert_eq!(release.runs(&grant, call("web")), Err(Reason::ApprovalRequired));
    assert_eq!(pending.state(), QuestionState::Lapsed);
    release.office.verify();
    // Its calls are no one's yes to one call: none of them writes that it is about to start.
    let records = release.office.log.records();
    assert!(records.iter().all(|own| own.event.kind() != "starting"));
}

/// Asked about a renewal, people agree to what calls on it mean today.
#[test]
fn people_who_are_asked_about_a_renewal_see_what_the_catalogue_of_today_fills_in() {
    let with = |tool: Tool| {
        let ask = Rule::ask("releases").tool("deploy").approval(terms());
        Policy::builder().tool(tool).rules([permit(), ask]).build().unwrap()
    };
    let plain = Policy::builder().rule(permit()).build().unwrap();
    let release = Release::of(plain);
    let mut grant = release.task.request(deploy("api"), &here()).unwrap();
    let tool = Tool::new("deploy").arg("service", ArgType::Text);
    release.office.reload(&with(tool.default_arg("region", ArgType::Text, "eu")));
    let holder = grant.holder().clone();
    let parked = release.task.renew(&mut grant, &holder, &here()).unwrap_err();
    let pending = release.asked(&parked);
    let view = release.office.question(&pending).view().to_string();
    assert!(view.contains("argument region: {\"eq\":\"eu\"}"), "{view}");
    assert!(view.contains("covers: {\"args\":{\"region\":\"eu\",\"service\":\"api\"}}"), "{view}");
    release.approve(&pending);
    release.task.renew(&mut grant, &holder, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    let elsewhere = Call::new("deploy", json!({ "service": "api", "region": "us" })).unwrap();
    assert_eq!(release.runs(&grant, elsewhere), Err(Reason::OutOfScope));
    release.office.verify();
}

/// attack 113: also after it was taken
#[test]
fn a_no_to_an_item_takes_it_back_from_what_is_kept() {
    let release = Release::new(terms());
    let pending = release.ask(three());
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    let permit = release.office.authorize(&grant, &call("web")).unwrap();
    assert_eq!(release.refuses(&pending, &[2]), Ok(QuestionState::Spent));
    assert_eq!(release.runs(&grant, call("web")), Err(Reason::ApprovalRequired));
    assert_eq!(permit.start().unwrap_err().reason(), Reason::ApprovalVoid, "it had not started");
    let other = release.office.authorize(&grant, &call("api")).unwrap();
    assert_eq!(release.refuses(&pending, &[3]), Ok(QuestionState::Spent));
    other.start().unwrap().succeed();
    assert_eq!(release.refuses(&pending, &[1]), Ok(QuestionState::Withdrawn));
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::ApprovalRequired));
    release.office.verify();
}

/// P6, attack 105: where only requests and delegations are asked about, no call shows it later
#[test]
fn what_somebody_agreed_to_does_not_let_pass_what_that_one_delegates() {
    let ask = Rule::ask("releases").on([Moment::Request, Moment::Delegate]).tool("deploy");
    let rules = [permit(), ask.approval(terms().good_for(60 * MINUTE))];
    let release = Release::of(Policy::builder().rules(rules).build().unwrap());
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    let _own = release.task.take(&pending, &here()).unwrap();
    // Ada, who agreed to it, gets the same, and somebody else agrees to that.
    let ada = release.office.person("ada", "ops");
    let hers = release.task.request_for(&ada, deploy("api"), &here()).unwrap_err();
    let hers = release.asked(&hers);
    release.says(&hers, "bob", &[1]).unwrap();
    let hers = release.task.take(&hers, &here()).unwrap();
    let deployer = release.office.attest("deployer");
    let child = release.task.delegate(&hers, &deployer, deploy("api"), &here());
    assert_eq!(child.map(drop).map_err(|own| own.reason()), Err(Reason::ApprovalRequired));
    release.office.verify();
}

/// As long as somebody is halted, no yes of theirs lets anything pass; void it is not.
#[test]
fn what_somebody_agreed_to_who_is_halted_lets_nothing_pass_meanwhile() {
    let release = Release::new(terms());
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    let (control, ada) = (release.office.broker.control(), Halt::identity("ada").unwrap());
    control.halt(ada.clone());
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::ApprovalRequired));
    control.resume(&ada);
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    release.office.verify();
}

/// What is asked names all asks that withhold it: one that waits and does not is another question.
#[test]
fn a_plan_of_which_more_is_withheld_by_now_is_another_question() {
    let asks = |group: &str| ApprovalTerms::per(Per::Task).review(reviewers(group));
    let rules = [
        permit(),
        Rule::ask("ops").tool("deploy").approval(asks("ops")),
        Rule::ask("board").tool("deploy").arg("service", eq("db")).approval(asks("board")),
    ];
    let release = Release::of(Policy::builder().rules(rules).build().unwrap());
    let known = release.ask(deploy("db"));
    for (name, group) in [("ada", "ops"), ("zoe", "board")] {
        release.office.approve(&known, &release.office.person(name, group)).unwrap();
    }
    let halt = |name: &str| {
        release.office.broker.control().halt(Halt::identity(name).unwrap());
        release.ask(deploy("api").and(deploy("db")))
    };
    // Of the first item ops are asked, and of the second the board; then ops of both.
    let (one, both) = (halt("zoe"), halt("ada"));
    assert_ne!(one.id(), both.id());
    let eve = release.office.attest(Assertion::human("eve").groups(["ops", "board"]));
    release.office.approve(&both, &eve).unwrap();
    assert_eq!(both.state(), QuestionState::Approved);
    drop(release.task.take(&both, &here()).unwrap());
    release.office.verify();
}

/// P6, attack 163
#[test]
fn a_reload_a_lost_role_and_the_end_void_what_is_kept() {
    let kept = || {
        let release = Release::new(terms());
        let pending = release.ask(deploy("api"));
        release.approve(&pending);
        let grant = release.task.take(&pending, &here()).unwrap();
        (release, pending, grant)
    };
    let (release, pending, grant) = kept();
    release.office.reload(&policy(terms().cool_down(MINUTE)));
    release.office.reload(&policy(terms()));
    assert_eq!(pending.state(), QuestionState::Void);
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::ApprovalRequired));
    release.office.verify();

    let (release, pending, grant) = kept();
    let more = Rule::permit("read").tool("read").any_args();
    let ask = Rule::ask("releases").owner("release@acme.test").tool("deploy").approval(terms());
    let same = Policy::builder().rules([permit(), ask, more]).build().unwrap();
    release.office.reload(&same);
    assert_eq!(release.runs(&grant, call("api")), Ok(()), "its rules say what they said");
    let permit = release.office.authorize(&grant, &call("api")).unwrap();
    let facts = Assertion::human("ada").group("sales");
    release.office.broker.control().restate(facts).unwrap().finish();
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::ApprovalRequired));
    assert_eq!(pending.state(), QuestionState::Void);
    assert!(permit.start().is_err(), "it had not started");
    release.office.verify();

    let (release, pending, _grant) = kept();
    let waiting = release.ask(deploy("web"));
    let Release { office, task } = release;
    task.complete();
    assert_eq!((pending.state(), waiting.state()), (QuestionState::Void, QuestionState::Cancelled));
    let task = office.broker.open(&office.attest("deployer"), Purpose::new("release")).unwrap();
    assert_eq!(task.take(&pending, &here()).unwrap_err().reason(), Reason::ApprovalVoid);
    office.verify();
}

#[test]
fn a_reload_that_looks_at_a_grant_leaves_it_with_what_people_agreed_to() {
    let release = Release::new(terms());
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    let other = Rule::forbid("other").tool("status").when("x", eq(1));
    let ask = Rule::ask("releases").owner("release@acme.test").tool("deploy").approval(terms());
    let next = Policy::builder().rules([permit(), ask, other]).build().unwrap();
    let drift = release.office.broker.reload(&next).unwrap().finish();
    assert!(drift.grants.is_empty(), "{drift:?}");
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
}
