//! Two hundred multi-turn tasks (BFCL): grants that grow turn by turn, realistic arguments.
//!
//! Each turn of a task asks for one more grant, with exactly the arguments of that turn's calls. A
//! call passes by a grant if and only if the grant was made for one that says the same.

use hallpass::scope::eq;
use hallpass::{Broker, Context, Policy, Purpose, Reason, Scope};
use serde_json::json;
use testkit::corpora::{Errand, Json, Shape, Shapes, corpus, list, text, value};

fn load() -> (Shapes, Vec<Json>) {
    let corpus = corpus("bfcl/multi_turn_base.json");
    let tools = list(&corpus["tools"]).iter().map(|tool| {
        let name = text(&tool["name"]);
        (name.to_owned(), Shape::of_schema(name, &tool["parameters"]))
    });
    (tools.collect(), list(&corpus["tasks"]).to_vec())
}

fn broker(tools: &Shapes) -> Broker {
    let policy = Policy::builder().rules(tools.values().map(Shape::permit));
    Broker::new(policy.build().unwrap()).unwrap()
}

fn exactly(tools: &Shapes, call: &Json) -> Scope {
    tools[text(&call["tool"])].scope(|arg| call["args"].get(arg).map(|own| eq(value(own))))
}

fn calls_of(task: &Json) -> Vec<Json> {
    list(&task["turns"]).iter().flat_map(|turn| list(&turn["calls"])).cloned().collect()
}

fn say_the_same(one: &Json, other: &Json) -> bool {
    one["tool"] == other["tool"] && value(&one["args"]) == value(&other["args"])
}

/// The same call with one argument changed, left out or added.
fn neighbours(call: &Json) -> Vec<Json> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut serde_json::Map<String, Json>)| {
        let mut changed = call.clone();
        change(changed["args"].as_object_mut().unwrap());
        all.push(changed);
    };
    with(&|args| _ = args.insert("unheard_of".to_owned(), json!(1)));
    for (name, own) in call["args"].as_object().unwrap() {
        with(&|args| _ = args.remove(name));
        let others = match own {
            Json::String(text) => vec![json!(format!("{text} ")), json!([text, "more"])],
            Json::Number(_) => vec![json!(own.as_f64().unwrap() + 0.5), json!(own.to_string())],
            Json::Bool(own) => vec![json!(!own), json!(own.to_string())],
            Json::Array(list) => vec![json!([list.as_slice(), &[json!("more")]].concat())],
            _ => vec![json!(null)],
        };
        for other in others {
            with(&|args| _ = args.insert(name.clone(), other.clone()));
        }
    }
    all
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn grants_grow_turn_by_turn_and_cover_no_call_they_were_not_made_for() {
    let (tools, tasks) = load();
    let broker = broker(&tools);
    let agent = broker.assert_identity("spiffe://acme.test/agent/assistant").unwrap();
    let (mut made, mut foreign, mut shared) = (0, 0, 0);
    for (task, next) in tasks.iter().zip(tasks.iter().cycle().skip(1)) {
        let mut errand = Errand::open(&broker, &agent, "multi-turn");
        let others = calls_of(next);
        for turn in list(&task["turns"]) {
            let calls = list(&turn["calls"]);
            if calls.is_empty() {
                continue;
            }
            errand.ask(calls.iter().map(|call| exactly(&tools, call)).collect());
            for call in calls {
                let passed = errand.call(call);
                assert!(passed.is_ok(), "{}: {call}: {passed:?}", task["id"]);
                made += 1;
            }
            for other in &others {
                let own = calls.iter().any(|call| say_the_same(call, other));
                let answer = errand.call(other);
                assert_eq!(answer.is_ok(), own, "{}: {other}", task["id"]);
                foreign += 1;
                shared += usize::from(own);
            }
        }
        errand.complete(&broker, &calls_of(task)[0]);
    }
    println!(
        "bfcl: {made} calls made, {foreign} calls of another task tried, {shared} said the same"
    );
    assert_eq!((made, foreign, shared), (1142, 4135, 197));
}

/// attack 23, attack 25: what is pinned stays pinned, whatever is added, left out or of another kind.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_call_that_differs_in_one_argument_is_out_of_scope() {
    let (tools, tasks) = load();
    let broker = broker(&tools);
    let agent = broker.assert_identity("spiffe://acme.test/agent/assistant").unwrap();
    let mut tried = 0;
    for task in &tasks {
        let mut errand = Errand::open(&broker, &agent, "multi-turn");
        for call in &calls_of(task) {
            errand.ask(exactly(&tools, call));
            for neighbour in neighbours(call) {
                let Err(denial) = errand.call(&neighbour) else {
                    panic!("{call} covers {neighbour}")
                };
                assert_eq!(denial.reason(), Reason::OutOfScope, "{neighbour}");
                tried += 1;
            }
        }
    }
    println!("bfcl: {tried} calls with one argument changed, left out or added, all refused");
    assert_eq!(tried, 6908);
}

/// attack 15, attack 16: a constraint on a value is asked of every element of a list, so a list of nothing but the pinned
/// value is within an exact grant. Realistic tools take either the one or the other.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_list_of_nothing_but_the_pinned_text_is_covered_and_an_empty_one_is_not() {
    let (tools, tasks) = load();
    let broker = broker(&tools);
    let agent = broker.assert_identity("spiffe://acme.test/agent/assistant").unwrap();
    let mut tried = 0;
    for task in &tasks {
        let mut errand = Errand::open(&broker, &agent, "multi-turn");
        for call in &calls_of(task) {
            errand.ask(exactly(&tools, call));
            for (name, own) in call["args"].as_object().unwrap() {
                if own.is_string() {
                    let mut listed = call.clone();
                    listed["args"][name] = json!([own, own]);
                    errand.call(&listed).unwrap();
                    listed["args"][name] = json!([]);
                    errand.call(&listed).unwrap_err();
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000);
}

/// The corpus has turns without calls: what such a turn asks for is nothing, which is not a scope.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_turn_that_calls_nothing_gets_nothing() {
    let (tools, tasks) = load();
    let turns = tasks.iter().flat_map(|task| list(&task["turns"]));
    assert!(turns.filter(|turn| list(&turn["calls"]).is_empty()).count() > 0);
    let broker = broker(&tools);
    let agent = broker.assert_identity("spiffe://acme.test/agent/assistant").unwrap();
    let task = broker.open(&agent, Purpose::new("multi-turn")).unwrap();
    let denial = task.request(Scope::default(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope);
}
