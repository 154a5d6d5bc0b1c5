//! Those who take part in a call do not approve it, by whatever name and through whatever grant.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::one_of;
use hallpass::{NotCounted, QuestionState};

use crate::office::{Office, four_eyes, of_finance, pay, reviewers, run};

fn permit() -> Rule {
    Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource()
}

/// P6: who presents it acts for the one who approved.
#[test]
fn one_who_presents_for_the_approver_does_not_redeem() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("bob", "finance"));
    let bobs = office.attest(Assertion::agent("payer").acts_for("bob", Kind::Human));
    let redeemed = office.gate.redeem(&pending, &grant, &bobs, &Context::new());
    assert_eq!(redeemed.unwrap_err().reason(), Reason::NotTheHolder);
    run(office.redeem(&pending, &grant).unwrap());
}

/// P6: what one person confirmed for an agent is not another person's.
#[test]
fn what_ada_confirmed_does_not_run_for_bob() {
    let ask = Rule::ask("confirmed").approval(ApprovalTerms::per(Per::Call).confirm());
    let office = Office::new(ask);
    let for_ada = office.attest(Assertion::agent("clerk").acts_for("ada", Kind::Human));
    let (_task, grant) = office.errand(&for_ada);
    let pending = office.ask(&grant, &pay(98));
    let question = office.question(&pending);
    let ada = office.person("ada", "any");
    office.reviews.confirm(&question, &ada, &question.view().digest()).unwrap();
    let for_bob = office.attest(Assertion::agent("clerk").acts_for("bob", Kind::Human));
    let asked = office.gate.authorize(&grant, &for_bob, pay(98), &Context::new()).unwrap_err();
    assert_eq!(asked.reason(), Reason::ApprovalRequired);
    assert_ne!(asked.pending().unwrap().id(), pending.id(), "bob is asked himself");
    let for_ada = office.gate.authorize(&grant, &for_ada, pay(98), &Context::new());
    run(for_ada.unwrap());
}

/// P6: who asked is known by a name of who approved by now.
#[test]
fn an_asker_attested_anew_under_an_alias_of_the_approver() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("bob", "finance"));
    let known = office.attest(Assertion::agent("payer").alias("bob"));
    let fresh = task.request_for(&known, Scope::tool("bank.pay").any_args(), &Context::new());
    let fresh = fresh.unwrap();
    let redeemed = office.gate.redeem(&pending, &fresh, &known, &Context::new());
    assert_eq!(redeemed.unwrap_err().reason(), Reason::ApprovalVoid, "payer is bob, who approved");
}

/// P6: who approved has delegated what is presented.
#[test]
fn a_delegator_of_what_is_presented_has_not_approved_it() {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let rules = [permit().on(every).depth(3), four_eyes().on([Moment::Call]).tool("bank.pay")];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let boss = office.attest("planner");
    let (task, _root) = office.errand(&boss);
    let (bob, worker) = (office.person("bob", "finance"), office.attest("worker"));
    let scope = || Scope::tool("bank.pay").any_args();
    let own = task.request_for(&worker, scope(), &Context::new()).unwrap();
    let pending = office.ask(&own, &pay(98));
    let bobs = task.request_for(&bob, scope(), &Context::new()).unwrap();
    let from_bob = task.delegate(&bobs, &worker, scope(), &Context::new()).unwrap();
    own.revoke();
    office.approved(&pending, &bob);
    let redeemed = office.redeem(&pending, &from_bob);
    assert_eq!(redeemed.unwrap_err().reason(), Reason::ApprovalVoid, "bob delegated it");
}

/// P6: tasks are numbered alike in every broker, and one tenant's people do not answer for another's.
#[test]
fn a_question_of_another_broker_is_not_answered() {
    let (one, two) = (Office::new(four_eyes()), Office::new(four_eyes()));
    let (_task, grant) = one.errand(&one.attest("payer"));
    let (_other, _theirs) = two.errand(&two.attest("payer"));
    let pending = one.ask(&grant, &pay(98));
    let question = one.question(&pending);
    let foreign = two.person("ada", "finance");
    let counted = two.reviews.approve(&question, &foreign, &question.view().digest(), Width::CALL);
    assert_eq!(counted, Err(NotCounted::ForeignQuestion));
    let question = one.question(&pending);
    let counted = one.reviews.approve(&question, &foreign, &question.view().digest(), Width::CALL);
    assert_eq!(counted, Err(NotCounted::ForeignIdentity));
    let waits = one.redeem(&pending, &grant).unwrap_err();
    assert_eq!(waits.reason(), Reason::ApprovalRequired);
}

