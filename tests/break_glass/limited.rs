//! How long and how often what breaking the glass gives is good, and for whom.

use std::time::Duration;

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::eq;

use crate::ward::{MINUTE, Ward, admin, incident, run, scope};

const MILLISECOND: Duration = Duration::from_millis(1);

/// attack 122
#[test]
fn it_is_neither_delegated_nor_renewed() {
    let every = [Moment::Request, Moment::Call, Moment::Delegate, Moment::BreakGlass];
    let usual = incident().on(every).depth(3);
    let ward = Ward::new([usual]);
    let ada = ward.person("ada", "sre");
    let (task, mut grant) = ward.breaks(&ada).unwrap();
    let bob = ward.person("bob", "sre");
    for other in [&bob, &ada] {
        let denial = task.delegate(&grant, other, scope(), &Context::new()).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotCovered);
        assert!(denial.explain().to_string().contains("not delegated"), "{}", denial.explain());
    }
    let denial = task.renew(&mut grant, &ada, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    assert!(denial.explain().to_string().contains("not renewed"), "{}", denial.explain());
    // What is asked for otherwise can be both.
    let mut other = task.request(scope(), &Context::new()).unwrap();
    task.renew(&mut other, &ada, &Context::new()).unwrap();
    assert!(task.delegate(&other, &bob, scope(), &Context::new()).is_ok());
    assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Revoked);
}

/// attack 122: its own time, and the broker's cap
#[test]
fn it_ends_when_its_rule_or_the_broker_says_and_not_later() {
    for (cap, ends) in [(60 * MINUTE, 15 * MINUTE), (2 * MINUTE, 2 * MINUTE)] {
        let ward = Ward::with([incident()], |builder| builder.break_glass_at_most(cap, 100));
        let ada = ward.person("ada", "sre");
        let (_task, grant) = ward.breaks(&ada).unwrap();
        ward.clock.advance(ends - MILLISECOND);
        run(ward.call(&grant, "restart").unwrap());
        ward.clock.advance(MILLISECOND);
        assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Expired);
    }
}

/// attack 122
#[test]
fn breaking_it_again_begins_no_other_idle_time() {
    let ward = Ward::new([incident().idle(2 * MINUTE)]);
    let (task, first) = ward.breaks(&ward.person("ada", "sre")).unwrap();
    ward.clock.advance(MINUTE);
    let second = task.break_glass(scope(), "still down", &Context::new()).unwrap();
    ward.clock.advance(MINUTE);
    for grant in [&first, &second] {
        let denial = ward.call(grant, "restart").unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired, "unused since the first was given");
    }
}

#[test]
fn its_uses_are_the_rules_and_no_more_than_the_broker_allows() {
    for (cap, allowed) in [(100, 3), (2, 2)] {
        let ward =
            Ward::with([incident()], |builder| builder.break_glass_at_most(60 * MINUTE, cap));
        let ada = ward.person("ada", "sre");
        let (task, grant) = ward.breaks(&ada).unwrap();
        for _ in 0..allowed {
            run(ward.call(&grant, "restart").unwrap());
        }
        let spent = |grant: &Grant| ward.call(grant, "restart").unwrap_err().reason();
        assert_eq!(spent(&grant), Reason::UsesSpent);
        // Asking again resets nothing, and neither does a reload.
        let again = task.break_glass(scope(), "still down", &Context::new()).unwrap();
        assert_eq!(spent(&again), Reason::UsesSpent);
        ward.broker.reload(&crate::ward::policy([incident().uses(50)])).unwrap().finish();
        let more = 50.min(cap) - allowed;
        for _ in 0..more.min(3) {
            assert_eq!(
                spent(&again),
                Reason::UsesSpent,
                "what was given is clamped, never widened"
            );
        }
        let anew = task.break_glass(scope(), "still down", &Context::new()).unwrap();
        let ran = (0..100).map_while(|_| ward.call(&anew, "restart").ok().map(run)).count();
        assert_eq!(ran as u64, more);
    }
}

/// The cap holds for a rule that comes later, too.
#[test]
fn a_rule_that_decides_a_call_without_having_given_the_grant_is_capped_as_well() {
    let ward = Ward::with([incident()], |builder| builder.break_glass_at_most(60 * MINUTE, 2));
    let ada = ward.person("ada", "sre");
    let (task, grant) = ward.breaks(&ada).unwrap();
    let renamed = Rule::permit("renamed")
        .on([Moment::BreakGlass])
        .tool("db.admin")
        .any_args()
        .ttl(MINUTE)
        .uses(50)
        .break_glass(crate::ward::terms());
    // The one that gave it does not speak of this call any more.
    let narrower = Rule::permit("incident")
        .on([Moment::BreakGlass])
        .tool("db.admin")
        .any_args()
        .ttl(MINUTE)
        .uses(50)
        .when("env", eq("test"))
        .break_glass(crate::ward::terms());
    ward.broker.reload(&crate::ward::policy([narrower, renamed])).unwrap().finish();
    let ran = (0..100).map_while(|_| ward.call(&grant, "restart").ok().map(run)).count();
    assert_eq!(ran, 2);
    drop(task);
}

#[test]
fn it_is_attenuated_into_less_and_used_at_the_gate_alone() {
    let ward = Ward::new([incident()]);
    let ada = ward.person("ada", "sre");
    let (task, grant) = ward.breaks(&ada).unwrap();
    let less = Scope::tool("db.admin").arg("what", eq("restart"));
    let token = grant.token().attenuate(&less, None).unwrap();
    let by = |token: &Token, what| ward.gate.authorize(token, &ada, admin(what), &Context::new());
    run(by(&token, "restart").unwrap());
    assert_eq!(by(&token, "drop").unwrap_err().reason(), Reason::OutOfScope);
    // A verifier counts no uses and marks nothing.
    let elsewhere = scope().embedded_for("reports");
    let denial = task.break_glass(elsewhere, "orders are down", &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope);
}

/// The token in a program's hands, under the same name.
#[test]
fn what_it_gave_is_used_by_one_human_who_acts_for_no_one() {
    let ward = Ward::new([incident()]);
    let ada = ward.person("ada", "sre");
    let (_task, grant) = ward.breaks(&ada).unwrap();
    for who in [
        Assertion::agent("ada").group("sre"),
        Assertion::workload("ada").group("sre"),
        Assertion::human("ada").group("sre").acts_for("bob", Kind::Human),
    ] {
        let who = ward.attest(who);
        let call = ward.gate.authorize(&grant, &who, admin("restart"), &Context::new());
        assert_eq!(call.unwrap_err().reason(), Reason::NotOneHuman);
    }
    let bob = ward.person("bob", "sre");
    let call = ward.gate.authorize(&grant, &bob, admin("restart"), &Context::new());
    assert_eq!(call.unwrap_err().reason(), Reason::NotTheHolder);
    run(ward.call(&grant, "restart").unwrap());
}

/// As any grant: the task's end is its end.
#[test]
fn the_end_of_its_task_ends_it_and_leaves_the_debt() {
    let ward = Ward::new([incident()]);
    let (task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
    let permit = ward.call(&grant, "restart").unwrap();
    task.complete();
    assert!(permit.start().is_err() && ward.broker.standing().is_empty());
    assert_eq!(ward.debt().grant(), grant.id());
}
