//! A log that somebody changed, cut or built anew does not verify.

use hallpass::Halt;
use hallpass::audit::{ChainTag, Event, Fault, How};
use hallpass::key::LogKeys;
use hallpass::prelude::*;
use hallpass::value::Value;
use serde_json::json;

use crate::audit::{Lines, checked, written};
use crate::world::{World, broad, call, log_keys, plain, policy, secret, verified};

/// attack 130: whatever record is changed, removed, put in or swapped, verification names it
#[test]
fn a_changed_log_names_its_record() {
    let world = written();
    let lines = world.lines();
    let count = lines.len();
    assert_eq!(checked(&lines), Ok(count as u64));
    assert!(count >= 11, "{count}");
    for at in 0..count {
        let number = at as u64 + 1;
        let with = |change: &dyn Fn(&mut Lines)| {
            let mut lines = lines.clone();
            change(&mut lines);
            checked(&lines).map_err(|fault| fault.seq())
        };
        let changed = with(&|lines| lines[at].0 = lines[at].0.replace("agent-7", "agent-8"));
        if lines[at].0.contains("agent-7") {
            assert_eq!(changed, Err(number));
        }
        for byte in 0..lines[at].0.len() {
            let flipped = with(&|lines| {
                let mut bytes = lines[at].0.clone().into_bytes();
                bytes[byte] ^= 1;
                lines[at].0 = String::from_utf8(bytes).unwrap();
            });
            assert_eq!(flipped, Err(number), "byte {byte}");
        }
        let tagged = with(&|lines| lines[at].1 = ChainTag::from_bytes([0; 32]));
        assert_eq!(tagged, Err(number));
        let doubled = with(&|lines| lines.insert(at, lines[at].clone()));
        assert_eq!(doubled, Err(number + 1));
        let put_in = with(&|lines| {
            let forged = format!(r#"{{"seq":{number},"at":0,"kind":"halted","what":"x"}}"#);
            lines.insert(at, (forged, lines[at].1));
        });
        assert_eq!(put_in, Err(number));
        if at + 1 < count {
            assert_eq!(with(&|lines| drop(lines.remove(at))), Err(number));
            assert_eq!(with(&|lines| lines.swap(at, at + 1)), Err(number));
        }
    }
}

/// attack 131: a tail that was cut is seen with a kept anchor
#[test]
fn a_cut_tail_is_seen_against_an_anchor() {
    let world = written();
    let lines = world.lines();
    let anchor = world.verify().unwrap().anchor;
    assert_eq!(anchor.seq, lines.len() as u64);
    let key = log_keys();
    for left in 0..lines.len() {
        let kept = || lines[..left].iter().map(|(line, tag)| (line.as_str(), *tag));
        let fault = verified(kept(), &key, Some(&anchor)).unwrap_err();
        assert_eq!(fault, Fault::Cut { seq: left as u64 + 1, anchored: anchor.seq });
        // Without an anchor it can't be told; that is what anchors are for.
        assert!(verified(kept(), &key, None).is_ok());
    }
}

/// attack 132: a log written anew by somebody without the key does not verify, and one written anew
/// with it is not the one that an anchor has seen
#[test]
fn a_rebuilt_log_is_seen() {
    let world = written();
    let anchor = world.verify().unwrap().anchor;
    let rebuilt = |keys: LogKeys, issuer: &str| {
        let other = World::of(policy([broad()]), |builder| builder.log_keys(keys).issuer(issuer));
        let (task, grant) = other.granted();
        for _ in 0..world.log.len() {
            other.run(&grant, call(json!({ "x": 3 }))).unwrap();
        }
        task.complete();
        other.lines()
    };
    let key = log_keys();
    let against = |lines: &Lines| {
        verified(lines.iter().map(|(line, tag)| (line.as_str(), *tag)), &key, Some(&anchor))
    };
    let strangers = rebuilt(LogKeys::from_secret(secret(9)), "hallpass");
    let unknown = Fault::UnknownKey { seq: 1, key: secret(9).id() };
    assert_eq!(against(&strangers).unwrap_err(), unknown);
    // One that claims to be under the key is not.
    let mut claims = strangers;
    let ours = secret(100).id().to_string();
    claims[0].0 = claims[0].0.replace(&secret(9).id().to_string(), &ours);
    assert_eq!(against(&claims).unwrap_err(), Fault::Changed { seq: 1 });
    let another_brokers = rebuilt(log_keys(), "other");
    assert_eq!(against(&another_brokers).unwrap_err(), Fault::Foreign);
    let with_the_key = rebuilt(log_keys(), "hallpass");
    assert_eq!(against(&with_the_key).unwrap_err(), Fault::Rebuilt { seq: anchor.seq });
}

/// attack 130, attack 131: the broker verifies its own log, and says so only of a log it has seen
#[test]
fn a_broker_verifies_the_log_it_keeps() {
    let broker = Broker::builder(policy([broad()])).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &Context::new()).unwrap();
    let permit = broker.gate().authorize(grant.token(), &agent, plain(), &Context::new()).unwrap();
    let verified = broker.verify_log().unwrap();
    assert_eq!(verified.without_outcome, [permit.number()]);
    assert_eq!(verified.anchor.seq, broker.log().unwrap().len() as u64);

    // Where the log is kept elsewhere, this broker has nothing to verify and does not say `Ok`.
    let world = written();
    assert!(world.broker.log().is_none());
    assert!(matches!(world.broker.verify_log(), Err(Fault::Cut { seq: 1, .. })));
}

