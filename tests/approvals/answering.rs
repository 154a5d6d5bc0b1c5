//! Answers: whose counts, and when enough have agreed.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::{eq, same_as};
use hallpass::value::Digest;
use hallpass::{Halt, NotCounted, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, reviewers};

/// P6, attacks 104, 108: no one approves for themselves, under any name
#[test]
fn no_one_who_takes_part_in_a_call_approves_it() {
    let office = Office::new(four_eyes());
    let boss = Assertion::agent("planner").acts_for("ada@acme.test", Kind::Human);
    let task = office.broker.open(&office.attest(boss), Purpose::new("pay-bill")).unwrap();
    let payer = Assertion::agent("payer").alias("robot-7").acts_for("eve", Kind::Human);
    let payer = office.attest(payer);
    let wanted = Scope::tool("bank.pay").any_args();
    let grant = task.request_for(&payer, wanted, &Context::new()).unwrap();
    let pending = office.ask(&grant, &pay(98));
    let human = |name: &str| Assertion::human(name).group("finance").group("admins");
    let refused = [
        ("the holder", human("payer")),
        ("an alias of the holder", human("robot-7")),
        ("whom the holder acts for", human("eve")),
        ("the requester", human("planner")),
        ("whom the requester acts for", human("ada@acme.test")),
        ("in another case", human("ADA@acme.test")),
        ("with a tag of the mailbox", human("ada+1@acme.test")),
        ("by an alias", human("somebody").alias("Ada@Acme.Test")),
        ("in another form of Unicode", human("somebody").alias("\u{ff41}da@acme.test")),
        ("acting for the requester's human", human("other").acts_for("ada@acme.test", Kind::Human)),
    ];
    for (what, who) in refused {
        let who = office.attest(who);
        assert_eq!(office.approve(&pending, &who), Err(NotCounted::NotEligible), "{what}");
        assert_eq!(office.deny(&pending, &who), Err(NotCounted::NotEligible), "{what}");
        assert!(office.reviews.list(&who).is_empty(), "{what}");
    }
    let agent = office.attest(Assertion::agent("bot").group("finance"));
    assert_eq!(office.approve(&pending, &agent), Err(NotCounted::NotEligible), "not a person");
    let stranger = office.person("zoe", "sales");
    assert_eq!(office.approve(&pending, &stranger), Err(NotCounted::NotEligible));
    office.approved(&pending, &office.person("bob", "finance"));
    office.verify();
}

/// P6, attack 105
#[test]
fn neither_those_who_delegated_nor_those_delegated_to_approve() {
    use hallpass::policy::Moment;
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let permit = Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource();
    let rules = [permit.on(every).depth(3), four_eyes().on([Moment::Call]).tool("bank.pay")];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (task, root) = office.errand(&office.attest(Assertion::human("ada").group("finance")));
    let scope = || Scope::tool("bank.pay").any_args();
    let (bob, eve) = (office.person("bob", "finance"), office.person("eve", "finance"));
    let middle = task.delegate(&root, &bob, scope(), &Context::new()).unwrap();
    let pending = office.ask(&middle, &pay(98));
    let leaf = task.delegate(&middle, &eve, scope(), &Context::new()).unwrap();
    for party in ["ada", "bob", "eve"] {
        let who = office.person(party, "finance");
        assert_eq!(office.approve(&pending, &who), Err(NotCounted::NotEligible), "{party}");
    }
    let below = office.ask(&leaf, &pay(99));
    for party in ["ada", "bob", "eve"] {
        let who = office.person(party, "finance");
        assert_eq!(office.approve(&below, &who), Err(NotCounted::NotEligible), "{party}");
    }
    office.approved(&pending, &office.person("zoe", "finance"));
}

/// P6, attacks 107, 112
#[test]
fn one_person_fills_one_place_and_more_yes_than_needed_is_still_yes() {
    let lines = [reviewers("finance"), reviewers("board")];
    let terms = lines.into_iter().fold(ApprovalTerms::per(Per::Call), ApprovalTerms::review);
    let office = Office::new(Rule::ask("two").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let both = |name: &str| Assertion::human(name).groups(["finance", "board"]);
    let eve = office.attest(both("eve").alias("eve@acme.test"));
    let again = office.attest(both("Eve@acme.test"));
    for who in [&eve, &eve, &again] {
        let tally = office.approve(&pending, who).unwrap();
        assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Waiting, 1, 2));
    }
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalRequired);
    office.approved(&pending, &office.person("bob", "finance"));
    office.approved(&pending, &office.person("zoe", "board"));
    assert_eq!(crate::office::run(office.redeem(&pending, &grant).unwrap()), 98);
}

