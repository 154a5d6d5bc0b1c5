//! Scopes and grants are brought to the spelling in which the tool gets its arguments.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    each, eq, glob, has_all, has_any, not, one_of, optional, prefix, some, subset_of, under,
};
use serde_json::json;

use crate::typed::{World, any_mail, attached, mail};

/// An agent that asks for exactly the call that it will make can make it.
#[test]
fn a_scope_is_brought_to_the_spelling_of_calls() {
    let world = World::of([any_mail()]);
    for (asked, kept) in [
        (eq("/data/./a"), eq("/data/a")),
        (one_of(["/data/a/", "//data/a", "/b"]), one_of(["/b", "/data/a"])),
        (not(eq("/data/a/")), not(eq("/data/a"))),
        (eq(vec!["a//b", "c"]), eq(vec!["a/b", "c"])),
        (each(eq("a/")), each(eq("a"))),
        (some(one_of(["a/", "b"])), some(one_of(["a", "b"]))),
        (subset_of(["a/", "b"]), subset_of(["a", "b"])),
        (has_any(["./a"]), has_any(["a"])),
        (has_all(["./a"]), has_all(["a"])),
        (optional(eq("./a")), optional(eq("a"))),
        (eq("/data/./a").and(prefix("/data/")), eq("/data/a").and(prefix("/data/"))),
    ] {
        let task = world.open();
        let grant = task.request(attached(asked.clone()), &Context::new()).unwrap();
        assert_eq!(grant.scope().to_value(), attached(kept).to_value(), "{asked}");
    }
    let task = world.open();
    let grant = task.request(attached(eq("/data/./a")), &Context::new()).unwrap();
    for spelling in ["/data/./a", "/data/a", "/data//a/"] {
        let call = Call::new("mail.send", json!({ "attachment": spelling })).unwrap();
        assert_eq!(world.attempt(grant.token(), call).unwrap(), json!({ "attachment": "/data/a" }));
    }
    // The same argument of a tool that gives it no type is left alone.
    let world = World::of([any_mail(), Rule::permit("note").tool("note").any_args()]);
    let scope = Scope::tool("note").arg("attachment", eq("/data/./a"));
    let task = world.open();
    let grant = task.request(scope.clone(), &Context::new()).unwrap();
    assert_eq!(grant.scope(), &scope);
    let call = Call::new("note", json!({ "attachment": "/data/./a" })).unwrap();
    assert_eq!(world.attempt(grant.token(), call).unwrap(), json!({ "attachment": "/data/./a" }));
}

#[test]
fn a_scope_that_pins_what_is_no_path_is_refused() {
    let world = World::of([any_mail()]);
    for constraint in [
        eq("/data/../etc"),
        eq(7),
        eq("C:\\data\\f.txt::$DATA"),
        not(eq("../x")),
        one_of(["/a", "/b/%2e"]),
        has_any(["..", "/a"]),
    ] {
        let task = world.open();
        let asked = task.request(attached(constraint.clone()), &Context::new());
        let denial = asked.unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedScope, "{constraint}");
        let explained = denial.explain().to_string();
        assert!(explained.contains("argument `attachment` of `mail.send`: `"), "{explained}");
    }
    // attack 197: a pattern that no spelling fits would be granted for nothing.
    for constraint in [prefix("./src"), each(glob("/data/*/")), not(prefix("/data//"))] {
        let asked = world.open().request(attached(constraint.clone()), &Context::new());
        let denial = asked.unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedScope, "{constraint}");
        let explained = denial.explain().to_string();
        assert!(explained.contains("fits no path as `mail.send` gets it"), "{explained}");
    }
}

