//! What a task could ask for.

use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers, Tool};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, glob, has_any, max, min, not, one_of, prefix, regex, same_as};

use crate::world::{World, here, policy};

fn told(task: &Task, context: &Context) -> (Vec<String>, bool) {
    let could = task.could_request(context).unwrap();
    // Each is given as it stands.
    for scope in could.scopes() {
        let grant = task.request(scope.clone(), context);
        assert!(grant.is_ok(), "{:?}: {}", scope.to_value(), grant.unwrap_err().explain());
    }
    (could.scopes().map(|own| own.to_value().to_json()).collect(), could.is_all())
}

fn task_of(world: &World, who: Assertion) -> Task {
    let who = world.broker.assert_identity(who).unwrap();
    world.broker.open(&who, Purpose::new("errand")).unwrap()
}

#[test]
fn the_constraints_that_are_left_once_who_why_and_when_are_known_are_told() {
    let world = World::rules([
        Rule::permit("pay").tool("bank.pay").arg("to", any()).arg("amount", max(500)),
        Rule::permit("own").tool("doc.read").arg("owner", same_as("who.id")),
        Rule::permit("team").tool("doc.read").who_groups(has_any(["leads"])).any_args(),
        Rule::permit("other").tool("doc.write").purpose(eq("other")).any_args(),
        Rule::permit("prod").tool("deploy").when("env", eq("prod")).any_args(),
        Rule::permit("repo").tool("repo.pull").resource_type(eq("repo")).resource_id(prefix("a/")),
    ]);
    let ana = task_of(&world, Assertion::agent("ana"));
    let own = r#"[{"args":{"owner":{"eq":"ana"}},"tool":"doc.read"}]"#;
    let pay = r#"[{"args":{"amount":{"max":500},"to":"any"},"tool":"bank.pay"}]"#;
    let repo = r#"[{"resource":{"id":{"prefix":"a/"},"type":{"eq":"repo"}},"tool":"repo.pull"}]"#;
    let without_args = |own: &str| own.replace("\"args\":{},", "");
    let (scopes, is_all) = told(&ana, &here());
    let scopes: Vec<String> = scopes.iter().map(|own| without_args(own)).collect();
    assert_eq!((scopes, is_all), (vec![pay.to_owned(), own.to_owned(), repo.to_owned()], true));
    let (scopes, _) = told(&ana, &Context::new().with("env", "prod"));
    assert_eq!(scopes.len(), 4);
    // A lead is given any document, in one of two ways.
    let lead = task_of(&world, Assertion::agent("lea").group("leads"));
    let (scopes, _) = told(&lead, &here());
    assert!(
        scopes.iter().any(|own| own.contains(r#""args":"any","tool":"doc.read""#)),
        "{scopes:?}"
    );
}

#[test]
fn what_is_forbidden_asked_about_or_excepted_is_not_among_it() {
    let leads = ApprovalTerms::per(Per::Task).review(Reviewers::in_groups(has_any(["leads"])));
    let world = World::rules([
        Rule::permit("a").tool("a").any_args(),
        Rule::permit("b").tool("b").any_args(),
        Rule::permit("c").tool("c").arg("x", any()).unless([("args.x", min(10))]),
        Rule::permit("d").tool("d").any_args().on([Moment::Call]),
        Rule::forbid("no-a").tool("a"),
        Rule::ask("ask-b").tool("b").approval(leads),
    ]);
    let (scopes, is_all) = told(&task_of(&world, Assertion::agent("ana")), &here());
    assert_eq!((scopes.len(), is_all), (1, true), "{scopes:?}");
    assert!(scopes[0].contains(r#""tool":"c""#) && scopes[0].contains("not"), "{scopes:?}");
}

#[test]
fn what_is_left_out_is_said_to_be() {
    let all = |rule: Rule| {
        let world = World::rules([rule]);
        told(&task_of(&world, Assertion::agent("ana")), &here())
    };
    assert_eq!(all(Rule::permit("p").any_tool().any_args()), (vec![], false));
    assert_eq!(all(Rule::permit("p").tool_like(glob("db.*")).any_args()), (vec![], false));
    assert_eq!(all(Rule::permit("p").tool("t").arg("x", regex("a+"))), (vec![], false));
    assert_eq!(all(Rule::permit("p").tool("t").arg("x", not(one_of(["a"])))).0.len(), 1);
    // A catalogue names all the tools there are.
    let tools = [Tool::new("db.read"), Tool::new("db.write"), Tool::new("mail.send")];
    let rule = Rule::permit("p").tool_like(glob("db.*")).any_args();
    let listed = Policy::builder().tools(tools).rule(rule).build().unwrap();
    let world = World::new(listed);
    let (scopes, is_all) = told(&task_of(&world, Assertion::agent("ana")), &here());
    assert_eq!((scopes.len(), is_all), (2, true), "{scopes:?}");
    // More than are told.
    let many = (0..300).map(|n| Rule::permit(format!("r{n}")).tool(&format!("t{n}")).any_args());
    let world = World::new(policy(many));
    let (scopes, is_all) = told(&task_of(&world, Assertion::agent("ana")), &here());
    assert_eq!((scopes.len(), is_all), (256, false));
}

/// Asking is free: no record, no denial, nothing spent; and a task that is over or halted is told so.
#[test]
fn asking_what_could_be_asked_for_leaves_nothing() {
    let world = World::rules([Rule::permit("p").tool("t").any_args().uses(1)]);
    let ana = task_of(&world, Assertion::agent("ana"));
    let before = world.kinds();
    for _ in 0..3 {
        assert_eq!(ana.could_request(&here()).unwrap().scopes().count(), 1);
    }
    assert_eq!(world.kinds(), before);
    let bob = world.broker.assert_identity("bob").unwrap();
    world.control.halt(hallpass::Halt::identity("bob").unwrap());
    let denial = ana.could_request_for(&bob, &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Halted);
    world.control.revoke_task(ana.name()).unwrap();
    assert!(ana.could_request(&here()).is_err());
}

/// Another who is to hold it has to be permitted, too.
#[test]
fn for_another_holder_both_are_asked_about() {
    let world = World::rules([
        Rule::permit("ana").tool("t").who_id(eq("ana")).arg("x", max(5)).arg("y", any()),
        Rule::permit("bob").tool("t").who_id(eq("bob")).arg("x", any()).arg("y", max(7)),
    ]);
    let ana = task_of(&world, Assertion::agent("ana"));
    let bob = world.broker.assert_identity("bob").unwrap();
    let could = ana.could_request_for(&bob, &here()).unwrap();
    let [scope] = &could.scopes().collect::<Vec<_>>()[..] else { panic!() };
    assert!(ana.request_for(&bob, (*scope).clone(), &here()).is_ok());
    assert!(
        ana.request_for(&bob, Scope::tool("t").arg("x", max(6)).arg("y", max(7)), &here()).is_err()
    );
}
