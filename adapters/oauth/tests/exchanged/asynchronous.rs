//! The twin for a runtime.

use std::pin::pin;
use std::task::{Context as Polled, Poll, Waker};
use std::time::Duration;

use hallpass::prelude::*;
use hallpass_oauth::AsyncTokenExchange;
use serde_json::json;

use crate::server::checked;
use crate::world::*;

/// Polls what is always ready.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Polled::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn the_same_is_minted_and_owed_on_a_runtime() {
    let (clock, server) = start();
    let provider = AsyncTokenExchange::new(exchange(&server), Client::default());
    let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
        .name("orders")
        .clock(clock.clone())
        .async_provider("orders-api", provider)
        .tended_by_host()
        .build()
        .unwrap();
    let agent = broker.assert_identity(holder()).unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(Scope::tool("orders.list").any_args(), &Context::new()).unwrap();
    let call = Call::new("orders.list", json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    let token = now(permit.run_with_async(async |_, secrets| {
        Ok::<_, ()>(secrets.get("orders-api").unwrap().expose_text().unwrap().to_owned())
    }));
    assert_eq!(checked(&token.unwrap().raw()).unwrap()["sub"], "alice@acme.test");
    task.complete();
    assert_eq!(now(broker.tended()).owed, 1);
    clock.advance(Duration::from_secs(310));
    assert_eq!(now(broker.tended()).gone, 1);
}
