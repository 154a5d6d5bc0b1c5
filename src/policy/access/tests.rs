use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::regions::model::{policy, terms};
use crate::policy::{Access, Accesses, Effect, Policy, Rule, Tool};
use crate::prelude::{Call, Purpose};
use crate::scope::{
    above, all_of, any, any_of, eq, glob, has_any, max, min, not, one_of, prefix, present,
    reference, same_as,
};
use crate::spelling::ArgType;
use crate::value::Value;

const NOW: &str = "2026-01-01T12:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).unwrap()
}

fn attested(who: Assertion) -> Identity {
    Attestor::of(0).attest(who).unwrap()
}

fn agent() -> Identity {
    attested(Assertion::agent("agent-7").group("payers").attr("limit", 300))
}

fn what_can(policy: &Policy, who: &Identity, context: &Context) -> Accesses {
    policy.search(&Purpose::new("errand"), context, now()).what_can(who).unwrap()
}

fn told(policy: &Policy) -> Vec<String> {
    what_can(policy, &agent(), &Context::new()).iter().map(Access::to_string).collect()
}

#[test]
fn what_is_known_is_put_in_and_what_does_not_apply_is_left_out() {
    let pay = |id: &str| Rule::permit(id.to_owned()).tool("bank.pay");
    let own = policy([
        pay("own").arg("amount", min(0).and(reference("who.attrs.limit").as_max())),
        pay("others").who_groups(has_any(["owners"])).any_args(),
        pay("prod").when("env", eq("prod")).any_args(),
    ]);
    let expected = r#"`bank.pay` by `own`, where {"args":{"amount":{"max":300,"min":0}}}; permitted: {"amount":0}"#;
    assert_eq!(told(&own), [expected]);
}

#[test]
fn guards_are_told_with_what_is_left_of_them() {
    let own = policy([
        Rule::permit("pay").tool("bank.pay").arg("amount", max(500)),
        Rule::forbid("large").tool("bank.pay").arg("amount", above(400)),
        Rule::ask("more").tool("bank.pay").arg("amount", above(100)).approval(terms()),
        Rule::forbid("others").tool("bank.pay").who_groups(has_any(["interns"])),
        Rule::forbid("beyond").tool("bank.pay").arg("amount", above(1000)),
    ]);
    let [told] = &told(&own)[..] else { panic!() };
    let expected = "`bank.pay` by `pay`, where {\"args\":{\"amount\":{\"max\":500}}}; \
        `large` forbids where `args.amount` {\"above\":400}; \
        `more` asks people where `args.amount` {\"above\":100}; \
        permitted: {\"amount\":100}; asked about: {\"amount\":400}";
    assert_eq!(told, expected);
}

