//! What a task has seen, and what that forbids it.

use std::sync::Barrier;

use hallpass::policy::{Moment, Tool};
use hallpass::prelude::*;
use hallpass::scope::{has_all, has_any, not};
use serde_json::json;

use crate::world::{World, here, seconds};

const TOOLS: [&str; 4] = ["web.read", "crm.read", "mail.send", "note.take"];

/// Three things that are harmless one by one and deadly together: reading what strangers wrote,
/// reading what is private, and sending something out.
fn deadly_combination() -> World {
    let tools =
        [("web.read", "untrusted-input"), ("crm.read", "private-data"), ("mail.send", "egress")];
    let mut policy = Policy::builder().tool(Tool::new("note.take"));
    for (tool, label) in tools {
        policy = policy.tool(Tool::new(tool).label(label));
    }
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let policy = policy
        .rule(Rule::permit("work").tools(TOOLS).any_args().on(everywhere).ttl(seconds(600)))
        .rule(
            Rule::forbid("no-egress-once-tainted")
                .labels(has_any(["egress"]))
                .seen(has_all(["untrusted-input", "private-data"])),
        );
    World::new(policy.build().unwrap())
}

fn all_tools() -> Scope {
    TOOLS.into_iter().fold(Scope::default(), |scope, tool| scope.and_tool(tool).any_args())
}

fn use_of(tool: &str) -> Call {
    Call::new(tool, json!({})).unwrap()
}

#[test]
fn any_two_of_the_deadly_combination_pass_and_the_third_does_not() {
    let orders = [
        (["web.read", "mail.send", "crm.read"], None),
        (["crm.read", "mail.send", "web.read"], None),
        (["web.read", "crm.read", "mail.send"], Some("mail.send")),
        (["crm.read", "web.read", "mail.send"], Some("mail.send")),
    ];
    for (order, refused) in orders {
        let world = deadly_combination();
        let agent = world.agent("a");
        let task = world.open(&agent);
        let grant = task.request(all_tools(), &here()).unwrap();
        for tool in order {
            let outcome = world.call(&grant, &use_of(tool));
            assert_eq!(outcome.is_err(), refused == Some(tool), "{tool} of {order:?}");
        }
        // Once all has been read, nothing goes out, whatever the order was.
        assert_eq!(world.denied(&grant, &use_of("mail.send")), Reason::Forbidden);
        world.call(&grant, &use_of("note.take")).unwrap();
    }
}

#[test]
fn another_task_has_a_history_of_its_own() {
    let world = deadly_combination();
    let agent = world.agent("a");
    let (tainted, clean) = (world.open(&agent), world.open(&agent));
    let tainted = (tainted.request(all_tools(), &here()).unwrap(), tainted);
    for tool in ["web.read", "crm.read"] {
        world.call(&tainted.0, &use_of(tool)).unwrap();
    }
    let grant = clean.request(all_tools(), &here()).unwrap();
    world.call(&grant, &use_of("mail.send")).unwrap();
}

#[test]
fn a_permit_that_was_never_started_counts_as_seen() {
    let world = deadly_combination();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(all_tools(), &here()).unwrap();
    drop(world.authorize(&grant, &use_of("web.read")).unwrap());
    drop(world.authorize(&grant, &use_of("crm.read")).unwrap());
    assert_eq!(world.denied(&grant, &use_of("mail.send")), Reason::Forbidden);
}

#[test]
fn what_was_denied_or_only_asked_about_was_not_seen() {
    let world = deadly_combination();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(all_tools(), &here()).unwrap();
    world.call(&grant, &use_of("web.read")).unwrap();
    world.gate.check(grant.token(), &agent, &use_of("crm.read"), &here()).unwrap();
    world.control.halt(hallpass::Halt::tool("crm.read").unwrap());
    assert_eq!(world.denied(&grant, &use_of("crm.read")), Reason::Halted);
    world.call(&grant, &use_of("mail.send")).unwrap();
}

