use proptest::prelude::*;

use super::Remedy;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::regions::model::{any_policy, policy, questions, terms};
use crate::policy::{Effect, Policy, Rule};
use crate::prelude::{Call, Purpose};
use crate::resource::Resource;
use crate::scope::{above, any, eq, has_any, max, min, not, one_of, present, under};
use crate::value::Value;

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

fn level(policy: &Policy, who: &Identity, call: &Call, context: &Context) -> (usize, bool) {
    let decision = policy.decide(who, &Purpose::new("errand"), call, context, now()).unwrap();
    match decision.effect() {
        Some(Effect::Permit) => (0, true),
        Some(Effect::Ask) => (decision.rules().count(), true),
        _ => (0, false),
    }
}

/// In how many parts two questions of the universe differ.
fn distance(one: &(Identity, Call, Context), other: &(Identity, Call, Context)) -> usize {
    let part = |name: &str| one.1.args().object().get(name) != other.1.args().object().get(name);
    usize::from(!one.0.groups().eq(other.0.groups()))
        + usize::from(part("a"))
        + usize::from(part("b"))
        + usize::from(one.2 != other.2)
}

proptest! {
    /// Each remedy is permitted, or asked about as it says, when the question is asked as it says; and where a question
    /// of the universe with few changes is, one that is no larger is found.
    #[test]
    fn is_no_larger_than_what_asking_every_question_finds(own in any_policy(false), at in 0..1_000_000_usize) {
        let questions = questions();
        let question = &questions[at % questions.len()];
        let (who, call, context) = question;
        let found = own.nearest_yes(who, &Purpose::new("errand"), call, context, now()).unwrap();
        let (approvals, is_given) = level(&own, who, call, context);
        if is_given {
            prop_assert_eq!(found.len(), usize::from(approvals > 0));
            return Ok(());
        }
        for remedy in &found {
            let (mut args, mut groups) = (call.args().object().clone(), who.groups_value().clone());
            let mut own_context = context.clone();
            for (part, was, is) in remedy.changes() {
                prop_assert_ne!(was, is);
                match (part, is) {
                    ("who.groups", Some(is)) => groups = is.clone(),
                    ("when.w", Some(is)) => own_context = Context::new().with("w", is.clone()),
                    ("when.w", None) => own_context = Context::new(),
                    (arg, is) => {
                        let name = arg.strip_prefix("args.").unwrap();
                        args.remove(name);
                        is.into_iter().for_each(|is| { args.insert(name.to_owned(), is.clone()).unwrap(); });
                    }
                }
            }
            let Value::List(groups) = groups else { panic!() };
            let who = attested(Assertion::agent("a").groups(groups.iter().filter_map(Value::as_text)));
            let call = Call::new(call.tool(), Value::Object(args)).unwrap();
            let came = level(&own, &who, &call, &own_context);
            prop_assert_eq!(came, (remedy.approvals().len(), true), "{}: {:?}", remedy, question);
        }
        let others = questions.iter().filter(|other| other.1.tool() == call.tool());
        let nearest = others.filter_map(|other| {
            let (approvals, is_given) = level(&own, &other.0, &other.1, &other.2);
            is_given.then(|| distance(question, other) + approvals)
        }).min();
        let smallest = found.first().map(|own| own.changes().len() + own.approvals().len());
        if let Some(nearest) = nearest.filter(|own| *own <= 2) {
            prop_assert!(smallest.is_some_and(|own| own <= nearest), "{:?} {:?}: {:?}", question, nearest, found);
        }
    }
}
