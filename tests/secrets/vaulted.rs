//! P8: a secret is lent to the tool of a started call, and to nothing else.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as Waking, Poll, Waker};

use hallpass::audit::Event;
use hallpass::prelude::*;
use hallpass::vault::{Secret, SecretError, Secrets, Vault};
use hallpass::{BrokerError, Halt, ReloadError, RunError, Running};
use serde_json::json;

use crate::world::*;

/// What a tool ran with, by name.
fn lent(_: &Running, secrets: &Secrets) -> Result<Vec<(String, Vec<u8>)>, ()> {
    let one = |name: &str| (name.to_owned(), secrets.get(name).unwrap().expose().to_vec());
    Ok(secrets.names().map(one).collect())
}

fn denied<T, E>(result: Result<T, RunError<E>>) -> Reason {
    match result {
        Err(RunError::Denied(denial)) => denial.reason(),
        _ => panic!("the tool ran"),
    }
}

/// Both ways to run with secrets, one after the other.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Waking::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// P8
#[test]
fn a_tool_is_lent_what_the_catalogue_says_and_no_more() {
    let world = World::new();
    let (_task, grant) = world.open();
    let with = |tool: &str| {
        let blocking = world.authorize(&grant, tool).run_with(lent).unwrap().raw();
        let running = async |running: &Running, secrets: &Secrets| lent(running, secrets);
        let run = world.authorize(&grant, tool).run_with_async(running);
        assert_eq!(ready(run).unwrap().raw(), blocking, "{tool}");
        blocking
    };
    let orders = ("orders-db".to_owned(), ORDERS.as_bytes().to_vec());
    let mail = ("mail-key".to_owned(), MAIL.as_bytes().to_vec());
    assert_eq!(with("db.query"), vec![orders.clone()]);
    assert_eq!(with("mail.send"), vec![mail.clone()]);
    assert_eq!(with("both"), [orders, mail]);
    assert_eq!(with("ping"), []);
}

/// P8
#[test]
fn a_tool_with_a_credential_does_not_run_without() {
    let world = World::new();
    let (_task, grant) = world.open();
    let never = |_: &Running| -> Result<(), ()> { panic!("it ran") };
    assert_eq!(denied(world.authorize(&grant, "both").run(never)), Reason::NeedsCredential);
    let run = world.authorize(&grant, "both").run_async(async |_: &Running| Err::<(), _>(()));
    assert_eq!(denied(ready(run)), Reason::NeedsCredential);
    let denial = world.authorize(&grant, "both").start().unwrap_err();
    let explained = denial.explain().to_string();
    assert!(explained.contains("`orders-db`, `mail-key`"), "{explained}");
    assert_eq!(denial.to_string(), "denied: unavailable");
    assert_eq!(world.records("denied").len(), 3);
    // What the permits had reserved is free again, and a tool without credentials runs as ever.
    assert!(world.authorize(&grant, "ping").run(|_| Ok::<_, ()>(())).is_ok());
}

/// attack 129: after the end there is no secret
#[test]
fn what_has_ended_or_was_halted_lends_nothing() {
    type End = fn(&World, Task, Grant);
    let ends: [(Reason, End); 6] = [
        (Reason::TaskOver, |_, task, _| drop(task.complete())),
        (Reason::TaskOver, |_, task, _| drop(task)),
        (Reason::Revoked, |_, task, grant| {
            let _ = grant.revoke();
            std::mem::forget(task);
        }),
        (Reason::Halted, |world, task, _| {
            world.broker.control().halt(Halt::Everything);
            std::mem::forget(task);
        }),
        (Reason::PermitLapsed, |world, task, _| {
            world.clock.advance(seconds(31));
            std::mem::forget(task);
        }),
        (Reason::PolicyChanged, |world, task, _| {
            let other = POLICY.replace("uses = 100", "uses = 101");
            let _ = world.broker.reload(&Policy::from_toml(&other).unwrap()).unwrap();
            std::mem::forget(task);
        }),
    ];
    for (reason, end) in ends {
        let world = World::new();
        let (task, grant) = world.open();
        let permit = world.authorize(&grant, "db.query");
        let late = world.authorize(&grant, "db.query");
        end(&world, task, grant);
        let never = |_: &Running, _: &Secrets| -> Result<(), ()> { panic!("it ran") };
        assert_eq!(denied(permit.run_with(never)), reason);
        let run = late.run_with_async(async |_: &Running, _: &Secrets| Err::<(), ()>(()));
        assert_eq!(denied(ready(run)), reason);
    }
}

