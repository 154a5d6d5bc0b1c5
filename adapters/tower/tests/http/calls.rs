//! What is permitted runs from the permit.

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderMap, Uri};
use axum::routing::{any, get, post};
use hallpass::audit::Outcome;
use hallpass_tower::{Arguments, HostState, Permitted};
use serde_json::json;

use crate::world::{Notes, World};

const ADDERS: &str = r#"
    version = 1
    [[rule]]
    id = "adders"
    effect = "permit"
    what = { tool = "http:POST:/sums", args = { a = { max = 1000 }, b = { max = 1000 } } }
"#;
const SUMS: &str = r#"[{"tool":"http:POST:/sums","args":{"a":{"max":1000},"b":{"max":1000}}}]"#;

#[derive(serde::Deserialize)]
struct Sum {
    a: i64,
    b: i64,
}

async fn add(HostState(notes): HostState<Notes>, Arguments(sum): Arguments<Sum>) -> String {
    notes.note(format!("{} + {}", sum.a, sum.b));
    (sum.a + sum.b).to_string()
}

#[test]
fn a_permitted_call_runs_once_and_a_denied_one_never() {
    let world = World::of(ADDERS, SUMS, |routes| routes.route("/sums", post(add)));
    let sum = world.post("/sums", r#"{"a":98,"b":2}"#);
    assert_eq!((sum.status, sum.text()), (200, "100"));
    let much = world.post("/sums", r#"{"a":1001,"b":2}"#);
    assert_eq!((much.status, much.code()), (403, "out_of_scope".to_owned()));
    assert_eq!(world.notes.all(), ["98 + 2"]);
    assert_eq!(world.outcomes(), [Some(Outcome::Ok)]);
    world.end();
}

/// The log says of which trace a request is, and nothing is decided by it.
#[test]
fn the_trace_that_a_request_is_of_stands_with_what_was_decided() {
    let world = World::of(ADDERS, SUMS, |routes| routes.route("/sums", post(add)));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let [one, other] = [trace, "00-1-2-3"].map(|sent| format!("traceparent: {sent}"));
    let sum = |headers: &[&str], a: u32| {
        let body = format!(r#"{{"a":{a},"b":2}}"#);
        let json = ["-H", "content-type: application/json", "-d", body.as_str()];
        world.curl("/sums", &[&json[..], headers].concat()).status
    };
    assert_eq!((sum(&["-H", &one], 98), sum(&["-H", &one], 1001)), (200, 403));
    assert_eq!((sum(&["-H", &other], 98), sum(&["-H", &one, "-H", &one], 98)), (200, 200));
    assert_eq!(world.broker.flush(), 0);
    let records = world.log.records();
    let traces = |kind: &str| -> Vec<Option<String>> {
        let own = records.iter().filter(|own| own.event.kind() == kind);
        own.map(|own| own.event.trace().map(str::to_owned)).collect()
    };
    assert_eq!(traces("permitted"), [Some(trace.to_owned()), None, None]);
    assert_eq!(traces("denied"), [Some(trace.to_owned())]);
    world.end();
}

#[test]
fn the_status_of_the_response_is_the_outcome() {
    let world = World::of(ADDERS, SUMS, |routes| {
        routes.route(
            "/sums",
            post(|Arguments(sum): Arguments<Sum>| async move {
                (http::StatusCode::from_u16(u16::try_from(sum.a).unwrap()).unwrap(), "told")
            }),
        )
    });
    for status in [200_u16, 204, 303, 400, 404, 500, 503] {
        assert_eq!(world.post("/sums", &format!(r#"{{"a":{status},"b":1}}"#)).status, status);
    }
    // What does not fit the handler's own type has failed, too.
    assert_eq!(world.post("/sums", r#"{"a":1.5,"b":1}"#).status, 400);
    let (ok, error) = (Some(Outcome::Ok), Some(Outcome::Error));
    assert_eq!(world.outcomes(), [ok, ok, ok, error, error, error, error, error]);
    world.end();
}

/// attack 7
#[test]
fn a_path_reaches_the_handler_in_the_one_spelling_that_was_decided_about() {
    let world = World::of(
        r#"
            version = 1
            [[tool]]
            name = "http:GET:/files/:path.."
            args = { path = "path", lines = "text?" }
            [[rule]]
            id = "readers"
            effect = "permit"
            what = { tool = "http:GET:/files/:path..", args = { path = { under = "srv/notes" }, lines = "any" } }
        "#,
        r#"[{"tool":"http:GET:/files/:path..","args":{"path":{"under":"srv/notes"},"lines":"any"}}]"#,
        |routes| {
            let read = |HostState(notes): HostState<Notes>, call: Permitted| async move {
                notes.note(call.args().to_json());
            };
            routes.route("/files/{*path}", get(read))
        },
    );
    assert_eq!(world.curl("/files/srv/notes/./a//b.txt?lines=1%2B2", &[]).status, 200);
    for climbs in
        ["srv/notes/../keys", "srv/notes/%2e%2e/keys", "srv/notes%2f..%2f..%2fetc", "srv/notesx"]
    {
        let denied = world.curl(&format!("/files/{climbs}"), &[]);
        let told = (denied.status, denied.code());
        let refused = [(403, "out_of_scope".to_owned()), (400, "bad_request".to_owned())];
        assert!(refused.contains(&told), "{climbs}: {told:?}");
    }
    assert_eq!(world.notes.all(), [r#"{"lines":"1+2","path":"srv/notes/a/b.txt"}"#]);
    world.end();
}

#[derive(Clone)]
struct Seen(&'static str);

#[test]
fn a_handler_sees_nothing_of_the_request_but_what_was_decided_and_named() {
    let policy = r#"
        version = 1
        [[rule]]
        id = "all"
        effect = "permit"
        what = { tool = "http:PUT:/docs/:id", args = "any" }
    "#;
    let look = |HostState(notes): HostState<Notes>,
                uri: Uri,
                original: OriginalUri,
                headers: HeaderMap,
                request: Request| async move {
        let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        let kept = request.extensions().get::<Seen>().map(|seen| seen.0);
        notes.note(format!("{uri} {} {} {names:?} {kept:?}", original.0, request.method()));
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        notes.note(String::from_utf8(body.to_vec()).unwrap());
    };
    let world = World::built(
        policy,
        r#"[{"tool":"http:PUT:/docs/:id","args":"any"}]"#,
        |builder| builder,
        |gate| gate.keep_header("x-kept".parse().unwrap()).keep::<Seen>(),
        |routes| routes.route("/docs/{id}", any(look)),
    );
    let args = [
        "-X",
        "PUT",
        "-H",
        "content-type: application/json",
        "-H",
        "x-kept: 1",
        "-H",
        "x-other: 2",
        "-H",
        "accept: text/plain",
        "-d",
        r#"{ "n": 1.50 }"#,
    ];
    assert_eq!(world.curl("/docs/a%20b?q=1", &args).status, 200);
    assert_eq!(
        world.notes.all(),
        [r#"/ / PUT ["accept", "content-type", "x-kept"] None"#, r#"{"id":"a b","n":1.5,"q":"1"}"#]
    );
    world.end();
}

#[test]
fn sixty_four_calls_at_once_each_have_their_outcome_and_a_limit_holds() {
    let policy = ADDERS.replace("[[rule]]", "[[rule]]\ngrant = { uses = 40 }");
    let world = World::of(&policy, SUMS, |routes| routes.route("/sums", post(add)));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let (world, calls) = (&world, 0..64);
        let calls: Vec<_> = calls
            .map(|n| scope.spawn(move || world.post("/sums", &format!(r#"{{"a":{n},"b":1}}"#))))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap().status).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 40, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 24, "{statuses:?}");
    assert_eq!(world.settled(40), [Outcome::Ok; 40]);
    assert_eq!(world.notes.all().len(), 40);
    world.end();
}

#[test]
fn a_host_keeps_sessions_for_callers_and_names_tools_itself() {
    use hallpass::{Broker, Context, Policy, Purpose, Scope};
    use hallpass_tower::{GatedRouter, HttpGate, Refusal};
    let policy = Policy::from_toml(
        r#"
            version = 1
            [[rule]]
            id = "adders"
            effect = "permit"
            what = { tool = "add", args = { a = { max = 10 }, b = { max = 10 } } }
            when = { env = "prod" }
        "#,
    );
    let broker = Broker::new(policy.unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let wanted = Scope::from_json(r#"[{"tool":"add","args":{"a":{"max":10},"b":{"max":10}}}]"#);
    let session = broker.session(&agent, Purpose::new("sums"), wanted.unwrap()).unwrap();
    let own = session.clone();
    let gate = HttpGate::sessions(move |request| match request.headers.get("x-caller") {
        Some(id) if id == "agent-7" => Ok(own.clone()),
        _ => Err(Refusal::Unauthenticated),
    });
    let gate = gate
        .tool(|request| (request.uri.path() == "/sums").then(|| "add".to_owned()))
        .context(|_| Context::new().with("env", "prod"));
    let notes = Notes::default();
    let routes = GatedRouter::new(gate).route("/sums", post(add)).route("/other", post(add));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let at = crate::world::serve(&runtime, routes.with_state(notes.clone()));
    let ask = |path, caller: &str, body: &str| {
        let caller = format!("x-caller: {caller}");
        let args = ["-H", &caller, "-H", "content-type: application/json", "-d", body];
        let answered = crate::world::curl(at, path, &args);
        (answered.status, answered.text().to_owned())
    };
    assert_eq!(ask("/sums", "agent-7", r#"{"a":1,"b":2}"#), (200, "3".to_owned()));
    assert_eq!(ask("/sums", "agent-7", r#"{"a":11,"b":2}"#).0, 403);
    assert_eq!(ask("/sums", "agent-8", r#"{"a":1,"b":2}"#).0, 401);
    // A request that the host names no tool for.
    let (status, told) = ask("/other", "agent-7", r#"{"a":1,"b":2}"#);
    assert_eq!(status, 403);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&told).unwrap()["code"],
        json!("not_permitted")
    );
    assert_eq!(notes.all(), ["1 + 2"]);
    session.end();
    assert_eq!(ask("/sums", "agent-7", r#"{"a":1,"b":2}"#).0, 401);
    hallpass::assert_nothing_stands!(broker);
}
