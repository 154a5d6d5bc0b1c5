//! What a question keeps that waits for people, beside the arguments of its call.

use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, has_any};
use hallpass::value::{Object, Value};

use crate::bytes::{Nowhere, held};
use crate::{agent, context};

/// What a broker may keep of each, in bytes.
const MOST: i64 = 600;
/// The same where a task asks as much as it may: what its questions have in common is kept once.
const MOST_OF_MANY: i64 = 350;
const QUESTIONS: usize = 1600;
/// As many different denials as the log's window of equal ones has room for.
const TOLD_APART: usize = 4096;

/// The call of W4, and a limit that makes it another question each time.
fn call(limit: usize) -> Call {
    let limit = Value::from(i64::try_from(limit).unwrap());
    let args = [("limit", limit), ("table", Value::from("tab5"))];
    Call::new("tool5", Object::from_pairs(args).unwrap()).unwrap()
}

fn broker() -> Broker {
    let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["owners"])));
    let permit = Rule::permit("p5").tool("tool5").arg("table", eq("tab5")).arg("limit", any());
    let rules =
        [permit.when("env", eq("prod")), Rule::ask("four-eyes").tool("tool5").approval(terms)];
    let policy = Policy::builder().rules(rules).build().unwrap();
    Broker::builder(policy).log(Nowhere).max_questions(16, 2 * QUESTIONS).build().unwrap()
}

/// What is kept of each question, of tasks that ask so many, by an agent that is attested once or for each call.
fn kept_by_a_question(of_each: usize, anew: bool, context: impl Fn(usize) -> Context) -> i64 {
    let broker = broker();
    let (gate, once) = (broker.gate(), agent(&broker));
    let attested = || if anew { agent(&broker) } else { once.clone() };
    let scope = || Scope::tool("tool5").arg("table", eq("tab5")).arg("limit", any());
    let tasks: Vec<(Task, Grant)> = (0..2 * QUESTIONS / of_each)
        .map(|_| {
            let task = broker.open(&once, Purpose::new("reporting")).unwrap();
            let grant = task.request(scope(), &crate::context()).unwrap();
            (task, grant)
        })
        .collect();
    // Different denials are told apart up to a number, and their records wait for a flush: neither is a question's.
    let dev = Context::new().with("env", "dev");
    let denied = |n: usize| drop(gate.authorize(&tasks[0].1, &once, call(n), &dev).unwrap_err());
    (0..TOLD_APART).for_each(denied);
    assert_eq!(broker.flush(), 0);
    let (_call, arguments, _) = held(|| call(0).args().clone());
    let ask = |n: usize| {
        let (_, grant) = &tasks[n / of_each];
        let denial = gate.authorize(grant, &attested(), call(n), &context(n)).unwrap_err();
        assert!(denial.pending().is_some(), "{}", denial.explain());
    };
    let asked = |from: usize| {
        (from..from + QUESTIONS).for_each(ask);
        assert_eq!(broker.flush(), 0);
    };
    // What is kept once, however many are asked, is there by then.
    asked(0);
    let (_, kept, _) = held(|| asked(QUESTIONS));
    kept / QUESTIONS as i64 - arguments
}

#[test]
fn a_question_that_waits_keeps_little_beside_its_arguments() {
    let of_its_own = |n| context().with("at", i64::try_from(n).unwrap());
    let many = kept_by_a_question(16, false, |_| context());
    let anew = kept_by_a_question(16, true, of_its_own);
    let one = kept_by_a_question(1, false, |_| context());
    println!("{many} of 16 a task, {anew} of an agent attested anew, {one} of one a task");
    assert!(many <= MOST_OF_MANY && anew <= MOST_OF_MANY && one <= MOST, "{many}, {anew}, {one}");
}
