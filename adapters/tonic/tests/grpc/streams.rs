//! Streams of clients: each message is a call of its own.

use hallpass::audit::Outcome;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::bank::Payment;
use crate::world::{ALL, PAYERS, World, payment, reason};

const SMALL: &str = r#"[{"tool":"grpc:/bank.v1.Bank/PayAll","args":{"to":"any","amount":{"max":500},"currency":"any","tags":"any",
    "shares":"any","rate":"any","fee":"any","urgentDelivery":"any"}},{"tool":"grpc:/bank.v1.Bank/Talk","args":{"to":"any",
    "amount":{"max":500},"currency":"any","tags":"any","shares":"any","rate":"any","fee":"any","urgentDelivery":"any"}}]"#;

fn all(amounts: &[i64]) -> impl tokio_stream::Stream<Item = Payment> + use<> {
    let all: Vec<_> = amounts.iter().map(|amount| payment("CH93", *amount)).collect();
    tokio_stream::iter(all)
}

#[test]
fn each_message_is_permitted_and_all_end_with_the_answer() {
    let world = World::of(PAYERS, SMALL);
    let request = world.asked(all(&[1, 2, 3]));
    let paid = world.runtime.block_on(world.client.clone().pay_all(request)).unwrap();
    assert_eq!(paid.into_inner().text, "6 in all");
    assert_eq!(world.settled(3), [Outcome::Ok; 3]);
    world.end();
}

#[test]
fn a_method_does_not_begin_before_its_first_message_is_permitted() {
    let world = World::of(PAYERS, SMALL);
    for amounts in [&[501, 1][..], &[]] {
        let request = world.asked(all(amounts));
        let told = world.runtime.block_on(world.client.clone().pay_all(request)).unwrap_err();
        assert!(["OUT_OF_SCOPE", "BAD_REQUEST"].contains(&&*reason(&told)), "{told:?}");
    }
    assert!(world.teller.notes().is_empty() && world.outcomes().is_empty());
    assert_eq!(world.reasons(), ["out_of_scope", "malformed_call"]);
    world.end();
}

#[test]
fn the_first_message_that_is_not_permitted_ends_the_stream() {
    let world = World::of(PAYERS, SMALL);
    let request = world.asked(all(&[1, 501, 2]));
    let told = world.runtime.block_on(world.client.clone().pay_all(request)).unwrap_err();
    assert_eq!((told.code(), &*reason(&told)), (Code::PermissionDenied, "OUT_OF_SCOPE"));
    assert_eq!(world.teller.notes(), ["1 to CH93"]);
    assert_eq!(world.settled(1), [Outcome::Error]);
    assert_eq!(world.reasons(), ["out_of_scope"]);
    world.end();
}

#[test]
fn a_conversation_is_decided_message_by_message_and_ends_with_its_task() {
    let world = World::of(PAYERS, SMALL);
    let (say, said) = mpsc::channel(1);
    world.runtime.block_on(async {
        say.send(payment("CH93", 1)).await.unwrap();
        let request = world.asked(ReceiverStream::new(said));
        let mut heard = world.client.clone().talk(request).await.unwrap().into_inner();
        assert_eq!(heard.message().await.unwrap().unwrap().text, "1 to CH93");
        say.send(payment("CH93", 2)).await.unwrap();
        assert_eq!(heard.message().await.unwrap().unwrap().text, "2 to CH93");
        assert_eq!(world.outcomes(), [None, None]);
        let waits = tokio::spawn(async move { heard.message().await });
        tokio::task::yield_now().await;
        world.revoke();
        assert_eq!(waits.await.unwrap().unwrap_err().code(), Code::Aborted);
    });
    assert_eq!(world.settled(2), [Outcome::Interrupted; 2]);
    hallpass::assert_nothing_stands!(world.broker);
}

#[test]
fn a_method_that_waits_for_messages_is_stopped_when_its_task_ends() {
    let world = World::of(PAYERS, SMALL);
    let (say, said) = mpsc::channel(1);
    world.runtime.block_on(async {
        say.send(payment("CH93", 1)).await.unwrap();
        let (request, mut client) = (world.asked(ReceiverStream::new(said)), world.client.clone());
        let waits = tokio::spawn(async move { client.pay_all(request).await });
        world.teller.begun.notified().await;
        world.revoke();
        assert_eq!(waits.await.unwrap().unwrap_err().code(), Code::Aborted);
    });
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    hallpass::assert_nothing_stands!(world.broker);
}

#[test]
fn limits_count_messages_and_a_stream_has_only_so_many() {
    let policy = PAYERS.to_owned() + "grant = { uses = 2 }\n";
    let world = World::of(&policy, ALL);
    let request = world.asked(all(&[1, 2, 3]));
    let told = world.runtime.block_on(world.client.clone().pay_all(request)).unwrap_err();
    assert_eq!((told.code(), &*reason(&told)), (Code::ResourceExhausted, "LIMIT_REACHED"));
    assert_eq!(world.reasons(), ["uses_spent"]);
    world.end();

    let bounded = |gate: hallpass_tonic::GrpcGate| gate.messages_at_most(3);
    let world = World::built(PAYERS, ALL, |builder| builder, bounded, |service| service);
    let mut client = world.client.clone();
    let three = world.asked(all(&[1, 2, 3]));
    world.runtime.block_on(client.pay_all(three)).unwrap();
    let four = world.asked(all(&[1, 2, 3, 4]));
    let told = world.runtime.block_on(client.pay_all(four)).unwrap_err();
    assert_eq!((told.code(), &*reason(&told)), (Code::ResourceExhausted, "LIMIT_REACHED"));
    assert_eq!(world.reasons(), ["too_many"]);
    world.end();
}