/// attack 129: the next call gets the new one, and one that runs keeps its own
#[test]
fn a_secret_that_is_sealed_anew_is_what_the_next_call_gets() {
    let world = World::new();
    let (_task, grant) = world.open();
    let before = world.authorize(&grant, "db.query");
    let new = "another-one-altogether";
    let receipt = world.authorize(&grant, "db.query").run_with(|running, secrets| {
        world.vault.seal("orders-db", Secret::new(new).unwrap()).unwrap();
        let held = lent(running, secrets)?;
        let next = world.authorize(&grant, "db.query").run_with(lent).unwrap().raw();
        Ok::<_, ()>((held, next))
    });
    let (held, next) = receipt.unwrap().raw();
    assert_eq!(held[0].1, ORDERS.as_bytes());
    assert_eq!(next[0].1, new.as_bytes());
    // A permit from before the rotation had not started.
    assert_eq!(before.run_with(lent).unwrap().raw()[0].1, new.as_bytes());
}

/// P8
#[test]
fn a_secret_that_was_taken_out_of_the_vault_denies_the_tools_that_need_it() {
    let world = World::new();
    let (_task, grant) = world.open();
    assert!(world.vault.remove("mail-key"));
    let run = |tool| world.authorize(&grant, tool).run_with(lent);
    assert_eq!(denied(run("mail.send")), Reason::CredentialUnavailable);
    assert_eq!(denied(run("both")), Reason::CredentialUnavailable);
    assert!(run("db.query").is_ok());
}

/// attack 127, attack 179: an agent has no words for a credential
#[test]
fn a_marker_in_an_argument_is_text() {
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world
        .authorize(&grant, "db.query")
        .run_with(|running, _| Ok::<_, ()>(running.args().text("text").unwrap().to_owned()));
    assert_eq!(receipt.unwrap().raw(), "{{orders-db}}");
}

#[test]
fn a_policy_with_a_credential_that_has_no_source_is_never_in_force() {
    let missing = |result: Result<Broker, BrokerError>| match result {
        Err(BrokerError::Policy(ReloadError::Credential { tool, name })) => (tool, name),
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(Broker::new(policy())), ("both".into(), "orders-db".into()));
    let empty = Vault::new().unwrap();
    missing(Broker::builder(policy()).vault(&empty).build());

    // The same at a reload, after which all is as it was.
    let world = World::new();
    let epoch = world.broker.epoch();
    let other = Policy::from_toml(&POLICY.replace("\"mail-key\" }", "\"other-key\" }")).unwrap();
    let missing = world.broker.reload(&other).map(drop).unwrap_err();
    let named = |tool: &str, name: &str| (tool, name) == ("mail.send", "other-key");
    assert!(
        matches!(&missing, ReloadError::Credential { tool, name } if named(tool, name)),
        "{missing:?}"
    );
    assert!(missing.to_string().contains("BrokerBuilder::vault"));
    assert_eq!(world.broker.epoch(), epoch);
    world.vault.seal("other-key", Secret::new(MAIL).unwrap()).unwrap();
    assert_eq!(world.broker.reload(&other).unwrap().epoch(), epoch.0 + 1);
}

