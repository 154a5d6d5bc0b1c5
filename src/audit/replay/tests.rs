mod bank;
mod noted;
mod requests;

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::audit::MemoryLog;
use crate::clock::ManualClock;
use crate::prelude::*;

const POLICY: &str = r#"
    version = 1

    [log]
    plain = ["who.groups", "who.attrs.team", "when.env", "when.seen", "resource.attrs.owner"]

    [[tool]]
    name   = "bank.pay"
    labels = ["egress"]
    args   = { to = { type = "text", log = "plain" }, amount = { type = "number", log = "plain" } }

    [[tool]]
    name   = "mail.read"
    labels = ["private"]
    args   = { box = { log = "plain" } }

    [[rule]]
    id     = "payers"
    effect = "permit"
    who    = { groups = { has_any = ["payers"] } }
    what   = { tool = "bank.pay", args = { to = "any", amount = { max = 500 } }, resource = "any" }
    when   = { now = { before = "2026-06-01T00:00:00Z" } }

    [[rule]]
    id     = "readers"
    effect = "permit"
    what   = { tool = "mail.read", args = { box = { same_as = "who.attrs.team" } } }

    [[rule]]
    id       = "large-ones"
    effect   = "ask"
    what     = { tool = "bank.pay", args = { amount = { above = 400 } } }
    approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }] }

    [[rule]]
    id     = "frozen"
    effect = "forbid"
    when   = { env = { one_of = ["frozen"] } }

    [[rule]]
    id     = "own-accounts"
    effect = "forbid"
    what   = { tool = "bank.pay", resource = { attrs = { owner = { same_as = "who.id" } } } }

    [[rule]]
    id     = "nothing-private-leaves"
    effect = "forbid"
    what   = { labels = { has_any = ["egress"] } }
    when   = { seen = { has_any = ["private"] } }
"#;

/// A broker whose calls are made for one holder of everything.
struct World {
    log: MemoryLog,
    clock: ManualClock,
    broker: Broker,
    who: Identity,
    task: Option<Task>,
    grant: Option<Grant>,
}

impl World {
    fn new(policy: &Policy) -> Self {
        let noon = crate::clock::Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
        let (log, clock) = (MemoryLog::new(), ManualClock::new(noon));
        let broker = Broker::builder(policy.clone()).log(log.clone()).clock(clock.clone());
        let broker = broker.build().unwrap();
        let who = Assertion::agent("agent-7").group("payers").attr("team", "north");
        let who = broker.assert_identity(who).unwrap();
        let mut world = World { log, clock, broker, who, task: None, grant: None };
        world.begin();
        world
    }

    fn begin(&mut self) {
        let why = Purpose::new("pay-bill").ticket("INV-1");
        let task = self.broker.open(&self.who, why).unwrap();
        let context = Context::new().with("env", "prod");
        let scope = Scope::tool("bank.pay")
            .arg("to", crate::scope::any())
            .arg("amount", crate::scope::max(500))
            .any_resource()
            .and_tool("mail.read")
            .arg("box", crate::scope::eq("north"));
        self.grant = Some(task.request(scope, &context).unwrap());
        self.task = Some(task);
    }

    fn call(&self, call: Call, env: &str) -> Result<Permit, Denial> {
        let context = Context::new().with("env", env);
        self.broker.gate().authorize(self.grant.as_ref().unwrap(), &self.who, call, &context)
    }

    fn pay(&self, amount: serde_json::Value, env: &str, owner: &str) -> Result<Permit, Denial> {
        self.pay_to("x", amount, env, owner)
    }

    fn pay_to(
        &self,
        to: &str,
        amount: serde_json::Value,
        env: &str,
        owner: &str,
    ) -> Result<Permit, Denial> {
        let call = Call::new("bank.pay", json!({ "to": to, "amount": amount })).unwrap();
        self.call(call.on(Resource::new("account", "1").attr("owner", owner)), env)
    }

    /// All records, those that waited included.
    fn records(&self) -> Vec<Record> {
        self.broker.flush();
        self.log.records()
    }

    fn replay(&self, policies: &[&Policy]) -> Replay {
        let policies = policies.iter().map(|own| (*own).clone());
        replay(&self.records(), |seq| self.log.plain_line(seq), policies)
    }
}

fn policy(text: &str) -> Policy {
    Policy::from_toml(text).unwrap()
}

/// A call of each verdict.
fn all_verdicts(world: &World) {
    let pay = |amount: u64, env| world.pay(json!(amount), env, "treasury");
    let _ = pay(98, "prod").unwrap();
    assert_eq!(pay(450, "prod").unwrap_err().reason(), Reason::ApprovalRequired);
    assert_eq!(pay(98, "frozen").unwrap_err().reason(), Reason::Forbidden);
    let own = world.pay(json!(1), "prod", "agent-7");
    assert_eq!(own.unwrap_err().reason(), Reason::Forbidden);
    let read = Call::new("mail.read", json!({ "box": "north" })).unwrap();
    let _ = world.call(read, "prod").unwrap();
    assert_eq!(pay(97, "prod").unwrap_err().reason(), Reason::Forbidden);
}

