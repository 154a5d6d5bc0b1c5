//! What is refused, and how that is told.

use axum::routing::{any, get, post};
use hallpass_tower::{HostState, Permitted};

use crate::world::{Methods, Notes, World, curl};

const ALL: &str = r#"
    version = 1
    [[rule]]
    id = "all"
    effect = "permit"
    what = { tool = { one_of = ["http:POST:/docs/:id", "http:GET:/docs/:id"] }, args = "any" }
    grant = { rate = "100/1m" }
"#;
const WANTED: &str =
    r#"[{"tool":"http:POST:/docs/:id","args":"any"},{"tool":"http:GET:/docs/:id","args":"any"}]"#;

async fn note(HostState(notes): HostState<Notes>, call: Permitted) -> String {
    notes.note(call.args().to_json());
    "told".to_owned()
}

fn world() -> World {
    World::built(
        ALL,
        WANTED,
        |builder| builder,
        |gate| gate.body_at_most(1000),
        |routes| routes.route("/docs/{id}", get(note).post(note)),
    )
}

/// attacks 28, 29 and 30
#[test]
fn what_two_readers_could_take_for_two_things_is_refused_and_recorded() {
    let world = world();
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(1000));
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let json = ["-H", "content-type: application/json"];
    let bodies = [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"id":"8"}"#,
        r#"{"q":1}"#,
        "[]",
        "{",
        r#"{"a":1}{"b":2}"#,
        r#"{"a":1e999999}"#,
        "{\"a\":\"\u{0}\"}",
        &long,
        &deep,
    ];
    let mut asked = 0;
    for body in bodies.iter().filter(|body| !body.contains('\0')) {
        let answered = world.curl("/docs/7?q=1", &[&json[..], &["-d", body]].concat());
        assert_eq!((answered.status, answered.code()), (400, "bad_request".to_owned()), "{body}");
        asked += 1;
    }
    let others: [(&str, &[&str]); 11] = [
        ("/docs/7?q=1&q=2", &[]),
        ("/docs/7?id=8", &[]),
        ("/docs/7?q", &[]),
        ("/docs/7?q=%", &[]),
        ("/docs/7?q=1;r=2", &[]),
        ("/docs/%ff", &[]),
        ("/docs/7", &["-d", r#"{"a":1}"#]),
        ("/docs/7", &["-H", "content-type: text/plain", "-d", r#"{"a":1}"#]),
        (
            "/docs/7",
            &["-H", "content-type: application/json", "-H", "content-type: text/plain", "-d", "{}"],
        ),
        (
            "/docs/7",
            &["-H", "content-type: application/json", "-H", "content-encoding: gzip", "-d", "{}"],
        ),
        // Of no length that is told ahead.
        (
            "/docs/7",
            &[
                "-H",
                "content-type: application/json",
                "-H",
                "transfer-encoding: chunked",
                "-d",
                &long,
            ],
        ),
    ];
    for (path, args) in others {
        let answered = world.curl(path, args);
        assert_eq!(
            (answered.status, answered.code()),
            (400, "bad_request".to_owned()),
            "{path} {args:?}"
        );
        asked += 1;
    }
    assert_eq!(world.reasons(), vec!["malformed_call"; asked]);
    assert!(world.notes.all().is_empty() && world.outcomes().is_empty());
    // The same route, well written.
    assert_eq!(world.post("/docs/7?q=1", r#"{"a":1}"#).status, 200);
    assert_eq!(world.notes.all(), [r#"{"a":1,"id":"7","q":"1"}"#]);
    world.end();
}

#[test]
fn no_method_and_no_fallback_of_a_route_is_ungated() {
    let world = World::of(ALL, WANTED, |routes| {
        let methods: Methods = post(note).fallback(note);
        routes.route("/docs/{id}", methods).route("/any", any(note))
    });
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "FOO", "post"] {
        let denied = world.curl("/docs/7", &["-X", method]);
        assert_ne!(denied.status, 200, "{method}");
        assert_eq!(world.curl("/any", &["-X", method]).status / 100, 4, "{method}");
    }
    assert_eq!(world.curl("/docs/7", &["-I"]).status, 403, "HEAD is a tool of its own");
    assert_eq!(world.curl("/nowhere", &[]).status, 404);
    assert!(world.notes.all().is_empty() && world.outcomes().is_empty());
    world.end();
}

#[test]
fn a_token_is_worth_nothing_to_others_and_is_read_from_one_place() {
    let world = world();
    let token = world.grant.token().expose();
    let bearer = format!("authorization: Bearer {token}");
    let (mine, other) = (["-H", "x-caller: agent-7"], ["-H", "x-caller: agent-8"]);
    let wrong = format!("authorization: Basic {token}");
    let table: [(&[&str], &[&str], &str); 6] = [
        (&other, &["-H", &bearer], "invalid_token"),
        (&mine, &[], "invalid_token"),
        (&mine, &["-H", &wrong], "invalid_token"),
        (&mine, &["-H", &bearer, "-H", &bearer], "invalid_token"),
        (&mine, &["-H", "authorization: Bearer hp1.nothing"], "invalid_token"),
        (&mine, &["-H", &format!("x-token: {token}")], "invalid_token"),
    ];
    for (who, presented, code) in table {
        let answered = curl(world.at, "/docs/7", &[who, presented].concat());
        assert_eq!((answered.status, answered.code().as_str()), (401, code), "{presented:?}");
        let challenge = answered.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    }
    assert_eq!(world.reasons().len(), 6);
    // A request that does not say who calls is not asked for a token.
    let unknown = curl(world.at, "/docs/7", &["-H", &bearer]);
    assert_eq!((unknown.status, unknown.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(unknown.json().get("code"), None);
    assert!(world.notes.all().is_empty());
    assert_eq!(curl(world.at, "/docs/7", &[&mine[..], &["-H", &bearer]].concat()).status, 200);
    world.end();
}

#[test]
fn a_rate_says_when_to_come_back_and_a_halt_is_told_by_its_code() {
    let policy = ALL.replace("100/1m", "1/1m");
    let world = World::of(&policy, WANTED, |routes| routes.route("/docs/{id}", get(note)));
    assert_eq!(world.curl("/docs/7", &[]).status, 200);
    let limited = world.curl("/docs/7", &[]);
    assert_eq!((limited.status, limited.code()), (429, "limit_reached".to_owned()));
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(limited.header("cache-control"), Some("no-store"));
    world.broker.control().halt(hallpass::Halt::Everything);
    let halted = world.curl("/docs/7", &[]);
    assert_eq!((halted.status, halted.code()), (403, "halted".to_owned()));
    assert!(!halted.text().contains("agent-7") && !limited.text().contains("all"));
    world.end();
}
