//! P8: what the log keeps in plain holds no secret, in whatever form an agent hands it on.

use base64::Engine as _;
use hallpass::audit::{Event, MemoryLog, Plain};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use serde_json::json;

const SECRET: &str = "correct horse battery staple 1789";
const POLICY: &str = r#"
    version = 1
    log     = { plain = ["when.note"] }

    [[tool]]
    name       = "db.query"
    credential = "orders-db"
    args       = { q = { type = "text", log = "plain" } }

    [[tool]]
    name = "mail.send"
    args = { body = { log = "plain" }, n = { log = "plain" } }

    [[rule]]
    id     = "all"
    effect = "permit"
    what   = { tool = { one_of = ["db.query", "mail.send"] }, args = "any" }
"#;

fn plain_of(log: &MemoryLog) -> Vec<(u64, Plain<'static>)> {
    let plain = |event| match event {
        Event::Permitted { plain, .. } | Event::Denied { plain, .. } => plain,
        _ => None,
    };
    let records = log.records().into_iter();
    records.filter_map(|own| Some((own.seq, *plain(own.event)?))).collect()
}

/// P8, attack 129
#[test]
fn a_secret_that_a_task_has_used_is_kept_in_plain_in_no_argument_and_no_context() {
    let log = MemoryLog::new();
    let vault = Vault::new().unwrap();
    vault.seal("orders-db", Secret::new(SECRET).unwrap()).unwrap();
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).log(log.clone());
    let broker = builder.vault(&vault).build().unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&who, Purpose::new("errand")).unwrap();
    let scope = Scope::tool("db.query").any_args().and_tool("mail.send").any_args();
    let grant = task.request(scope, &Context::new()).unwrap();
    let call = |tool: &str, args: serde_json::Value, note: &str| {
        let context = Context::new().with("note", note);
        let call = Call::new(tool, args).unwrap();
        broker.gate().authorize(&grant, &who, call, &context).unwrap()
    };
    // Before it was used it is a text like any other: the agent can't have had it from here.
    drop(call("mail.send", json!({ "body": SECRET, "n": 1 }), "none"));
    call("db.query", json!({ "q": "x" }), "none").run_with(|_, _| Ok::<_, String>(())).unwrap();
    let told = base64::engine::general_purpose::STANDARD.encode(SECRET);
    let escaped = SECRET.replace(' ', "%20");
    for body in [json!(SECRET), json!(format!("see {told}")), json!({ "a": [escaped] })] {
        drop(call("mail.send", json!({ "body": body, "n": 2 }), SECRET));
    }
    drop(call("mail.send", json!({ "body": "nothing", "n": 3 }), "none"));

    let all = plain_of(&log);
    let hidden: Vec<Vec<&str>> =
        all.iter().map(|(_, own)| own.digest_only.iter().map(|name| &**name).collect()).collect();
    let both = vec!["args.body", "when.note"];
    assert_eq!(hidden, [vec![], vec![], both.clone(), both.clone(), both, vec![]]);
    for (seq, plain) in all.iter().skip(2) {
        let line = log.plain_line(*seq).unwrap();
        assert!(!line.contains("horse") && !line.contains(&told), "{line}");
        assert!(plain.open(Some(&line)).values.contains_key("args.n"));
    }
}

/// Anyone may make calls without a token of ours: nothing of them is kept, as no digest is.
#[test]
fn nothing_is_kept_of_a_call_whose_token_did_not_verify() {
    let log = MemoryLog::new();
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).log(log.clone());
    let vault = Vault::new().unwrap();
    vault.seal("orders-db", Secret::new(SECRET).unwrap()).unwrap();
    let broker = builder.vault(&vault).build().unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let call = Call::new("mail.send", json!({ "body": "b", "n": 1 })).unwrap();
    let denial = broker.gate().authorize("hp1.none", &who, call, &Context::new());
    assert!(denial.map(drop).is_err());
    broker.flush();
    assert_eq!(plain_of(&log), []);
    assert!(log.records().iter().all(|own| log.plain_line(own.seq).is_none()));
}
