//! Who opened a task is attested anew when it is taken up again, and may be known by other names by then.

use hallpass::policy::{ApprovalTerms, Moment, Per};
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{NotCounted, QuestionState};

use super::bank::{Bank, four_eyes, line, pay, policy};

/// attack 105, over a restart: who opened the task is attested anew, by a name that is known by now
#[test]
fn what_the_opener_agreed_to_by_another_name_lets_nothing_pass_after_the_restart() {
    let plans = || {
        let terms = ApprovalTerms::per(Per::Task).review(line("finance"));
        let late = Rule::ask("plans").on([Moment::Request, Moment::Call]).tool("bank.pay");
        late.when("late", eq(true)).approval(terms)
    };
    let at = |late: bool| Context::new().with("late", late);
    let scope = || Scope::tool("bank.pay").any_args();
    for (alias, passes) in [("eve", true), ("ada", false)] {
        let rules = || policy([plans()]);
        let mut bank = Bank::new(rules());
        let task = bank.broker.open_named("bills", &bank.person("boss"), purpose()).unwrap();
        let payer = bank.attest("payer");
        let plan = task.request_for(&payer, scope(), &at(true)).unwrap_err();
        bank.approve(&plan.pending().unwrap().id(), &bank.person("ada")).unwrap();
        // Something else waits, so that the task is taken up in any case.
        let waits = task.request(scope(), &at(true)).unwrap_err();
        bank.dies((task, plan, waits), rules());
        let boss = Assertion::human("boss").group("finance").alias(alias);
        let task = bank.broker.resume("bills", &bank.attest(boss)).unwrap();
        let payer = bank.attest("payer");
        // A call first: the grant was given when no one was to be asked.
        let grant = task.request_for(&payer, scope(), &at(false)).unwrap();
        let called = bank.gate().authorize(&grant, &payer, pay(98), &at(true));
        assert_eq!(called.is_ok(), passes, "{alias}");
        let requested = task.request_for(&payer, scope(), &at(true));
        assert_eq!(requested.is_ok(), passes, "{alias}");
    }
}

/// attacks 104 and 105, over a restart: by no name that is known by now, and who amended a call by none either
#[test]
fn who_opened_or_amended_answers_nothing_after_the_restart_by_any_name() {
    let rules = || policy([four_eyes()]);
    for alias in ["eve", "ada"] {
        let mut bank = Bank::new(rules());
        let (task, above) = bank.open("bills", &bank.person("boss"));
        let payer = bank.attest("payer");
        let grant = task.request_for(&payer, all(), &Context::new()).unwrap();
        let question = bank.question(&bank.ask(&grant, pay(98)).id());
        let (max, shown) = (bank.person("max"), question.view().digest());
        bank.reviews().amend(&question, &max, &shown, pay(10)).unwrap();
        let [amended] = &bank.reviews().list(&bank.person("ada"))[..] else { panic!() };
        let id = amended.id();
        bank.dies((task, above, grant, question), rules());
        let boss = Assertion::human("boss").group("finance").alias(alias);
        let _task = bank.broker.resume("bills", &bank.attest(boss)).unwrap();
        let max = bank.attest(Assertion::human("other").group("finance").alias("MAX"));
        assert_eq!(bank.approve(&id, &max), Err(NotCounted::NotEligible));
        let ada = bank.person("ada");
        let listed = bank.reviews().list(&ada).len();
        let answered = bank.approve(&id, &ada).map(|own| own.state);
        match alias {
            "ada" => assert_eq!((listed, answered), (0, Err(NotCounted::NotEligible))),
            _ => assert_eq!((listed, answered), (1, Ok(QuestionState::Approved))),
        }
        bank.verify();
    }
}

/// attack 105, over a restart: nor does it give a grant, where nothing was called before
#[test]
fn what_the_opener_agreed_to_by_another_name_gives_no_grant_after_the_restart() {
    let terms = || ApprovalTerms::per(Per::Task).review(line("finance"));
    let rules = || policy([Rule::ask("plans").tool("bank.pay").approval(terms())]);
    let scope = || Scope::tool("bank.pay").any_args();
    for (alias, passes) in [("eve", true), ("ada", false)] {
        let mut bank = Bank::new(rules());
        let task = bank.broker.open_named("bills", &bank.person("boss"), purpose()).unwrap();
        let payer = bank.attest("payer");
        let plan = task.request_for(&payer, scope(), &Context::new()).unwrap_err();
        bank.approve(&plan.pending().unwrap().id(), &bank.person("ada")).unwrap();
        let waits = task.request(scope(), &Context::new()).unwrap_err();
        bank.dies((task, plan, waits), rules());
        let boss = Assertion::human("boss").group("finance").alias(alias);
        let task = bank.broker.resume("bills", &bank.attest(boss)).unwrap();
        let payer = bank.attest("payer");
        let requested = task.request_for(&payer, scope(), &Context::new());
        assert_eq!(requested.is_ok(), passes, "{alias}");
    }
}

fn purpose() -> Purpose {
    Purpose::new("pay-bill")
}

fn all() -> Scope {
    Scope::tool("bank.pay").any_args().and(Scope::tool("ping").any_args())
}
