//! P8: what comes from a tool of a task goes to an agent without the secrets that the task has used.

use std::sync::{Arc, Mutex};

use hallpass::audit::Event;
use hallpass::prelude::*;
use hallpass::vault::Secrets;
use hallpass::{Receipt, RunError, Running};

use crate::world::*;

/// What a tool that tells what it runs with returns.
fn echo(_: &Running, secrets: &Secrets) -> Result<String, String> {
    let all = secrets.names().map(|name| secrets.get(name).unwrap().expose_text().unwrap());
    Ok(all.map(|secret| format!("<{secret}>")).collect())
}

fn read(world: &World, grant: &Grant, what: &str) -> Receipt<String> {
    world.authorize(grant, "ping").run(|_| Ok::<_, ()>(what.to_owned())).unwrap()
}

/// attack 128
#[test]
fn a_tool_that_echoes_what_it_runs_with_tells_the_agent_nothing_and_the_log_that_it_did() {
    let world = World::new();
    let (_task, grant) = world.open();
    let permit = world.authorize(&grant, "both");
    let number = permit.number();
    let receipt = permit.run_with(echo).unwrap();
    assert!(world.records("secret_found").is_empty());
    assert_eq!(receipt.scrubbed(), "<[redacted]><[redacted]>");
    let [found] = &world.records("secret_found")[..] else { panic!("one record") };
    assert!(matches!(&found.event, Event::SecretFound { of, credentials, .. }
        if *of == number && *credentials == ["mail-key", "orders-db"]));
    // For the host's own use there is `raw`, and that is not a leak.
    let raw = world.authorize(&grant, "both").run_with(echo).unwrap().raw();
    assert!(raw.contains(ORDERS) && world.records("secret_found").len() == 1);
}

/// attack 171: the error, or a file that another tool of the task reads back
#[test]
fn an_error_and_a_later_result_of_a_tool_without_the_secret_are_scrubbed() {
    let world = World::new();
    let (_task, grant) = world.open();
    let before = read(&world, &grant, &format!("made before, {ORDERS} in it"));
    let fails = |_: &Running, secrets: &Secrets| -> Result<(), String> {
        Err(format!("no route for {}", secrets.get("orders-db").unwrap().expose_text().unwrap()))
    };
    let error = world.authorize(&grant, "db.query").run_with(fails).unwrap_err();
    assert_eq!(error.to_string(), "the tool failed: no route for [redacted]");
    assert_eq!(error.to_string(), "the tool failed: no route for [redacted]");
    assert!(!format!("{error:?}").contains(ORDERS));
    assert_eq!(world.records("secret_found").len(), 1, "shown twice, it has leaked once");
    let RunError::Tool(error) = error else { panic!("it did not run") };
    assert_eq!(error.scrubbed(), "no route for [redacted]");
    assert_eq!(read(&world, &grant, &format!("a file: {ORDERS}")).scrubbed(), "a file: [redacted]");
    // Calls of a task run next to each other: one that was done before may hold it, too.
    assert_eq!(before.scrubbed(), "made before, [redacted] in it");
    // What the task has not used is not looked for.
    assert_eq!(read(&world, &grant, MAIL).scrubbed(), MAIL);
}

/// attack 180
#[test]
fn one_tool_that_echoes_the_secret_of_another_is_scrubbed() {
    let world = World::new();
    let (_task, grant) = world.open();
    world.authorize(&grant, "db.query").run_with(echo).unwrap();
    let receipt =
        world.authorize(&grant, "mail.send").run_with(|_, _| Ok::<_, ()>(ORDERS.to_owned()));
    assert_eq!(receipt.unwrap().scrubbed(), "[redacted]");
}

/// attack 129: as long as results may hold it, and no longer
#[test]
fn a_used_secret_is_searched_for_until_the_last_call_of_its_task_is_done() {
    let world = World::new();
    let (task, grant) = world.open();
    let slow = world.authorize(&grant, "ping").start().unwrap();
    let receipt = world.authorize(&grant, "db.query").run_with(echo).unwrap();
    // Rotated meanwhile: both are what the task has used.
    let new = "a-new-one-for-orders";
    world.vault.seal("orders-db", hallpass::vault::Secret::new(new).unwrap()).unwrap();
    world.authorize(&grant, "db.query").run_with(echo).unwrap();
    task.complete();
    assert_eq!(receipt.scrubbed(), "<[redacted]>");
    let mut stream = slow.scrub_stream();
    let mut given = stream.push(format!("{ORDERS} {new}").as_bytes());
    given.extend(stream.finish());
    assert_eq!(given, b"[redacted] [redacted]");
    slow.succeed();
}

#[test]
fn another_task_is_not_searched_for_what_it_has_not_used() {
    let world = World::new();
    let (_task, grant) = world.open();
    world.authorize(&grant, "db.query").run_with(echo).unwrap();
    let (_other, theirs) = world.open();
    assert_eq!(read(&world, &theirs, ORDERS).scrubbed(), ORDERS);
}

