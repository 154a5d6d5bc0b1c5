//! OCSF: the Open Cybersecurity Schema Framework.

use serde_json::{Map, Value, json};

use crate::audit::review::tools_of;
use crate::audit::{ChainTag, Event, LogId, Outcome, Record};

/// The version of the schema whose shapes these are.
const VERSION: &str = "1.10.0";

/// Classes, with their category.
const BASE: (u32, u32) = (0, 0);
const AUTHORIZE_SESSION: (u32, u32) = (3, 3003);
const API_ACTIVITY: (u32, u32) = (6, 6003);

/// Activities: that privileges are assigned, and one that the class has no number for.
const ASSIGN_PRIVILEGES: u32 = 1;
const OTHER: u32 = 99;

const INFORMATIONAL: u32 = 1;
const LOW: u32 = 2;
const HIGH: u32 = 4;

/// What kind of event a record is.
struct Shape {
    class: (u32, u32),
    activity: u32,
    severity: u32,
    /// 0 of what is not known, 1 of a success, 2 of a failure.
    status: Option<u32>,
    /// What only a class has.
    members: Map<String, Value>,
}

/// The event of a record. `agent` opened its task.
pub(super) fn event(
    log: &LogId,
    origin: &str,
    record: &Record,
    line: &str,
    tag: &ChainTag,
    agent: Option<&str>,
) -> String {
    let Shape { class: (category, class), activity, severity, status, mut members } =
        shape(&record.event);
    let (kind, at) = (record.event.kind(), record.at.unix_millis());
    let mut profiles = vec!["record_integrity"];
    // Base events do not have that profile.
    if let Some(agent) = agent.filter(|agent| class != BASE.1 && acts(&record.event, agent)) {
        profiles.push("ai_operation");
        members.insert("ai_agent".to_owned(), json!({ "uid": agent, "name": agent, "type_id": 0 }));
    }
    let mut event = json!({
        "activity_id": activity,
        "activity_name": if activity == ASSIGN_PRIVILEGES { "Assign Privileges" } else { kind },
        "category_uid": category,
        "class_uid": class,
        "type_uid": class * 100 + activity,
        "severity_id": severity,
        "time": at,
        "message": format!("hallpass: {kind}"),
        "metadata": {
            "version": VERSION,
            "product": { "name": "hallpass", "vendor_name": "hallpass", "version": env!("CARGO_PKG_VERSION") },
            "uid": format!("{log}:{}", record.seq),
            "event_code": kind,
            "sequence": record.seq,
            "log_name": origin,
            "original_time": record.at.to_string(),
            "correlation_uid": record.event.task(),
            "profiles": profiles,
        },
        "attestation_list": [{
            "uid": format!("{log}:{}", record.seq),
            "chain_uid": log.to_string(),
            "fingerprint": {
                "algorithm_id": OTHER,
                "algorithm": "HMAC-SHA-256, chained",
                "encoding_id": 1,
                "serialization_id": OTHER,
                "serialization": "raw_data, after the tag before",
                "value": tag.to_string(),
            },
        }],
        "raw_data": line,
    });
    if let Some(own) = event.as_object_mut() {
        if let Some(status) = status {
            own.insert("status_id".to_owned(), status.into());
        }
        own.append(&mut members);
        if let Some(Value::Object(metadata)) = own.get_mut("metadata") {
            metadata.retain(|_, value| !value.is_null());
        }
    }
    event.to_string()
}

/// Whether a record is of what this identity does.
fn acts(event: &Event<'_>, agent: &str) -> bool {
    match event {
        Event::Permitted { who, .. } => who == agent,
        Event::Denied { who: Some(who), .. } => who == agent,
        Event::DeniedAgain(denials) => denials.who.as_deref() == Some(agent),
        Event::Granted { holder, .. } => holder == agent,
        _ => false,
    }
}

