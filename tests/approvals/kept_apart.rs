//! What one question, task or broker was agreed to is of no use to another.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Moment, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{Halt, NotCounted, Pending, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments, reviewers, run};
use crate::release::{Release, call, deploy, here, permit, terms};

/// P6: what people of one broker agreed to gives nothing at another, nor in another task of theirs.
#[test]
fn a_plan_is_taken_by_its_own_task_at_its_own_broker() {
    let (release, other) = (Release::new(terms()), Release::new(terms()));
    let (pending, theirs) = (release.ask(deploy("api")), other.ask(deploy("api")));
    [(&release, &pending), (&other, &theirs)].into_iter().for_each(|(own, plan)| own.approve(plan));
    assert_eq!(release.not_taken(&theirs), Reason::ApprovalVoid);
    let agent = release.office.attest("deployer");
    let second = release.office.broker.open(&agent, Purpose::new("release")).unwrap();
    assert_eq!(second.take(&pending, &here()).unwrap_err().reason(), Reason::ApprovalVoid);
    assert!(second.take_part(&pending, &here()).is_err());
    drop(release.task.take(&pending, &here()).unwrap());
    drop(other.task.take(&theirs, &here()).unwrap());
    release.office.verify();
}

/// A call that waits is not a scope to be taken later.
#[test]
fn a_call_that_waits_is_not_taken() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let denial = task.take(&pending, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalVoid, "{}", denial.explain());
    assert!(denial.pending().is_none());
}

/// What waits is come back with by what its denial carries.
#[test]
fn who_redeems_too_early_is_given_the_question_again() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let early = office.redeem(&pending, &grant).unwrap_err();
    assert_eq!(early.pending().map(Pending::id), Some(pending.id()));
}

/// P6: a no longer agreed question is not made good by the yes to another that reaches its call.
#[test]
fn a_void_yes_is_not_redeemed_by_the_width_of_another() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let terms = terms.offer([Width::CALL, Width::calls(5)]).vary(["amount"]);
    let office = Office::new(Rule::ask("wide").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let (wide, narrow) = (office.ask(&grant, &pay(1)), office.ask(&grant, &pay(2)));
    let question = office.question(&wide);
    let (ada, shown) = (office.person("ada", "finance"), question.view().digest());
    office.reviews.approve(&question, &ada, &shown, Width::calls(5)).unwrap();
    office.approved(&narrow, &office.person("bob", "finance"));
    office.broker.control().restate(Assertion::human("bob").group("sales")).unwrap().finish();
    assert_eq!(office.refused(&narrow, &grant), Reason::ApprovalVoid);
    assert_eq!(run(office.authorize(&grant, &pay(2)).unwrap()), 2, "called again it is served");
    office.verify();
}

/// One question names all asks that withhold: where another acts by now, the open one does not do.
#[test]
fn a_call_that_another_ask_withholds_by_now_is_a_question_of_its_own() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let first = office.ask(&grant, &pay(98));
    let tools = ["bank.pay", "bank.refund"];
    let board = ApprovalTerms::per(Per::Call).review(reviewers("board"));
    let pays = Rule::permit("pay").tools(tools).any_args().any_resource();
    let rules = [pays, four_eyes().tools(tools), Rule::ask("board").tools(tools).approval(board)];
    office.reload(&Policy::builder().rules(rules).build().unwrap());
    assert_eq!(first.state(), QuestionState::Waiting);
    let second = office.ask(&grant, &pay(98));
    assert_ne!(second.id(), first.id());
    assert_eq!(office.ask(&grant, &pay(98)).id(), second.id());
    office.approve(&second, &office.person("ada", "finance")).unwrap();
    assert_eq!(office.refused(&second, &grant), Reason::ApprovalRequired, "of the board no one");
    office.approved(&second, &office.person("zoe", "board"));
    assert_eq!(run(office.redeem(&second, &grant).unwrap()), 98);
    office.verify();
}

