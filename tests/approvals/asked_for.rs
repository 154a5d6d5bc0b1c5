//! What an audit asks for stands in records, where the page on the log says that it does.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::Record;
use hallpass::context::TraceParent;
use hallpass::identity::Kind;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{Halt, Resource};
use serde_json::{Value, json};

use crate::office::{Office, four_eyes, pay, run};

const PAGE: &str = include_str!("../../docs/audit.md");

/// What a row of the page's table asks for, and where that stands: kind, member, and whether each record of the kind has it.
type Asked = (String, Vec<(String, String, bool)>);

fn table() -> Vec<Asked> {
    let section = PAGE.split("## What an audit asks for\n").nth(1).unwrap();
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [asked, _, places] = cells[..] else { panic!("three cells: {row}") };
            let place = |text: &str| {
                let is_always = !text.ends_with('?');
                let (kind, member) = text.trim_matches(['?', '`']).split_once('.').unwrap();
                (kind.to_owned(), member.to_owned(), is_always)
            };
            (asked.to_owned(), places.split(' ').map(place).collect())
        })
        .collect()
}

/// An errand of everything that the table names.
fn records() -> Vec<Record> {
    let spanning = Rule::permit("pay").tool("bank.pay").any_args().any_resource();
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let permit = spanning.on(every).uses(100).per_identity().depth(2);
    let policy = |owner: &'static str| {
        let ask = four_eyes().tool("bank.pay").owner(owner);
        Policy::builder().rules([permit.clone(), ask]).build().unwrap()
    };
    let office = Office::with(policy("finance@acme.test"), |builder| builder);
    let agent = office.attest(Assertion::agent("payer").acts_for("ada", Kind::Human));
    let why = Purpose::new("pay-bill").ticket("INV-1").intent("pay what is due today");
    let task = office.broker.open(&agent, why).unwrap();
    let trace: TraceParent =
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let context = Context::new().with("env", "prod").traced(trace);
    let wanted = Scope::tool("bank.pay").any_args().resource(eq("account"), eq("42"));
    let grant = task.request(wanted.clone(), &context).unwrap();
    let call = pay(98).on(Resource::new("account", "42"));
    let denial = office.gate.authorize(&grant, &agent, call, &context).unwrap_err();
    let pending = denial.pending().unwrap().clone();
    office.approved(&pending, &office.person("eve", "finance"));
    run(office.gate.redeem(&pending, &grant, &agent, &context).unwrap());
    let other = Call::new("bank.close", json!({})).unwrap();
    office.gate.authorize(&grant, &agent, other, &context).unwrap_err();
    let worker = office.attest("worker");
    let _child = task.delegate(&grant, &worker, wanted, &context).unwrap();
    let halt = Halt::identity("worker").unwrap();
    office.broker.control().halt(halt.clone());
    office.broker.control().resume(&halt);
    office.reload(&policy("treasury@acme.test"));
    task.complete();
    office.verify();
    office.log.records()
}

#[test]
fn what_an_audit_asks_for_stands_where_the_page_on_the_log_says() {
    let mut of_kind: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in records() {
        let mut line = serde_json::to_value(&record.event).unwrap();
        line["at"] = json!(record.at.unix_millis());
        of_kind.entry(record.event.kind().to_owned()).or_default().push(line);
    }
    let all: Vec<Value> = of_kind.values().flatten().cloned().collect();
    let table = table();
    let kinds: BTreeSet<&str> =
        table.iter().flat_map(|(_, places)| places).map(|(kind, ..)| &**kind).collect();
    assert!(table.len() >= 12 && kinds.len() >= 10, "the table is read: {kinds:?}");
    let stands = |value: &Value| !value.is_null() && *value != json!("") && *value != json!([]);
    for (asked, places) in &table {
        for (kind, member, is_always) in places {
            let own = if kind == "*" { &all } else { &of_kind[kind] };
            let found = own.iter().filter(|own| stands(&own[member])).count();
            let enough = if *is_always { found == own.len() } else { found > 0 };
            assert!(enough, "{asked}: `{kind}.{member}` stands in {found} of {}", own.len());
        }
    }
}
