//! What bounds every grant bounds what breaking the glass gives.

use hallpass::policy::{ApprovalTerms, BreakGlassTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any};
use hallpass::{Halt, NotCounted, Pending};

use crate::ward::{MINUTE, Ward, admin, incident, owners_agree, policy, run, scope, terms};

fn breaks(task: &Task, scope: Scope) -> Result<Grant, Denial> {
    task.break_glass(scope, "orders are down", &Context::new())
}

/// attack 123: the emergency path gives nothing where the ordinary one would not
#[test]
fn a_task_that_is_over_or_halted_gives_nothing_and_owes_nothing() {
    let ward = Ward::new([incident()]);
    let task = ward.open(&ward.person("ada", "sre"));
    let halt = Halt::task(task.name()).unwrap();
    ward.broker.control().halt(halt.clone());
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::Halted);
    ward.broker.control().resume(&halt);
    ward.broker.control().revoke_task(task.name()).unwrap();
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::TaskOver);
    assert!(ward.reviews.debts().is_empty() && ward.alerts.lock().unwrap().is_empty());
    ward.verify();
}

#[test]
fn it_counts_among_the_grants_that_a_task_may_hold() {
    let ward = Ward::with([incident()], |builder| builder.max_grants_per_task(2));
    let task = ward.open(&ward.person("ada", "sre"));
    let _held = [(); 2].map(|()| breaks(&task, scope()).unwrap());
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::TooMany);
    assert_eq!(ward.reviews.debts().len(), 2);
}

#[test]
fn it_ends_with_its_task_at_the_latest() {
    let ward = Ward::with([incident()], |builder| builder.ceiling(5 * MINUTE));
    let task = ward.open(&ward.person("ada", "sre"));
    let opened = ward.clock_now();
    ward.clock.advance(MINUTE);
    let grant = breaks(&task, scope()).unwrap();
    assert_eq!(grant.expires(), opened.checked_add(5 * MINUTE).unwrap());
    ward.verify();
}

/// Breaking the glass again begins no other life and no other idle time.
#[test]
fn its_whole_life_and_its_idle_time_are_those_of_the_first() {
    let ward = Ward::new([incident().ttl(5 * MINUTE).max_life(5 * MINUTE)]);
    let task = ward.open(&ward.person("ada", "sre"));
    let ends = ward.clock_now().checked_add(5 * MINUTE).unwrap();
    assert_eq!(breaks(&task, scope()).unwrap().expires(), ends);
    ward.clock.advance(4 * MINUTE);
    assert_eq!(breaks(&task, scope()).unwrap().expires(), ends);
    ward.clock.advance(MINUTE);
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::Expired);

    let ward = Ward::new([incident().idle(2 * MINUTE)]);
    let task = ward.open(&ward.person("ada", "sre"));
    let grant = breaks(&task, scope()).unwrap();
    run(ward.call(&grant, "restart").unwrap());
    ward.clock.advance(2 * MINUTE);
    assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Expired);
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::Expired);
}

/// attack 122: a rule that comes later counts what all grants use by it, up to the broker's cap
#[test]
fn a_rule_that_comes_later_is_capped_over_all_grants() {
    let one = |id: &str, what: &str| {
        let rule = Rule::permit(id).on([Moment::BreakGlass]).tool("db.admin").arg("what", eq(what));
        rule.ttl(MINUTE).uses(50).break_glass(terms())
    };
    let ward = Ward::with([one("first", "restart"), one("second", "drop")], |builder| {
        builder.break_glass_at_most(60 * MINUTE, 2)
    });
    let task = ward.open(&ward.person("ada", "sre"));
    let given = |what: &str| Scope::tool("db.admin").arg("what", eq(what));
    let [first, second] = ["restart", "drop"].map(|what| breaks(&task, given(what)).unwrap());
    let later = incident().uses(50);
    let gone = |rule: Rule| rule.when("env", eq("test"));
    let rules = [later, gone(one("first", "restart")), gone(one("second", "drop"))];
    ward.broker.reload(&policy(rules)).unwrap().finish();
    let ran = |grant: &Grant, what: &str| {
        (0..9).map_while(|_| ward.call(grant, what).ok().map(run)).count()
    };
    assert_eq!((ran(&first, "restart"), ran(&second, "drop")), (2, 0));
}

/// attack 122: so does one that speaks of no request, and is stamped on no grant
#[test]
fn a_rule_that_speaks_where_it_gave_nothing_is_capped_over_all_grants() {
    let at = |env: &str| Context::new().with("env", env);
    let one = |id: &str| incident_of(id).when("env", eq(id));
    let ward = Ward::with([one("first"), one("second"), one("third")], |builder| {
        builder.break_glass_at_most(60 * MINUTE, 2)
    });
    let task = ward.open(&ward.person("ada", "sre"));
    let given = |env: &str| task.break_glass(scope(), "orders are down", &at(env)).unwrap();
    let grants = [given("first"), given("second")];
    let ran = |grant: &Grant| {
        let call = || ward.gate.authorize(grant, grant.holder(), admin("restart"), &at("third"));
        (0..9).map_while(|_| call().ok().map(run)).count()
    };
    assert_eq!(grants.each_ref().map(ran), [2, 0]);
}