#[test]
fn a_permit_of_which_nothing_is_left_gives_nothing() {
    let permit = || Rule::permit("p").tool("t").arg("a", one_of([1, 2]));
    let of = |rules: Vec<Rule>| what_can(&policy(rules), &agent(), &Context::new());
    assert!(of(vec![permit(), Rule::forbid("f").arg("a", max(2))]).is_shown_empty());
    // A guard acts where it can't tell, and its exception does not hold there.
    assert!(of(vec![permit(), Rule::forbid("f").when("env", eq("test"))]).is_shown_empty());
    let unless = Rule::forbid("f").unless([("when.env", eq("test"))]);
    assert!(of(vec![permit(), unless]).is_shown_empty());
    let excepted = permit().unless([("args.a", max(1))]);
    let only = of(vec![excepted]);
    let [access] = &only.iter().collect::<Vec<_>>()[..] else { panic!("{only}") };
    assert_eq!(access.permitted().unwrap().args().to_json(), r#"{"a":2}"#);
    let asked = of(vec![permit(), Rule::ask("q").approval(terms())]);
    let [access] = &asked.iter().collect::<Vec<_>>()[..] else { panic!("{asked}") };
    assert!(access.permitted().is_none() && access.asked().is_some(), "{access}");
}

#[test]
fn finite_values_of_a_part_are_told() {
    let doc = Rule::permit("docs").tool("doc.read").resource_type(eq("doc"));
    let own = policy([doc.resource_id(one_of(["a", "b"])).arg("page", any())]);
    let found = what_can(&own, &agent(), &Context::new());
    let [access] = &found.iter().collect::<Vec<_>>()[..] else { panic!("{found}") };
    let ids = access.values_of("resource.id").unwrap().map(Value::to_json).collect::<Vec<_>>();
    assert_eq!(ids, ["\"a\"", "\"b\""]);
    assert!(access.values_of("args.page").is_none() && access.values_of("who.id").is_none());
    assert_eq!(access.permitted().unwrap().resource().unwrap().id(), "a");
}

#[test]
fn a_comparison_with_the_call_stays_as_it_is_written() {
    let readers = reference("resource.attrs.readers").as_has_any();
    let own = policy([Rule::permit("readers")
        .who_groups(readers)
        .tool("repo.pull")
        .resource_type(eq("repo"))
        .resource_id(any())
        .resource_attr("readers", any())]);
    let found = what_can(&own, &agent(), &Context::new());
    // It may or may not be told; it is never said that there is nothing.
    assert!(!found.is_shown_empty(), "{found}");
    let same =
        policy([Rule::permit("own").tool("t").arg("to", any()).arg("from", same_as("args.to"))]);
    let [told] = &told(&same)[..] else { panic!() };
    assert!(
        told.contains(r#""from":{"same_as":"args.to"}"#) && told.contains("permitted"),
        "{told}"
    );
}

#[test]
fn tools_that_no_rule_names_are_searched_as_one_and_a_catalogue_leaves_none() {
    let open = Rule::permit("db").tool_like(prefix("db.")).any_args();
    let freeze = Rule::forbid("drop").tool("db.drop");
    let own = policy([open.clone(), freeze.clone()]);
    let found = what_can(&own, &agent(), &Context::new());
    let [access] = &found.iter().collect::<Vec<_>>()[..] else { panic!("{found}") };
    assert_eq!((access.tool(), access.rule()), (None, "db"));
    let call = access.permitted().unwrap();
    assert!(call.tool().starts_with("db.") && call.tool() != "db.drop", "{call:?}");
    let tools = [Tool::new("db.drop"), Tool::new("db.read")];
    let listed = Policy::builder().tools(tools).rules([open, freeze]).build().unwrap();
    let found = what_can(&listed, &agent(), &Context::new());
    assert_eq!(found.iter().map(Access::tool).collect::<Vec<_>>(), [Some("db.read")]);
    let (why, context) = (Purpose::new("errand"), Context::new());
    let search = listed.search(&why, &context, now());
    assert!(search.what_can_with("db.other", &agent()).is_err());
    assert_eq!(search.what_can_with("db.read", &agent()).unwrap().iter().len(), 1);
}

/// What the call's own tool is labelled is seen with it.
#[test]
fn the_labels_of_the_call_itself_are_seen_with_it() {
    let tools = [Tool::new("read").label("secret"), Tool::new("send")];
    let unseen = |id: &str, tool: &str| {
        Rule::permit(id.to_owned()).tool(tool).any_args().seen(not(has_any(["secret"])))
    };
    let rules = [unseen("r", "read"), unseen("s", "send")];
    let own = Policy::builder().tools(tools).rules(rules).build().unwrap();
    let found = what_can(&own, &agent(), &Context::new());
    assert!(found.is_all(), "{found}");
    assert_eq!(found.iter().map(Access::rule).collect::<Vec<_>>(), ["s"]);
}

/// A search does not know what a list is compared with: what it finds is asked before it is shown.
#[test]
fn a_call_that_is_shown_was_asked_of_the_rules() {
    let among = reference("args.list").as_one_of();
    let own = policy([Rule::permit("p").tool("t").arg("list", any()).arg("owner", among)]);
    let found = what_can(&own, &agent(), &Context::new());
    assert!(!found.is_shown_empty(), "{found}");
    let (why, context) = (Purpose::new("errand"), Context::new());
    for call in found.iter().filter_map(Access::permitted) {
        assert!(own.decide(&agent(), &why, call, &context, now()).unwrap().is_permit(), "{call:?}");
    }
}

#[test]
fn who_can_is_who_the_rules_permit_or_ask_about() {
    let own = policy([
        Rule::permit("payers").who_groups(has_any(["payers"])).tool("bank.pay").any_args(),
        Rule::ask("new").who_attr("new", eq(true)).tool("bank.pay").approval(terms()),
        Rule::forbid("bots").who_kind(eq("workload")),
    ]);
    let people = [
        Assertion::agent("a").group("payers").attr("new", false),
        Assertion::agent("b").attr("new", false),
        Assertion::agent("c").group("payers").attr("new", true),
        Assertion::workload("d").group("payers").attr("new", false),
    ]
    .map(attested);
    let (why, context) = (Purpose::new("errand"), Context::new());
    let search = own.search(&why, &context, now());
    let call = Call::from_json("bank.pay", "{}").unwrap();
    let found = search.who_can(&call, &people).unwrap();
    let found: Vec<_> =
        found.iter().map(|(who, own)| (who.subject().as_str(), own.effect().unwrap())).collect();
    assert_eq!(found, [("a", Effect::Permit), ("c", Effect::Ask)]);
    let found = search.who_can_use("bank.pay", &people).unwrap();
    assert!(found.iter().map(|(who, _)| who.subject().as_str()).eq(["a", "c"]));
}

#[test]
fn what_costs_too_much_is_not_said_to_be_nothing() {
    let many = |n: usize| format!("{n:05}");
    let rules =
        (0..70).map(|n| Rule::forbid(format!("f{n}")).tool("t").arg("a", not(prefix(&many(n)))));
    let permit = Rule::permit("p").tool("t").arg("a", any());
    let found = what_can(&policy(rules.chain([permit])), &agent(), &Context::new());
    assert!(!found.is_shown_empty() && found.undecided().eq(["p"]), "{found}");
}

/// The rules of a large policy may cost more than is looked at: then what was not looked at is not said to give nothing.
#[test]
fn what_is_too_much_to_look_at_is_never_told_as_nothing() {
    let tool = "files.read-the-long-named-report-of-the-quarter-that-was-before-the-last-one";
    // The index knows what these begin with: no call of the tool asks them.
    let costly = || any_of((0..40).map(|at| glob(&format!("*-{at}-*-x"))));
    let like = || all_of([costly(), prefix("mail.")]);
    let forbid = |at| Rule::forbid(format!("f{at:04}")).tool_like(like());
    let listed = || Policy::builder().tool(Tool::new(tool)).rules((0..2_000).map(forbid));
    let permit = Rule::permit("read").tool_like(prefix("files.")).any_args();
    let own = listed().rule(permit).build().unwrap();
    let call = Call::from_json(tool, "{}").unwrap();
    let (who, why, context) = (agent(), Purpose::new("errand"), Context::new());
    assert!(own.decide(&who, &why, &call, &context, now()).unwrap().is_permit());
    let search = own.search(&why, &context, now());
    let found = search.what_can_with(tool, &who).unwrap();
    assert!(!found.is_shown_empty() && !found.is_all(), "{found}");
    assert_eq!(search.who_can_use(tool, [&who]).unwrap().len(), 1);
    // Nor is it said that another policy gives no more.
    assert!(!listed().build().unwrap().diff(&own).wider().is_shown_empty());
}

/// What stands for an argument that is left out is in every call, so a permit that does not name its tool has to name it.
#[test]
fn a_permit_of_any_tool_is_left_of_none_with_a_default_that_it_does_not_name() {
    let typed = Tool::new("t").default_arg("a", ArgType::Number, 1_u64);
    let typed = typed.default_arg("b", ArgType::Number, 7_u64);
    let of = |rule: Rule| {
        let tools = [typed.clone(), Tool::new("u")];
        let policy = Policy::builder().tools(tools).rule(rule).build().unwrap();
        let found = what_can(&policy, &agent(), &Context::new());
        assert!(found.is_all(), "{found}");
        found.iter().filter_map(|own| own.tool().map(str::to_owned)).collect::<Vec<_>>()
    };
    let any_tool = || Rule::permit("p").any_tool();
    assert_eq!(of(any_tool().arg("a", present())), ["u"]);
    assert_eq!(of(any_tool().arg("a", present()).arg("b", eq(7))), ["t", "u"]);
    assert_eq!(of(any_tool().arg("a", present()).other_args()), ["t", "u"]);
    assert_eq!(of(Rule::permit("p").tool("t").arg("a", present())), ["t"]);
}