/// P6, attack 160: who makes of a call one that waits already takes part in what comes of that
#[test]
fn an_amendment_does_not_hide_behind_an_equal_question() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let (equal, pending) = (office.ask(&grant, &pay(50)), office.ask(&grant, &pay(98)));
    let (ada, question) = (office.person("ada", "finance"), office.question(&pending));
    let amended = office.reviews.amend(&question, &ada, &question.view().digest(), pay(50));
    let amended = amended.unwrap();
    assert_ne!(amended.id(), equal.id());
    let shown = amended.view().digest();
    let own = office.reviews.approve(&amended, &ada, &shown, Width::CALL);
    assert_eq!(own, Err(NotCounted::NotEligible));
    office.verify();
}

/// Whoever amends is asked for as whoever answers is.
#[test]
fn a_halted_a_foreign_and_a_former_identity_amend_nothing() {
    let (office, other) = (Office::new(four_eyes()), Office::new(four_eyes()));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let question = office.question(&pending);
    let amend = |who: &Identity| {
        office.reviews.amend(&question, who, &question.view().digest(), pay(50)).err()
    };
    let soon = office.now().checked_add(MINUTE).unwrap();
    let former = office.attest(Assertion::human("ada").group("finance").until(soon));
    office.clock.advance(MINUTE);
    assert_eq!(amend(&former), Some(NotCounted::IdentityExpired));
    assert_eq!(amend(&other.person("ada", "finance")), Some(NotCounted::ForeignIdentity));
    office.broker.control().halt(Halt::identity("ada").unwrap());
    assert_eq!(amend(&office.person("ada", "finance")), Some(NotCounted::Halted));
    assert_eq!(pending.state(), QuestionState::Waiting);
}

/// An amended call is permitted by a grant of who asked, and by no one else's.
#[test]
fn what_only_a_delegate_may_do_is_not_made_of_the_askers_call() {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let pays = Rule::permit("pay").on(every).tool("bank.pay").any_args().any_resource().depth(2);
    let rules = [pays, four_eyes().on([Moment::Call]).tool("bank.pay")];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let payer = office.attest("payer");
    let task = office.broker.open(&payer, Purpose::new("pay-bill")).unwrap();
    let up_to =
        |amount: i64| Scope::tool("bank.pay").arg("amount", eq(amount)).arg("to", eq("CH93"));
    let grant = task.request(up_to(98), &here()).unwrap();
    let _others = task.request_for(&office.attest("worker"), up_to(50), &here()).unwrap();
    let pending = office.ask(&grant, &pay(98));
    let (ada, question) = (office.person("ada", "finance"), office.question(&pending));
    let refused = office.reviews.amend(&question, &ada, &question.view().digest(), pay(50)).err();
    assert!(matches!(refused, Some(NotCounted::NotPermitted(_))), "{refused:?}");
    assert_eq!(pending.state(), QuestionState::Waiting);
}

/// What was agreed to of a scope passes the asks that the question named, and no other.
#[test]
fn an_approval_of_a_scope_passes_no_ask_that_came_since() {
    let release = Release::new(terms());
    let pending = release.ask(deploy("api"));
    release.approve(&pending);
    let grant = release.task.take(&pending, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("api")), Ok(()));
    let board = ApprovalTerms::per(Per::Task).review(reviewers("board"));
    let ops = Rule::ask("releases").owner("release@acme.test").tool("deploy").approval(terms());
    let rules = [permit(), ops, Rule::ask("board").tool("deploy").approval(board)];
    release.office.reload(&Policy::builder().rules(rules).build().unwrap());
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::ApprovalRequired));
    let asked = release.ask(deploy("api"));
    assert_ne!(asked.id(), pending.id());
    release.office.verify();
}