#[test]
fn a_credential_that_is_not_a_name_does_not_load() {
    let error = |credential: &str| {
        let tool = format!("version = 1\ntool = [{{ name = \"t\", credential = {credential} }}]");
        Policy::from_toml(&tool).unwrap_err().to_string()
    };
    assert_eq!(
        error("[]"),
        "line 2, column 36: tool `t`: `credential`: an empty list names nothing, and never means all",
    );
    assert!(error("[\"a\", \"a\"]").contains("`a` is given twice"));
    assert!(error("\"a b\"").contains("not the name of a credential"));
    assert!(error("[\"a\", 3]").contains("expected text"));
    assert!(error("3").contains("a list"));
}

#[test]
fn another_credential_is_another_policy() {
    let digest = |text: &str| Policy::from_toml(text).unwrap().digest();
    let one = digest("version = 1\ntool = [{ name = \"t\", credential = \"a\" }]");
    assert_eq!(one, digest("version = 1\ntool = [{ name = \"t\", credential = [\"a\"] }]"));
    assert_ne!(one, digest("version = 1\ntool = [{ name = \"t\", credential = \"b\" }]"));
    assert_ne!(one, digest("version = 1\ntool = [{ name = \"t\" }]"));
}

/// attack 126
#[test]
fn what_can_be_guessed_or_was_never_filled_in_is_not_a_secret() {
    let long = vec![b'x'; 16 * 1024 + 1];
    assert_eq!(Secret::new(*b"fifteen-bytes-x").unwrap_err(), SecretError::TooShort { given: 15 });
    assert!(Secret::new(*b"sixteen-bytes-xx").is_ok());
    assert_eq!(Secret::new(vec![7; 32]).unwrap_err(), SecretError::Uniform);
    assert_eq!(Secret::new(long).unwrap_err(), SecretError::TooLong { given: 16 * 1024 + 1 });
    let declared = |bytes: &[u8], bits| Secret::with_entropy(bytes, bits).map(drop);
    assert_eq!(declared(b"f8Kq02Lx", 64), Ok(()));
    for (bytes, bits) in [(&b"f8Kq02Lx"[..], 63), (b"f8Kq02L", 56), (b"f8Kq02Lx", 65), (b"", 0)] {
        assert!(matches!(declared(bytes, bits), Err(SecretError::Entropy { .. })), "{bits}");
    }
}

/// P8: what a permit's start was denied for is a record like any other, and names no secret
#[test]
fn a_call_that_could_not_have_its_secret_is_recorded_and_abandoned() {
    let world = World::new();
    let (_task, grant) = world.open();
    world.vault.remove("mail-key");
    let permit = world.authorize(&grant, "mail.send");
    let number = permit.number();
    assert_eq!(denied(permit.run_with(lent)), Reason::CredentialUnavailable);
    let [denial] = &world.records("denied")[..] else { panic!("one denial") };
    assert!(
        matches!(&denial.event, Event::Denied { reason, .. } if reason == "credential_unavailable")
    );
    let [outcome] = &world.records("outcome")[..] else { panic!("one outcome") };
    assert!(matches!(&outcome.event, Event::Outcome { of, outcome, .. }
            if *of == number && *outcome == hallpass::audit::Outcome::Abandoned));
}

#[test]
fn a_session_lends_as_a_permit_does() {
    let world = World::new();
    let wants = Scope::tool("db.query").any_args();
    let session = world.broker.session(&world.agent, Purpose::new("errand"), wants).unwrap();
    let call = || Call::new("db.query", json!({})).unwrap();
    let now = Context::new();
    assert_eq!(session.call_with(call(), &now, lent).unwrap().raw()[0].1, ORDERS.as_bytes());
    let running = async |running: &Running, secrets: &Secrets| lent(running, secrets);
    let run = session.call_with_async(call(), &now, running);
    assert_eq!(ready(run).unwrap().raw()[0].1, ORDERS.as_bytes());
    let run = session.call(call(), &now, |_| Ok::<_, ()>(()));
    assert_eq!(denied(run), Reason::NeedsCredential);
}
