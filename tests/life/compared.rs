//! What rules compare with, at a request.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    ValueType, all_of, any, any_of, each, eq, fields, items, min, not, of_type, one_of, optional,
    reference, same_as,
};
use hallpass::value::Value;
use serde_json::json;

use crate::world::*;

/// attack 199: compared with what is absent nothing can be told, so a forbid that speaks at requests alone
/// denies a scope that leaves the argument out.
#[test]
fn a_forbid_at_requests_acts_on_what_a_scope_leaves_out_of_a_comparison() {
    for compared in [
        same_as("who.id"),
        any_of([same_as("who.id")]),
        not(same_as("who.id")),
        any_of([eq("b"), same_as("who.id")]),
    ] {
        let world = World::rules([
            Rule::forbid("f").tool("ping").arg("y", compared).on([Moment::Request]),
            Rule::permit("p").tool("ping").arg("x", min(0)),
        ]);
        let task = world.open(&world.agent("a"));
        let asked = task.request(Scope::tool("ping").arg("x", min(0)), &here());
        assert_eq!(asked.unwrap_err().reason(), Reason::Forbidden);
    }
    // What is compared with nothing is not a comparison, and holds of nothing that is absent.
    let world = World::rules([
        Rule::forbid("f").tool("ping").arg("y", eq("a")).on([Moment::Request]),
        Rule::permit("p").tool("ping").arg("x", min(0)),
    ]);
    let task = world.open(&world.agent("a"));
    assert!(task.request(Scope::tool("ping").arg("x", min(0)), &here()).is_ok());
}

/// P3: what is compared with something that is not there is true of nothing, and takes nothing from what stands next to
/// it; under `not` it gives nothing either.
#[test]
fn a_permit_gives_what_stands_next_to_a_comparison_with_what_is_not_there() {
    let team = || same_as("who.attrs.team");
    let asked = |own, x| {
        let world = World::rules([Rule::permit("p").tool("ping").arg("x", own)]);
        let task = world.open(&world.agent("a"));
        task.request(Scope::tool("ping").arg("x", x), &here()).map(drop).map_err(|d| d.reason())
    };
    assert_eq!(asked(any_of([team(), min(0)]), min(5)), Ok(()));
    assert_eq!(asked(any_of([team(), min(0)]), min(-1)), Err(Reason::NotCovered));
    for nothing in [team(), not(team()), all_of([team(), min(0)]), any_of([not(team()), min(9)])] {
        assert_eq!(asked(nothing.clone(), eq(5)), Err(Reason::NotCovered), "{nothing}");
    }
}

/// P3: what can't be told is an exception of a permit, so that no part is left that trimming could give.
#[test]
fn nothing_is_left_of_a_request_where_an_exception_compares_with_what_is_not_there() {
    let excepted = |x| Rule::permit("p").tool("ping").arg("x", any()).unless([("args.x", x)]);
    let asked = |x| {
        let world = World::rules([excepted(x)]);
        let task = world.open(&world.agent("a"));
        let given = task.request_trimmed(Scope::tool("ping").arg("x", any()), &here());
        given.map(|(grant, _)| grant.scope().to_string()).map_err(|denial| denial.reason())
    };
    assert_eq!(asked(same_as("who.attrs.team")), Err(Reason::NotCovered));
    assert!(asked(min(5)).is_ok());
}

/// P3: of exactly a call there is nothing to search for. Rules say the same of it at the request as at the call, also
/// where they compare within lists, or ask what no search could tell.
#[test]
fn what_is_asked_for_exactly_is_given_as_its_call_is() {
    let all = || Rule::permit("p").tool("ping").any_args();
    let of = |own| Rule::permit("p").tool("ping").arg("y", own).arg("x", any());
    let not_of = |own| all().unless([("args.y", own)]);
    let forbid = |own| Rule::forbid("f").tool("ping").arg("y", own);
    let excused = |own| Rule::forbid("f").tool("ping").unless([("args.y", own)]);
    let same = || each(same_as("args.x"));
    let long = "a".repeat(5000);
    let [alike, apart, none] = [
        json!({ "x": "a", "y": ["a", "a"] }),
        json!({ "x": "a", "y": ["a", "b"] }),
        json!({ "x": "a", "y": [] }),
    ];
    let team = json!({ "x": ["red"], "y": 1 });
    let teams = |own| all().who_groups(own);
    let of_teams = || reference("args.x").as_has_any();
    let group = || reference("args.x").as_subset_of();
    use Reason::{Forbidden, NotCovered};
    for (rules, call, refused) in [
        (vec![of(same())], &alike, None),
        (vec![of(same())], &apart, Some(NotCovered)),
        (vec![of(items([same_as("args.x"), any()]))], &apart, None),
        (vec![not_of(same())], &alike, Some(NotCovered)),
        (vec![not_of(same())], &apart, None),
        (vec![not_of(same())], &none, None),
        (vec![not_of(eq(""))], &json!({ "y": long }), None),
        (vec![all(), forbid(same())], &alike, Some(Forbidden)),
        (vec![all(), forbid(same())], &apart, None),
        (vec![all(), excused(same())], &alike, None),
        (vec![all(), excused(same())], &apart, Some(Forbidden)),
        (vec![teams(of_teams())], &team, None),
        (vec![teams(of_teams())], &json!({ "x": ["blue"], "y": 1 }), Some(NotCovered)),
        (vec![all().unless([("who.groups", group())])], &team, Some(NotCovered)),
        (vec![all().unless([("who.groups", group())])], &json!({ "x": ["blue"] }), None),
        (vec![all(), Rule::forbid("f").who_groups(group())], &team, Some(Forbidden)),
        (vec![all(), Rule::forbid("f").who_groups(group())], &json!({ "x": ["blue"] }), None),
    ] {
        let told = format!("{rules:?} of {call}");
        let world = World::rules(rules.clone());
        let who = world.broker.assert_identity(Assertion::agent("a").group("red")).unwrap();
        let task = world.open(&who);
        let call = Call::new("ping", call.clone()).unwrap();
        let asked = task.request(Scope::exactly(&call), &here()).map_err(|denial| denial.reason());
        assert_eq!(asked.as_ref().err().copied(), refused, "{told}");
        // The same rules of the same call, under a grant that they don't decide about.
        let at_calls = rules.into_iter().map(|rule| rule.on([Moment::Call]));
        let open = Rule::permit("open").tool("ping").any_args().on([Moment::Request]);
        let world = World::rules(at_calls.chain([open]));
        let who = world.broker.assert_identity(Assertion::agent("a").group("red")).unwrap();
        let task = world.open(&who);
        let grant = task.request(Scope::tool("ping").any_args(), &here()).unwrap();
        let dry = world.gate.check(grant.token(), &who, &call, &here());
        let expected = refused.map(|own| if own == NotCovered { Reason::NoPermit } else { own });
        assert_eq!(dry.err().map(|denial| denial.reason()), expected, "{told}");
    }
}

