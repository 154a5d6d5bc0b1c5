//! What can't be ended in time is refused before anything is given, unless a rule accepts it.

use hallpass::credential::{Guarantees, Sessions};
use hallpass::prelude::*;
use hallpass::testing::ScriptedProvider;

use crate::minting::*;

fn policy(tail: &str) -> String {
    POLICY.replace(r#"ttl = "5m","#, &format!(r#"ttl = "5m",{tail}"#))
}

fn asked(policy: &str, guarantees: Guarantees) -> Result<(), Reason> {
    let provider = ScriptedProvider::new("tokens").guaranteeing(guarantees);
    let world = Mint::of(policy, provider, |builder| builder);
    let task = world.broker.open(&world.agent, Purpose::new("errand")).unwrap();
    let ping = task.request(Scope::tool("ping").any_args(), &Context::new());
    assert!(ping.is_ok(), "a tool without a credential is not concerned");
    let asked = task.request(Scope::tool("db.read").any_args(), &Context::new());
    asked.map(drop).map_err(|denial| denial.reason())
}

#[test]
fn a_request_is_refused_if_what_its_tool_runs_with_outlasts_what_the_rule_accepts() {
    let quarter = Guarantees::never().shortest_life(900 * SECOND);
    let minute = Guarantees::within(60 * SECOND);
    let rows = [
        (Guarantees::immediate(), "", true),
        (minute, "", false),
        (minute, r#" tail = "59s","#, false),
        (minute, r#" tail = "1m","#, true),
        (quarter, "", false),
        (quarter, r#" tail = "14m","#, false),
        (quarter, r#" tail = "15m","#, true),
        (minute.sessions(Sessions::AtMost(60 * SECOND)), r#" tail = "1m","#, false),
        (minute.sessions(Sessions::AtMost(60 * SECOND)), r#" tail = "2m","#, true),
        (Guarantees::immediate().sessions(Sessions::Stay), r#" tail = "7d","#, false),
        // It can't live as shortly as the grant does.
        (Guarantees::immediate().shortest_life(300 * SECOND), "", true),
        (Guarantees::immediate().shortest_life(301 * SECOND), "", false),
    ];
    for (guarantees, tail, given) in rows {
        let asked = asked(&policy(tail), guarantees);
        let expected = if given { Ok(()) } else { Err(Reason::TailTooLong) };
        assert_eq!(asked, expected, "{guarantees:?} {tail}");
    }
}

#[test]
fn the_tightest_of_the_covering_rules_counts_and_one_that_does_not_say_accepts_none() {
    let minute = Guarantees::within(60 * SECOND);
    let second = |tail: &str| {
        let own = format!(
            r#"rule = [{{ id = "q", effect = "permit", what = {{ tool = "db.read", args = "any" }}, grant = {{ ttl = "5m"{tail} }} }},"#
        );
        policy(r#" tail = "2m","#).replace("rule = [", &own)
    };
    assert_eq!(asked(&second(r#", tail = "1m""#), minute), Ok(()));
    assert_eq!(asked(&second(r#", tail = "59s""#), minute), Err(Reason::TailTooLong));
    assert_eq!(asked(&second(""), minute), Err(Reason::TailTooLong));
}

#[test]
fn what_is_never_withdrawn_lives_no_longer_than_the_tail_from_the_moment_it_is_minted() {
    let quarter = Guarantees::never().shortest_life(900 * SECOND);
    let provider = ScriptedProvider::new("tokens").guaranteeing(quarter);
    let world = Mint::of(&policy(r#" tail = "15m","#), provider, |builder| builder);
    let (task, grant) = world.open();
    world.clock.advance(60 * SECOND);
    world.run(&grant, "db.read").unwrap();
    task.complete();
    let until = world.broker.standing().downstream[0].until;
    // Whenever the grant ends, access is over a quarter of an hour later.
    assert_eq!(until.since(grant.expires()), (60 + 900 - 300) * SECOND);
}

/// P2: the grant lives on, and what was minted for it has expired
#[test]
fn a_credential_that_expires_before_its_grant_is_lent_no_longer_than_it_lives() {
    let minute = Guarantees::never().shortest_life(60 * SECOND);
    let provider = ScriptedProvider::new("tokens").guaranteeing(minute);
    let world = Mint::of(&policy(r#" tail = "1m","#), provider, |builder| builder);
    let (_task, grant) = world.open();
    let first = world.run(&grant, "db.read").unwrap();
    world.clock.advance(59 * SECOND);
    assert_eq!(world.run(&grant, "db.read").unwrap(), first);
    world.clock.advance(SECOND);
    assert_ne!(world.run(&grant, "db.read").unwrap(), first);
}

/// Tools of one grant share a credential, and a rule of one accepts no more than it says.
#[test]
fn what_was_minted_for_a_tool_with_a_longer_tail_is_not_lent_to_one_with_a_shorter() {
    let rule = |tool: &str, tail: &str| {
        format!(
            r#"{{ id = "{tool}", effect = "permit", what = {{ tool = "{tool}", args = "any" }}, grant = {{ ttl = "5m", tail = "{tail}" }} }}"#
        )
    };
    let (tools, _) = POLICY.split_once("rule =").unwrap();
    let rules = [rule("db.read", "1h"), rule("db.write", "5m")].join(",");
    let policy = format!("{tools}rule = [{rules}]");
    let minute = Guarantees::never().shortest_life(60 * SECOND);
    let provider = ScriptedProvider::new("tokens").guaranteeing(minute);
    let world = Mint::of(&policy, provider, |builder| builder);
    let task = world.broker.open(&world.agent, Purpose::new("errand")).unwrap();
    let both = Scope::tool("db.read").any_args().and(Scope::tool("db.write").any_args());
    let grant = task.request(both, &Context::new()).unwrap();
    let long = world.run(&grant, "db.read").unwrap();
    let short = world.run(&grant, "db.write").unwrap();
    assert_ne!(long, short, "it lives for an hour, and the rule accepts five minutes");
    assert_eq!(world.run(&grant, "db.read").unwrap(), short, "what lives shorter serves both");
}

#[test]
fn a_reload_that_accepts_less_ends_the_grant() {
    let minute = Guarantees::within(60 * SECOND);
    let provider = ScriptedProvider::new("database").guaranteeing(minute);
    let world = Mint::of(&policy(r#" tail = "1m","#), provider, |builder| builder);
    let (_task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let less = Policy::from_toml(&policy(r#" tail = "30s","#)).unwrap();
    let drift = world.broker.reload(&less).unwrap().finish();
    assert_eq!(drift.grants.len(), 1);
    assert_eq!(world.tend(), (1, 1, 0));
    drop(grant);
}

#[test]
fn a_tail_of_no_time_does_not_load() {
    let error = Policy::from_toml(&policy(r#" tail = "0s","#)).unwrap_err().to_string();
    assert!(error.contains("grant.tail") && error.contains("zero"), "{error}");
    let rule = Rule::permit("p").tool("db.read").any_args().tail(std::time::Duration::ZERO);
    let error = Policy::builder().rule(rule).build().unwrap_err().to_string();
    assert!(error.contains("grant.tail") && error.contains("zero"), "{error}");
}
