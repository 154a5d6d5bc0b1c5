//! Who may break the glass, for what, and what still holds.

use hallpass::Halt;
use hallpass::audit::{AnswerGiven, Asked, BrokenGlass, Event};
use hallpass::policy::{Moment, Per};
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any};

use crate::ward::{MINUTE, Ward, admin, incident, owners_agree, run, scope};

/// attack 121: no reason, unlisted, not a person
#[test]
fn one_human_who_is_listed_breaks_the_glass_and_says_why() {
    let ward = Ward::new([incident()]);
    let breaks = |who: Assertion, why: &str| {
        let task = ward.open(&ward.attest(who.group("sre")));
        task.break_glass(scope(), why, &Context::new()).map(drop).map_err(|denial| denial.reason())
    };
    let ada = || Assertion::human("ada");
    for why in ["", " ", "\t\n", "\u{200b}", "\u{202e}\u{2800}"] {
        assert_eq!(breaks(ada(), why), Err(Reason::NoJustification), "{why:?}");
    }
    assert_eq!(breaks(ada(), &"x".repeat(4097)), Err(Reason::NoJustification));
    for who in [
        Assertion::agent("ada"),
        Assertion::workload("ada"),
        ada().acts_for("bob", Kind::Human),
        Assertion::agent("bot").acts_for("ada", Kind::Human),
    ] {
        assert_eq!(breaks(who, "orders are down"), Err(Reason::NotOneHuman));
    }
    let bob = ward.person("bob", "interns");
    assert_eq!(ward.refused(&bob), Reason::NotCovered);
    assert!(ward.reviews.debts().is_empty() && ward.broker.standing().is_empty());
    assert!(ward.alerts.lock().unwrap().is_empty());
    assert_eq!(breaks(ada(), "orders are down"), Ok(()));
    assert_eq!(breaks(Assertion::human("cyd"), &"x".repeat(4096)), Ok(()));
}

#[test]
fn what_speaks_in_emergencies_gives_nothing_otherwise_and_the_other_way_round() {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let usual = Rule::permit("usual").on(every).tool("db.read").any_args();
    let ward = Ward::new([incident(), usual]);
    let ada = ward.person("ada", "sre");
    let task = ward.open(&ada);
    let denied = |asked: Result<Grant, Denial>| asked.map(drop).unwrap_err().reason();
    assert_eq!(denied(task.request(scope(), &Context::new())), Reason::NotCovered);
    let read = Scope::tool("db.read").any_args();
    let breaks = task.break_glass(read.clone(), "orders are down", &Context::new());
    assert_eq!(denied(breaks), Reason::NotCovered);
    let granted = task.request(read.clone(), &Context::new()).unwrap();
    assert!(task.delegate(&granted, &ward.attest("worker"), read, &Context::new()).is_ok());

    // What was asked for in one way is not called in the other.
    let at_request = Rule::permit("asked").on([Moment::Request]).tool("db.admin").any_args();
    let ward = Ward::new([incident(), at_request]);
    let ada = ward.person("ada", "sre");
    let task = ward.open(&ada);
    let asked = task.request(scope(), &Context::new()).unwrap();
    assert_eq!(ward.call(&asked, "restart").unwrap_err().reason(), Reason::NoPermit);
    let check = ward.gate.check(&asked, &ada, &admin("restart"), &Context::new());
    assert_eq!(check.unwrap_err().reason(), Reason::NoPermit);
    assert!(ward.gate.tools(&asked, &ada, &Context::new()).unwrap().is_empty());
    let broken = task.break_glass(scope(), "orders are down", &Context::new()).unwrap();
    assert_eq!(ward.gate.tools(&broken, &ada, &Context::new()).unwrap().len(), 1);
    run(ward.call(&broken, "restart").unwrap());
}

