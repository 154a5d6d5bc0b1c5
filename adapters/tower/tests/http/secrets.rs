//! Tools that run with credentials, and what is taken out of every response.

use axum::response::IntoResponse;
use axum::routing::{MethodFilter, get};
use hallpass::audit::Outcome;
use http::StatusCode;

use crate::world::{Notes, World, vault};

const SECRET: &str = "fD3kW9sLq2-fD3kW9sLq2";
const POLICY: &str = r#"
    version = 1
    [[tool]]
    name = "http:POST:/mails"
    credential = "mail-key"
    args = { to = "text" }
    [[tool]]
    name = "http:GET:/notes"
    [[tool]]
    name = "http:GET:/short"
    [[rule]]
    id = "send"
    effect = "permit"
    what = { tool = { one_of = ["http:POST:/mails", "http:GET:/notes", "http:GET:/short"] }, args = "any" }
"#;
const WANTED: &str = r#"[{"tool":"http:POST:/mails","args":"any"},{"tool":"http:GET:/notes","args":"any"},{"tool":"http:GET:/short"}]"#;

fn world() -> World {
    let vault = vault("mail-key", SECRET);
    World::built(
        POLICY,
        WANTED,
        |builder| builder.vault(&vault),
        |gate| gate,
        |routes| {
            routes
                .route_with_secrets(
                    "/mails",
                    MethodFilter::POST,
                    |running, secrets, notes: &Notes| {
                        Box::pin(async move {
                            let key = secrets.get("mail-key").unwrap().expose();
                            let key = std::str::from_utf8(key).unwrap().to_owned();
                            let to = running.args().text("to").unwrap_or_default();
                            notes.note(format!("to {to} with {}", key.len()));
                            let status =
                                if to == "bob" { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
                            (status, [("x-sent", key.clone())], format!("sent with {key}"))
                        })
                    },
                )
                .route("/short", get(async || format!("it is {SECRET}")))
                .route(
                    "/notes",
                    get(async || {
                        // It was learned by the other tool of the task, and comes back by this one.
                        let told = format!("{SECRET} in the middle of {}", "x".repeat(2 << 20));
                        ([("x-told", SECRET)], told).into_response()
                    }),
                )
        },
    )
}

#[test]
fn a_tool_is_lent_its_credential_and_no_response_shows_it() {
    let world = world();
    for (to, status) in [("ada", 200), ("bob", 502)] {
        let sent = world.post("/mails", &format!(r#"{{"to":"{to}"}}"#));
        assert_eq!(sent.status, status);
        assert!(sent.text().starts_with("sent with ") && !sent.text().contains(SECRET), "{sent:?}");
        assert!(sent.header("x-sent").is_some() && !sent.headers.contains(SECRET), "{sent:?}");
    }
    let notes = world.curl("/notes", &[]);
    assert!(notes.body.len() > 2 << 20 && !notes.text().contains(SECRET));
    assert!(notes.header("x-told").is_some() && !notes.headers.contains(SECRET));
    let short = world.curl("/short", &[]);
    assert!(short.text().starts_with("it is ") && !short.text().contains(SECRET), "{short:?}");
    assert_eq!(world.notes.all(), ["to ada with 21", "to bob with 21"]);
    assert_eq!(world.settled(4), [Outcome::Ok, Outcome::Error, Outcome::Ok, Outcome::Ok]);
    let denied = world.post("/mails", r#"{"to":7}"#);
    assert_eq!((denied.status, denied.code()), (400, "bad_request".to_owned()));
    world.end();
}

#[test]
fn a_tool_with_a_credential_never_runs_without() {
    let vault = vault("mail-key", SECRET);
    let world = World::built(
        POLICY,
        WANTED,
        |builder| builder.vault(&vault),
        |gate| gate,
        |routes| routes.route("/mails", axum::routing::post(async || "sent")),
    );
    let denied = world.post("/mails", r#"{"to":"ada"}"#);
    assert_eq!((denied.status, denied.code()), (503, "unavailable".to_owned()));
    world.end();
}

#[test]
fn a_method_that_a_tool_with_a_credential_does_not_have_is_asked_for_and_denied() {
    let world = world();
    let unknown = crate::world::curl(world.at, "/mails", &["-X", "DELETE"]);
    assert_eq!(unknown.status, 401, "who calls is not known: {unknown:?}");
    let denied = world.curl("/mails", &["-X", "DELETE"]);
    assert_eq!((denied.status, denied.code()), (403, "not_permitted".to_owned()));
    assert_eq!(world.reasons(), ["unknown_tool"]);
    assert!(world.notes.all().is_empty() && world.outcomes().is_empty());
    world.end();
}