/// attack 153
#[test]
fn what_a_delegate_saw_counts_for_the_task_and_renewing_clears_nothing() {
    let world = deadly_combination();
    let (planner, reader) = (world.agent("planner"), world.agent("reader"));
    let task = world.open(&planner);
    let mut own = task.request(all_tools(), &here()).unwrap();
    let mut child = task.delegate(&own, &reader, all_tools(), &here()).unwrap();
    world.call(&child, &use_of("web.read")).unwrap();
    world.call(&child, &use_of("crm.read")).unwrap();
    assert_eq!(world.denied(&own, &use_of("mail.send")), Reason::Forbidden);

    // A renewal of what can no longer be used is refused, and a new request as well.
    let denial = task.renew(&mut child, &reader, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    assert_eq!(task.renew(&mut own, &planner, &here()).unwrap_err().reason(), Reason::Forbidden);
    let mail = Scope::tool("mail.send").any_args();
    assert_eq!(task.request(mail, &here()).unwrap_err().reason(), Reason::Forbidden);
    let notes = task.request(Scope::tool("note.take").any_args(), &here()).unwrap();
    world.call(&notes, &use_of("note.take")).unwrap();
}

#[test]
fn two_calls_that_race_past_a_seen_rule_do_not_both_win() {
    for _ in 0..200 {
        let world = deadly_combination();
        let agent = world.agent("a");
        let task = world.open(&agent);
        let grant = task.request(all_tools(), &here()).unwrap();
        world.call(&grant, &use_of("web.read")).unwrap();
        let start = Barrier::new(2);
        let race = |tool| {
            start.wait();
            world.authorize(&grant, &use_of(tool)).is_ok()
        };
        let (read, sent) = std::thread::scope(|scope| {
            let read = scope.spawn(|| race("crm.read"));
            let sent = scope.spawn(|| race("mail.send"));
            (read.join().unwrap(), sent.join().unwrap())
        });
        assert!(read, "reading is never forbidden");
        // The log has one order: mail that went out did so before the private data was read.
        let permitted: Vec<_> = world
            .log
            .records()
            .into_iter()
            .filter_map(|record| match record.event {
                hallpass::audit::Event::Permitted { tool, .. } => Some(tool.into_owned()),
                _ => None,
            })
            .collect();
        let expected: &[&str] = match sent {
            true => &["web.read", "mail.send", "crm.read"],
            false => &["web.read", "crm.read"],
        };
        assert_eq!(permitted, expected);
        assert_eq!(world.denied(&grant, &use_of("mail.send")), Reason::Forbidden);
    }
}

#[test]
fn a_task_remembers_many_labels() {
    let names: Vec<String> = (0..200).map(|n| format!("tool-{n}")).collect();
    let mut policy = Policy::builder().tool(Tool::new("last").label("egress"));
    for (n, name) in names.iter().enumerate() {
        policy = policy.tool(Tool::new(name).label(&format!("label-{n}")));
    }
    let all: Vec<String> = (0..200).map(|n| format!("label-{n}")).collect();
    let policy = policy
        .rule(Rule::permit("all").any_tool().any_args())
        .rule(Rule::forbid("after-all").tool("last").seen(has_all(all.iter().map(String::as_str))));
    let world = World::new(policy.build().unwrap());
    let agent = world.agent("a");
    let task = world.open(&agent);
    let last = task.request(Scope::tool("last").any_args(), &here()).unwrap();
    for name in &names {
        world.call(&last, &use_of("last")).unwrap();
        let grant = task.request(Scope::tool(name).any_args(), &here()).unwrap();
        world.call(&grant, &use_of(name)).unwrap();
    }
    assert_eq!(world.denied(&last, &use_of("last")), Reason::Forbidden);
}

/// History is of tools as well as of labels.
#[test]
fn a_tool_that_a_reload_labels_taints_the_tasks_that_have_used_it() {
    let world = deadly_combination();
    let agent = world.agent("a");
    let (used, unused) = (world.open(&agent), world.open(&agent));
    let [tainted, clean] = [&used, &unused].map(|task| task.request(all_tools(), &here()).unwrap());
    for grant in [&tainted, &clean] {
        world.call(grant, &use_of("crm.read")).unwrap();
    }
    world.call(&tainted, &use_of("note.take")).unwrap();
    world.call(&tainted, &use_of("mail.send")).unwrap();

    // Notes turn out to hold what strangers write.
    let labelled = |note: &[&str]| {
        let tools = [("web.read", "untrusted-input"), ("crm.read", "private-data")];
        let tools = tools.map(|(tool, label)| Tool::new(tool).label(label));
        let forbid = Rule::forbid("no-egress-once-tainted").labels(has_any(["egress"]));
        let permit = Rule::permit("work").tools(TOOLS).any_args().ttl(seconds(600));
        Policy::builder()
            .tools(tools)
            .tool(Tool::new("mail.send").label("egress"))
            .tool(Tool::new("note.take").labels(note.iter().copied()))
            .rule(permit)
            .rule(forbid.seen(has_all(["untrusted-input", "private-data"])))
            .build()
            .unwrap()
    };
    let preview = world.broker.preview(&labelled(&["untrusted-input"]));
    assert!(preview.grants.is_empty(), "what was seen is asked at the calls");
    world.broker.reload(&labelled(&["untrusted-input"])).unwrap().finish();
    let denial = world.authorize(&tainted, &use_of("mail.send")).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    let told = denial.explain().to_string();
    let by = "\"untrusted-input\" by call 11 of `note.take`";
    assert!(told.contains(by) && told.contains("\"private-data\" by call"), "{told}");
    assert!(used.request(Scope::tool("mail.send").any_args(), &here()).is_err(), "requests see it");
    world.call(&clean, &use_of("mail.send")).unwrap();

    // Labels never leave a task, whatever is loaded next.
    world.call(&tainted, &use_of("crm.read")).unwrap();
    world.broker.reload(&labelled(&[])).unwrap().finish();
    assert_eq!(world.denied(&tainted, &use_of("mail.send")), Reason::Forbidden);
    world.call(&clean, &use_of("note.take")).unwrap();
    world.call(&clean, &use_of("mail.send")).unwrap();
}

#[test]
fn what_was_seen_is_told_with_the_call_that_brought_it() {
    let world = deadly_combination();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(all_tools(), &here()).unwrap();
    world.call(&grant, &use_of("web.read")).unwrap();
    world.call(&grant, &use_of("web.read")).unwrap();
    let running = world.start(&grant, &use_of("crm.read"));
    let denial = world.authorize(&grant, &use_of("mail.send")).unwrap_err();
    let told = denial.explain().to_string();
    let first = format!("(\"untrusted-input\" by call {} of `web.read`, ", running.number() - 4);
    let then = format!("\"private-data\" by call {} of `crm.read`, ", running.number());
    assert!(told.contains(&(first + &then + "\"egress\" by this call)")), "{told}");
}

/// Of a permit that what was seen keeps from applying, too.
#[test]
fn the_nearest_permit_tells_what_was_seen_with_the_call_that_brought_it() {
    let reads = Tool::new("crm.read").label("private-data");
    let clean = not(has_any(["private-data"]));
    let everywhere = [Moment::Request, Moment::Call];
    let policy = Policy::builder()
        .tools([reads, Tool::new("mail.send")])
        .rule(Rule::permit("reads").tool("crm.read").any_args().on(everywhere))
        .rule(Rule::permit("sends").tool("mail.send").any_args().on(everywhere).seen(clean));
    let world = World::new(policy.build().unwrap());
    let task = world.open(&world.agent("a"));
    let sends = Scope::tool("mail.send").any_args();
    let grant = task.request(sends.clone().and_tool("crm.read").any_args(), &here()).unwrap();
    let running = world.start(&grant, &use_of("crm.read"));
    let by = format!("(\"private-data\" by call {} of `crm.read`)", running.number());
    running.succeed();
    for denial in [
        world.authorize(&grant, &use_of("mail.send")).unwrap_err(),
        task.request(sends, &here()).unwrap_err(),
    ] {
        let told = denial.explain().to_string();
        assert!(told.contains("`sends`") && told.contains(&by), "{told}");
    }
}
