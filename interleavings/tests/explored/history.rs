//! Two calls of one task against one history.

use hallpass::policy::{Moment, Tool};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use serde_json::json;

use crate::schedule::explore;
use crate::world::{World, here};

/// What was read privately must not be sent, and a task that has sent something reads nothing private.
fn either_or() -> Policy {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    Policy::builder()
        .tool(Tool::new("crm.read").label("private"))
        .tool(Tool::new("mail.send").label("egress"))
        .rule(Rule::permit("work").tools(["crm.read", "mail.send"]).any_args().on(everywhere))
        .rule(
            Rule::forbid("no-egress-of-private")
                .labels(has_any(["egress"]))
                .seen(has_any(["private"])),
        )
        .rule(
            Rule::forbid("no-private-after-egress")
                .labels(has_any(["private"]))
                .seen(has_any(["egress"])),
        )
        .build()
        .unwrap()
}

/// attack 143
#[test]
fn of_two_calls_that_forbid_each_other_exactly_one_is_permitted() {
    let policy = either_or();
    for two_grants in [false, true] {
        let policy = policy.clone();
        explore(1000, move || {
            let world = World::new(&policy);
            let task = world.open(&world.agent("a"));
            let scope = || Scope::tool("crm.read").any_args().and_tool("mail.send").any_args();
            let request = || task.request(scope(), &here()).unwrap();
            let one = request();
            let other = if two_grants { Some(request()) } else { None };
            let other = other.as_ref().unwrap_or(&one);
            let call = |grant: &Grant, tool: &str| {
                let permit = world.authorize(grant, &Call::new(tool, json!({})).unwrap());
                match permit {
                    Ok(permit) => permit.start().map(hallpass::Running::succeed).is_ok(),
                    Err(denial) => {
                        assert_eq!(denial.reason(), Reason::Forbidden);
                        false
                    }
                }
            };
            let permitted = shuttle::thread::scope(|scope| {
                let read = scope.spawn(|| call(&one, "crm.read"));
                let sent = call(other, "mail.send");
                [read.join().unwrap(), sent]
            });
            assert!(permitted == [true, false] || permitted == [false, true], "{permitted:?}");
            world.records();
        });
    }
}
