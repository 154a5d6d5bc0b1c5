//! What a denial gives away, and to whom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::Halt;
use hallpass::RunError;
use hallpass::audit::Event;
use hallpass::clock::{Clock, Timestamp};
use hallpass::credential::Guarantees;
use hallpass::key::KeyRing;
use hallpass::policy::{ApprovalTerms, BreakGlassTerms, Moment, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::{any, any_of, eq, glob, has_any, max};
use hallpass::testing::ScriptedProvider;
use hallpass::token::hazmat::{Claims, Unverified, append_block, gate_keys, mint};
use hallpass::vault::{Secret, Vault};
use serde_json::json;

use crate::world::{HOUR, MINUTE, SECOND, World, broad, call, plain, policy, ring, secret, start};

/// Reasons that nothing here leads to: one would need a system that gives no random bytes, one a child of a fork, one a
/// node of a fleet (`tests/fleet`).
const OUT_OF_REACH: [Reason; 7] = [
    Reason::NoRandomness,
    Reason::Forked,
    Reason::NoLease,
    Reason::Elsewhere,
    Reason::Draining,
    Reason::LimitUnknown,
    Reason::ForeignMessage,
];

/// A denial of every reason, with something of its story that only operators may learn.
fn denials() -> Vec<(Denial, &'static str)> {
    let mut denials = Vec::new();
    let mut note = |denial: Denial, secret| denials.push((denial, secret));
    let asks = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["o"])));
    let rules = [
        Rule::permit("hush-permit").tool("t").arg("x", max(100)).uses(3).ttl(HOUR),
        Rule::permit("hush-rate").tool("r").any_args().rate(1, MINUTE),
        Rule::permit("hush-budget").tool("b").any_args().budget("args.x", 41_414_141),
        Rule::permit("hush-request").tool("n").any_args().on([Moment::Request]),
        Rule::permit("hush-call").tool("n").arg("x", max(5)).on([Moment::Call]),
        Rule::permit("hush-asked").tool("a").any_args(),
        Rule::ask("hush-ask").tool("a").approval(asks),
        Rule::forbid("hush-forbid").tool("t").arg("x", eq(66)),
    ];
    let tools = ["t", "r", "b", "n", "a"].map(Tool::new);
    let catalogue = tools.into_iter().fold(Policy::builder(), |builder, tool| builder.tool(tool));
    let guarded = catalogue.rules(rules).build().unwrap();
    let mut rotated = ring();
    rotated.rotate(secret(1), SECOND, start()).unwrap();
    let world = World::of(guarded, |builder| builder.keys(rotated));
    let context = Context::new();
    let task = world.broker.open_named("hush-task", &world.agent, Purpose::new("test")).unwrap();
    let grant_of = |tool: &str| task.request(Scope::tool(tool).any_args(), &context).unwrap();
    let x = |x: i64| call(json!({ "x": x }));
    let grant = task.request(Scope::tool("t").arg("x", max(70)), &context).unwrap();
    let deny = |grant: &Grant, call: Call| world.authorize(grant, call).map(drop).unwrap_err();
    let of = |tool: &str, args| Call::new(tool, args).unwrap();

    let open = |name: &str, purpose: Purpose| {
        world.broker.open_named(name, &world.agent, purpose).map(drop).unwrap_err()
    };
    note(open("next", Purpose::new("hush purpose")), "hush purpose");
    note(open("hush-task", Purpose::new("test")), "hush-task");
    let ask = |scope: Scope| task.request(scope, &context).map(drop).unwrap_err();
    note(ask(Scope::tool("hush tool")), "hush tool");
    note(ask(Scope::tool("hush-tool")), "hush-tool");
    note(world.gate.deny(&world.agent, "t", Reason::ToolChanged, "hush-pin"), "hush-pin");
    note(ask(Scope::tool("t").arg("x", max(4242))), "4242");
    note(outlasting(), "hush-lease");
    let stars = any_of((0..60).map(|n| glob(&format!("{}b{n}", "*a".repeat(31)))));
    let dear = task.request(Scope::tool("r").arg("x", stars), &context).unwrap();
    note(deny(&dear, of("r", json!({ "x": vec!["a".repeat(4000); 256] }))), "matching texts");
    note(deny(&grant, x(10).on(Resource::new("hush type", "1"))), "hush type");
    let bad = Context::new().with("seen", "hush");
    let answer = world.gate.authorize(grant.token(), &world.agent, x(10), &bad);
    note(answer.map(drop).unwrap_err(), "seen");
    note(deny(&grant, x(99)), "99");
    let later = Scope::tool("t").arg("x", max(70)).starting(start().checked_add(SECOND).unwrap());
    note(deny(&task.request(later, &context).unwrap(), x(10)), "00:00:01");
    note(deny(&grant, x(66)), "hush-forbid");
    note(deny(&grant_of("n"), of("n", json!({ "x": 6 }))), "hush-call");
    let asked = grant_of("a");
    let waits = deny(&asked, of("a", json!({})));
    let pending = waits.pending().unwrap().clone();
    note(waits, "hush-ask");

    // What people said.
    let human = Assertion::human("hush-owner").group("o");
    let owner = world.broker.assert_identity(human).unwrap();
    let (gate, reviews) = (world.broker.gate(), world.broker.reviews());
    let agree = |pending: &hallpass::Pending| {
        let question = reviews.open(&pending.id()).unwrap();
        let shown = question.view().digest();
        reviews.approve(&question, &owner, &shown, Width::CALL).unwrap();
        question
    };
    let redeem = |pending: &hallpass::Pending| gate.redeem(pending, &asked, &world.agent, &context);
    let question = agree(&pending);
    let swapped = pending.clone().material("script", hallpass::value::Digest::of(b"x"));
    note(redeem(&swapped).map(drop).unwrap_err(), "material");
    redeem(&pending).unwrap().start().unwrap().succeed();
    note(redeem(&pending).map(drop).unwrap_err(), "spent");
    let other_call = deny(&asked, of("a", json!({ "x": 1 })));
    let denied = reviews.open(&other_call.pending().unwrap().id()).unwrap();
    reviews.deny(&denied, &owner, "hush").unwrap();
    note(redeem(other_call.pending().unwrap()).map(drop).unwrap_err(), "denied");
    drop(question);
    let rate = grant_of("r");
    world.run(&rate, of("r", json!({}))).unwrap();
    note(deny(&rate, of("r", json!({}))), "hush-rate");
    note(deny(&grant_of("b"), of("b", json!({ "x": 51_515_151 }))), "51515151");

    // Tokens.
    let mut keys = ring();
    keys.rotate(secret(1), SECOND, start()).unwrap();
    let keys = gate_keys(&keys, "hallpass").unwrap();
    let unverified = Unverified::parse(grant.token().expose()).unwrap();
    let verified = unverified.verify(&keys, start()).unwrap();
    let claims = *verified.claims();
    let minted = |claims: &Claims<'_>| mint(&keys, claims).unwrap().expose().to_owned();
    let present = |text: &str| world.present(text).unwrap_err();
    note(present("hp1.AAAA"), "token");
    let stranger = gate_keys(&KeyRing::from_secret(secret(9)), "hallpass").unwrap();
    note(present(mint(&stranger, &claims).unwrap().expose()), "key");
    let mut cut = grant.token().expose().to_owned();
    let last = if cut.pop() == Some('A') { 'E' } else { 'A' };
    cut.push(last);
    note(present(&cut), "");
    note(present(&minted(&Claims { issuer: "hush", ..claims })), "issuer");
    note(present(append_block(grant.token(), b"hush").unwrap().expose()), "");
    let thief = world.broker.assert_identity("hush-thief").unwrap();
    let answer = world.gate.authorize(grant.token(), &thief, x(1), &context);
    note(answer.map(drop).unwrap_err(), "hush-thief");
    let other = World::new([broad()]);
    let answer = world.gate.authorize(grant.token(), &other.agent, x(1), &context);
    note(answer.map(drop).unwrap_err(), "agent-7");
    let brief = Assertion::agent("hush-brief").until(start());
    let answer =
        world.broker.open(&world.broker.assert_identity(brief).unwrap(), Purpose::new("t"));
    note(answer.map(drop).unwrap_err(), "hush-brief");
    note(present(&minted(&Claims { task: "task-0", ..claims })), "");
    note(present(&minted(&Claims { serial: 9, ..claims })), "");
    let old = mint(&gate_keys(&ring(), "hallpass").unwrap(), &claims).unwrap();
    world.clock.advance(SECOND);
    note(present(old.expose()), "key");
    let dead = grant_of("b");
    assert!(!task.revoke_grant(&dead).is_empty());
    note(deny(&dead, of("b", json!({ "x": 1 }))), "");

    // Emergencies.
    let terms = BreakGlassTerms::reviewed_by(Reviewers::in_groups(has_any(["s"])));
    let emergency = Rule::permit("hush-glass").on([Moment::BreakGlass]).tool("t").any_args();
    let emergency = emergency.ttl(MINUTE).uses(1).break_glass(terms.refuse_while_open());
    let emergencies = Policy::builder().rule(emergency).build().unwrap();
    let fails = Arc::new(AtomicBool::new(true));
    let pager = fails.clone();
    let alert = move |_: &Event<'_>| match pager.load(Ordering::SeqCst) {
        true => Err("hush-pager".into()),
        false => Ok(()),
    };
    let ward = Broker::builder(emergencies).break_glass_alert(alert, MINUTE).build().unwrap();
    let breaks = |who: Assertion, why: &str| {
        let who = ward.assert_identity(who).unwrap();
        let task = ward.open(&who, Purpose::new("incident")).unwrap();
        task.break_glass(Scope::tool("t").any_args(), why, &context).map(drop)
    };
    let sre = || Assertion::human("hush-sre");
    note(breaks(sre(), &"hush".repeat(2000)).unwrap_err(), "8000 bytes");
    note(breaks(Assertion::agent("hush-bot"), "down").unwrap_err(), "hush-bot");
    note(breaks(sre(), "down").unwrap_err(), "hush-pager");
    fails.store(false, Ordering::SeqCst);
    breaks(sre(), "down").unwrap();
    note(breaks(sre(), "down").unwrap_err(), "not been reviewed");

    // Credentials.
    let vault = Vault::new().unwrap();
    vault.seal("hush-key", Secret::new("sixteen-bytes-xx").unwrap()).unwrap();
    let all = Rule::permit("p").tool("t").any_args();
    let with_key = Policy::builder().tool(Tool::new("t").credential("hush-key")).rule(all);
    let lender = Broker::builder(with_key.build().unwrap()).vault(&vault).build().unwrap();
    let borrower = lender.assert_identity("agent-7").unwrap();
    let errand = lender.open(&borrower, Purpose::new("t")).unwrap();
    let lent = errand.request(Scope::tool("t").any_args(), &context).unwrap();
    let permit =
        || lender.gate().authorize(&lent, &borrower, of("t", json!({})), &context).unwrap();
    note(permit().start().map(drop).unwrap_err(), "hush-key");
    vault.remove("hush-key");
    match permit().run_with(|_, _| Ok::<_, ()>(())) {
        Err(RunError::Denied(denial)) => note(denial, "hush-key"),
        _ => panic!("it ran"),
    }

    // Permits, halts and the log.
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.clock.advance(30 * SECOND);
    note(kept.start().map(drop).unwrap_err(), "");
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.control.halt(Halt::identity("agent-7").unwrap());
    note(kept.start().map(drop).unwrap_err(), "agent-7");
    world.control.resume(&Halt::identity("agent-7").unwrap());
    world.sink.fail_next(1);
    note(deny(&grant, x(1)), "refused on cue");
    world.clock.fail();
    note(deny(&grant, x(1)), "clock");
    world.clock.recover();
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.broker.reload(&Policy::builder().rule(broad()).build().unwrap()).unwrap();
    note(kept.start().map(drop).unwrap_err(), "epoch");
    for _ in 0..3 {
        drop(world.authorize(&grant, x(1)).map(|permit| permit.start().unwrap().succeed()));
    }
    // `t` is `broad` now, whose stamps are the old ones: three uses.
    note(deny(&grant, x(1)), "hush-permit");
    let many: Vec<_> =
        (0..1024).map(|_| world.authorize(&grant_of("t"), plain()).unwrap()).collect();
    note(deny(&grant_of("t"), plain()), "permits");
    drop(many);
    world.clock.advance(HOUR);
    note(deny(&grant, x(1)), "");
    let (_drifting, drifted) = other.granted();
    other.broker.reload(&policy([])).unwrap();
    note(other.authorize(&drifted, plain()).map(drop).unwrap_err(), "");
    other.broker.reload(&policy([broad()])).unwrap();
    let (over, gone) = other.granted();
    over.complete();
    note(other.authorize(&gone, plain()).map(drop).unwrap_err(), "");

    // What is attested of the holder is another by the time the permit is started.
    let (_restated, seen) = other.granted();
    let kept = other.authorize(&seen, plain()).unwrap();
    let hush = Assertion::agent(other.agent.subject().as_str()).group("hush");
    let _scan = other.control.restate(hush).unwrap();
    note(kept.start().map(drop).unwrap_err(), "restated");

    // The host is asked for facts, and has none.
    let down = |_: &Identity, _: Option<&str>, _: std::time::Duration| Err("hush is down".into());
    let asking = World::of(policy([broad()]), |builder| builder.context_source(down, SECOND));
    let task = asking.open();
    note(task.request(Scope::tool("t").any_args(), &asking.context).unwrap_err(), "is down");

    // Presentations bound to one call.
    let (_task, bound) = other.granted();
    let mut present = |at: Timestamp, times: usize| {
        let presentation = bound.token().present(&plain(), at).unwrap();
        let gate = other.broker.gate();
        let ask = || gate.authorize(&presentation, &other.agent, plain(), &Context::new());
        (1..times).for_each(|_| drop(ask().unwrap()));
        note(ask().map(drop).unwrap_err(), "");
    };
    let now = other.clock.read().unwrap().wall;
    present(now, 2);
    present(now.checked_sub(10 * MINUTE).unwrap(), 1);
    denials
}