#[test]
fn every_verdict_comes_out_again_under_its_own_policy() {
    let own = policy(POLICY);
    let mut world = World::new(&own);
    all_verdicts(&world);
    world.task.take().unwrap().complete();
    world.begin();
    world.clock.advance(std::time::Duration::from_secs(1));
    let _ = world.pay(json!(1), "prod", "treasury").unwrap();
    let again = world.replay(&[&own]);
    assert_eq!(again.differences, []);
    assert_eq!((again.decisions, again.replayed, again.requests), (9, 9, 2));
    assert!(again.not_replayable.is_empty());
}

#[test]
fn what_another_policy_would_change_is_named() {
    let own = policy(POLICY);
    let world = World::new(&own);
    all_verdicts(&world);
    let lower = POLICY.replace("max = 500", "max = 97").replace("above = 400", "above = 40");
    // What was called before had the labels of its own catalogue: another policy's rules can't be asked about them.
    let lower = lower.split("[[rule]]\n    id     = \"nothing-private").next().unwrap().to_owned();
    let mut replayer = Replayer::under(policy(&lower));
    for record in &world.records() {
        replayer.note(record, world.log.plain_line(record.seq).as_deref());
    }
    let again = replayer.finish();
    let told: Vec<_> = again
        .differences
        .iter()
        .map(|own| format!("{}: {}, now {}", own.tools.join("+"), own.recorded, own.replayed))
        .collect();
    assert_eq!(
        told,
        [
            "bank.pay+mail.read: permitted by payers, readers, now given by no rule",
            "bank.pay: permitted by payers, now given by no rule",
            "bank.pay: withheld until people agree by large-ones, now given by no rule",
            "bank.pay: forbidden by nothing-private-leaves, now withheld until people agree by large-ones",
        ]
    );
    assert_eq!((again.replayed, again.differing), (7, 4));
    let mut replayer = Replayer::under(policy(&POLICY.replace("max = 500", "max = 97")));
    world.records().iter().for_each(|own| {
        replayer.note(own, world.log.plain_line(own.seq).as_deref());
    });
    let again = replayer.finish();
    // A forbid that looks at history may speak of every tool.
    assert_eq!(again.not_replayable[&NotReplayable::NotPlain], 7);
}

/// A record that was decided otherwise than its policy decides is found.
#[test]
fn a_permit_that_its_policy_does_not_give_is_named() {
    let own = policy(POLICY);
    let world = World::new(&own);
    let _ = world.pay(json!(98), "prod", "treasury").unwrap();
    let mut records = world.records();
    let mut found = Vec::new();
    for change in ["payers", "readers", "nobody"] {
        for record in &mut records {
            if let Event::Permitted { rules, .. } = &mut record.event {
                *rules = vec![change.into()];
            }
        }
        let again = replay(&records, |seq| world.log.plain_line(seq), [own.clone()]);
        found.push(again.differing);
    }
    assert_eq!(found, [0, 1, 1]);
}

#[test]
fn what_is_not_in_plain_is_counted_and_not_guessed() {
    let own = policy(POLICY);
    for (left_out, count) in [
        ("\"who.groups\", ", 6),
        ("\"when.env\", ", 7),
        ("\"when.seen\", ", 7),
        ("\"who.attrs.team\", ", 2),
        (", \"resource.attrs.owner\"", 5),
    ] {
        let less = policy(&POLICY.replace(left_out, ""));
        let world = World::new(&less);
        all_verdicts(&world);
        let again = world.replay(&[&less]);
        let not_plain = again.not_replayable.get(&NotReplayable::NotPlain).copied();
        // Groups and owner count for each payment, whatever decided it; of a scope no owner is asked for.
        assert_eq!((not_plain, again.differing), (Some(count), 0), "{left_out}");
        assert_eq!(again.decisions, 7);
    }
    for arg in [
        "to = { type = \"text\", log = \"plain\" }",
        "amount = { type = \"number\", log = \"plain\" }",
    ] {
        let less = policy(&POLICY.replace(arg, &arg.replace(", log = \"plain\"", "")));
        let world = World::new(&less);
        all_verdicts(&world);
        let again = world.replay(&[&less]);
        assert_eq!(again.not_replayable[&NotReplayable::NotPlain], 5, "{arg}");
    }
    let world = World::new(&own);
    let _ = world.pay_to(&"x".repeat(2000), json!(1), "prod", "treasury").unwrap();
    assert_eq!(world.replay(&[&own]).not_replayable[&NotReplayable::NotPlain], 1);
    assert_eq!(world.replay(&[]).not_replayable[&NotReplayable::NoPolicy], 2);
    let mut records = world.records();
    records.retain(|record| !matches!(record.event, Event::Opened { .. }));
    let again = replay(&records, |seq| world.log.plain_line(seq), [own]);
    assert_eq!(again.not_replayable[&NotReplayable::NoTask], 2);
}