/// attack 123
#[test]
fn every_forbid_holds_whatever_it_is_said_to_be_on() {
    let moments = [Moment::Request, Moment::Call, Moment::Delegate, Moment::BreakGlass];
    for on in moments {
        let all = Rule::forbid("never").on([on]).tool("db.admin");
        let ward = Ward::new([incident(), all.clone()]);
        assert_eq!(ward.refused(&ward.person("ada", "sre")), Reason::Forbidden, "{on:?}");

        let some = all.arg("what", eq("drop"));
        let ward = Ward::new([incident(), some.clone()]);
        let (_task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
        assert_eq!(ward.call(&grant, "drop").unwrap_err().reason(), Reason::Forbidden, "{on:?}");
        run(ward.call(&grant, "restart").unwrap());

        // One that comes while it lives.
        let ward = Ward::new([incident()]);
        let (_task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
        run(ward.call(&grant, "drop").unwrap());
        ward.broker.reload(&crate::ward::policy([incident(), some])).unwrap().finish();
        assert_eq!(ward.call(&grant, "drop").unwrap_err().reason(), Reason::Forbidden, "{on:?}");
        ward.broker.reload(&crate::ward::policy([])).unwrap().finish();
        assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Drifted, "{on:?}");
    }
}

/// attacks 103 and 123
#[test]
fn every_halt_holds_at_the_request_and_at_the_calls() {
    for halt in [
        Halt::Everything,
        Halt::identity("ada").unwrap(),
        Halt::tool("db.admin").unwrap(),
        Halt::task("errand").unwrap(),
    ] {
        let ward = Ward::new([incident()]);
        let ada = ward.person("ada", "sre");
        let purpose = Purpose::new("incident");
        let task = ward.broker.open_named("errand", &ada, purpose).unwrap();
        let breaks = || task.break_glass(scope(), "orders are down", &Context::new());
        let grant = breaks().unwrap();
        let permit = ward.call(&grant, "restart").unwrap();
        ward.broker.control().halt(halt);
        assert_eq!(breaks().map(drop).unwrap_err().reason(), Reason::Halted);
        assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Halted);
        assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::Halted);
        assert_eq!(ward.reviews.debts().len(), 1);
    }
}

#[test]
fn asks_are_passed_over_and_named_in_the_record() {
    for (per, at_request, at_call) in [
        (Per::Call, &[][..], &["owners-agree"][..]),
        (Per::Task, &["owners-agree"], &["owners-agree"]),
    ] {
        let others = owners_agree(per).arg("what", eq("drop"));
        let ward = Ward::new([incident(), others]);
        let (_task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
        run(ward.call(&grant, "drop").unwrap());
        run(ward.call(&grant, "restart").unwrap());
        let mut told = Vec::new();
        for event in ward.events() {
            match event {
                Event::BrokenGlass(BrokenGlass { passed, .. })
                | Event::Permitted { passed, .. } => {
                    told.push(passed.into_iter().map(|rule| rule.into_owned()).collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        assert_eq!(told, [at_request, at_call, &[]], "{per:?}");
    }
}

#[test]
fn an_ask_that_names_break_glass_is_asked() {
    let on = [Moment::BreakGlass];
    // Of each call: it waits until somebody agrees, and runs then.
    let ward = Ward::new([incident(), owners_agree(Per::Call).on(on)]);
    let ada = ward.person("ada", "sre");
    let (_task, grant) = ward.breaks(&ada).unwrap();
    let denial = ward.call(&grant, "restart").unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    let pending = denial.pending().unwrap();
    let question = ward.reviews.open(&pending.id()).unwrap();
    let width = hallpass::policy::Width::CALL;
    let shown = question.view().digest();
    for (who, counts) in [(&ada, false), (&ward.person("olga", "owners"), true)] {
        assert_eq!(ward.reviews.approve(&question, who, &shown, width).is_ok(), counts);
    }
    run(ward.gate.redeem(pending, &grant, &ada, &Context::new()).unwrap());
    // It is still of the emergency, and says so.
    let marked = |event: &Event<'_>| match event {
        Event::Asked(Asked { break_glass, .. })
        | Event::Answered(AnswerGiven { break_glass, .. })
        | Event::Permitted { break_glass, .. } => Some(*break_glass),
        _ => None,
    };
    assert_eq!(ward.events().iter().filter_map(marked).collect::<Vec<_>>(), [true; 4]);

    // Of the task: people can't be asked about a scope that has to be had at once.
    let ward = Ward::new([incident(), owners_agree(Per::Task).on(on)]);
    assert_eq!(ward.refused(&ward.person("ada", "sre")), Reason::ApprovalRequired);
    assert!(ward.reviews.debts().is_empty());
}

#[test]
fn two_rules_give_no_more_than_the_tighter_and_owe_what_both_do() {
    let quick = incident().ttl(5 * MINUTE);
    let more = Rule::permit("second")
        .on([Moment::BreakGlass])
        .who_groups(has_any(["sre"]))
        .tool("db.admin")
        .any_args()
        .ttl(MINUTE)
        .uses(9)
        .break_glass(crate::ward::terms().due(MINUTE).refuse_while_open());
    let ward = Ward::new([quick, more]);
    let ada = ward.person("ada", "sre");
    let (_task, grant) = ward.breaks(&ada).unwrap();
    let debt = ward.debt();
    assert_eq!(grant.expires(), debt.since().checked_add(MINUTE).unwrap());
    assert_eq!(debt.due(), grant.expires());
    assert_eq!(debt.rules().collect::<Vec<_>>(), ["incident", "second"]);
    for _ in 0..3 {
        run(ward.call(&grant, "restart").unwrap());
    }
    assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::UsesSpent);
    assert_eq!(ward.refused(&ada), Reason::ReviewOwed);
}
