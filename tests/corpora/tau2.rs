//! Customer service (tau2-bench: airline, mock): no customer's task may write for another customer.
//!
//! Every task gets a capability for each of its own calls. *By tool name* leaves all arguments free;
//! *ids pinned* takes every id of the call (an argument, or a field inside one, whose name ends in
//! `_id`) from the call itself and leaves the rest free.
//!
//! Counted as in the reference: a write is foreign to every task but its own, and a task that makes
//! no call at all is left out (it holds nothing, so nothing passes). Some of those tasks are the same
//! customer's, so there is a second count: one task per customer, with the calls of all of its tasks,
//! under which every other customer's writes are tried; none may pass.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::scope::{Constraint, any, each, eq, fields, one_of};
use hallpass::{Broker, Policy, Reason, Scope};
use testkit::corpora::{Errand, Json, Shape, Shapes, corpus, list, text, value};

struct Domain {
    tools: Shapes,
    writes: BTreeSet<String>,
    tasks: Vec<Json>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Grants {
    ByName,
    IdsPinned,
}

/// What got through: how many foreign writes were tried, and which passed, as (writer, task).
struct Foreign {
    tried: usize,
    passed: Vec<(String, String)>,
}

impl Domain {
    fn load(file: &str) -> Self {
        let corpus = corpus(file);
        let tools = list(&corpus["tools"]);
        let shape = |tool: &Json| {
            let name = text(&tool["name"]).to_owned();
            let params = tool["params"].as_object().unwrap().iter();
            let args = params.map(|(arg, said)| (arg.clone(), said["required"] == true));
            (name.clone(), Shape { name, args: args.collect() })
        };
        let writes = tools.iter().filter(|tool| tool["kind"] == "write");
        Domain {
            tools: tools.iter().map(shape).collect(),
            writes: writes.map(|tool| text(&tool["name"]).to_owned()).collect(),
            tasks: list(&corpus["tasks"]).to_vec(),
        }
    }

    fn writes_of<'t>(&self, task: &'t Json) -> impl Iterator<Item = &'t Json> {
        list(&task["calls"]).iter().filter(|call| self.writes.contains(text(&call["tool"])))
    }

    fn scope_for(&self, call: &Json, grants: Grants) -> Scope {
        let tool = &self.tools[text(&call["tool"])];
        tool.scope(|arg| match (grants, call["args"].get(arg)) {
            (Grants::IdsPinned, Some(own)) => {
                Some(ids_pinned(arg, own).unwrap_or_else(|| tool.free(arg)))
            }
            _ => Some(tool.free(arg)),
        })
    }

    /// Runs the calls of each holder's tasks under grants for them, then tries the writes of all
    /// other holders.
    fn try_foreign_writes(&self, holder_of: fn(&Json) -> String, grants: Grants) -> Foreign {
        let mut holders: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
        for task in self.tasks.iter().filter(|task| !list(&task["calls"]).is_empty()) {
            holders.entry(holder_of(task)).or_default().push(task);
        }
        let policy = Policy::builder().rules(self.tools.values().map(Shape::permit));
        let broker = Broker::new(policy.build().unwrap()).unwrap();
        let agent = broker.assert_identity("spiffe://acme.test/agent/service-desk").unwrap();
        let mut foreign = Foreign { tried: 0, passed: Vec::new() };
        for (holder, tasks) in &holders {
            let calls = || tasks.iter().flat_map(|task| list(&task["calls"]));
            let mut errand = Errand::open(&broker, &agent, "serve-customer");
            errand.ask(calls().map(|call| self.scope_for(call, grants)).collect());
            for call in calls() {
                let passed = errand.call(call);
                assert!(passed.is_ok(), "{holder}: {call}: {passed:?}");
            }
            for task in self.tasks.iter().filter(|task| holder_of(task) != *holder) {
                for write in self.writes_of(task) {
                    foreign.tried += 1;
                    match errand.call(write) {
                        Ok(()) => foreign.passed.push((holder_of(task), holder.clone())),
                        Err(denial) => assert_eq!(denial.reason(), Reason::OutOfScope),
                    }
                }
            }
            errand.complete(&broker, calls().next().unwrap());
        }
        foreign
    }
}