#[test]
fn what_was_erased_or_changed_is_counted_as_such() {
    let own = policy(POLICY);
    let world = World::new(&own);
    all_verdicts(&world);
    let records = world.records();
    let changed = |from: &'static str, to: &'static str| {
        let plain = |seq| world.log.plain_line(seq).map(|line| line.replace(from, to));
        replay(&records, plain, [own.clone()])
    };
    assert_eq!(changed("\"value\":98", "\"value\":99").not_replayable[&NotReplayable::Changed], 2);
    assert_eq!(changed("\"args.to\"", "\"args.gone\"").not_replayable[&NotReplayable::Erased], 5);
    world.log.erase_plain(u64::MAX);
    let again = world.replay(&[&own]);
    assert_eq!((again.replayed, again.not_replayable[&NotReplayable::Erased]), (0, 7));
    assert!(world.broker.verify(&world.log).is_ok());
}

/// Tokens, grants and limits are no rules.
#[test]
fn what_no_rule_decided_is_no_decision() {
    let own = policy(POLICY);
    let mut world = World::new(&own);
    let pay = |world: &World| world.pay(json!(501), "prod", "treasury").unwrap_err().reason();
    assert_eq!(pay(&world), Reason::OutOfScope);
    world.task.take().unwrap().complete();
    assert_ne!(pay(&world), Reason::OutOfScope);
    let again = world.replay(&[&own]);
    assert_eq!((again.decisions, again.requests), (1, 1));
}

/// What a caller wrote is not in the log where the catalogue brought it to another spelling: under a policy that reads it
/// otherwise it would not be the same call.
#[test]
fn what_was_respelled_is_not_asked_of_another_policy() {
    let text = r#"
        version = 1
        tool = [{ name = "t", args = { p = { type = "path", log = "plain" }, q = { type = "text?", log = "plain" } } }]
        rule = [{ id = "r", effect = "permit", what = { tool = "t", args = { p = "/data/a", q = "any" } } }]
    "#;
    let log = MemoryLog::new();
    let own = policy(text);
    let broker = Broker::builder(own.clone()).log(log.clone()).build().unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&who, Purpose::new("errand")).unwrap();
    let scope =
        Scope::tool("t").arg("p", crate::scope::eq("/data/a")).arg("q", crate::scope::any());
    let grant = task.request(scope, &Context::new()).unwrap();
    let calls = [
        json!({ "p": "/data/./a", "q": "x" }),
        json!({ "p": "/data/a", "q": null }),
        json!({ "p": "/data/./b", "q": "x" }),
        json!({ "p": "/data/a", "q": "x" }),
    ];
    let untyped = policy(&text.replace("type = \"path\", ", "").replace("type = \"text?\", ", ""));
    let given = calls.map(|call| {
        let call = Call::new("t", call).unwrap();
        let now = crate::clock::Timestamp::MIN;
        let decision = untyped.decide(&who, &Purpose::new("errand"), &call, &Context::new(), now);
        let by_own = broker.gate().authorize(&grant, &who, call.clone(), &Context::new()).is_ok();
        (by_own, decision.unwrap().is_permit())
    });
    assert_eq!(given[0], (true, false));
    broker.flush();
    let replay = |mut replayer: Replayer| {
        for record in log.records() {
            replayer.note(&record, log.plain_line(record.seq).as_deref());
        }
        replayer.finish()
    };
    let again = replay(Replayer::own([own.clone()]));
    assert_eq!((again.replayed, again.differing), (again.decisions, 0));
    let again = replay(Replayer::under(untyped));
    assert_eq!((again.replayed, again.differing), (2, 0));
    assert_eq!(again.not_replayable[&NotReplayable::NotPlain], again.decisions - 2);
}

/// What the log only counts is a decision, too: who floods takes nothing out of what a replay says there was.
#[test]
fn the_rest_of_a_flood_is_counted_with_what_is_not_decided_again() {
    let own = policy(POLICY);
    let world = World::new(&own);
    (0..30).for_each(|_| _ = world.pay(json!(98), "frozen", "treasury").unwrap_err());
    let context = Context::new();
    let task = world.task.as_ref().unwrap();
    (0..12)
        .for_each(|_| _ = task.request(Scope::tool("bank.pay").any_args(), &context).unwrap_err());
    (0..12).for_each(|_| _ = world.broker.gate().give_up("no token", &world.who).unwrap_err());
    let again = world.replay(&[&own]);
    assert_eq!((again.decisions, again.replayed, again.differing), (43, 21, 0));
    assert_eq!(again.not_replayable, BTreeMap::from([(NotReplayable::Counted, 22)]));
    assert_eq!(again.requests, 13);
}