/// Of a tool that runs with what can't be withdrawn in time.
fn outlasting() -> Denial {
    let rule = Rule::permit("hush-tail").tool("m").any_args().ttl(MINUTE);
    let tool = Tool::new("m").credential("hush-lease");
    let policy = Policy::builder().tool(tool).rule(rule).build().unwrap();
    let slow = ScriptedProvider::new("hush-lease").guaranteeing(Guarantees::within(HOUR));
    let world = World::of(policy, |builder| {
        builder.name("orders").provider("hush-lease", slow).tended_by_host()
    });
    let task = world.open();
    task.request(Scope::tool("m").any_args(), &world.context).map(drop).unwrap_err()
}

/// attack 145: to an agent a denial is one of a few words and no more; an operator learns the rule,
/// the value, the name
#[test]
fn a_denial_tells_the_agent_a_word_and_the_operator_the_story() {
    let denials = denials();
    let seen: BTreeSet<Reason> = denials.iter().map(|(denial, _)| denial.reason()).collect();
    let missing: Vec<Reason> = Reason::ALL
        .into_iter()
        .filter(|reason| !seen.contains(reason) && !OUT_OF_REACH.contains(reason))
        .collect();
    assert_eq!(missing, [], "every reason is in the table");
    for (denial, told) in &denials {
        let (code, reason) = (denial.code(), denial.reason());
        assert_eq!(denial.to_string(), format!("denied: {code}"));
        let debug = format!("{denial:?}");
        assert_eq!(debug, format!("Denial {{ code: {code:?}, reason: {reason:?}, .. }}"));
        let explanation = denial.explain().to_string();
        assert!(explanation.starts_with(&format!("{reason} ({code})")), "{explanation}");
        assert!(explanation.contains(told), "{reason}: `{told}` is not in {explanation}");
        assert!(!denial.to_string().contains("hush") && !debug.contains("hush"));
    }
    // Whether a tool is unknown, unpermitted or forbidden is not a word an agent can tell apart, and
    // neither is what is wrong with a token.
    let word = |reason: Reason| reason.code();
    let same = [
        Reason::UnknownTool,
        Reason::ToolChanged,
        Reason::NotCovered,
        Reason::NoPermit,
        Reason::Forbidden,
    ];
    assert_eq!(same.map(word), [Code::NotPermitted; 5]);
    assert!(Code::ALL.len() <= 10);
}

/// attack 145: what the agent is told does not depend on what other agents hold
#[test]
fn a_denial_is_no_oracle_of_what_others_hold() {
    let world = World::new([broad().who_id(eq("agent-7"))]);
    let (task, grant) = world.granted();
    let nobody = world.broker.assert_identity("nobody").unwrap();
    let theirs = world.broker.open(&nobody, Purpose::new("test")).unwrap();
    let ask = |tool: &str| {
        let scope = Scope::tool(tool).arg("x", any());
        theirs.request(scope, &world.context).map(drop).unwrap_err().to_string()
    };
    assert_eq!(ask("t"), ask("never-heard-of"));
    let present = |text: &str| {
        let token = Token::from_text(text.to_owned());
        let answer = world.gate.authorize(&token, &nobody, plain(), &world.context);
        answer.map(drop).unwrap_err().to_string()
    };
    let live = present(grant.token().expose());
    task.complete();
    assert_eq!(live, present(grant.token().expose()), "a stolen token looks dead, live or not");
    assert_eq!(live, present("hp1.AAAA.BBBB"));
}
