use super::*;
use crate::value::{Object, Value};

/// Records of each shape, in the order of a log.
const LINES: [&str; 9] = [
    r#"{"seq":1,"at":1767225600000,"kind":"log_started","log":"21d382761adbee86a8b521b933857160","issuer":"acme","audience":"payments","key":"41da35d1"}"#,
    r#"{"seq":2,"at":1767225600001,"kind":"opened","task":"task-1","generation":1,"who":"agent-7","who_kind":"agent","purpose":"pay-bill","ceiling":1767229200000}"#,
    r#"{"seq":3,"at":1767225600002,"kind":"granted","task":"task-1","generation":1,"grant":"g1","serial":1,"requester":"agent-7","holder":"agent-7","scope":[{"args":{"amount":{"max":12345678901234567890123.50}},"tool":"bank.pay"}],"rules":["pay"],"epoch":1,"policy":"4T","expires":1767226200000}"#,
    r#"{"seq":4,"at":1767225600003,"kind":"permitted","task":"task-1","generation":1,"grant":"g1","serial":1,"who":"agent-7","tool":"bank.pay","resource_type":"account","resource_id":"42","args":"AA","rules":["pay"],"epoch":1}"#,
    r#"{"seq":5,"at":1767225600004,"kind":"outcome","task":"task-1","generation":1,"of":4,"outcome":"error"}"#,
    r#"{"seq":6,"at":1767225600005,"kind":"denied","stage":"call","task":"task-1","generation":1,"grant":"g1","who":"worker-1","tool":"bank.pay","args":"AA","code":"not_permitted","reason":"out_of_scope","epoch":1}"#,
    r#"{"seq":7,"at":1767225600006,"kind":"denied","stage":"request","task":"task-1","generation":1,"who":"agent-7","code":"not_permitted","reason":"not_covered","epoch":1}"#,
    r#"{"seq":8,"at":1767225600007,"kind":"ended","task":"task-1","generation":1,"how":"completed"}"#,
    r#"{"seq":9,"at":1767225600008,"kind":"halted","what":"everything"}"#,
];

fn exporter() -> Exporter {
    Exporter::new(LogId::from_bytes([7; 16]), &Origin::new("acme", "payments"))
}

fn tag() -> ChainTag {
    ChainTag::from_bytes([0xa5; 32])
}

fn object(text: &str) -> Object {
    match Value::from_json(text).unwrap() {
        Value::Object(object) => object,
        other => panic!("{other:?}"),
    }
}

fn text(object: &Object, name: &str) -> String {
    object.get(name).and_then(Value::as_text).unwrap_or_default().to_owned()
}

