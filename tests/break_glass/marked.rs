//! Every record of it is marked, and no other.

use hallpass::audit::{BrokenGlass, Event};
use hallpass::prelude::*;

use crate::ward::{MINUTE, Ward, incident, run, scope};

#[test]
fn every_record_of_it_is_marked_and_no_other() {
    let usual = Rule::permit("usual").tool("db.read").any_args();
    let ward = Ward::new([incident().uses(9), usual]);
    let ada = ward.person("ada", "sre");
    let task = ward.open(&ada);
    let read = Scope::tool("db.read").any_args();
    let other = task.request(read.clone(), &Context::new()).unwrap();
    let reads = |grant: &Grant| {
        let call = Call::new("db.read", serde_json::json!({})).unwrap();
        ward.gate.authorize(grant, &ada, call, &Context::new())
    };
    task.break_glass(read, "orders are down", &Context::new()).unwrap_err();
    let mut grant = task.break_glass(scope(), "orders are down", &Context::new()).unwrap();
    run(ward.call(&grant, "restart").unwrap());
    run(reads(&other).unwrap());
    drop(ward.call(&grant, "restart").unwrap());
    let running = ward.call(&grant, "restart").unwrap().start().unwrap();
    let kept = ward.call(&grant, "restart").unwrap();
    reads(&grant).unwrap_err();
    ward.sink.fail_next(1);
    ward.call(&grant, "restart").unwrap_err();
    task.renew(&mut grant, &ada, &Context::new()).unwrap_err();
    // After its end, too.
    ward.call(&grant, "restart").unwrap_err();
    kept.start().map(drop).unwrap_err();
    drop(reads(&other).unwrap());
    drop(running);
    let eve = ward.person("eve", "security");
    ward.reviews.close_debt(&ward.debt(), &eve, "justified", "three restarts").unwrap();
    ward.clock.advance(MINUTE);
    task.complete();

    let marked: Vec<(String, bool)> = ward
        .events()
        .iter()
        .map(|event| (event.kind().to_owned(), event.is_of_glass()))
        .filter(|(kind, _)| {
            !matches!(kind.as_str(), "log_started" | "reloaded" | "opened" | "ended")
        })
        .collect();
    let marked: Vec<(&str, bool)> =
        marked.iter().map(|(kind, own)| (kind.as_str(), *own)).collect();
    assert_eq!(
        marked,
        [
            ("granted", false),
            ("denied", true),
            ("broken_glass", true),
            ("permitted", true),
            ("outcome", true),
            ("permitted", false),
            ("outcome", false),
            ("permitted", true),
            ("outcome", true),
            ("permitted", true),
            ("permitted", true),
            ("denied", true),
            ("withdrawn", true),
            ("denied", true),
            ("denied", true),
            ("grant_ended", true),
            ("denied", true),
            ("denied", true),
            ("outcome", true),
            ("permitted", false),
            ("outcome", false),
            ("outcome", true),
            ("debt_closed", true),
        ]
    );
    ward.verify();
}

#[test]
fn the_record_says_who_why_what_and_until_when() {
    let ward = Ward::new([incident()]);
    let (_task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
    let broken = ward.events().into_iter().find(|event| event.kind() == "broken_glass");
    let Some(Event::BrokenGlass(BrokenGlass {
        scope,
        policy,
        expires,
        due,
        refuses_while_open,
        ..
    })) = broken
    else {
        panic!()
    };
    assert_eq!(*scope, grant.scope().to_value());
    assert_eq!(policy, ward.broker.epoch().1.to_string());
    assert_eq!((expires, due, refuses_while_open), (grant.expires(), ward.debt().due(), false));
}