/// attack 134: no text of a caller, a tool or a host forges a record or a line
#[test]
fn hostile_text_forges_no_record() {
    let forged = r#"x"},{"seq":9,"kind":"ended","how":"completed"}"#;
    let hostile = [
        forged.to_owned(),
        format!("x\n{{\"seq\":2,\"at\":0,\"kind\":\"halted\",\"what\":\"{forged}\"}}"),
        "\r\n\t\0\u{1b}[2J\u{7f}\u{9b}".to_owned(),
        "\u{2028}\u{2029}\u{202E}\u{200B}\u{FEFF}".to_owned(),
        "\\u0022\\\"\\n\\".to_owned(),
        "\u{1F600}\u{FFFD}\u{10FFFF}".to_owned(),
    ];
    for text in &hostile {
        let world = World::new([broad().any_resource()]);
        let purpose = Purpose::new("test").intent(text.as_str());
        let task = world.broker.open(&world.agent, purpose).unwrap();
        let scope = Scope::tool("t").any_args().any_resource();
        let grant = task.request(scope, &world.context).unwrap();
        let eq = hallpass::scope::eq(text.as_str());
        drop(task.request(Scope::tool("t").arg("x", eq), &world.context));
        let with = call(json!({ "x": text, "list": [text] }));
        world.run(&grant, with).unwrap();
        let on = plain().on(Resource::new("db", text.as_str()));
        let _ = world.attempt(&grant, on);
        drop(world.broker.open_named(text, &world.agent, Purpose::new("test")));
        drop(world.broker.open(&world.agent, Purpose::new(text.as_str())));
        assert!(world.present(text).is_err());
        let context = Context::new().with("env", Value::from(text.as_str()));
        drop(world.gate.authorize(grant.token(), &world.agent, plain(), &context));
        let halts = [Halt::identity(text), Halt::task(text), Halt::tool(text)];
        halts.into_iter().flatten().for_each(|what| drop(world.control.halt(what)));
        drop(task.fail(text));
        if let Ok(who) = world.broker.assert_identity(Assertion::agent(text.as_str())) {
            drop(world.broker.open(&who, Purpose::new("test")));
        }
        let lines = world.lines();
        let records = world.records();
        assert_eq!(records.len(), lines.len(), "each line is one record");
        world.verify().unwrap();
        for ((line, _), record) in lines.iter().zip(&records) {
            assert!(
                !line.chars().any(|c| c.is_control()
                    || ('\u{2028}'..='\u{202E}').contains(&c)
                    || matches!(c, '\u{200B}' | '\u{FEFF}')),
                "{line:?}"
            );
            let parsed = Value::from_json(line).expect("strict JSON, no key twice");
            assert_eq!(
                parsed.as_object().unwrap().get("seq").unwrap().as_number(),
                Some(record.seq.into())
            );
        }
        // It reads back as what it was, where it was said.
        let intents: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Opened { intent: Some(intent), .. } => Some(intent.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(intents, [text.as_str()]);
        let ends: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Ended { how, reason, .. } => Some((*how, reason.clone())),
                _ => None,
            })
            .collect();
        assert!(ends.contains(&(How::Failed, Some(text.as_str().into()))));
        assert!(!ends.contains(&(How::Completed, None)), "nothing was completed");
    }
}