/// What one item is said yes to completes no other, whoever was halted when that was answered.
#[test]
fn a_yes_completes_the_items_that_it_is_about() {
    let release = Release::new(ApprovalTerms::per(Per::Task).review(reviewers("ops").count(2)));
    let pending = release.ask(deploy("api").and(deploy("db")));
    assert!(release.says(&pending, "ada", &[1]).is_ok());
    release.office.broker.control().halt(Halt::identity("ada").unwrap());
    assert!(release.says(&pending, "bob", &[1]).is_ok());
    release.office.broker.control().resume(&Halt::identity("ada").unwrap());
    let states = || pending.items().into_iter().map(|(_, own)| own).collect::<Vec<_>>();
    assert_eq!(states(), [QuestionState::Waiting; 2]);
    assert!(release.says(&pending, "bob", &[2]).is_ok());
    assert_eq!(states(), [QuestionState::Waiting; 2], "of the other, one has agreed");
    assert!(release.says(&pending, "zoe", &[1]).is_ok());
    assert_eq!(states(), [QuestionState::Approved, QuestionState::Waiting]);
    release.office.verify();
}

/// P6, attack 105: of a scope, too
#[test]
fn neither_who_requested_a_scope_for_another_nor_who_delegates_it_approves_it() {
    let office = Office::with(crate::release::policy(terms()), |builder| builder);
    let boss = office.person("boss", "ops");
    let (task, worker) = (office.broker.open(&boss, Purpose::new("release")).unwrap(), "worker");
    let denied = task.request_for(&office.attest(worker), deploy("api"), &here()).unwrap_err();
    let pending = denied.pending().unwrap().clone();
    assert_eq!(office.approve(&pending, &boss), Err(NotCounted::NotEligible), "requested it");
    let bob = office.person("bob", "ops");
    let denied = task.request_for(&bob, deploy("db"), &here()).unwrap_err();
    let plan = denied.pending().unwrap().clone();
    office.approved(&plan, &office.person("ada", "ops"));
    let held = task.take(&plan, &here()).unwrap();
    let third = office.attest("third");
    let denied = task.delegate(&held, &third, deploy("db"), &here()).unwrap_err();
    let delegated = denied.pending().unwrap().clone();
    for party in [&bob, &boss] {
        assert_eq!(office.approve(&delegated, party), Err(NotCounted::NotEligible));
    }
    office.approved(&delegated, &office.person("ada", "ops"));
    office.verify();
}

/// P2: what had come of a question stays what came of it.
#[test]
fn the_end_of_a_task_changes_nothing_of_what_was_settled() {
    let office = Office::new(of_finance(1));
    let (task, grant) = office.errand(&office.attest("payer"));
    let [denied, spent, cancelled] = [1, 2, 3].map(|amount| office.ask(&grant, &pay(amount)));
    let ada = office.person("ada", "finance");
    office.deny(&denied, &ada).unwrap();
    office.approved(&spent, &ada);
    run(office.redeem(&spent, &grant).unwrap());
    cancelled.cancel().unwrap();
    let states = || [&denied, &spent, &cancelled].map(Pending::state);
    let before = [QuestionState::Denied, QuestionState::Spent, QuestionState::Cancelled];
    assert_eq!(states(), before);
    let mut events = office.reviews.events();
    task.complete();
    assert_eq!(states(), before);
    assert!(events.wait(Duration::ZERO).is_none(), "nothing is told of what was settled");
    office.verify();
}

/// P9: a permit that the log refused had taken nothing of the yes.
#[test]
fn a_yes_whose_permit_was_never_recorded_lapses_as_one_that_was_not_used() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance")).good_for(MINUTE);
    let office = Office::new(Rule::ask("short").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    office.broker.flush();
    office.sink.fail_next(1);
    assert_eq!(office.refused(&pending, &grant), Reason::LogRefused);
    office.clock.advance(MINUTE);
    assert_eq!(pending.state(), QuestionState::Lapsed);
    office.verify();
}