#[cfg(feature = "cloudevents")]
#[test]
fn a_cloud_event_has_what_the_specification_requires_and_the_record_with_every_digit() {
    let mut before = String::new();
    for (at, line) in LINES.iter().enumerate() {
        let event = exporter().cloud_event(line, &tag()).unwrap();
        let read = object(&event);
        for (name, _) in read.iter() {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            assert!(name.len() <= 20 && name.chars().all(fits), "{name}");
        }
        assert_eq!(
            (&*text(&read, "specversion"), text(&read, "id")),
            ("1.0", (at + 1).to_string())
        );
        let kind = text(&object(line), "kind");
        assert_eq!(text(&read, "type"), format!("hallpass.audit.{kind}"));
        assert_eq!(text(&read, "source"), format!("acme/payments/{}", "07".repeat(16)));
        assert_eq!(
            text(&read, "time"),
            format!("2026-01-01T00:00:00.00{at}Z").replace(".000Z", "Z")
        );
        assert_eq!(text(&read, "hallpasstag"), tag().to_string());
        assert_eq!(read.get("data"), Some(&Value::Object(object(line))));
        assert!(event.contains(line) && before < text(&read, "sequence"));
        assert_eq!(read.get("subject").is_some(), line.contains("task-1"));
        before = text(&read, "sequence");
    }
    // Of which trace it is stands where the extension for distributed tracing has it.
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = LINES[3].replace(r#""epoch":1"#, &format!(r#""epoch":1,"trace":"{trace}""#));
    let event = object(&exporter().cloud_event(&traced, &tag()).unwrap());
    assert_eq!((&*text(&event, "traceparent"), &*text(&event, "subject")), (trace, "task-1"));
    assert_eq!(event.get("data"), Some(&Value::Object(object(&traced))));
    assert_eq!(exporter().cloud_event("{}", &tag()), None);
    assert_eq!(exporter().cloud_event("", &tag()), None);
}

#[cfg(feature = "ocsf")]
#[test]
fn an_ocsf_event_is_of_its_class_and_has_what_that_requires() {
    let mut exporter = exporter();
    let events: Vec<serde_json::Value> = LINES
        .iter()
        .map(|line| serde_json::from_str(&exporter.ocsf_event(line, &tag()).unwrap()).unwrap())
        .collect();
    let classes = [0, 0, 3003, 6003, 0, 6003, 0, 0, 0];
    for ((event, class), line) in events.iter().zip(classes).zip(LINES) {
        assert_eq!(event["class_uid"], class, "{event}");
        assert_eq!(event["category_uid"], class / 1000);
        let activity = event["activity_id"].as_u64().unwrap();
        assert_eq!(event["type_uid"], class * 100 + activity);
        assert!(event["time"].is_i64() && event["severity_id"].is_u64());
        assert_eq!(event["metadata"]["version"], "1.10.0");
        assert_eq!(event["metadata"]["product"]["name"], "hallpass");
        assert_eq!(event["raw_data"], line);
        assert_eq!(event["attestation_list"][0]["fingerprint"]["value"], tag().to_string());
        let required: &[&str] = match class {
            6003 => &["actor", "api", "src_endpoint"],
            3003 => &["user"],
            _ => &[],
        };
        assert!(required.iter().all(|name| event[name].is_object()), "{event}");
        assert!(!event.to_string().contains("null"), "{event}");
    }
    let permit = &events[3];
    assert_eq!(
        (&permit["api"]["operation"], &permit["status_id"]),
        (&"bank.pay".into(), &1.into())
    );
    assert_eq!(permit["resources"][0]["uid"], "42");
    assert_eq!(permit["actor"]["authorizations"][0]["policy"]["uid"], "pay");
    assert_eq!(permit["ai_agent"]["uid"], "agent-7");
    assert_eq!(
        (&events[2]["activity_id"], &events[2]["privileges"][0]),
        (&1.into(), &"bank.pay".into())
    );
    // It is another one that was denied.
    let denial = &events[5];
    assert_eq!(
        (&denial["status_id"], &denial["status_detail"]),
        (&2.into(), &"out_of_scope".into())
    );
    assert!(denial.get("ai_agent").is_none());
    assert_eq!(events[4]["status_id"], 2);
    let again = r#"{"seq":30,"at":1767225600009,"kind":"denied_again","from":10,"count":21,"since":1767225600000,"stage":"call","who":"worker-1","tool":"bank.pay","resource_id":"42","args":"AA","code":"not_permitted","reason":"out_of_scope","rules":["pay"]}"#;
    let again: serde_json::Value =
        serde_json::from_str(&exporter.ocsf_event(again, &tag()).unwrap()).unwrap();
    assert_eq!((&again["class_uid"], &again["count"]), (&6003.into(), &21.into()));
    assert_eq!(again["start_time"], 1_767_225_600_000_i64);
    assert_eq!(
        (&again["status_detail"], &again["status_code"]),
        (&"out_of_scope".into(), &"not_permitted".into())
    );
    assert_eq!(again["resources"][0]["uid"], "42");
    assert!(exporter.agents.is_empty(), "a task that has ended is forgotten");
    assert_eq!(exporter.ocsf_event("{}", &tag()), None);
}

/// The rest of a flood is of what the agent does who was denied, as each of its denials is.
#[cfg(feature = "ocsf")]
#[test]
fn the_rest_of_a_flood_is_the_agents() {
    let mut exporter = exporter();
    let _ = exporter.ocsf_event(LINES[1], &tag()).unwrap();
    let mut told = |who: &str| {
        let line = format!(
            r#"{{"seq":9,"at":1767225600009,"kind":"denied_again","from":3,"count":7,"since":1767225600000,"stage":"call","task":"task-1","generation":1,"who":"{who}","tool":"bank.pay","code":"not_permitted","reason":"out_of_scope"}}"#
        );
        let event = exporter.ocsf_event(&line, &tag()).unwrap();
        serde_json::from_str::<serde_json::Value>(&event).unwrap()
    };
    assert_eq!(told("agent-7")["ai_agent"]["uid"], "agent-7");
    assert!(told("worker-1").get("ai_agent").is_none());
}