/// P3: of a scope that leaves a few values, each is asked.
#[test]
fn every_value_that_a_scope_leaves_is_looked_at() {
    let same = || each(same_as("args.x"));
    let given = |rule: Rule, y: &str| {
        let world = World::rules([rule.tool("ping").arg("x", any())]);
        let task = world.open(&world.agent("a"));
        let x = all_of([one_of(["a", "b"]), of_type(ValueType::Text)]);
        let scope = Scope::tool("ping").arg("x", x).arg("y", eq(Value::List(vec![y.into()])));
        task.request(scope, &here()).is_ok()
    };
    for y in ["a", "b"] {
        assert!(!given(Rule::permit("p").arg("y", same()), y), "{y} is the same as one of them");
        let excepted = Rule::permit("p").arg("y", any()).unless([("args.y", same())]);
        assert!(!given(excepted, y), "{y} is excepted with one of them");
    }
    let excepted = Rule::permit("p").arg("y", any()).unless([("args.y", same())]);
    assert!(given(excepted, "c"), "and is with none");
}

/// P3: a field of an object that a scope pins may be a list of what it is pinned to, of which a comparison tells nothing.
#[test]
fn a_forbid_acts_on_a_field_that_may_be_a_list_of_what_it_is_pinned_to() {
    let forbid = Rule::forbid("f").tool("ping").arg("y", same_as("args.o.b"));
    let world = World::rules([pings("p"), forbid.on([Moment::Request])]);
    let task = world.open(&world.agent("a"));
    let asked = |b| {
        let scope = Scope::tool("ping").arg("y", eq("z")).arg("o", fields([("b", b)]));
        task.request(scope, &here()).map(drop).map_err(|denial| denial.reason())
    };
    assert_eq!(asked(eq("x")), Err(Reason::Forbidden));
}

/// P3: a scope that says nothing of what a resource has is of resources that have it and of such that don't.
#[test]
fn what_a_scope_does_not_say_of_a_resource_is_open() {
    let asked = |rules: Vec<Rule>| {
        let world = World::rules(rules);
        let task = world.open(&world.agent("a"));
        let call = ping().on(Resource::new("doc", "1"));
        task.request(Scope::exactly(&call), &here()).map(drop).map_err(|denial| denial.reason())
    };
    let owned = |rule: Rule, own| rule.tool("ping").resource_attr("owner", own);
    let all = || Rule::permit("p").tool("ping").any_args().any_resource();
    assert_eq!(
        asked(vec![owned(
            Rule::permit("p").resource_type(any()).resource_id(any()),
            optional(eq("ada"))
        )]),
        Err(Reason::NotCovered)
    );
    assert_eq!(asked(vec![all(), owned(Rule::forbid("f"), eq("eve"))]), Ok(()));
}

/// What is left to the calls is not known when grants are looked at after a reload.
#[test]
fn a_reload_ends_no_grant_for_what_its_rule_compares_with_the_moment() {
    let rule = |id| Rule::permit(id).tool("ping").arg("y", each(same_as("when.env")));
    let world = World::rules([rule("p")]);
    let task = world.open(&world.agent("a"));
    let call = ping_with(json!({ "y": ["prod"] }));
    let context = Context::new().with("env", "prod");
    let grant = task.request(Scope::exactly(&call), &context).unwrap();
    world.broker.reload(&policy([rule("q")])).unwrap().finish();
    let who = world.agent("a");
    assert!(world.gate.check(grant.token(), &who, &call, &context).is_ok());
}