/// attack 119: those that are settled, however, do not count
#[test]
fn voided_and_amended_questions_leave_room_for_others_of_the_asker() {
    let office = Office::with(payments(four_eyes()), |builder| builder.max_questions(16, 2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let full =
        || assert_eq!(office.authorize(&grant, &pay(9)).unwrap_err().reason(), Reason::TooMany);
    let (first, second) = (office.ask(&grant, &pay(1)), office.ask(&grant, &pay(2)));
    full();
    let (ada, question) = (office.person("ada", "finance"), office.question(&first));
    office.reviews.cancel(&office.question(&second)).unwrap();
    office.reviews.amend(&question, &ada, &question.view().digest(), pay(5)).unwrap();
    office.ask(&grant, &pay(3));
    full();
    office.reload(&payments(of_finance(2)));
    let _both = [4, 5].map(|amount| office.ask(&grant, &pay(amount)));
    full();
    office.verify();
}

/// P6, attack 105: what is presented was delegated by who approved the scope
#[test]
fn an_approval_of_a_scope_serves_no_grant_that_its_reviewer_has_delegated() {
    let release = Release::new(terms());
    let (office, task) = (&release.office, &release.task);
    let (ada, bob, worker) =
        (office.person("ada", "ops"), office.person("bob", "ops"), office.attest("worker"));
    let parked = |denial: Denial| release.asked(&denial);
    let bobs = parked(task.request_for(&bob, deploy("api"), &here()).unwrap_err());
    office.approved(&bobs, &ada);
    let held = task.take(&bobs, &here()).unwrap();
    let delegated = parked(task.delegate(&held, &worker, deploy("api"), &here()).unwrap_err());
    office.approved(&delegated, &ada);
    let from_bob = task.take(&delegated, &here()).unwrap();
    assert_eq!(release.runs(&from_bob, call("api")), Ok(()));
    office.deny(&delegated, &ada).unwrap();
    let own = parked(task.request_for(&worker, deploy("api"), &here()).unwrap_err());
    office.approved(&own, &bob);
    assert_eq!(release.runs(&from_bob, call("api")), Err(Reason::ApprovalRequired));
    office.verify();
}

/// Whatever of a scope is another is another question: for whom, with what else, and how it is to be had.
#[test]
fn a_scope_that_is_asked_for_otherwise_is_another_question() {
    let release = Release::new(terms().good_for(60 * MINUTE));
    let plan = release.ask(deploy("root"));
    release.approve(&plan);
    let held = release.task.take(&plan, &here()).unwrap();
    let worker = release.office.attest("worker");
    let api = || deploy("api");
    let status = Scope::tool("status").any_args();
    let asked = [
        release.task.request(api(), &here()),
        release.task.request(deploy("db"), &here()),
        release.task.request_for(&worker, api(), &here()),
        release.task.request(api().and(status), &here()),
        release.task.request(api().embedded_for("shop"), &here()),
        release.task.request(api().digested(), &here()),
        release.task.delegate(&held, &worker, deploy("root"), &here()),
        release.task.request_for(&worker, deploy("root"), &here()),
    ];
    let ids: BTreeSet<String> =
        asked.into_iter().map(|own| release.asked(&own.unwrap_err()).id()).collect();
    assert_eq!(ids.len(), 8);
    let again = release.task.request(api().digested(), &here()).unwrap_err();
    assert!(ids.contains(&release.asked(&again).id()), "the same is the same question");
    release.office.verify();
}

/// P6: what no ask withholds by now is redeemed by the yes to it, or not at all
#[test]
fn a_yes_that_does_not_count_is_not_redeemed_where_no_one_has_to_agree_by_now() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let office = Office::new(Rule::ask("late").when("late", eq(true)).approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let at = |late: bool| Context::new().with("late", late);
    let late = office.gate.authorize(&grant, grant.holder(), pay(98), &at(true)).unwrap_err();
    let pending = late.pending().unwrap();
    office.approved(pending, &office.person("ada", "finance"));
    let redeem = || office.gate.redeem(pending, &grant, grant.holder(), &at(false));
    let (control, ada) = (office.broker.control(), Halt::identity("ada").unwrap());
    control.halt(ada.clone());
    assert_eq!(redeem().unwrap_err().reason(), Reason::ApprovalVoid);
    control.resume(&ada);
    assert_eq!(run(redeem().unwrap()), 98);
    assert_eq!(redeem().unwrap_err().reason(), Reason::ApprovalSpent);
    office.verify();
}
