//! OpenID AuthZEN's interop scenarios (todo, gateway) and its certification fixture, as policies.
//!
//! A subject is an identity of its id; roles are its groups, other properties its attributes. An
//! action is a tool, its properties are the arguments; resource and context are themselves, but for
//! the context's `time`: what time it is the broker knows by its own clock and takes from no one.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::clock::Timestamp;
use hallpass::identity::Assertion;
use hallpass::{Broker, Call, Code, Context, Policy, Purpose, Resource};
use serde_json::json;
use testkit::corpora::table::{Answer, Question};
use testkit::corpora::{Json, corpus, list, text, value};

const TODO: &str = include_str!("authzen/todo.toml");
const GATEWAY: &str = include_str!("authzen/gateway.toml");
const CERTIFICATION: &str = include_str!("authzen/certification.toml");

fn policy(text: &str) -> Policy {
    Policy::from_toml(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A part of a request; the empty text where it is missing or no text, which is refused wherever it
/// gets.
fn part<'r>(request: &'r Json, path: &str) -> &'r str {
    request.pointer(path).and_then(Json::as_str).unwrap_or("")
}

/// An evaluation request as a question. `known` is what the host knows of the subject in addition to what the
/// request says. Tables say `principal` and `attrs` where requests say `subject` and `properties`.
fn question(request: &Json, known: Option<&Json>) -> Question {
    let said = |part: &str| {
        let own = &request[part];
        own.get("attrs").or(own.get("properties")).and_then(Json::as_object).into_iter().flatten()
    };
    let subject = if request.get("principal").is_some() { "principal" } else { "subject" };
    let who = Assertion::human(part(request, &format!("/{subject}/id")));
    let groups = known.map_or(&[][..], |known| list(&known["groups"])).iter().map(text);
    let email = known.map(|known| ("email", value(&known["attrs"]["email"])));
    let who = email.into_iter().fold(who.groups(groups), |who, (name, own)| who.attr(name, own));
    let who = said(subject).fold(who, |who, (name, own)| who.attr(name.clone(), value(own)));
    let resource = request.get("resource").map(|_| {
        let [kind, id] = ["/resource/type", "/resource/id"].map(|path| part(request, path));
        said("resource").fold(Resource::new(kind, id), |resource, (name, own)| {
            resource.attr(name.clone(), value(own))
        })
    });
    let context = request.get("context").and_then(Json::as_object).into_iter().flatten();
    Question {
        who,
        tool: part(request, "/action/name").to_owned(),
        args: said("action").map(|(name, own)| (name.clone(), own.clone())).collect(),
        resource,
        context: context
            .filter(|(name, _)| *name != "time")
            .fold(Context::new(), |all, (name, own)| all.with(name.clone(), value(own))),
    }
}

/// Asks every case of a table, at the request and at the call; returns how many there were.
fn agree(policy: &Policy, cases: &[Json], entities: &[Json]) -> usize {
    let broker = Broker::new(policy.clone()).unwrap();
    for case in cases {
        let request = &case["request"];
        let known = entities.iter().find(|own| own["id"] == request["principal"]["id"]);
        let question = question(request, known);
        let expected = case["expect"] == "allow";
        let answer = question.ask(&broker);
        assert_eq!(answer.is_permit(), expected, "{}: {answer:?}", case["id"]);
        let at_call = question.ask_at_call(policy);
        assert_eq!(at_call.is_permit(), expected, "{} at the call: {at_call:?}", case["id"]);
    }
    assert!(broker.standing().is_empty());
    cases.len()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_decision_of_the_todo_scenario_agrees() {
    let todo = corpus("authzen/todo.json");
    let decisions = agree(&policy(TODO), list(&todo["cases"]), list(&todo["entities"]));
    println!("authzen todo: {decisions} decisions agree");
    assert_eq!(decisions, 46);
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_decision_of_the_gateway_scenario_agrees() {
    let gateway = corpus("authzen/gateway.json");
    let decisions = agree(&policy(GATEWAY), list(&gateway["cases"]), list(&gateway["entities"]));
    println!("authzen gateway: {decisions} decisions agree");
    assert_eq!(decisions, 25);
}

/// The certification fixture sends whatever matters with the request, so the host adds nothing.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_decision_of_the_certification_fixture_agrees() {
    let fixture = corpus("authzen/certification.json");
    let decisions = agree(&policy(CERTIFICATION), list(&fixture["cases"]), &[]);
    println!("authzen certification: {decisions} decisions agree");
    assert_eq!(decisions, 15);
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn batches_decide_as_their_evaluations_do() {
    let fixture = corpus("authzen/certification.json");
    let broker = Broker::new(policy(CERTIFICATION)).unwrap();
    let mut decided = 0;
    for batch in list(&fixture["batches"]) {
        let defaults = batch["request"].as_object().unwrap();
        let answers = list(&batch["request"]["evaluations"]).iter().map(|evaluation| {
            let mut request = defaults.clone();
            request.extend(evaluation.as_object().unwrap().clone());
            question(&json!(request), None).ask(&broker).is_permit()
        });
        let answers: Vec<_> = answers.collect();
        // Two batches are about the shape of the answer, which is the adapter's business.
        if batch["expect"] != "shape only" {
            assert_eq!(json!(answers), batch["expect"], "{}", batch["id"]);
            decided += 1;
        }
    }
    assert_eq!(decided, 6);
}

/// What has to be there and is not, or is not text, reaches the crate as empty text or not at all, and
/// nothing empty is ever taken for something. Asked with a grant for it at hand, so that it is the
/// call that is refused.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn malformed_requests_are_refused() {
    let fixture = corpus("authzen/certification.json");
    let policy = policy(CERTIFICATION);
    let refusals: Vec<_> = list(&fixture["malformed"])
        .iter()
        .map(|case| (text(&case["what"]), question(&case["request"], None).ask_at_call(&policy)))
        .collect();
    let bad_request = || Answer::Refused(Code::BadRequest, vec![]);
    let not_permitted = || Answer::Refused(Code::NotPermitted, vec![]);
    let expected = [
        ("Request (missing `subject`)", Answer::NoQuestion),
        ("Request (missing `action`)", Answer::NoQuestion),
        // A call without a resource is well formed; a permit that names one does not cover it.
        ("Request (missing `resource`)", not_permitted()),
        // An identity has a kind, which the attestor knows, and no type that a request could leave out.
        ("Request (subject missing `type`)", Answer::Ran(vec!["alice-reads-and-writes".into()])),
        ("Request (subject missing `id`)", Answer::NoQuestion),
        ("Request (action missing `name`)", Answer::NoQuestion),
        ("Request (resource missing `type`)", bad_request()),
        ("Request (resource missing `id`)", bad_request()),
        ("Request (subject is string instead of object)", Answer::NoQuestion),
        ("Request (action.name is number instead of string)", Answer::NoQuestion),
    ];
    assert_eq!(refusals, expected);
}

/// What a search is for, by the section that it stands in; `None` for pages and faults of requests, which are those of a
/// server: `hallpass serve` is asked all of them over HTTP.
fn sought(id: &str) -> Option<&'static str> {
    match id {
        "c-4-6-1" => Some("action"),
        "c-4-6-2" => Some("subject"),
        _ if id.starts_with("c-4-2") => Some("subject"),
        _ if id.starts_with("c-4-3") => Some("resource"),
        _ if id.starts_with("c-4-4") => Some("action"),
        _ => None,
    }
}

