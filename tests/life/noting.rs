//! Ids that the host noted of results, and the calls that they bound.

use hallpass::audit::Event;
use hallpass::policy::{Moment, Tool};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, not, reference};
use hallpass::{NoteError, Running};
use serde_json::{Value, json};

use crate::world::{EVERYWHERE, World, here, seconds};

const ID: &str = "mail.read#id";

/// Mail may be read, and what was read may be deleted.
fn policy() -> Policy {
    let known = || reference("notes.mail.read#id").as_one_of();
    let read = Rule::permit("read").tool("mail.read").any_args().on(EVERYWHERE).depth(1);
    let delete = Rule::permit("delete-what-was-read").tool("mail.delete").arg("id", known());
    let policy = Policy::builder().rule(read).rule(delete.on(EVERYWHERE).depth(1));
    let policy = policy.rule(Rule::permit("forward").tool("mail.forward").any_args());
    let unknown = Rule::forbid("no-unknown").tool("mail.forward").arg("id", not(known()));
    policy.rule(unknown).build().unwrap()
}

fn all() -> Scope {
    let scope = Scope::tool("mail.read").any_args().and_tool("mail.delete").arg("id", any());
    scope.and_tool("mail.forward").any_args()
}

fn read() -> Call {
    Call::new("mail.read", json!({})).unwrap()
}

fn delete(id: impl Into<Value>) -> Call {
    Call::new("mail.delete", json!({ "id": id.into() })).unwrap()
}

fn noted(world: &World, grant: &Grant, value: impl Into<Value>) -> Result<(), NoteError> {
    let running = world.start(grant, &read());
    let noted = running.note(ID, value.into());
    running.succeed();
    noted
}

/// attack 2
#[test]
fn a_call_names_an_id_that_was_noted_in_its_task_and_no_other() {
    let world = World::new(policy());
    let agent = world.agent("a");
    let (task, other) = (world.open(&agent), world.open(&agent));
    let grant = task.request(all(), &here()).unwrap();
    let of_other = other.request(all(), &here()).unwrap();
    assert_eq!(world.denied(&grant, &delete("m-1")), Reason::NoPermit, "nothing is noted yet");
    noted(&world, &grant, json!(["m-1", "m-2"])).unwrap();
    noted(&world, &grant, "m-3").unwrap();
    noted(&world, &grant, 4).unwrap();
    for id in [json!("m-1"), json!("m-3"), json!(4), json!(4.0), json!(["m-1", "m-2"])] {
        assert_eq!(
            world.call(&grant, &delete(id.clone())).map_err(|own| own.reason()),
            Ok(()),
            "{id}"
        );
    }
    for id in
        [json!("m-9"), json!("M-1"), json!("4"), json!(["m-1", "m-9"]), json!([]), json!(null)]
    {
        assert_eq!(world.denied(&grant, &delete(id.clone())), Reason::NoPermit, "{id}");
    }
    assert_eq!(world.denied(&of_other, &delete("m-1")), Reason::NoPermit, "another task");
}

#[test]
fn what_was_not_noted_is_unknown_so_that_a_forbid_acts_on_it() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let grant = task.request(all(), &here()).unwrap();
    let forward = |id: &str| Call::new("mail.forward", json!({ "id": id })).unwrap();
    assert_eq!(world.denied(&grant, &forward("m-1")), Reason::Forbidden);
    noted(&world, &grant, json!([])).unwrap();
    assert_eq!(
        world.denied(&grant, &forward("m-1")),
        Reason::Forbidden,
        "an empty list is nothing"
    );
    noted(&world, &grant, "m-1").unwrap();
    world.call(&grant, &forward("m-1")).unwrap();
    assert_eq!(world.denied(&grant, &forward("m-2")), Reason::Forbidden);
}

#[test]
fn a_call_is_judged_by_what_is_noted_then_while_others_still_run() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let grant = task.request(all(), &here()).unwrap();
    let running = world.start(&grant, &read());
    running.note(ID, "m-1").unwrap();
    world.call(&grant, &delete("m-1")).unwrap();
    running.fail();
    world.call(&grant, &delete("m-1")).unwrap();
}

#[test]
fn delegates_and_renewed_grants_know_the_notes_of_their_task() {
    let world = World::new(policy());
    let (planner, reader) = (world.agent("planner"), world.agent("reader"));
    let task = world.open(&planner);
    let scope = || Scope::tool("mail.read").any_args().and_tool("mail.delete").arg("id", any());
    let mut own = task.request(scope(), &here()).unwrap();
    let child = task.delegate(&own, &reader, scope(), &here()).unwrap();
    noted(&world, &child, "m-1").unwrap();
    world.call(&own, &delete("m-1")).unwrap();
    task.renew(&mut own, &planner, &here()).unwrap();
    world.call(&own, &delete("m-1")).unwrap();
    noted(&world, &own, "m-2").unwrap();
    world.call(&child, &delete("m-2")).unwrap();
    world.broker.reload(&policy()).unwrap();
    world.call(&own, &delete("m-2")).unwrap();
}

/// A value pinned at the request is decided at the call, too.
#[test]
fn a_request_is_not_judged_by_what_is_noted() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let pinned = Scope::tool("mail.read").any_args().and_tool("mail.delete").arg("id", eq("m-1"));
    let grant = task.request(pinned, &here()).unwrap();
    assert_eq!(world.denied(&grant, &delete("m-1")), Reason::NoPermit);
    noted(&world, &grant, json!(["m-1", "m-2"])).unwrap();
    world.call(&grant, &delete("m-1")).unwrap();
    assert_eq!(world.denied(&grant, &delete("m-2")), Reason::OutOfScope);
}

