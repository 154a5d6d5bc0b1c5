//! What runs is what people were shown, under the rules of the moment.

use hallpass::policy::Moment;
use hallpass::prelude::*;

use crate::office::{Office, four_eyes, pay};

fn permit() -> Rule {
    Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource()
}

/// attack 103: numbers by value.
#[test]
fn a_retry_in_another_spelling_runs_as_it_was_shown() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    for (one, two) in [("0", "-0.0"), ("100", "1e2"), ("1.50", "1.5"), ("98", "98.0")] {
        let call = |n: &str| {
            Call::from_json("bank.pay", &format!("{{\"to\":\"CH93\",\"amount\":{n}}}")).unwrap()
        };
        let pending = office.ask(&grant, &call(one));
        let shown = office.question(&pending).view().to_string();
        office.approved(&pending, &office.person("ada", "finance"));
        let running = office.authorize(&grant, &call(two)).unwrap().start().unwrap();
        let text = running.args().to_string();
        running.succeed();
        assert_eq!(text, call(one).args().to_string(), "{shown}");
    }
}

#[test]
fn another_spelling_of_a_typed_argument_meets_the_same_question_and_runs_canonical() {
    let policy = Policy::from_toml(
        r#"
        version = 1
        [[tool]]
        name = "fs.read"
        args = { path = "path" }
        [[rule]]
        id = "read"
        effect = "permit"
        what = { tool = "fs.read", args = "any" }
        [[rule]]
        id = "ask"
        effect = "ask"
        what = { tool = "fs.read" }
        approval = { review = [{ groups = { has_any = ["finance"] } }] }
        "#,
    )
    .unwrap();
    let office = Office::with(policy, |builder| builder);
    let task = office.broker.open(&office.attest("payer"), Purpose::new("x")).unwrap();
    let grant = task.request(Scope::tool("fs.read").any_args(), &Context::new()).unwrap();
    let read = |path: &str| Call::new("fs.read", serde_json::json!({ "path": path })).unwrap();
    let first = office.ask(&grant, &read("/data//a"));
    let second = office.ask(&grant, &read("/data/./a"));
    assert_eq!(first.id(), second.id());
    assert!(office.question(&first).view().to_string().contains("/data/a"));
    office.approved(&first, &office.person("ada", "finance"));
    let running = office.redeem(&first, &grant).unwrap().start().unwrap();
    assert_eq!(running.args().text("path"), Some("/data/a"));
    running.succeed();
    office.verify();
}

#[test]
fn a_rule_that_is_out_of_its_time_at_redeeming_does_not_permit() {
    use hallpass::scope::eq;
    let rules = [
        permit(),
        four_eyes().tool("bank.pay"),
        Rule::forbid("freeze").on([Moment::Call]).tool("bank.pay").when("freeze", eq(true)),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let office = Office::with(policy, |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let open = Context::new().with("freeze", false);
    let denial = office.gate.authorize(&grant, grant.holder(), pay(98), &open).unwrap_err();
    let pending = denial.pending().unwrap();
    office.approved(pending, &office.person("ada", "finance"));
    let frozen = Context::new().with("freeze", true);
    assert_eq!(
        office.gate.redeem(pending, &grant, grant.holder(), &frozen).err().unwrap().reason(),
        Reason::Forbidden
    );
    assert!(office.gate.redeem(pending, &grant, grant.holder(), &open).is_ok());
}