fn incident_of(id: &str) -> Rule {
    let rule = Rule::permit(id).on([Moment::BreakGlass]).tool("db.admin").any_args();
    rule.ttl(15 * MINUTE).uses(50).break_glass(terms())
}

/// Of two rules that gave it, both say who reviews.
#[test]
fn who_reviews_fits_the_line_of_every_rule_that_gave_it() {
    let owners = Rule::permit("owners")
        .on([Moment::BreakGlass])
        .tool("db.read")
        .any_args()
        .ttl(MINUTE)
        .uses(3)
        .break_glass(BreakGlassTerms::reviewed_by(Reviewers::in_groups(has_any(["owners"]))));
    let ward = Ward::new([incident(), owners]);
    let task = ward.open(&ward.person("ada", "sre"));
    let _grant = breaks(&task, scope().and(Scope::tool("db.read").any_args())).unwrap();
    let debt = ward.debt();
    let close = |who: Assertion| {
        ward.reviews.close_debt(&debt, &ward.attest(who), "justified", "one restart")
    };
    for group in ["security", "owners"] {
        assert_eq!(close(Assertion::human("eve").group(group)), Err(NotCounted::NotEligible));
    }
    assert_eq!(close(Assertion::human("eve").group("security").group("owners")), Ok(()));
    ward.verify();
}

/// attack 160: a call of the emergency is amended into what breaking the glass gave, and not into what was
/// given otherwise.
#[test]
fn a_call_of_a_broken_glass_is_amended_within_what_that_gave() {
    let usual = Rule::permit("usual").tool("db.read").any_args();
    let agree = owners_agree(Per::Call).on([Moment::BreakGlass, Moment::Call]);
    let ward = Ward::new([incident(), usual, agree, agree_to_read()]);
    let ada = ward.person("ada", "sre");
    let task = ward.open(&ada);
    let usual = task.request(Scope::tool("db.read").any_args(), &Context::new()).unwrap();
    let grant = breaks(&task, scope()).unwrap();
    let olga = ward.person("olga", "owners");
    let amend = |pending: &Pending, call: Call| {
        let question = ward.reviews.open(&pending.id()).unwrap();
        let shown = question.view().digest();
        ward.reviews.amend(&question, &olga, &shown, call).map(drop)
    };
    let asked = ward.call(&grant, "drop").unwrap_err().pending().unwrap().clone();
    let read = || Call::new("db.read", serde_json::json!({})).unwrap();
    assert!(matches!(amend(&asked, read()), Err(NotCounted::NotPermitted(_))));
    assert_eq!(amend(&asked, admin("restart")), Ok(()));
    // And the other way round.
    let context = Context::new();
    let denial = ward.gate.authorize(&usual, &ada, read(), &context).unwrap_err();
    let asked = denial.pending().unwrap();
    assert!(matches!(amend(asked, admin("restart")), Err(NotCounted::NotPermitted(_))));
    ward.verify();
}

fn agree_to_read() -> Rule {
    let line = Reviewers::in_groups(has_any(["owners"]));
    let terms = ApprovalTerms::per(Per::Call).review(line);
    let on = [Moment::BreakGlass, Moment::Call];
    Rule::ask("owners-agree-to-read").on(on).tool("db.read").approval(terms)
}

/// What vouches for a person ends before the task does.
#[test]
fn one_whose_identity_is_over_breaks_nothing() {
    let ward = Ward::new([incident()]);
    let until = ward.clock_now().checked_add(MINUTE).unwrap();
    let ada = ward.attest(Assertion::human("ada").group("sre").until(until));
    let task = ward.open(&ada);
    ward.clock.advance(MINUTE);
    assert_eq!(breaks(&task, scope()).unwrap_err().reason(), Reason::IdentityExpired);
    assert!(ward.reviews.debts().is_empty() && ward.alerts.lock().unwrap().is_empty());
    ward.verify();
}

/// What the broker allows at most holds for the rules of today, too.
#[test]
fn a_rule_that_gives_more_uses_since_gives_no_more_than_the_broker_does() {
    let ward =
        Ward::with([incident().uses(2)], |builder| builder.break_glass_at_most(15 * MINUTE, 3));
    let task = ward.open(&ward.person("ada", "sre"));
    let grant = breaks(&task, scope()).unwrap();
    ward.broker.reload(&policy([incident().uses(50)])).unwrap().finish();
    let holder = grant.holder().clone();
    let call = || ward.gate.authorize(&grant, &holder, admin("vacuum"), &Context::new());
    let ran = (0..6).filter_map(|_| call().ok()).map(run).count();
    assert!((2..=3).contains(&ran), "{ran}");
    ward.verify();
}