/// A delegated scope, a trimmed one and a renewed one are brought to the same spelling.
#[test]
fn every_way_to_a_grant_brings_its_scope_to_the_spelling_of_calls() {
    let data = Rule::permit("data").tool("mail.send").arg("attachment", under("/data"));
    let delegate = Rule::permit("delegate").tool("mail.send").any_args().on([Moment::Delegate]);
    let world = World::of([data, delegate]);
    let context = Context::new();
    let task = world.open();
    let (trimmed, cuts) =
        task.request_trimmed(attached(one_of(["/data/./a", "/data/b/"])), &context).unwrap();
    assert!(cuts.is_empty());
    let kept = attached(one_of(["/data/a", "/data/b"]));
    assert_eq!(trimmed.scope().to_value(), kept.to_value());
    let child = task.delegate(&trimmed, &world.agent, attached(eq("/data//a")), &context).unwrap();
    assert_eq!(child.scope().to_value(), attached(eq("/data/a")).to_value());
}

/// A token is attenuated without the catalogue: what it pins is compared in the spelling of calls, and
/// what excludes a path excludes every spelling of it.
#[test]
fn an_attenuation_is_compared_with_the_canonical_form() {
    let world = World::of([any_mail()]);
    let task = world.open();
    let grant = task.request(Scope::tool("mail.send").any_args(), &Context::new()).unwrap();
    let narrowed = |constraint| grant.token().attenuate(&attached(constraint), None).unwrap();
    let send = |token: &Token, path: &str| {
        let call = Call::new("mail.send", json!({ "attachment": path })).unwrap();
        world.attempt(token, call).map_err(|denial| denial.reason())
    };
    let only = narrowed(eq("/data/./a"));
    assert!(send(&only, "/data/./a").is_ok() && send(&only, "/data/a/").is_ok());
    assert_eq!(send(&only, "/data/b"), Err(Reason::OutOfScope));
    let but = narrowed(not(eq("/data/./secret")));
    assert_eq!(send(&but, "/data/secret"), Err(Reason::OutOfScope));
    assert!(send(&but, "/data/open").is_ok());
    let nothing = narrowed(not(eq("/data/../secret")));
    assert_eq!(send(&nothing, "/data/open"), Err(Reason::OutOfScope));
    // The spelling that was sent is not looked at, however plainly it is what the block says.
    let sent = narrowed(prefix("/data/./"));
    assert_eq!(send(&sent, "/data/./a"), Err(Reason::OutOfScope));
    // attack 197: what excludes only what no call has, excludes nothing, and is not taken for more.
    let no_spelling = narrowed(not(prefix("/data/./")));
    assert_eq!(send(&no_spelling, "/data/a"), Err(Reason::OutOfScope));
    let no_path = narrowed(one_of(["/data/a", "/data/../b"]));
    assert_eq!(send(&no_path, "/data/a"), Err(Reason::OutOfScope));
}

/// Grants live on when a policy that gives their argument a type comes into force: what they pin is
/// compared in the new spelling, and those that pin what is not a path drift.
#[test]
fn a_grant_is_respelled_when_its_argument_gets_a_type() {
    let untyped = Policy::builder().tool(Tool::new("mail.send")).rule(any_mail()).build().unwrap();
    let typed = Policy::builder().tool(mail()).rule(any_mail()).build().unwrap();
    let broker = Broker::new(untyped).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let context = Context::new();
    let task = broker.open(&agent, Purpose::new("mail")).unwrap();
    let raw = task.request(attached(eq("/data/./a")), &context).unwrap();
    let wild = task.request(attached(eq("/data/../a")), &context).unwrap();
    let attempt = |grant: &hallpass::Grant, path: &str| {
        let call = Call::new("mail.send", json!({ "attachment": path })).unwrap();
        let permit = broker.gate().authorize(grant.token(), &agent, call, &context);
        permit.map(|_| ()).map_err(|denial| denial.reason())
    };
    assert_eq!(attempt(&raw, "/data/./a"), Ok(()));
    assert_eq!(attempt(&raw, "/data/a"), Err(Reason::OutOfScope));
    assert_eq!(attempt(&wild, "/data/../a"), Ok(()));
    let _ = broker.reload(&typed).unwrap();
    assert_eq!(attempt(&raw, "/data/a"), Ok(()));
    assert_eq!(attempt(&wild, "/data/a"), Err(Reason::Drifted));
}
