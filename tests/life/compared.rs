//! What a guard compares with, at a request.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{any_of, eq, min, not, same_as};

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
