//! What waits for people comes back with what they answered.

use hallpass::audit::Outcome;
use hallpass::identity::Assertion;
use hallpass::policy::Width;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::bank::Payment;
use crate::world::{ALL, PAYERS, World, payment, reason};

const FOUR_EYES: &str = r#"
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "grpc:/bank.v1.Bank/Pay" }
    approval = { review = [{ groups = { has_any = ["finance"] } }], expires = "15m", good_for = "5m" }
"#;

fn pending(status: &Status) -> String {
    assert_eq!((status.code(), &*reason(status)), (Code::FailedPrecondition, "APPROVAL_REQUIRED"));
    let details = status.get_error_details();
    assert_eq!(details.precondition_failure().unwrap().violations[0].r#type, "APPROVAL");
    details.error_info().unwrap().metadata["pending"].clone()
}

fn agree(world: &World) {
    let ada = Assertion::human("ada@acme.test").group("finance");
    let ada = world.broker.assert_identity(ada).unwrap();
    let reviews = world.broker.reviews();
    let questions = reviews.list(&ada);
    assert_eq!(questions.len(), 1, "the same call is the same question");
    for question in questions {
        reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).unwrap();
    }
}

fn again(world: &World, payment: Payment, pending: &str) -> Request<Payment> {
    let mut request = world.asked(payment);
    request.metadata_mut().insert(hallpass_tonic::PENDING, pending.parse().unwrap());
    request
}

#[test]
fn exactly_what_people_agreed_to_runs_once_and_in_its_own_method() {
    let world = World::of(&(PAYERS.to_owned() + FOUR_EYES), ALL);
    let mut client = world.client.clone();
    let asked = pending(&world.pay(payment("CH93", 98)).unwrap_err());
    let early = again(&world, payment("CH93", 98), &asked);
    assert_eq!(pending(&world.runtime.block_on(client.pay(early)).unwrap_err()), asked);
    agree(&world);
    // Another method would run from these arguments.
    let elsewhere = again(&world, payment("CH93", 98), &asked).map(|own| tokio_stream::iter([own]));
    let told = world.runtime.block_on(client.pay_all(elsewhere)).unwrap_err();
    assert_eq!(reason(&told), "APPROVAL_REQUIRED");
    for forged in ["x", ""] {
        let forged = again(&world, payment("CH93", 98), forged);
        world.runtime.block_on(client.pay(forged)).unwrap_err();
    }
    let mut twice = again(&world, payment("CH93", 98), &asked);
    twice.metadata_mut().append(hallpass_tonic::PENDING, asked.parse().unwrap());
    world.runtime.block_on(client.pay(twice)).unwrap_err();
    assert!(world.teller.notes().is_empty());
    // What is sent along with it changes nothing.
    let other = again(&world, payment("XX66", 9800), &asked);
    let paid = world.runtime.block_on(client.pay(other)).unwrap().into_inner();
    assert_eq!(paid.text, "98 to CH93");
    let spent = again(&world, payment("CH93", 98), &asked);
    world.runtime.block_on(client.pay(spent)).unwrap_err();
    assert_eq!(world.teller.notes(), ["98 to CH93"]);
    assert!(world.outcomes().contains(&Some(Outcome::Ok)));
    world.end();
}
