//! Every permit has its outcome, however its call ends.

use hallpass::audit::Outcome;
use tonic::Code;

use crate::bank::Account;
use crate::teller::receipt;
use crate::world::{World, noted, payment};

fn account() -> Account {
    Account { name: "household".to_owned() }
}

#[test]
fn a_call_ends_as_its_status_says() {
    let world = World::new();
    world.pay(payment("CH93", 98)).unwrap();
    let failed = world.pay(noted("fail")).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::NotFound, "no account CH93"));
    assert_eq!(world.settled(2), [Outcome::Ok, Outcome::Error]);
    world.end();
}

#[test]
fn a_method_that_panics_and_a_call_that_is_cancelled_are_interrupted() {
    let world = World::new();
    world.pay(noted("panic")).unwrap_err();
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    let mut client = world.client.clone();
    let request = world.asked(noted("hang"));
    let hangs = world.runtime.spawn(async move { client.pay(request).await });
    world.runtime.block_on(world.teller.begun.notified());
    assert_eq!(world.outcomes().len(), 2);
    hangs.abort();
    assert_eq!(world.settled(2), [Outcome::Interrupted; 2]);
    world.end();
}

#[test]
fn a_clone_that_outlives_the_answer_keeps_the_call_open() {
    let world = World::new();
    world.pay(noted("keep")).unwrap();
    assert_eq!(world.outcomes(), [None]);
    world.teller.note("done");
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}

#[test]
fn a_stream_is_told_while_it_comes_and_ends_as_its_status_says() {
    for (last, code, outcome) in [
        (None, Code::Ok, Outcome::Ok),
        (Some(tonic::Status::data_loss("gone")), Code::DataLoss, Outcome::Error),
    ] {
        let world = World::new();
        let tell = world.feed();
        world.runtime.block_on(async {
            let request = world.asked(account());
            let mut watched = world.client.clone().watch(request).await.unwrap().into_inner();
            for number in 0..3 {
                tell.send(Ok(receipt(number.to_string()))).await.unwrap();
                let told = watched.message().await.unwrap().unwrap();
                assert_eq!(told.text, number.to_string());
            }
            assert_eq!(world.outcomes(), [None]);
            if let Some(status) = last {
                tell.send(Err(status)).await.unwrap();
            }
            drop(tell);
            let ended = watched.message().await;
            assert_eq!(ended.map_or_else(|own| own.code(), |_| Code::Ok), code);
        });
        assert_eq!(world.settled(1), [outcome]);
        world.end();
    }
}

#[test]
fn a_stream_ends_when_what_permits_it_does() {
    let world = World::new();
    let tell = world.feed();
    world.runtime.block_on(async {
        let request = world.asked(account());
        let mut watched = world.client.clone().watch(request).await.unwrap().into_inner();
        tell.send(Ok(receipt("first"))).await.unwrap();
        assert_eq!(watched.message().await.unwrap().unwrap().text, "first");
        // The client waits, and nothing more comes by itself.
        let waits = tokio::spawn(async move { watched.message().await });
        tokio::task::yield_now().await;
        world.revoke();
        let cut = waits.await.unwrap().unwrap_err();
        assert_eq!(cut.code(), Code::Aborted);
        // The method's own stream is dropped.
        tell.closed().await;
    });
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    hallpass::assert_nothing_stands!(world.broker);
}

#[test]
fn a_stream_whose_client_goes_away_is_interrupted() {
    let world = World::new();
    let tell = world.feed();
    world.runtime.block_on(async {
        let request = world.asked(account());
        let watched = world.client.clone().watch(request).await.unwrap();
        drop(watched);
        tell.closed().await;
    });
    assert_eq!(world.settled(1), [Outcome::Interrupted]);
    world.end();
}
