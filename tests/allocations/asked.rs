//! What is kept in memory of what waits for people.

use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use serde_json::json;

use crate::bytes::{Nowhere, held};
use crate::{agent, context};

const TASKS: usize = 20;
const QUESTIONS: usize = 100;

#[test]
fn a_question_that_waits_keeps_at_most_600_bytes_beside_its_arguments() {
    let line = Reviewers::in_groups(has_any(["finance"]));
    let rules = [
        Rule::permit("pay").tool("bank.pay").any_args().any_resource(),
        Rule::ask("four-eyes")
            .tool("bank.pay")
            .approval(ApprovalTerms::per(Per::Call).review(line)),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let builder = Broker::builder(policy).log(Nowhere).max_questions(QUESTIONS, 10_000);
    let broker = builder.build().unwrap();
    let (agent, context, gate) = (agent(&broker), context(), broker.gate());
    let call = |n: usize| Call::new("bank.pay", json!({ "to": "CH93 0076", "amount": n })).unwrap();
    let calls = TASKS * QUESTIONS;
    let (args, of_args, _) =
        held(|| (0..calls).map(|n| call(n).args().clone()).collect::<Vec<_>>());
    drop(args);
    let errands: Vec<(Task, Grant)> = (0..TASKS)
        .map(|_| {
            let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
            let scope = Scope::tool("bank.pay").any_args().any_resource();
            let grant = task.request(scope, &context).unwrap();
            (task, grant)
        })
        .collect();
    let (_, kept, _) = held(|| {
        for n in 0..calls {
            let denial =
                gate.authorize(&errands[n % TASKS].1, &agent, call(n), &context).unwrap_err();
            assert!(denial.pending().is_some());
        }
    });
    let of_each = (kept - of_args) / calls as i64;
    println!("{of_each} bytes");
    assert!(of_each <= 600, "{of_each}");
}
