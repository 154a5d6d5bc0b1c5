//! Copies of records, read by what others publish. `HALLPASS_SCHEMAS_PYTHON` names a Python that has `cloudevents`,
//! `ocsf-json-schema` and `jsonschema`.

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

use hallpass::Halt;
use hallpass::prelude::*;
use serde_json::json;

use crate::log;
use crate::watch::Writing;

/// What the checker says of these events: how many there are, or nothing where it refuses them.
fn checked(form: &str, events: &str) -> Option<usize> {
    let python = env::var("HALLPASS_SCHEMAS_PYTHON").expect("HALLPASS_SCHEMAS_PYTHON is set");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log/schemas.py");
    let mut command = Command::new(python);
    let command = command.args([script, form]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses the first event may read no further.
    let _ = child.stdin.take().unwrap().write_all(events.as_bytes());
    let told = child.wait_with_output().unwrap();
    told.status.success().then(|| String::from_utf8(told.stdout).unwrap().trim().parse().unwrap())
}

#[test]
#[ignore = "needs a Python with the schemas: see .ci/run"]
fn every_copy_is_what_its_published_schema_says() {
    let writing = Writing::begin();
    let (task, grant) = writing.open("pay it");
    let gate = writing.broker.gate();
    let call = |tool, args| Call::new(tool, args).unwrap();
    let call_with = |own| gate.authorize(&grant, &writing.payer, own, &Context::new());
    let bill = Resource::new("bill", "INV-1");
    let pay = call("bank.pay", json!({ "amount": 98 }));
    call_with(pay).unwrap().run(|_| Ok::<_, String>(())).unwrap();
    call_with(call("bank.pay", json!({ "amount": 501 })).on(bill)).unwrap_err();
    call_with(call("db.wipe", json!({ "all": true }))).unwrap_err();
    task.request(Scope::tool("bank.rob").any_args(), &Context::new()).unwrap_err();
    for _ in 0..20 {
        call_with(call("mail.send", json!({}))).unwrap_err();
    }
    writing.broker.control().halt(Halt::Everything);
    task.fail("halted");
    writing.broker.flush();
    let cases = [("cloudevents", "\"id\"", "\"Id\""), ("ocsf", "\"severity_id\"", "\"severity\"")];
    for (form, name, other) in cases {
        let args = ["export", "log", "--key-file", "key", "--form", form];
        let copies = log(&args, &writing.folder);
        assert_eq!((copies.code, &*copies.errors), (0, ""), "{copies:?}");
        let count = copies.output.lines().count();
        assert!(count > 20, "{copies:?}");
        assert_eq!(checked(form, &copies.output), Some(count), "{form}");
        assert!(copies.output.contains(name));
        assert_eq!(checked(form, &copies.output.replace(name, other)), None, "{form}");
    }
}