/// The constraint that takes every id in an argument from the call itself; `None` if there is none.
fn ids_pinned(name: &str, own: &Json) -> Option<Constraint> {
    if name.ends_with("_id") {
        return Some(eq(value(own)));
    }
    // A list of objects, some fields of which are ids: each element's id is one of the call's own.
    let elements = list(own);
    let first = elements.first()?.as_object()?;
    first.keys().any(|field| field.ends_with("_id")).then(|| {
        each(fields(first.keys().map(|field| {
            let own = elements.iter().map(|element| value(&element[field]));
            let pin = if field.ends_with("_id") { one_of(own) } else { any() };
            (field.as_str(), pin)
        })))
    })
}

fn id_of(task: &Json) -> String {
    text(&task["id"]).to_owned()
}

/// The one customer whom an airline task names: `first_last_1234`.
fn customer_of(task: &Json) -> String {
    let is_customer = |word: &&str| {
        let parts: Vec<_> = word.split('_').collect();
        parts.len() == 3 && parts[2].len() == 4 && parts[2].bytes().all(|b| b.is_ascii_digit())
    };
    let prompt = text(&task["prompt"]);
    let words = prompt.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: BTreeSet<_> = words.filter(is_customer).collect();
    assert_eq!(named.len(), 1, "{prompt}");
    named.into_iter().next().unwrap().to_owned()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn foreign_writes_of_the_airline_count_as_in_the_reference() {
    let airline = Domain::load("tau2/airline.json");
    let by_name = airline.try_foreign_writes(id_of, Grants::ByName);
    let pinned = airline.try_foreign_writes(id_of, Grants::IdsPinned);
    println!(
        "tau2 airline: {} foreign writes, by tool name {}, ids pinned {} (reference: 2058, 402, 12)",
        pinned.tried,
        by_name.passed.len(),
        pinned.passed.len(),
    );
    assert_eq!((pinned.tried, by_name.passed.len(), pinned.passed.len()), (2058, 402, 12));

    // The twelve are the same customer's own: pairs of tasks that tell one errand twice.
    let customers: BTreeMap<_, _> =
        airline.tasks.iter().map(|task| (id_of(task), customer_of(task))).collect();
    for (writer, task) in &pinned.passed {
        assert_eq!(customers[writer], customers[task]);
    }
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_task_for_one_airline_customer_refuses_every_other_customers_writes() {
    let airline = Domain::load("tau2/airline.json");
    let by_name = airline.try_foreign_writes(customer_of, Grants::ByName);
    let pinned = airline.try_foreign_writes(customer_of, Grants::IdsPinned);
    println!(
        "tau2 airline, a task per customer: {} writes of others, by tool name {}, ids pinned {}",
        pinned.tried,
        by_name.passed.len(),
        pinned.passed.len(),
    );
    assert_eq!((pinned.tried, by_name.passed.len(), pinned.passed.len()), (1372, 333, 0));
}

/// The mock domain names no customers. What a task acts on stands for one: a user's list, or one
/// entry of it. The ten that pass act on the task's own: its tasks tell few errands many times.
#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn a_task_of_the_mock_domain_refuses_writes_to_what_is_not_its_own() {
    let mock = Domain::load("tau2/mock.json");
    let target_of = |task: &Json| {
        let args = &list(&task["calls"]).first()?["args"];
        let target = args.get("user_id").or(args.get("task_id"))?;
        Some(text(target).to_owned())
    };
    let targets: BTreeMap<_, _> =
        mock.tasks.iter().map(|task| (id_of(task), target_of(task))).collect();
    let by_name = mock.try_foreign_writes(id_of, Grants::ByName);
    let pinned = mock.try_foreign_writes(id_of, Grants::IdsPinned);
    println!(
        "tau2 mock: {} foreign writes, by tool name {}, ids pinned {}",
        pinned.tried,
        by_name.passed.len(),
        pinned.passed.len(),
    );
    assert_eq!((pinned.tried, by_name.passed.len(), pinned.passed.len()), (49, 22, 10));
    for (writer, task) in &pinned.passed {
        assert_eq!(targets[writer], targets[task]);
    }
}
