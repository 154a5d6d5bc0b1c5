//! Calls that are permitted.

use hallpass::audit::Outcome;
use tonic::metadata::MetadataValue;

use crate::world::{ALL, World, noted, payment};

#[test]
fn a_method_runs_from_the_arguments_that_were_decided_about() {
    // The catalogue brings a path to one spelling, which is decided about: the method sees that one.
    const WANTED: &str = r#"[{"tool":"grpc:/bank.v1.Bank/Pay","args":{"to":{"eq":"/own/bills"},"amount":{"max":100},
        "currency":{"eq":"EUR"},"tags":"any","shares":"any","rate":"any","fee":"any","urgentDelivery":{"eq":false}}}]"#;
    let policy = r#"
        version = 1
        [[tool]]
        name = "grpc:/bank.v1.Bank/Pay"
        args = { to = "path", amount = "integer", currency = "text", tags = "list", shares = "object", rate = "number",
                 fee = "number", urgentDelivery = "bool", note = "text?" }
        [[rule]]
        id = "payers"
        effect = "permit"
        what = { tool = "grpc:/bank.v1.Bank/Pay", args = { to = "/own/bills", amount = { max = 500 }, currency = "EUR",
                 tags = "any", shares = "any", rate = "any", fee = "any", urgentDelivery = false } }
    "#;
    let world = World::of(policy, WANTED);
    let mut bill = payment("/own/.//bills", 98);
    bill.currency = 1;
    assert_eq!(world.pay(bill.clone()).unwrap(), "98 to /own/bills");
    bill.to = "/own//other".to_owned();
    assert_eq!(world.pay(bill).unwrap_err().code(), tonic::Code::PermissionDenied);
    assert_eq!(world.settled(1), [Outcome::Ok]);
    world.end();
}

#[test]
fn a_method_sees_no_metadata_but_what_the_host_names() {
    let world = World::new();
    let mut request = world.asked(noted("metadata"));
    for name in ["x-kept", "x-other", "x-other-bin", "traceparent"] {
        match name.strip_suffix("-bin") {
            Some(_) => {
                drop(request.metadata_mut().insert_bin(name, MetadataValue::from_bytes(b"v")))
            }
            None => drop(request.metadata_mut().insert(name, MetadataValue::from_static("v"))),
        }
    }
    world.runtime.block_on(world.client.clone().pay(request)).unwrap();
    let notes = world.teller.notes();
    let mut seen: Vec<_> = notes[1].split(' ').collect();
    seen.sort_unstable();
    assert_eq!(seen.len(), 4, "{seen:?}");
    for (own, name) in seen.iter().zip(["content-type", "te", "traceparent", "x-kept"]) {
        assert!(own.contains(name), "{own} is {name}");
    }
    world.end();
}

#[test]
fn ten_megabytes_and_sixty_four_calls_at_once_arrive_whole() {
    let world = World::new();
    let client = world.client.clone().max_decoding_message_size(16 << 20);
    let large = world.runtime.block_on(client.clone().pay(world.asked(noted("large")))).unwrap();
    assert_eq!(large.into_inner().text.len(), 10 << 20);
    let paid = world.runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for number in 0..64 {
            let (request, mut client) = (world.asked(payment("CH93", number)), client.clone());
            all.spawn(async move { client.pay(request).await.unwrap().into_inner().text });
        }
        all.join_all().await
    });
    assert_eq!(paid.len(), 64);
    assert!((0..64).all(|number| paid.contains(&format!("{number} to CH93"))));
    assert_eq!(world.settled(65), [Outcome::Ok; 65]);
    world.end();
}

#[test]
fn limits_count_calls() {
    let policy = crate::world::PAYERS.to_owned() + "grant = { uses = 2 }\n";
    let world = World::of(&policy, ALL);
    for _ in 0..2 {
        world.pay(payment("CH93", 1)).unwrap();
    }
    let spent = world.pay(payment("CH93", 1)).unwrap_err();
    assert_eq!(spent.code(), tonic::Code::ResourceExhausted);
    assert_eq!(crate::world::reason(&spent), "LIMIT_REACHED");
    world.end();
}