#[test]
fn the_log_of_what_another_broker_approved_verifies() {
    let (one, two) = (Office::new(four_eyes()), Office::new(four_eyes()));
    let (_task, grant) = one.errand(&one.attest("payer"));
    let (_other, _theirs) = two.errand(&two.attest("payer"));
    let pending = one.ask(&grant, &pay(98));
    let question = one.question(&pending);
    let foreign = two.person("ada", "finance");
    let _ = two.reviews.approve(&question, &foreign, &question.view().digest(), Width::CALL);
    let permit = one.redeem(&pending, &grant);
    drop(permit);
    one.verify();
    two.verify();
}

/// P6: a person who leaves out an alias is not another one.
#[test]
fn one_person_is_counted_once_though_an_alias_is_not_stated_again() {
    let office = Office::new(of_finance(2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let eve = Assertion::human("eve").group("finance");
    let tally = office.approve(&pending, &office.attest(eve.clone().alias("eve@acme.test")));
    assert_eq!(tally.unwrap().state, QuestionState::Waiting);
    let tally = office.approve(&pending, &office.person("eve@acme.test", "finance"));
    assert_eq!(tally.unwrap().state, QuestionState::Waiting);
    let tally = office.approve(&pending, &office.attest(eve));
    assert_eq!(tally.unwrap().state, QuestionState::Waiting, "one person fills two places");
}

/// P6: two who turn out to be one fill one place.
#[test]
fn three_names_that_a_fourth_links_are_one_person() {
    let office = Office::new(of_finance(2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approve(&pending, &office.person("a", "finance")).unwrap();
    office
        .approve(&pending, &office.attest(Assertion::human("b").alias("c").group("finance")))
        .err();
    let state = pending.state();
    assert_eq!(state, QuestionState::Approved);
    let link = office.attest(Assertion::human("c").alias("a").group("finance"));
    let _ = office.approve(&pending, &link);
    // a, b and c are one: it is known by now.
    let redeemed = office.redeem(&pending, &grant);
    assert_eq!(redeemed.unwrap_err().reason(), Reason::ApprovalVoid);
}

/// P6: an agent that acts for the requester.
#[test]
fn a_reviewer_that_acts_for_the_requester_does_not_approve() {
    let line = reviewers("finance").kind(one_of(["agent", "human"]));
    let office = Office::new(Rule::ask("bot").approval(ApprovalTerms::per(Per::Call).review(line)));
    let (_task, grant) = office.errand(&office.attest("planner"));
    let pending = office.ask(&grant, &pay(98));
    let own = Assertion::agent("checker").group("finance").acts_for("planner", Kind::Agent);
    let counted = office.approve(&pending, &office.attest(own));
    assert_eq!(counted, Err(NotCounted::NotEligible), "its own sub-agent approves");
    let other = Assertion::agent("checker").group("finance");
    let counted = office.approve(&pending, &office.attest(other)).unwrap();
    assert_eq!(counted.state, QuestionState::Approved, "another agent may");
}

/// attack 106: those who are left are too few.
#[test]
fn what_those_left_can_never_meet_is_refused_at_parking() {
    let two = || Reviewers::with_id(one_of(["ada", "bob"]));
    let terms = ApprovalTerms::per(Per::Call).review(two()).review(two());
    let office = Office::new(Rule::ask("both").approval(terms));
    let payer = office.attest(Assertion::agent("payer").acts_for("bob", Kind::Human));
    let (_task, grant) = office.errand(&payer);
    assert!(office.authorize(&grant, &pay(98)).unwrap_err().pending().is_none());
}

/// attack 106: the holder's person in other spellings.
#[test]
fn pinned_by_an_alias_of_the_holder() {
    let terms = ApprovalTerms::per(Per::Call)
        .review(Reviewers::with_id(one_of(["eve@acme.test", "eve+1@acme.test"])).count(1));
    let office = Office::new(Rule::ask("both").approval(terms));
    let payer = office.attest(Assertion::agent("payer").acts_for("Eve@acme.test", Kind::Human));
    let (_task, grant) = office.errand(&payer);
    assert!(office.authorize(&grant, &pay(98)).unwrap_err().pending().is_none());
}
