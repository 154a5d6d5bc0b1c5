use super::Remedy;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::regions::model::{policy, terms};
use crate::policy::{Policy, Rule};
use crate::prelude::{Call, Purpose};
use crate::resource::Resource;
use crate::scope::{above, any, eq, has_any, max, min, not, one_of, present, under};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap()
}

fn attested(who: Assertion) -> Identity {
    Attestor::of(0).attest(who).unwrap()
}

fn found(policy: &Policy, who: Assertion, call: &Call, context: &Context) -> Vec<Remedy> {
    policy.nearest_yes(&attested(who), &Purpose::new("errand"), call, context, now()).unwrap()
}

/// What is found for a plain agent without a context.
fn told(policy: &Policy, tool: &str, args: &str) -> Vec<String> {
    let call = Call::from_json(tool, args).unwrap();
    let found = found(policy, Assertion::agent("a").group("staff"), &call, &Context::new());
    found.iter().map(Remedy::to_string).collect()
}

#[test]
fn each_kind_of_part_can_be_what_is_changed() {
    let pay = || Rule::permit("p").tool("t").arg("n", min(0).and(max(500)));
    for (rule, args, expected) in [
        (pay(), r#"{"n":900}"#, r#"with `args.n` 500 in the place of 900"#),
        (pay(), r#"{"n":-3}"#, r#"with `args.n` 0 in the place of -3"#),
        (pay(), r#"{"n":1,"x":2}"#, r#"without `args.x`"#),
        (pay().arg("m", one_of([7])), r#"{"n":1}"#, r#"with `args.m` 7"#),
        (
            pay().who_groups(has_any(["payers"])),
            r#"{"n":1}"#,
            r#"with `who.groups` ["staff","payers"] in the place of ["staff"]"#,
        ),
        (pay().who_attr("level", eq(3)), r#"{"n":1}"#, r#"with `who.attrs.level` 3"#),
        (
            pay().who_kind(eq("human")),
            r#"{"n":1}"#,
            r#"with `who.kind` "human" in the place of "agent""#,
        ),
        (
            pay().purpose(eq("pay-bill")),
            r#"{"n":1}"#,
            r#"with `why.purpose` "pay-bill" in the place of "errand""#,
        ),
        (pay().when("env", eq("prod")), r#"{"n":1}"#, r#"with `when.env` "prod""#),
    ] {
        let own = policy([rule]);
        let all = told(&own, "t", args);
        let said: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(said, [format!("`p` permits it {expected}")], "{args}");
    }
}

#[test]
fn an_approval_is_a_change_and_what_is_permitted_needs_none() {
    let own = policy([
        Rule::permit("p").tool("t").arg("n", any()),
        Rule::ask("q").tool("t").arg("n", above(100)).approval(terms()),
    ]);
    assert!(told(&own, "t", r#"{"n":5}"#).is_empty());
    let asked = "`p` permits it with the approval that `q` asks for";
    assert_eq!(told(&own, "t", r#"{"n":101}"#), [asked]);
    // Nothing of the tool is given, whatever is changed.
    assert!(told(&own, "u", "{}").is_empty());
}

#[test]
fn what_a_forbid_refuses_is_led_out_of_it() {
    let own = policy([
        Rule::permit("p").tool("t").arg("n", max(500)).arg("to", any()),
        Rule::forbid("frozen").tool("t").arg("n", above(50)).when("frozen", not(eq(false))),
    ]);
    let all = told(&own, "t", r#"{"n":90,"to":"x"}"#);
    let [first] = &all[..] else { panic!("{all:?}") };
    let known = [
        "`p` permits it with `args.n` 50 in the place of 90",
        "`p` permits it with `when.frozen` false",
    ];
    assert!(known.contains(&first.as_str()), "{first}");
    let excepted =
        policy([Rule::permit("p").tool("t").arg("n", any()).unless([("args.n", max(5))])]);
    assert_eq!(
        told(&excepted, "t", r#"{"n":4}"#),
        ["`p` permits it with `args.n` 6 in the place of 4"]
    );
}

#[test]
fn the_resource_is_a_part_as_any_other() {
    let doc = Rule::permit("docs").tool("t").resource_type(eq("doc")).resource_id(under("/a"));
    let own = policy([doc.resource_attr("owner", present())]);
    let context = Context::new();
    let bare = Call::from_json("t", "{}").unwrap();
    let [remedy] = &found(&own, Assertion::agent("a"), &bare, &context)[..] else { panic!() };
    let parts: Vec<&str> = remedy.changes().map(|(part, ..)| part).collect();
    assert_eq!(parts, ["resource.type", "resource.id", "resource.attrs.owner"]);
    let on = bare.clone().on(Resource::new("doc", "/b").attr("owner", "ana"));
    let [remedy] = &found(&own, Assertion::agent("a"), &on, &context)[..] else { panic!() };
    assert_eq!(remedy.changes().len(), 1, "{remedy}");
    let none = policy([Rule::permit("p").tool("t")]);
    let [remedy] = &found(&none, Assertion::agent("a"), &on, &context)[..] else { panic!() };
    assert!(remedy.changes().all(|(_, was, is)| was.is_some() && is.is_none()), "{remedy}");
}

#[test]
fn the_smallest_of_several_permits_comes_first() {
    let rule = |id: &str| Rule::permit(id.to_owned()).tool("t");
    let own = policy([
        rule("three").arg("a", eq(1)).arg("b", eq(1)).arg("c", eq(1)),
        rule("one").arg("a", eq(1)),
        rule("two").arg("a", eq(1)).arg("b", eq(1)),
        rule("also-two").arg("a", eq(2)).arg("b", eq(1)),
    ]);
    let all = told(&own, "t", r#"{"a":9}"#);
    assert_eq!(all.len(), 3);
    assert!(
        all[0].starts_with("`one`") && all[1..].iter().all(|own| own.contains("two`")),
        "{all:?}"
    );
}
