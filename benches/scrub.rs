//! What taking secrets out of results costs, by size and by what stands in them.
#![allow(clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};

const POLICY: &str = r#"
    version = 1
    tool = [{ name = "echo", credential = "key" }]
    rule = [{ id = "p", effect = "permit", what = { tool = "echo", args = "any" } }]
"#;

fn main() {
    let mut c = Criterion::default().configure_from_args();
    let vault = Vault::new().unwrap();
    vault.seal("key", Secret::new("postgres://orders:fD3kW9sLq2@db/orders").unwrap()).unwrap();
    let policy = Policy::from_toml(POLICY).unwrap();
    let broker = Broker::builder(policy).vault(&vault).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("bench")).unwrap();
    let now = Context::new();
    let grant = task.request(Scope::tool("echo").any_args(), &now).unwrap();
    let gate = broker.gate();
    let result = |text: &str| {
        let call = Call::new("echo", serde_json::json!({})).unwrap();
        let permit = gate.authorize(&grant, &agent, call, &now).unwrap();
        permit.run_with(|_, _| Ok::<_, ()>(text.to_owned())).unwrap()
    };
    let row =
        r#"{"id": 4711, "customer": "Ada Lovelace", "total": 99.95, "note": "paid by card"}, "#;
    let escaped =
        r#"{\"id\": 4711, \"path\": \"%2Fdata%2Forders\", \"note\": \"paid\\nby card\"}, "#;
    // Every character an escape; escaped twice; and marks alone, which say nothing.
    let percent: String = row.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let numbered: String =
        "訂單已付款，謝謝。".encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let percent_twice = percent.replace('%', "%25");
    let twice = escaped.replace('\\', r"\\").replace('"', "\\\"");
    let marks = r"%\\%%\\%\\\\%%%\\u%\\5";
    let rows = [
        ("plain", row),
        ("escaped", escaped),
        ("percent", &*percent),
        ("numbered", &*numbered),
        ("percent-twice", &*percent_twice),
        ("json-twice", &*twice),
        ("marks", marks),
    ];
    for (name, row) in rows {
        for size in [1 << 10, 1 << 20] {
            let text = row.repeat(size / row.len() + 1);
            let mut group = c.benchmark_group("scrub");
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(format!("{name}/{size}"), |b| {
                b.iter_batched(
                    || result(&text),
                    |receipt| black_box(receipt.scrubbed()),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    c.final_summary();
}
