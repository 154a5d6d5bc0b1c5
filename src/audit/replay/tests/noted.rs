use super::*;

/// What was noted when the call was decided is kept with it, where the policy lists it, and is not guessed where not.
#[test]
fn what_notes_decided_comes_out_again_if_they_are_in_plain() {
    const NOTED: &str = r#"
        version = 1
        log     = { plain = ["notes.mail.read#id"] }
        rule    = [
            { id = "read", effect = "permit", what = { tool = "mail.read", args = "any" } },
            { id = "delete", effect = "permit", what = { tool = "mail.delete", args = { id = { one_of = { ref = "notes.mail.read#id" } } } } },
        ]
        tool = [{ name = "mail.read" }, { name = "mail.delete", args = { id = { type = "text", log = "plain" } } }]
    "#;
    let of = |text: &str| {
        let (own, log) = (policy(text), MemoryLog::new());
        let broker = Broker::builder(own.clone()).log(log.clone()).build().unwrap();
        let who = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&who, Purpose::new("errand")).unwrap();
        let id = crate::scope::any();
        let scope = Scope::tool("mail.read").any_args().and_tool("mail.delete").arg("id", id);
        let (context, gate) = (Context::new(), broker.gate());
        let grant = task.request(scope, &context).unwrap();
        let delete = |id: &str| {
            let call = Call::new("mail.delete", json!({ "id": id })).unwrap();
            gate.authorize(&grant, &who, call, &context).is_ok()
        };
        let read = |ids: serde_json::Value| {
            let call = Call::new("mail.read", json!({})).unwrap();
            let running = gate.authorize(&grant, &who, call, &context).unwrap().start().unwrap();
            running.note("mail.read#id", ids).unwrap();
            running.succeed();
        };
        assert!(!delete("m-1"));
        read(json!(["m-1", "m-2"]));
        assert!(delete("m-1") && !delete("m-3"));
        read(json!("m-3"));
        assert!(delete("m-3"));
        broker.flush();
        (replay(&log.records(), |seq| log.plain_line(seq), [own]), log)
    };
    let (again, log) = of(NOTED);
    assert_eq!((again.decisions, again.replayed, again.differing), (7, 7, 0), "{again:?}");
    let last =
        log.records().iter().filter(|own| own.event.kind() == "permitted").map(|own| own.seq).max();
    assert!(log.plain_line(last.unwrap()).unwrap().contains(r#""m-3""#));
    let (again, _) = of(&NOTED.replace("notes.mail.read#id\"] }\n", "when.env\"] }\n"));
    assert_eq!((again.replayed, again.differing), (3, 0), "{again:?}");
    assert_eq!(again.not_replayable[&NotReplayable::NotPlain], 4);
}
