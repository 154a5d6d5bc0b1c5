//! `regorus`: W3, and what W4 decides with.
//!
//! Rules as data under tool and table, so that the policy looks them up instead of walking all; compiled to the crate's own
//! machine, whose instance is kept, as its benches do. The input, which the interface consumes, is built with each question.
//! *More* than hallpass: a language that computes. *Less*: the index is the author's, written for these rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::Criterion;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Engine, Rc, Value};
use serde_json::json;

use crate::cases::{self, Request};
use crate::workload::{Rules, table, tool};

const POLICY: &str = r#"
package zsp
import rego.v1

default allow := false

allow if {
    permitted
    not forbidden
}

permitted if {
    some rule in data.permits[input.tool][input.table]
    rule.group in data.groups[input.agent]
    input.env == rule.env
    input.risk < rule.below
}

forbidden if {
    some rule in data.forbids[input.tool][input.table]
    input.risk >= rule.from
}
"#;

pub(crate) struct Machine {
    vm: RegoVM,
    names: [Value; 5],
}

impl Machine {
    pub(crate) fn new(size: usize) -> Self {
        let rules = Rules::of(size);
        let mut data = json!({ "permits": {}, "forbids": {}, "groups": {} });
        for i in 0..rules.permits {
            data["permits"][tool(i)][table(i)] =
                json!([{ "group": format!("g{i}"), "env": "prod", "below": 50 }]);
            data["groups"][format!("agent-{i}")] = json!([format!("g{i}")]);
        }
        for j in 0..rules.forbids {
            data["forbids"][tool(j)][table(j)] = json!([{ "from": 40 }]);
        }
        let data = Value::from_json_str(&data.to_string()).unwrap();
        let mut engine = Engine::new();
        engine.add_policy("zsp.rego".to_owned(), POLICY.to_owned()).unwrap();
        engine.add_data(data.clone()).unwrap();
        let entry: Rc<str> = "data.zsp.allow".into();
        let compiled = engine.compile_with_entrypoint(&entry).unwrap();
        let program = Compiler::compile_from_policy(&compiled, &["data.zsp.allow"]).unwrap();
        let mut vm = RegoVM::new();
        vm.load_program(Arc::clone(&program));
        vm.set_data(data).unwrap();
        Machine { vm, names: ["agent", "tool", "table", "env", "risk"].map(Value::from) }
    }

    pub(crate) fn decide(&mut self, request: &Request<'_>) -> bool {
        let [agent, tool, table, env, risk] = self.names.clone();
        self.vm.set_input(Value::from(BTreeMap::from([
            (agent, Value::from(request.agent)),
            (tool, Value::from(request.tool)),
            (table, Value::from(request.table)),
            (env, Value::from(request.env)),
            (risk, Value::from(request.risk)),
        ])));
        self.vm.execute().unwrap() == Value::from(true)
    }
}

pub(crate) fn decision(c: &mut Criterion, size: usize) {
    let mut machine = Machine::new(size);
    cases::decision(c, "regorus", size, |request| machine.decide(request));
}
