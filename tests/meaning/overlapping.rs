//! A guard that speaks at requests alone leaves nothing to the calls: a scope that it lets pass has no call in it
//! that the same guard would refuse there. References, lists and what is missing among all else.

use hallpass::identity::Subject;
use hallpass::prelude::*;
use hallpass::{Broker, Gate, Grant};
use serde_json::{Value, json};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn of(&mut self, all: &[Value]) -> Value {
        all[self.roll(all.len())].clone()
    }
}

fn values() -> Vec<Value> {
    vec![
        json!(1),
        json!(5),
        json!("1"),
        json!("a"),
        json!("a/b"),
        json!("/a"),
        json!("/a/b"),
        json!(""),
        json!([]),
        json!([1]),
        json!([5, 1]),
        json!(["a"]),
        json!([["a"]]),
        json!([1, "a"]),
        json!(null),
        json!({}),
        json!(true),
        json!("10.0.0.1"),
        json!("::ffff:10.0.0.1"),
        json!("2026-01-01T00:00:00Z"),
        json!([[]]),
        json!(["", "a"]),
        json!({"k": "a"}),
        json!(["a/b", "a"]),
    ]
}

fn plain() -> Vec<Value> {
    vec![json!(1), json!(5), json!("a"), json!("a/b"), json!("/a"), json!(true)]
}

fn leaf(dice: &mut Dice, facts: &[&str]) -> Value {
    let fact = json!(facts[dice.roll(facts.len())]);
    let reference = || json!({ "ref": fact.clone() });
    match dice.roll(26) {
        0 => json!({ "eq": dice.of(&plain()) }),
        1 => json!({ "one_of": [1, 5] }),
        2 => json!({ "one_of": ["a", "/a", "a/b"] }),
        3 => json!({ "max": 3 }),
        4 => json!({ "min": reference() }),
        5 => json!({ "max": reference() }),
        6 => json!({ "above": reference() }),
        7 => json!({ "below": reference() }),
        8 => json!({ "prefix": reference() }),
        9 => json!({ "suffix": reference() }),
        10 => json!({ "contains": reference() }),
        11 => json!({ "under": reference() }),
        12 => json!({ "one_of": reference() }),
        13 => json!({ "subset_of": reference() }),
        14 => json!({ "has_any": reference() }),
        15 => json!({ "has_all": reference() }),
        16 => json!({ "eq": reference() }),
        17 => json!({ "same_as": fact }),
        18 => json!({ "prefix": "a" }),
        19 => json!({ "has_any": ["a"] }),
        20 => json!({ "has_any": { "ref": fact } }),
        21 => json!({ "glob": "[ab]*" }),
        22 => json!({ "cidr": "10.0.0.0/8" }),
        23 => json!({ "after": reference() }),
        24 => json!({ "count": { "max": 1 } }),
        _ => json!({ "under": { "join": ["/a", reference()] } }),
    }
}

fn constraint(dice: &mut Dice, facts: &[&str], depth: usize) -> Value {
    match if depth == 0 { 9 } else { dice.roll(12) } {
        0 => json!({ "not": constraint(dice, facts, depth - 1) }),
        1 => {
            json!({ "all": [constraint(dice, facts, depth - 1), constraint(dice, facts, depth - 1)] })
        }
        2 => {
            json!({ "any": [constraint(dice, facts, depth - 1), constraint(dice, facts, depth - 1)] })
        }
        3 => json!({ "each": constraint(dice, facts, depth - 1) }),
        4 => json!({ "some": constraint(dice, facts, depth - 1) }),
        5 => json!({ "present": dice.roll(2) == 0 }),
        6 => json!({ "fields": { "k": constraint(dice, facts, depth - 1) } }),
        _ => leaf(dice, facts),
    }
}

struct Side {
    gate: Gate,
    agent: Identity,
    task: Task,
}

impl Side {
    fn of(
        when: &str,
        effect: &str,
        parts: &(Value, Value, Value),
        team: Option<&Value>,
    ) -> Option<Side> {
        let (x, y, env) = parts;
        let mut what = json!({ "tool": "t", "args": {} });
        for (name, own) in [("x", x), ("y", y)] {
            if !own.is_null() {
                what["args"][name] = own.clone();
            }
        }
        let mut guard = json!({ "id": "guard", "effect": effect, "on": [when], "what": what });
        if !env.is_null() {
            guard["when"] = json!({ "env": env });
        }
        if effect == "ask" {
            guard["approval"] = json!({ "review": [{ "groups": { "has_any": ["g"] }, "count": 1 }], "per": if when == "request" { "task" } else { "call" } });
        }
        let policy = json!({ "version": 1, "rule": [
            { "id": "all", "effect": "permit", "what": { "tool": "any", "args": "any", "resource": "any" } }, guard,
        ] });
        let policy = Policy::from_json(&policy.to_string()).ok()?;
        let broker = Broker::new(policy).unwrap();
        let mut agent = Assertion::agent(Subject::new("ana").unwrap().as_str().to_owned());
        if let Some(team) = team {
            agent = agent.attr("team", hallpass::value::Value::try_from(team).unwrap());
        }
        let agent = broker.assert_identity(agent).ok()?;
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        Some(Side { gate: broker.gate(), agent, task })
    }

