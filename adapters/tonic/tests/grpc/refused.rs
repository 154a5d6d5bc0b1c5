//! Calls that are not permitted, and what is no call.

use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service;

use hallpass_tonic::{GateError, GrpcGate, HttpGate, Refusal};

use crate::bank::DESCRIPTORS;
use crate::world::{World, payment, reason};

impl World {
    /// Asks the service itself, with bytes that no client of tonic sends.
    fn sent(
        &self,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: impl Into<bytes::Bytes>,
    ) -> Status {
        let token = format!("Bearer {}", self.grant.token().expose());
        let mut request = Request::new(Full::new(body.into()));
        *request.uri_mut() = path.parse().unwrap();
        let own = request.headers_mut();
        own.insert("x-caller", HeaderValue::from_static("agent-7"));
        own.insert("authorization", token.parse().unwrap());
        own.insert("content-type", HeaderValue::from_static("application/grpc"));
        for (name, value) in headers {
            own.insert(*name, HeaderValue::from_static(value));
        }
        let answered = self.runtime.block_on(self.service.clone().call(request)).unwrap();
        self.runtime.block_on(status(answered))
    }
}

async fn status(answered: Response<Body>) -> Status {
    let (parts, body) = answered.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
    let own = Status::from_header_map(&parts.headers);
    own.or_else(|| Status::from_header_map(&trailers)).unwrap()
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

const PAY: &str = "/bank.v1.Bank/Pay";

/// attack 30
#[test]
fn what_is_no_message_of_the_method_is_refused_and_recorded() {
    let world = World::new();
    let bill = payment("CH93", 98).encode_to_vec();
    let one = frame(0, &bill);
    assert_eq!(world.sent(PAY, &[], one.clone()).code(), Code::Ok);
    let unknown = frame(0, &[&bill[..], &[0x98, 0x06, 1]].concat());
    let bodies = [
        ("no message", Vec::new()),
        ("two messages", [&one[..], &one[..]].concat()),
        ("one that is cut off", one[..one.len() - 1].to_vec()),
        ("one and half another", [&one[..], &one[..7]].concat()),
        ("half a frame's head", vec![0, 0]),
        ("one that is compressed", frame(1, &bill)),
        ("one of 4 GiB", vec![0, 0xff, 0xff, 0xff, 0xff]),
        ("an unknown field", unknown),
        ("no protobuf", frame(0, b"{\"to\":\"CH93\"}")),
    ];
    for (what, body) in &bodies {
        let told = world.sent(PAY, &[], body.clone());
        assert_eq!(
            (told.code(), &*reason(&told)),
            (Code::InvalidArgument, "BAD_REQUEST"),
            "{what}"
        );
    }
    assert_eq!(world.reasons(), vec!["malformed_call"; bodies.len()]);
    assert_eq!(world.teller.notes().len(), 1);
    assert_eq!(world.settled(1).len(), 1);
    world.end();
    // Of equal denials beyond ten, only the number is on record.
    let world = World::new();
    let headers = [
        ("content-type", "application/grpc+json"),
        ("content-type", "application/json"),
        ("grpc-encoding", "gzip"),
    ];
    for header in headers {
        let told = world.sent(PAY, &[header], one.clone());
        assert_eq!(
            (told.code(), &*reason(&told)),
            (Code::InvalidArgument, "BAD_REQUEST"),
            "{header:?}"
        );
    }
    assert_eq!(world.reasons(), ["malformed_call"; 3]);
    assert!(world.teller.notes().is_empty());
    world.end();
}

#[test]
fn a_method_that_is_not_there_is_refused_like_one_that_is_forbidden() {
    let world = World::of(
        r#"
        version = 1
        [[rule]]
        id = "lookers"
        effect = "permit"
        what = { tool = "grpc:/bank.v1.Bank/Watch", args = "any" }
        "#,
        r#"[{"tool":"grpc:/bank.v1.Bank/Watch","args":"any"}]"#,
    );
    for path in
        ["/bank.v1.Bank/Erase", "/bank.v1.Bank/Pay/", "/bank.v1.Bank/pay", "/bank.v1.Bank", "/"]
    {
        let told = world.sent(path, &[], frame(0, b""));
        assert_eq!(
            (told.code(), &*reason(&told)),
            (Code::PermissionDenied, "NOT_PERMITTED"),
            "{path}"
        );
    }
    assert_eq!(world.reasons(), ["unknown_tool"; 5]);
    // One that is there, and that the grant does not cover.
    let told = world.pay(payment("CH93", 98)).unwrap_err();
    assert_eq!((told.code(), &*reason(&told)), (Code::PermissionDenied, "OUT_OF_SCOPE"));
    assert!(world.teller.notes().is_empty() && world.outcomes().is_empty());
    world.end();
}

#[test]
fn who_calls_has_to_be_known_and_to_hold_the_token() {
    let world = World::new();
    let bill = frame(0, &payment("CH93", 98).encode_to_vec());
    let unknown = {
        let mut request = world.asked(payment("CH93", 98));
        request.metadata_mut().remove("x-caller");
        world.runtime.block_on(world.client.clone().pay(request)).unwrap_err()
    };
    assert_eq!(unknown.code(), Code::Unauthenticated);
    assert!(unknown.details().is_empty() && world.reasons().is_empty(), "{unknown:?}");
    let stolen = world.sent(PAY, &[("x-caller", "agent-8")], bill.clone());
    let missing = world.sent(PAY, &[("authorization", "Basic x")], bill.clone());
    for told in [stolen, missing] {
        assert_eq!((told.code(), &*reason(&told)), (Code::Unauthenticated, "INVALID_TOKEN"));
    }
    world.revoke();
    let over = world.sent(PAY, &[], bill);
    assert_eq!((over.code(), &*reason(&over)), (Code::Unauthenticated, "INVALID_TOKEN"));
    assert!(world.teller.notes().is_empty());
    hallpass::assert_nothing_stands!(world.broker);
}

#[test]
fn what_is_longer_than_it_may_be_is_refused_before_it_is_read() {
    let world = World::built(
        crate::world::PAYERS,
        crate::world::ALL,
        |builder| builder,
        |gate| gate,
        |service| service,
    );
    let long = payment(&"x".repeat(3 << 20), 98);
    let told = world.pay(long).unwrap_err();
    assert_eq!((told.code(), &*reason(&told)), (Code::InvalidArgument, "BAD_REQUEST"));
    world.end();
}

#[test]
fn a_service_that_can_not_be_gated_is_not_made() {
    #[derive(Clone)]
    struct Named<const N: usize>;
    impl tonic::server::NamedService for Named<0> {
        const NAME: &'static str = "bank.v1.Clock";
    }
    impl tonic::server::NamedService for Named<1> {
        const NAME: &'static str = "bank.v1.Vault";
    }
    let http = || HttpGate::sessions(|_| Err(Refusal::Unauthenticated));
    let gate = GrpcGate::new(http(), DESCRIPTORS).unwrap();
    assert_eq!(
        gate.service((), |_| Named::<0>).unwrap_err(),
        GateError::NoArguments("/bank.v1.Clock/Set".into())
    );
    assert_eq!(
        gate.service((), |_| Named::<1>).unwrap_err(),
        GateError::UnknownService("bank.v1.Vault".into())
    );
    assert!(matches!(GrpcGate::new(http(), b"\x0a\xff"), Err(GateError::Descriptors(_))));
}
