//! What comes back of what a server shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::*;

/// attack 171, as a server does it
#[test]
fn a_server_that_shows_what_it_was_sent_shows_no_secret() {
    let world = World::new();
    let answer = world.get("/v1/echo", "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-echo"), Some("Bearer [redacted]"));
    assert!(answer.body.contains("authorization: Bearer [redacted]"), "{}", answer.body);
    assert!(!answer.text().contains(TOKEN));
    let found = world.records().iter().filter(|own| own.event.kind() == "secret_found").count();
    assert!(found > 0, "it is recorded");
}

/// attack 172
#[test]
fn a_secret_that_comes_a_byte_at_a_time_is_taken_out() {
    let world = World::new();
    let answer = world.get("/v1/drip", "");
    assert_eq!(answer.body, format!("<Bearer [redacted]>Bearer [redacted]<{}>", "x".repeat(300)));
}

/// attack 172
#[test]
fn a_secret_in_another_form_in_a_request_comes_back_without_it() {
    let world = World::new();
    // The tool can't know it; a server that it asked before may have.
    let forms = [TOKEN.to_owned(), STANDARD.encode(TOKEN), TOKEN.replace('-', "%2D")];
    for form in forms {
        let answer = world.run("orders.fetch", |endpoint| {
            post(&endpoint.url("orders-api").unwrap(), "/v1/echo", &format!("<{form}>"))
        });
        assert!(answer.body.ends_with("<[redacted]>"), "{form}: {}", answer.body);
    }
}

#[test]
fn an_answer_that_can_not_be_searched_is_not_handed_on() {
    let world = World::new();
    let packed = world.get("/v1/packed", "");
    assert_eq!(packed.status, 502);
    assert!(!packed.text().contains(TOKEN) && packed.body.contains("encoding"), "{packed:?}");
}

#[test]
fn a_session_that_would_outlive_the_call_is_not_handed_on() {
    let world = World::new();
    let answer = world.get("/v1/session", "");
    assert_eq!((answer.status, answer.header("set-cookie")), (200, None));
}

/// attack 172: a header's name has one case, so a secret in lower case stands there
#[test]
fn a_secret_in_the_name_of_a_header_spoils_the_answer() {
    let world = World::new();
    let lower = "t0ken-in-lower-case-0123";
    world.vault.seal("orders-api", hallpass::vault::Secret::new(lower).unwrap()).unwrap();
    let answer = world.get("/v1/name", "");
    assert_eq!(answer.status, 502);
    assert!(!answer.text().contains(lower), "{answer:?}");
}