#[test]
fn lines_with_any_are_met_by_one_branch() {
    let terms = ApprovalTerms::per(Per::Call)
        .review(Reviewers::any([reviewers("finance").count(2), Reviewers::with_id(eq("cfo"))]));
    let office = Office::new(Rule::ask("either").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    office.approved(&office.ask(&grant, &pay(1)), &office.person("cfo", "none"));
    let pending = office.ask(&grant, &pay(2));
    let tally = office.approve(&pending, &office.person("ada", "finance")).unwrap();
    assert_eq!((tally.state, tally.have), (QuestionState::Waiting, tally.need - 1));
    office.approved(&pending, &office.person("bob", "finance"));
}

#[test]
fn a_reviewer_may_be_compared_with_who_asked() {
    let line = Reviewers::with_id(same_as("asker.attrs.manager"));
    let terms = ApprovalTerms::per(Per::Call).review(line);
    let office = Office::new(Rule::ask("manager").approval(terms));
    let payer = office.attest(Assertion::agent("payer").attr("manager", "mia"));
    let (_task, grant) = office.errand(&payer);
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(office.approve(&pending, &office.person("ada", "x")), Err(NotCounted::NotEligible));
    office.approved(&pending, &office.person("mia", "x"));

    let (_other, unmanaged) = office.errand(&office.attest("loner"));
    let pending = office.ask(&unmanaged, &pay(98));
    assert_eq!(office.approve(&pending, &office.person("mia", "x")), Err(NotCounted::NotEligible));
}

#[test]
fn another_kind_than_people_reviews_only_where_the_line_says_so() {
    let line = reviewers("finance").kind(eq("workload"));
    let office = Office::new(Rule::ask("bot").approval(ApprovalTerms::per(Per::Call).review(line)));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let person = office.person("ada", "finance");
    assert_eq!(office.approve(&pending, &person), Err(NotCounted::NotEligible));
    office.approved(&pending, &office.attest(Assertion::workload("scanner").group("finance")));
}

/// attacks 113, 114
#[test]
fn a_no_is_final_and_nothing_is_answered_after_its_time() {
    let office = Office::new(of_finance(2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let (ada, bob) = (office.person("ada", "finance"), office.person("bob", "finance"));
    let pending = office.ask(&grant, &pay(98));
    office.approve(&pending, &ada).unwrap();
    assert_eq!(office.deny(&pending, &bob).unwrap().state, QuestionState::Denied);
    for who in [&ada, &bob] {
        let late = Err(NotCounted::NotWaiting(QuestionState::Denied));
        assert_eq!(office.approve(&pending, who), late);
        assert_eq!(office.deny(&pending, who), late);
    }
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid);

    let slow = office.ask(&grant, &pay(99));
    office.approve(&slow, &ada).unwrap();
    office.clock.advance(15 * MINUTE);
    let expired = Err(NotCounted::NotWaiting(QuestionState::Expired));
    assert_eq!(office.approve(&slow, &bob), expired);
    assert_eq!(slow.state(), QuestionState::Expired);
    assert_eq!(office.deny(&slow, &bob), expired);
    assert_eq!(slow.cancel(), expired);
    office.verify();
}

/// attacks 115 and 158: a name is worth what this broker's attestor says of it, and the digest of another view nothing
#[test]
fn a_stale_page_an_expired_or_foreign_identity_and_a_halted_one_answer_nothing() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    let question = office.question(&pending);
    let stale = Digest::of(b"another page");
    assert_eq!(
        office.reviews.approve(&question, &ada, &stale, Width::CALL),
        Err(NotCounted::StaleView)
    );
    let elsewhere = Office::new(four_eyes()).person("ada", "finance");
    assert_eq!(office.approve(&pending, &elsewhere), Err(NotCounted::ForeignIdentity));
    office.clock.advance(MINUTE);
    let now = pending.expires().checked_sub(14 * MINUTE).unwrap();
    let brief = office.attest(Assertion::human("ada").group("finance").until(now));
    assert_eq!(office.approve(&pending, &brief), Err(NotCounted::IdentityExpired));
    office.broker.control().halt(Halt::identity("ada").unwrap());
    assert_eq!(office.approve(&pending, &ada), Err(NotCounted::Halted));
    assert!(office.reviews.list(&ada).is_empty());
    assert_eq!(pending.state(), QuestionState::Waiting);
    office.broker.control().resume(&Halt::identity("ada").unwrap());
    office.approved(&pending, &ada);
}

/// attack 161: of what is listed, each is answered by its own view, so one that comes meanwhile is not
#[test]
fn answering_all_that_was_listed_answers_nothing_that_came_since() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let listed = [office.ask(&grant, &pay(1)), office.ask(&grant, &pay(2))];
    let ada = office.person("ada", "finance");
    let all = office.reviews.list(&ada);
    let since = office.ask(&grant, &pay(3));
    for question in &all {
        let shown = question.view().digest();
        office.reviews.approve(question, &ada, &shown, Width::CALL).unwrap();
        // Nor does the view of one answer the other.
        let late = office.question(&since);
        let other = office.reviews.approve(&late, &ada, &shown, Width::CALL);
        assert_eq!(other, Err(NotCounted::StaleView));
    }
    assert!(listed.iter().all(|own| own.state() == QuestionState::Approved));
    assert_eq!(since.state(), QuestionState::Waiting);
    assert!(office.redeem(&since, &grant).is_err());
    office.verify();
}

