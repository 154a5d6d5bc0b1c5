//! What rules compare with, at a request.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{all_of, any, any_of, eq, min, not, same_as};

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