#[test]
fn a_tool_that_waits_for_a_note_is_listed_once_there_is_one() {
    let world = World::new(policy());
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(all(), &here()).unwrap();
    let listed = || {
        let tools = world.gate.tools(grant.token(), &agent, &here()).unwrap();
        tools.iter().any(|tool| tool.as_str() == "mail.delete")
    };
    assert!(!listed());
    noted(&world, &grant, "m-1").unwrap();
    assert!(listed());
}

#[test]
fn what_can_not_be_noted_is_told_to_the_host_and_nothing_of_it_is_noted() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let grant = task.request(all(), &here()).unwrap();
    let told = |name: &str, value: Value| {
        let running = world.start(&grant, &read());
        let told = running.note(name, value).map_err(|error| error.to_string());
        running.succeed();
        told.unwrap_err()
    };
    for (name, value, expected) in [
        (
            "mail.read",
            json!("m"),
            "`mail.read` is not the name of a note, expected `TOOL#FIELD`, as in `mail.read#id`",
        ),
        (
            "mail read#id",
            json!("m"),
            "of the note `mail read#id`: tool name `mail read` has `\\u{20}` as character 5, expected letters a-z and A-Z, digits and `_.:/-`",
        ),
        ("mail.read#", json!("m"), "of the note `mail.read#`: the field is empty"),
        (
            "mail.send#id",
            json!("m"),
            "`mail.send#id` is a note of `mail.send`, and this call is of `mail.read`: a call notes what its own tool gave",
        ),
        (
            ID,
            json!(["m-1", { "id": "m-2" }]),
            "a note is text or a number, or a list of such, and this is of kind object: note the id that stands in it",
        ),
        (ID, json!(["m-1", ""]), "a note of an empty text says nothing: leave it out"),
        (
            ID,
            json!(["m-1", "x".repeat(257)]),
            "a note of 257 bytes, expected an id of at most 256: what is longer is content, and no host can vouch for that",
        ),
        (
            ID,
            json!(f64::MAX),
            "what is to be noted is not a value: a number of more than 38 digits",
        ),
        (
            ID,
            json!((0..1025).collect::<Vec<u32>>()),
            "a task keeps at most 1024 notes of 65536 bytes together: have the tool give less at a time, or open a task for each errand",
        ),
    ] {
        let told = told(name, value);
        assert!(told.starts_with(expected), "{told}");
    }
    assert_eq!(world.denied(&grant, &delete("m-1")), Reason::NoPermit);
    noted(&world, &grant, json!((0..1024).collect::<Vec<u32>>())).unwrap();
    assert!(noted(&world, &grant, "m-1").unwrap_err().is_full());
    assert_eq!(world.denied(&grant, &delete("m-1")), Reason::NoPermit, "over the bound it denies");
    noted(&world, &grant, 7).unwrap();
    world.call(&grant, &delete(7)).unwrap();
}

#[test]
fn a_task_that_is_over_takes_no_note() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let grant = task.request(all(), &here()).unwrap();
    let running: Running = world.start(&grant, &read());
    task.complete();
    let error = running.note(ID, "m-1").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.is_full()),
        ("the call's task is over, or the call is", false)
    );
}

#[test]
fn the_outcome_says_how_many_notes_were_new_and_what_they_are_stands_nowhere() {
    let world = World::new(policy());
    let task = world.open(&world.agent("a"));
    let grant = task.request(all(), &here()).unwrap();
    let running = world.start(&grant, &read());
    running.note(ID, json!(["secret-1", "secret-2", "secret-1"])).unwrap();
    running.note(ID, "secret-3").unwrap();
    running.succeed();
    noted(&world, &grant, "secret-3").unwrap();
    let counts: Vec<u64> = world
        .log
        .records()
        .iter()
        .filter_map(|record| match record.event {
            Event::Outcome { noted, .. } => Some(noted),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [3, 0]);
    let log = world.log.snapshot();
    let lines: Vec<&str> = log.entries().map(|entry| entry.line).collect();
    assert!(lines.iter().any(|line| line.contains(r#""outcome":"ok","noted":3}"#)), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("secret-")), "{lines:?}");
}

/// Said of a request, it would never speak: what calls will note is not known there.
#[test]
fn a_rule_that_compares_with_notes_speaks_at_calls() {
    let rule = |on: &[Moment]| {
        let known = reference("notes.t#id").as_one_of();
        let rule = Rule::forbid("f").tool("u").arg("x", known).on(on.iter().copied());
        Policy::builder().tool(Tool::new("t")).tool(Tool::new("u")).rule(rule).build()
    };
    for on in [&[Moment::Request][..], &[Moment::Delegate], &[Moment::Request, Moment::BreakGlass]]
    {
        let error = rule(on).unwrap_err().to_string();
        assert_eq!(
            error,
            "rule `f`: `what.args.x`: notes are known at calls, and the rule does not speak at them: add `call` to `on`"
        );
    }
    for on in [&[Moment::Call][..], &[Moment::BreakGlass], &[Moment::Request, Moment::Call]] {
        rule(on).unwrap();
    }
}

#[test]
fn notes_are_gone_with_their_task() {
    let world = World::new(policy());
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(all(), &here()).unwrap();
    noted(&world, &grant, "m-1").unwrap();
    drop((grant, task));
    world.pass(seconds(1));
    let again = world.open(&agent);
    let grant = again.request(all(), &here()).unwrap();
    assert_eq!(world.denied(&grant, &delete("m-1")), Reason::NoPermit);
}
