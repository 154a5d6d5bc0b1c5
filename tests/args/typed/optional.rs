//! Typed arguments that a call may leave out, by leaving them out or by `null`.

use hallpass::audit::Event;
use hallpass::policy::ArgType;
use hallpass::prelude::*;
use hallpass::scope::{any, optional, under};
use serde_json::json;

use super::World;

fn world(tool: Tool) -> World {
    let attachment = optional(under("/data"));
    let rule = Rule::permit("p").tool("mail.send").arg("to", any()).arg("attachment", attachment);
    World::with([tool], [rule])
}

fn asked() -> Scope {
    Scope::tool("mail.send").arg("to", any()).arg("attachment", optional(under("/data")))
}

#[test]
fn null_is_left_out_of_the_call_that_is_judged_logged_and_run() {
    let own = || world(Tool::new("mail.send").optional_arg("attachment", ArgType::Path));
    let without = json!({ "to": "ana" });
    for (given, got) in [
        (json!({ "to": "ana", "attachment": null }), Some(without.clone())),
        (without.clone(), Some(without.clone())),
        (
            json!({ "to": "ana", "attachment": "/data/./a" }),
            Some(json!({ "to": "ana", "attachment": "/data/a" })),
        ),
        (json!({ "to": "ana", "attachment": "/etc/passwd" }), None),
        (json!({ "to": "ana", "attachment": ["/data/a", null] }), None),
        (json!({ "to": "ana", "attachment": "" }), None),
        (json!({ "to": "ana", "attachment": false }), None),
    ] {
        assert_eq!(own().send(asked(), given.clone()).ok(), got, "{given}");
    }
    // Where the type does not say so, it is a value of another kind.
    let strict = world(Tool::new("mail.send").arg("attachment", ArgType::Path));
    let denial = strict.send(asked(), json!({ "to": "ana", "attachment": null })).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedCall);
}

#[test]
fn the_digest_is_that_of_the_call_without_it() {
    let own = world(Tool::new("mail.send").optional_arg("attachment", ArgType::Path));
    for args in [json!({ "to": "ana", "attachment": null }), json!({ "to": "ana" })] {
        own.send(asked(), args).unwrap();
    }
    let digests: Vec<_> = own
        .log
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Permitted { args, .. } => Some(args.into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(digests.len(), 2);
    assert_eq!(digests[0], digests[1]);
}

/// An agent that asks for exactly the call it will make can make it.
#[test]
fn a_scope_that_pins_it_to_null_asks_for_calls_without_it() {
    let own = world(Tool::new("mail.send").optional_arg("attachment", ArgType::Path));
    let call = Call::new("mail.send", json!({ "to": "ana", "attachment": null })).unwrap();
    let task = own.open();
    let grant = task.request(Scope::exactly(&call), &Context::new()).unwrap();
    assert_eq!(own.attempt(grant.token(), call).unwrap(), json!({ "to": "ana" }));
    let other = Call::new("mail.send", json!({ "to": "ana", "attachment": "/data/a" })).unwrap();
    assert_eq!(own.attempt(grant.token(), other).unwrap_err().reason(), Reason::OutOfScope);
}

#[test]
fn it_is_part_of_what_a_policy_says() {
    let digest = |tool| Policy::builder().tool(tool).build().unwrap().digest();
    let tool = || Tool::new("mail.send");
    let optional = tool().optional_arg("attachment", ArgType::Path);
    assert_ne!(digest(optional.clone()), digest(tool().arg("attachment", ArgType::Path)));
    let text = "version = 1\n[[tool]]\nname = \"mail.send\"\nargs = { attachment = \"path?\" }\n";
    assert_eq!(Policy::from_toml(text).unwrap().digest(), digest(optional));
}