/// The subjects, resources or actions for which the rules permit the request with one of them put in.
fn found(policy: &Policy, request: &Json, sought: &str, entities: &[Json]) -> Vec<Json> {
    let broker = Broker::new(policy.clone()).unwrap();
    let (why, now) =
        (Purpose::new("ask"), Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap());
    // What the host knows of somebody or something goes with it.
    let known = |named: &Json| {
        let own =
            entities.iter().find(|own| own["type"] == named["type"] && own["id"] == named["id"]);
        let attrs = own.map_or(&named["properties"], |own| &own["attrs"]);
        json!({ "type": named["type"], "id": named["id"], "properties": attrs })
    };
    let with = |part: &str, own: Json| {
        let mut request = request.clone();
        for part in ["subject", "resource"] {
            request[part] = known(&request[part]);
        }
        request[part] = own;
        question(&request, None)
    };
    let is_permitted = |question: Question| {
        let who = broker.assert_identity(question.who).unwrap();
        let call =
            Call::new(&question.tool, &question.args).unwrap().on(question.resource.unwrap());
        let search = policy.search(&why, &question.context, now);
        !search.who_can(&call, [&who]).unwrap().is_empty()
    };
    if sought == "action" {
        let Question { who, context, .. } = with("action", json!({ "name": "any" }));
        let who = broker.assert_identity(who).unwrap();
        let all = policy.search(&why, &context, now).what_can(&who).unwrap();
        let tools: BTreeSet<&str> = all.iter().filter_map(|own| own.tool()).collect();
        let actions = tools.into_iter().map(|tool| json!({ "name": tool }));
        return actions.filter(|own| is_permitted(with("action", own.clone()))).collect();
    }
    let candidates = entities.iter().filter(|own| own["type"] == request[sought]["type"]);
    let candidates = candidates.map(|own| json!({ "type": own["type"], "id": own["id"] }));
    candidates.filter(|own| is_permitted(with(sought, known(own)))).collect()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_search_of_the_certification_fixture_agrees() {
    let fixture = corpus("authzen/certification.json");
    let (policy, entities) = (policy(CERTIFICATION), list(&fixture["entities"]));
    let mut answers: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
    for search in list(&fixture["searches"]) {
        let (id, expected) = (text(&search["id"]), &search["expect"]);
        let Some(sought) = sought(id) else { continue };
        let found = found(&policy, &search["request"], sought, entities);
        for own in expected["at_least"].as_array().into_iter().flatten() {
            assert!(found.contains(own), "{id}: {own} is not among {found:?}");
        }
        if let Some(same) = expected["same_as"].as_str() {
            assert_eq!(found, answers[same], "{id}");
        }
        if let Some(exactly) = expected["exactly"].as_array() {
            assert_eq!(found, *exactly, "{id}");
        }
        answers.insert(id, found);
    }
    println!("authzen certification: {} searches agree", answers.len());
    assert_eq!(answers.len(), 13);
    // What the fixture says no more of than that these are among them.
    assert_eq!(answers["c-4-2-4"], [json!({ "type": "user", "id": "bob" })]);
    assert_eq!(answers["c-4-4-3"], [json!({ "name": "write" })]);
}