#[test]
fn a_leak_alerts_the_host_and_halts_the_caller_where_the_catalogue_says_so() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let text = POLICY.replace("name = \"db.query\",", "name = \"db.query\", leak = \"halt\",");
    let world = World::with(Policy::from_toml(&text).unwrap(), |builder| {
        builder.on_leak(move |event| {
            seen.lock().unwrap().push(event.kind());
            std::panic::resume_unwind(Box::new("contained"));
        })
    });
    let (_task, grant) = world.open();
    // One that does not say so alerts, and halts no one.
    world.authorize(&grant, "mail.send").run_with(echo).unwrap().scrubbed();
    assert!(world.authorize(&grant, "ping").run(|_| Ok::<_, ()>(())).is_ok());
    world.authorize(&grant, "db.query").run_with(echo).unwrap().scrubbed();
    assert_eq!(*told.lock().unwrap(), ["secret_found", "secret_found"]);
    let call = Call::new("ping", serde_json::json!({})).unwrap();
    let denial = world.gate.authorize(&grant, &world.agent, call, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Halted);
    assert_eq!(world.records("halted").len(), 1);
}

#[test]
fn what_a_leak_does_is_part_of_what_a_policy_says() {
    let digest = |leak: &str| {
        let text = format!("version = 1\ntool = [{{ name = \"t\"{leak} }}]");
        Policy::from_toml(&text).map(|policy| policy.digest())
    };
    assert_ne!(digest("").unwrap(), digest(", leak = \"halt\"").unwrap());
    assert!(digest(", leak = \"ignore\"").unwrap_err().to_string().contains("expected `\"halt\"`"));
}

#[test]
fn a_type_of_the_hosts_own_is_scrubbed_by_a_function() {
    struct Page {
        title: String,
    }
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world
        .authorize(&grant, "db.query")
        .run_with(|running, secrets| echo(running, secrets).map(|title| Page { title }));
    let title = receipt.unwrap().scrubbed_by(|page, scrubber| scrubber.text(page.title));
    assert_eq!(title, "<[redacted]>");
}

/// P8, attack 128: read from left to right, what stands before takes the first characters along
#[test]
fn an_escaped_secret_is_found_whatever_stands_before_it() {
    let percent = ("b1c2/d3e4f5a6b7c8", "b1c2%2Fd3e4f5a6b7c8");
    let json = ("n0\"quote-a6b7c8d9e0", "n0\\\"quote-a6b7c8d9e0");
    let befores =
        ["", " ", "%", "100%", "%a", "%%", "\\", "C:\\secrets\\", "\\\\", "\\u00", "\\ud83d\\u00"];
    for (secret, escaped) in [percent, json] {
        for before in befores {
            let world = World::new();
            let secret = hallpass::vault::Secret::new(secret).unwrap();
            world.vault.seal("orders-db", secret).unwrap();
            let (_task, grant) = world.open();
            let text = format!("{before}{escaped} ok");
            let permit = world.authorize(&grant, "db.query");
            let receipt = permit.run_with(|_, _| Ok::<_, ()>(text)).unwrap();
            assert_eq!(receipt.scrubbed(), format!("{before}[redacted] ok"));
        }
    }
}

/// attack 172
#[test]
fn a_stream_of_escapes_that_run_into_each_other_is_shown_as_it_comes() {
    let world = World::new();
    let (_task, grant) = world.open();
    let stream = |running: &Running, _: &Secrets| {
        let mut stream = running.scrub_stream();
        let mut shown = stream.push(b"%5C").len();
        for _ in 0..8 {
            shown += stream.push(&[b'\\'; 8192]).len();
        }
        Ok::<_, ()>(shown)
    };
    let shown = world.authorize(&grant, "db.query").run_with(stream).unwrap().raw();
    assert!(shown > 7 * 8192, "{shown}");
}

/// attack 128: it is told, and can halt the caller, while the tool runs on
#[test]
fn a_leak_in_a_stream_is_told_when_it_is_found() {
    let world = World::new();
    let (_task, grant) = world.open();
    let told = |world: &World| {
        let names = world.records("secret_found").into_iter().map(|record| match record.event {
            Event::SecretFound { credentials, .. } => format!("{credentials:?}"),
            _ => String::new(),
        });
        names.collect::<Vec<_>>()
    };
    let leaks = |running: &Running, secrets: &Secrets| {
        let mut stream = running.scrub_stream();
        for (name, count) in [("mail-key", 1), ("mail-key", 1), ("orders-db", 2)] {
            let _ = stream.push(secrets.get(name).unwrap().expose());
            let shown = stream.push(&[b'x'; 1 << 16]);
            assert!(shown.starts_with(b"x") || shown.starts_with(b"[redacted]"));
            assert_eq!(told(&world).len(), count);
        }
        Ok::<_, ()>(())
    };
    world.authorize(&grant, "both").run_with(leaks).unwrap();
    assert_eq!(told(&world), ["[\"mail-key\"]", "[\"orders-db\"]"]);
}

/// attack 128: a number has no place for what would stand where it was
#[test]
fn a_number_is_no_secret() {
    use hallpass::vault::{Secret, SecretError};
    for number in
        ["8301947265518230467", "-830194726551823046", "3.141592653589793", "1234567890123e45"]
    {
        assert_eq!(Secret::new(number).unwrap_err(), SecretError::Number);
        assert_eq!(Secret::with_entropy(number, 64).unwrap_err(), SecretError::Number);
    }
    assert!(
        Secret::new("8301947265518230467x").is_ok()
            && Secret::new("4".repeat(99) + "5e999").is_ok()
    );
}
