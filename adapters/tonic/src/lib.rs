//! gRPC services on tonic whose methods run from a permit, and from nothing else.
//!
//! A host implements tonic's generated trait for [`Gated`] in place of its own type, and lets a [`GrpcGate`] make the service:
//! each call is decided before its method, by the message that it carries, and the method is given the message that was
//! decided about.
//!
//! ```
//! use hallpass::prelude::*;
//! use hallpass_tonic::{Gated, GrpcGate, HttpGate, Refusal};
//! # mod bank {
//! #     pub(super) const DESCRIPTORS: &[u8] = include_bytes!("../tests/generated/bank.bin");
//! #     #[derive(Clone, Debug)]
//! #     pub(super) struct BankServer<T>(std::sync::Arc<T>);
//! #     impl<T> BankServer<T> {
//! #         pub(super) fn new(bank: T) -> Self {
//! #             BankServer(std::sync::Arc::new(bank))
//! #         }
//! #     }
//! #     impl<T> tonic::server::NamedService for BankServer<T> {
//! #         const NAME: &'static str = "bank.v1.Bank";
//! #     }
//! # }
//! # use bank::{BankServer, DESCRIPTORS};
//!
//! struct Ledger;
//!
//! // impl Bank for Gated<Ledger> { … }: the trait that tonic has generated of `service Bank`.
//!
//! # fn service(broker: &Broker) -> Result<(), Box<dyn std::error::Error>> {
//! let attestor = broker.attestor();
//! let gate = HttpGate::tokens(broker.gate(), move |request| {
//!     // What your own authentication says, of a client certificate, say.
//!     let id = request.extensions.get::<String>().ok_or(Refusal::Unauthenticated)?;
//!     Ok(attestor.attest(id.as_str())?)
//! });
//! let bank = GrpcGate::new(gate, DESCRIPTORS)?.service(Ledger, BankServer::new)?;
//! // Server::builder().add_service(bank).serve(address).await?;
//! # drop(bank);
//! # Ok(())
//! # }
//! # let rule = Rule::permit("payers").tool("grpc:/bank.v1.Bank/Pay").any_args();
//! # service(&Broker::new(Policy::builder().rule(rule).build()?)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a call is
//!
//! - **The tool** is `grpc:/package.Service/Method`, or what [`HttpGate::tool`] says.
//! - **The arguments** are the fields of the message under the names of the `.proto` file, as the JSON form of protobuf has
//!   them; but 64-bit integers are numbers, and a field that has no presence of its own is there with its default value, so that two
//!   messages that mean the same are one call. What the descriptors do not know of is refused, never passed over.
//! - **Each message of a client's stream** is a call of its own. The method starts once the first is permitted, and its stream
//!   ends in an error with the first that is not.
//! - **What is presented** is a token in the metadata `authorization: Bearer`, or a session that the host keeps: see [`HttpGate`].
//!
//! # What a method sees
//!
//! The message of the permit, [`Permitted`] in the extensions, and what the host has named
//! ([`HttpGate::keep_header`], [`HttpGate::keep`]). Other metadata is not handed on.
//!
//! # How a call ends
//!
//! With its status: `OK` is recorded as `ok`, another as `error`, and a call that is cancelled as `interrupted`. A method that
//! streams, in either direction, is cut once what permits it ends: its client gets `ABORTED`. What a method answers, and its
//! metadata, is scrubbed of the secrets that the task has used, message by message.
//!
//! # What it does not do
//!
//! - It does not say who calls: that is the host's function.
//! - It takes and gives no compressed messages, and no protobuf groups within unknown fields.
//! - Services that are added to the same server without it are not gated: reflection tells the names of methods, say.
//! - A decision waits for the log, as long as the broker's `log_timeout`: on the thread that asks, unless the broker has a
//!   [timer](hallpass::BrokerBuilder::log_timer) and its sink a [thread](hallpass::audit::ThreadedSink) of its own.

#![forbid(unsafe_code)]

mod calls;
mod frames;
mod gate;
mod message;
mod methods;
mod permitted;
mod question;
mod requests;
mod responses;
mod scrubbed;
mod secrets;
mod service;
mod status;

pub use gate::{GateError, GrpcGate};
pub use hallpass_tower::{HttpGate, Refusal};
pub use permitted::{Gated, Permitted};
pub use service::GateService;
pub use status::{PENDING, status_of};