fn shape(event: &Event<'_>) -> Shape {
    match event {
        Event::Permitted { who, tool, resource_type, resource_id, rules, .. } => {
            let resource = (resource_type.as_deref(), resource_id.as_deref());
            let members = call(who, tool, resource, rules);
            let (class, activity, severity) = (API_ACTIVITY, OTHER, INFORMATIONAL);
            Shape { class, activity, severity, status: Some(1), members }
        }
        Event::Denied { who, tool, resource_type, resource_id, code, reason, rules, .. } => {
            let resource = (resource_type.as_deref(), resource_id.as_deref());
            denied((who.as_deref(), tool.as_deref()), resource, (code, reason), rules)
        }
        Event::DeniedAgain(denials) => {
            let (who, tool) = (denials.who.as_deref(), denials.tool.as_deref());
            let resource = (denials.resource_type.as_deref(), denials.resource_id.as_deref());
            let why = (&*denials.code, &*denials.reason);
            let mut shape = denied((who, tool), resource, why, &denials.rules);
            shape.members.insert("count".to_owned(), denials.count.into());
            shape.members.insert("start_time".to_owned(), denials.since.unix_millis().into());
            shape
        }
        Event::Granted { requester, holder, grant, scope, rules, expires, .. } => {
            let Value::Object(members) = json!({
                "user": user(holder),
                "privileges": tools_of(scope),
                "actor": { "user": user(requester), "authorizations": authorizations(rules) },
                "session": { "uid": grant, "expiration_time": expires.unix_millis() },
            }) else {
                return base(INFORMATIONAL);
            };
            let (class, activity, severity) = (AUTHORIZE_SESSION, ASSIGN_PRIVILEGES, INFORMATIONAL);
            Shape { class, activity, severity, status: Some(1), members }
        }
        Event::Outcome { outcome, .. } => {
            let (severity, status) = match outcome {
                Outcome::Ok => (INFORMATIONAL, 1),
                // What became of it is not told.
                Outcome::Forwarded => (INFORMATIONAL, 0),
                _ => (LOW, 2),
            };
            let mut shape = base(severity);
            shape.status = Some(status);
            shape
        }
        Event::BrokenGlass(_) | Event::SecretFound { .. } | Event::AlertFailed { .. } => base(HIGH),
        Event::Halted { .. } | Event::CredentialOwed { .. } => base(LOW),
        _ => base(INFORMATIONAL),
    }
}

fn base(severity: u32) -> Shape {
    Shape { class: BASE, activity: OTHER, severity, status: None, members: Map::new() }
}

/// What was not given: of a call, as API activity.
fn denied(
    (who, tool): (Option<&str>, Option<&str>),
    resource: (Option<&str>, Option<&str>),
    (code, reason): (&str, &str),
    rules: &[std::borrow::Cow<'_, str>],
) -> Shape {
    let mut shape = match (who, tool) {
        (Some(who), Some(tool)) => {
            let members = call(who, tool, resource, rules);
            let (class, activity) = (API_ACTIVITY, OTHER);
            Shape { class, activity, severity: LOW, status: None, members }
        }
        _ => base(LOW),
    };
    shape.status = Some(2);
    shape.members.insert("status_code".to_owned(), code.into());
    shape.members.insert("status_detail".to_owned(), reason.into());
    shape
}

/// What an event of a call says: who, which tool, and what it acts on.
fn call(
    who: &str,
    tool: &str,
    (kind, id): (Option<&str>, Option<&str>),
    rules: &[std::borrow::Cow<'_, str>],
) -> Map<String, Value> {
    let mut members = Map::new();
    let actor = json!({ "user": user(who), "authorizations": authorizations(rules) });
    members.insert("actor".to_owned(), actor);
    members.insert("api".to_owned(), json!({ "operation": tool }));
    // Where it came from is not in the log; who it came from is.
    members.insert("src_endpoint".to_owned(), json!({ "uid": who }));
    if let Some(id) = id {
        let resource = json!({ "uid": id, "type": kind.unwrap_or("unknown"), "role_id": 1 });
        members.insert("resources".to_owned(), json!([resource]));
    }
    members
}

fn user(name: &str) -> Value {
    json!({ "uid": name, "name": name, "type_id": 0 })
}

/// The rules that decided.
fn authorizations(rules: &[std::borrow::Cow<'_, str>]) -> Value {
    rules.iter().map(|rule| json!({ "policy": { "uid": rule, "name": rule } })).collect()
}
