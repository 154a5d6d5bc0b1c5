//! The service of `docs/tonic.md`, with what its build script generates from the tests of this package.
#![allow(
    clippy::all,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "what is generated"
)]

use std::pin::Pin;

use hallpass::prelude::*;
use hallpass::scope::{above, any, eq, max};
use hallpass_tonic::{Gated, GrpcGate, HttpGate, Refusal};
use payments::payments_server::{Payments, PaymentsServer};
use payments::{Account, Payment, Receipt};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

mod payments {
    include!("../tests/generated/payments.v1.rs");
    pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("../tests/generated/payments.bin");
}

struct Bank {
    balances: &'static [(&'static str, u32)],
}

// Methods run from what was decided about.
#[tonic::async_trait]
impl Payments for Gated<Bank> {
    async fn pay(&self, request: Request<Payment>) -> Result<Response<Receipt>, Status> {
        let Payment { to, amount } = request.into_inner();
        Ok(Response::new(Receipt { text: format!("paid {amount} to {to}") }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Receipt, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<Account>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.into_inner().name;
        let own = self.balances.iter().filter(move |(own, _)| *own == name);
        let told = tokio_stream::iter(own)
            .map(|(name, balance)| Ok(Receipt { text: format!("{name} holds {balance}") }));
        Ok(Response::new(Box::pin(told)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = Broker::new(Policy::from_toml(&std::fs::read_to_string("payments.toml")?)?)?;
    let payer = broker.assert_identity("payer")?;
    let bills = Scope::tool("grpc:/payments.v1.Payments/Pay")
        .arg("to", any())
        .arg("amount", above(0).and(max(500)));
    let wanted =
        bills.and(Scope::tool("grpc:/payments.v1.Payments/Watch").arg("name", eq("household")));
    let session = broker.session(&payer, Purpose::new("pay-bills"), wanted)?;

    // Who calls, by the key that your own authentication knows it by.
    let http = HttpGate::sessions(move |request| {
        let key = request.headers.get("x-api-key").and_then(|key| key.to_str().ok());
        let is_known = key.is_some_and(|key| key == "key-of-payer");
        is_known.then(|| session.clone()).ok_or(Refusal::Unauthenticated)
    });
    let gate = GrpcGate::new(http, payments::DESCRIPTORS)?;
    let bank = gate.service(Bank { balances: &[("household", 1203)] }, PaymentsServer::new)?;

    Server::builder().add_service(bank).serve("127.0.0.1:3001".parse()?).await?;
    Ok(())
}