    fn ask(&self, scope: &Value, context: &Context) -> Option<Result<Grant, Reason>> {
        let scope = Scope::try_from(scope).ok()?;
        Some(self.task.request(scope, context).map_err(|own| own.reason()))
    }
}

#[test]
fn what_a_guard_lets_pass_at_the_request_has_no_call_that_it_would_refuse() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut refused, mut calls) = (0, 0);
    for _ in 0..1000 {
        let rule_facts = ["args.x", "args.y", "when.env", "who.attrs.team", "who.id"];
        let maybe = |dice: &mut Dice, own: Value| if dice.roll(3) == 0 { Value::Null } else { own };
        let x = constraint(&mut dice, &rule_facts, 2);
        let y = constraint(&mut dice, &rule_facts, 1);
        let y = maybe(&mut dice, y);
        let env = constraint(&mut dice, &rule_facts, 1);
        let env = if dice.roll(2) == 0 { Value::Null } else { env };
        let parts = (x, y, env);
        let team = dice.of(&values());
        let team = (dice.roll(3) > 0).then_some(&team);
        let effect = if dice.roll(2) == 0 { "forbid" } else { "ask" };
        let Some(at_request) = Side::of("request", effect, &parts, team) else { continue };
        let Some(at_call) = Side::of("call", effect, &parts, team) else { continue };
        let context = match dice.roll(3) {
            0 => Context::new(),
            _ => Context::new()
                .with("env", hallpass::value::Value::try_from(&dice.of(&values())).unwrap()),
        };
        for _ in 0..3 {
            let mut args = json!({});
            for name in ["x", "y"] {
                match dice.roll(4) {
                    0 => {}
                    1 => args[name] = json!({ "any": true }),
                    _ => args[name] = constraint(&mut dice, &["args.x", "args.y"], 1),
                }
            }
            for name in ["x", "y"] {
                if args[name] == json!({ "any": true }) {
                    args[name] = json!({ "any": [{ "present": true }, { "present": false }] });
                }
            }
            if let Some(args) = args.as_object_mut() {
                args.retain(|_, own| !own.is_null());
            }
            let scope = json!([{ "tool": "t", "args": args }]);
            let Some(given) = at_request.ask(&scope, &context) else { continue };
            let grant = match at_call.ask(&scope, &context) {
                Some(Ok(grant)) => grant,
                // What contains all of it refuses at once: so it has to here.
                Some(Err(_)) => {
                    assert!(given.is_err(), "{scope} {parts:?} {team:?} {context:?}");
                    continue;
                }
                None => continue,
            };
            if given.is_err() {
                refused += 1;
                continue;
            }
            for _ in 0..24 {
                let mut args = serde_json::Map::new();
                for name in ["x", "y"] {
                    if dice.roll(5) > 0 {
                        args.insert(name.to_owned(), dice.of(&values()));
                    }
                }
                let call = Call::new("t", Value::Object(args.clone())).unwrap();
                let asked = at_call.gate.check(&grant, &at_call.agent, &call, &context);
                let reason = asked.map(drop).map_err(|own| own.reason());
                if reason == Err(Reason::OutOfScope) {
                    continue;
                }
                calls += 1;
                assert_eq!(
                    reason,
                    Ok(()),
                    "{effect} {parts:?} team {team:?} {context:?}\nscope {scope}\ncall {args:?}"
                );
            }
        }
    }
    assert!(refused > 0 && calls > 0);
}

/// What a scope pins to a value, a call may have as a list of it, with which nothing can be compared.
#[test]
fn a_guard_of_requests_takes_what_is_pinned_for_a_list_of_it_where_a_call_may_have_that() {
    let above = json!({ "above": { "ref": "args.y" } });
    let parts = (above, Value::Null, Value::Null);
    let at_request = Side::of("request", "forbid", &parts, None).unwrap();
    let at_call = Side::of("call", "forbid", &parts, None).unwrap();
    let pinned = |y: Value| json!([{ "tool": "t", "args": { "x": 1, "y": y } }]);
    let granted = |y: Value| at_request.ask(&pinned(y), &Context::new()).unwrap().map(drop);
    let grant = at_call.ask(&pinned(json!(5)), &Context::new()).unwrap().unwrap();
    let call = Call::new("t", json!({ "x": 1, "y": [5] })).unwrap();
    let asked = at_call.gate.check(&grant, &at_call.agent, &call, &Context::new());
    assert_eq!(asked.unwrap_err().reason(), Reason::Forbidden);
    assert_eq!(granted(json!(5)), Err(Reason::Forbidden));
    assert_eq!(granted(json!({ "type": "integer", "eq": 5 })), Ok(()));
}