/// attack 168: what comes through the agent's own window comes from the human it acts for, and is a confirmation at
/// most, whatever groups that human is in
#[test]
fn a_confirmation_is_never_a_review() {
    let review = || ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let agent = |office: &Office| {
        office.attest(Assertion::agent("payer").acts_for("ada", hallpass::identity::Kind::Human))
    };
    let office = Office::new(Rule::ask("both").approval(review().confirm()));
    let (_task, grant) = office.errand(&agent(&office));
    let pending = office.ask(&grant, &pay(98));
    let (ada, bob) = (office.person("ada", "finance"), office.person("bob", "finance"));
    let question = office.question(&pending);
    let shown = question.view().digest();
    let tally = office.reviews.confirm(&question, &ada, &shown).unwrap();
    assert_eq!(tally.state, QuestionState::Waiting);
    assert_eq!(office.approve(&pending, &ada), Err(NotCounted::NotEligible));
    assert!(office.redeem(&pending, &grant).is_err());
    office.approved(&pending, &bob);
    assert!(office.redeem(&pending, &grant).is_ok());

    let office = Office::new(Rule::ask("review").approval(review()));
    let (_task, grant) = office.errand(&agent(&office));
    let pending = office.ask(&grant, &pay(98));
    let question = office.question(&pending);
    let confirmed = office.reviews.confirm(
        &question,
        &office.person("ada", "finance"),
        &question.view().digest(),
    );
    assert_eq!(confirmed, Err(NotCounted::NotEligible));
    assert_eq!(pending.state(), QuestionState::Waiting);
}

/// attack 118
#[test]
fn what_is_shown_is_the_call_itself_with_nothing_invisible_in_it() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let args = serde_json::json!({ "note": "a\u{202e}b\u{1b}[2J\nrule: none", "long": "x".repeat(100_000) });
    let pending = office.ask(&grant, &Call::new("bank.pay", args).unwrap());
    let question = office.question(&pending);
    let shown = question.view().to_string();
    assert!(shown.len() < 10_000, "{}", shown.len());
    assert!(!shown.contains(['\u{202e}', '\u{1b}']), "{shown}");
    assert!(shown.lines().any(|line| line.contains("bank.pay")));
    assert!(!shown.lines().any(|line| line.starts_with("rule:")));
}

#[test]
fn a_policy_whose_approval_could_not_be_meant_does_not_load() {
    let faulty = [
        (ApprovalTerms::per(Per::Call).review(reviewers("f").count(0)), "count = 0"),
        (
            ApprovalTerms::per(Per::Call).review(Reviewers::with_id(eq("ada")).count(2)),
            "could never agree",
        ),
        (ApprovalTerms::per(Per::Call).review(Reviewers::any([])), "asks no one"),
        (ApprovalTerms::per(Per::Call).review(reviewers("f").count(65)), "more than 64 people"),
        (
            ApprovalTerms::per(Per::Call).review(Reviewers::with_id(same_as("args.to"))),
            "a reviewer is compared with",
        ),
        (
            ApprovalTerms::per(Per::Call)
                .review(reviewers("f"))
                .good_for(std::time::Duration::ZERO),
            "good_for",
        ),
        (ApprovalTerms::per(Per::Call).review(reviewers("f")).material(""), "material"),
    ];
    for (terms, told) in faulty {
        let error = Policy::builder().rule(Rule::ask("a").tool("t").approval(terms)).build();
        let error = error.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let asker = Rule::permit("p").tool("t").arg("a", same_as("asker.id"));
    let error = Policy::builder().rule(asker).build().unwrap_err().to_string();
    assert!(error.contains("`asker`"), "{error}");
}

/// attack 113: nothing but the answer itself has noticed by then that the time is over
#[test]
fn a_no_that_comes_after_the_time_does_not_count() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let question = office.question(&pending);
    office.clock.advance(16 * MINUTE);
    let answer = office.reviews.deny(&question, &office.person("ada", "finance"), "no");
    assert_eq!(answer, Err(NotCounted::NotWaiting(QuestionState::Expired)));
    assert_eq!(pending.state(), QuestionState::Expired);
    office.verify();
}
