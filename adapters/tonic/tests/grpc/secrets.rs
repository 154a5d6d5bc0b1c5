//! Methods that run with credentials, and what is taken out of every answer.

use hallpass::audit::Outcome;
use hallpass::vault::{Secret, Vault};
use hallpass_tonic::GateError;
use tonic::{Code, Status};

use crate::bank::{Account, Payment, Receipt};
use crate::teller::receipt;
use crate::world::{ALL, PAYERS, Service, World, noted, payment};

const SECRET: &str = "fD3kW9sLq2-fD3kW9sLq2";
const CATALOGUE: &str = r#"
    [[tool]]
    name = "grpc:/bank.v1.Bank/Pay"
    credential = "bank-key"
    [[tool]]
    name = "grpc:/bank.v1.Bank/Watch"
    [[tool]]
    name = "grpc:/bank.v1.Bank/PayAll"
    [[tool]]
    name = "grpc:/bank.v1.Bank/Talk"
"#;

fn world(lend: impl FnOnce(Service) -> Service) -> World {
    let vault = Vault::new().unwrap();
    vault.seal("bank-key", Secret::new(SECRET).unwrap()).unwrap();
    let policy = PAYERS.to_owned() + CATALOGUE;
    World::built(&policy, ALL, |builder| builder.vault(&vault), |gate| gate, lend)
}

fn lending(service: Service) -> Service {
    let lent = service.with_secrets("/bank.v1.Bank/Pay", |teller, payment: Payment, _, secrets| {
        Box::pin(async move {
            let key = secrets.get("bank-key").unwrap().expose();
            let key = std::str::from_utf8(key).unwrap();
            teller.note(format!("{} with {}", payment.amount, key.len()));
            match payment.note.as_deref() {
                Some("fail") => Err(Status::not_found(format!("not with {key}"))),
                _ => Ok(telling(key)),
            }
        })
    });
    lent.unwrap()
}

/// A receipt that tells a secret in each kind of field.
fn telling(key: &str) -> Receipt {
    let part = Receipt { proof: key.as_bytes().to_vec(), ..receipt("a part") };
    let of = [(key.to_owned(), Account { name: key.to_owned() })].into();
    Receipt { text: format!("paid with {key}."), proof: key.into(), of, parts: vec![part] }
}

fn is_clean(told: &Receipt) {
    assert!(!format!("{told:?} {:?}", String::from_utf8_lossy(&told.proof)).contains(SECRET));
    assert_eq!(told.text, "paid with [redacted].");
    assert_eq!(
        (&told.proof[..], &told.parts[0].proof[..]),
        (&b"[redacted]"[..], &b"[redacted]"[..])
    );
    assert_eq!(told.parts[0].text, "a part");
    assert_eq!(told.of["[redacted]"].name, "[redacted]");
}

#[test]
fn a_method_is_lent_its_credential_and_no_answer_shows_it() {
    let world = world(lending);
    let paid = world.runtime.block_on(world.client.clone().pay(world.asked(payment("CH93", 98))));
    is_clean(&paid.unwrap().into_inner());
    let failed = world.pay(noted("fail")).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::NotFound, "not with [redacted]"));
    assert_eq!(world.teller.notes(), ["98 with 21", "98 with 21"]);
    assert_eq!(world.settled(2), [Outcome::Ok, Outcome::Error]);
    world.end();
}

#[test]
fn what_another_method_of_the_task_learned_is_scrubbed_from_streams_and_statuses() {
    let world = world(lending);
    world.pay(payment("CH93", 98)).unwrap();
    let tell = world.feed();
    world.runtime.block_on(async {
        let request = world.asked(Account::default());
        let mut watched = world.client.clone().watch(request).await.unwrap().into_inner();
        tell.send(Ok(telling(SECRET))).await.unwrap();
        is_clean(&watched.message().await.unwrap().unwrap());
        let mut status =
            Status::with_details(Code::DataLoss, format!("of {SECRET}"), SECRET.into());
        status.metadata_mut().insert("x-told", SECRET.parse().unwrap());
        tell.send(Err(status)).await.unwrap();
        let ended = watched.message().await.unwrap_err();
        assert_eq!((ended.code(), ended.message()), (Code::DataLoss, "of [redacted]"));
        assert_eq!(ended.metadata().get("x-told").unwrap(), "[redacted]");
        assert!(ended.details().is_empty());
    });
    world.end();
}

#[test]
fn a_method_with_a_credential_never_runs_without() {
    let world = world(|service| service);
    let told = world.pay(payment("CH93", 98)).unwrap_err();
    assert_eq!(told.code(), Code::Unavailable);
    assert!(world.teller.notes().is_empty());
    world.end();
}

#[test]
fn only_a_unary_method_that_is_there_is_lent_credentials() {
    let world = World::new();
    let lend = |path: &str| {
        let lent = world
            .service
            .clone()
            .with_secrets(path, |_, _: Payment, _, _| Box::pin(async { Ok(Receipt::default()) }));
        lent.map(drop)
    };
    assert_eq!(lend("/bank.v1.Bank/Pay"), Ok(()));
    let unknown = GateError::UnknownMethod("/bank.v1.Bank/Erase".into());
    assert_eq!(lend("/bank.v1.Bank/Erase"), Err(unknown));
    for streams in ["/bank.v1.Bank/Watch", "/bank.v1.Bank/PayAll"] {
        assert_eq!(lend(streams), Err(GateError::Streams(streams.into())));
    }
}
