//! Where a secret goes: where the injector sends it, if the catalogue says the same of the tool.

use hallpass::RunError;
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use hallpass_http::LeaseError;
use serde_json::json;

use crate::world::*;

/// What one request through an address gives, that a tool is lent about which the catalogue says this.
fn asked(world: &World, said: &str) -> Result<u16, LeaseError> {
    let policy = format!(
        r#"
        version = 1
        tool = [{{ name = "orders.fetch", credential = ["orders-api", "crm-key"]{said} }}]
        rule = [{{ id = "p", effect = "permit", what = {{ tool = "orders.fetch", args = "any" }} }}]
    "#
    );
    let vault = Vault::new().unwrap();
    vault.seal("orders-api", Secret::new(TOKEN).unwrap()).unwrap();
    vault.seal("crm-key", Secret::new(KEY).unwrap()).unwrap();
    let broker = Broker::builder(Policy::from_toml(&policy).unwrap()).vault(&vault);
    let broker = broker.build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("orders.fetch").any_args(), &Context::new()).unwrap();
    let call = Call::new("orders.fetch", json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    let ran = permit.run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/");
        lease.serve(|endpoint| get(&endpoint.url("orders-api").unwrap(), "/v1/a", "").status)
    });
    match ran {
        Ok(receipt) => Ok(receipt.raw()),
        Err(RunError::Tool(error)) => Err(error.raw()),
        Err(RunError::Denied(denial)) => panic!("{}", denial.explain()),
    }
}

/// attack 174
#[test]
fn a_secret_goes_nowhere_that_the_catalogue_does_not_say() {
    let world = World::new();
    let (orders, crm) = (world.orders.origin(), world.crm.origin());
    let both = |a: &str, b: &str| format!(r#", origins = {{ orders-api = {a}, crm-key = {b} }}"#);
    let text = |origin: &str| format!("\"{origin}\"");
    let list = format!(r#"["https://orders.test", "{orders}"]"#);
    for said in [both(&text(&orders), &text(&crm)), both(&list, &text(&crm))] {
        assert_eq!(asked(&world, &said).unwrap(), 200, "{said}");
    }
    let seen = (world.orders.seen().len(), world.crm.seen().len());
    let tls = orders.replace("http://", "https://");
    for (said, credential) in [
        (String::new(), "orders-api"),
        (format!(", origins = {{ orders-api = {} }}", text(&orders)), "crm-key"),
        (format!(", origins = {{ crm-key = {} }}", text(&crm)), "orders-api"),
        // Of another credential, another port, another scheme.
        (both(&text(&crm), &text(&crm)), "orders-api"),
        (both(&text("http://127.0.0.1:1"), &text(&crm)), "orders-api"),
        (both(&text(&tls), &text(&crm)), "orders-api"),
    ] {
        match asked(&world, &said) {
            Err(LeaseError::NotAnOrigin { credential: own, .. }) => {
                assert_eq!(*own, *credential, "{said}");
            }
            other => panic!("{said}: {other:?}"),
        }
    }
    assert_eq!((world.orders.seen().len(), world.crm.seen().len()), seen, "nothing was sent");
}
