//! Requests and answers of the AuthZEN Authorization API 1.0, as JSON.
//!
//! A request is read strictly where it says what is asked: a member twice, or one of another type than the API says, is
//! refused. Members that the API does not know are passed over, as it demands.

use hallpass::value::{Object, Value};
use serde_json::json;

use super::evaluate::Decision;

/// How many evaluations a request may have.
pub(super) const MOST_EVALUATIONS: usize = 1000;

/// A subject, or a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entity {
    pub(super) of_type: Box<str>,
    pub(super) id: Box<str>,
    pub(super) properties: Object,
}

/// What is asked: whether a subject may do this to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evaluation {
    pub(super) subject: Entity,
    pub(super) action: Box<str>,
    pub(super) action_properties: Object,
    pub(super) resource: Entity,
    pub(super) context: Object,
}

/// Why a request can't be read: for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// When the evaluations of a request end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// What a request asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    One(Evaluation),
    /// Several, of which some may be unreadable by themselves.
    Several {
        evaluations: Vec<Result<Evaluation, Malformed>>,
        semantic: Semantic,
    },
}

/// Reads a request for one evaluation.
///
/// # Errors
/// What it lacks, or has in another type.
pub(super) fn evaluation(body: &[u8]) -> Result<Evaluation, Malformed> {
    read_evaluation(&document(body)?, &Object::new())
}

/// Reads a request for evaluations: several, or, without a list of them, one.
///
/// # Errors
/// What is wrong with all of it. What is wrong with one of several is that one's.
pub(super) fn evaluations(body: &[u8]) -> Result<Asked, Malformed> {
    let request = document(body)?;
    let own = match request.get("evaluations") {
        None => &[][..],
        Some(own) => own.as_list().ok_or_else(|| wrong("evaluations", own, "a list"))?,
    };
    if own.is_empty() {
        return read_evaluation(&request, &Object::new()).map(Asked::One);
    }
    if own.len() > MOST_EVALUATIONS {
        return Err(Malformed(format!("`evaluations` has more than {MOST_EVALUATIONS} members")));
    }
    for name in ["subject", "action", "resource", "context", "options"] {
        object_in(&request, name)?;
    }
    let semantic = semantic(&request)?;
    let evaluations = own.iter().map(|own| match own.as_object() {
        Some(own) => read_evaluation(own, &request),
        None => Err(wrong("evaluations", own, "a list of objects")),
    });
    Ok(Asked::Several { evaluations: evaluations.collect(), semantic })
}

impl Semantic {
    /// Whether no evaluation is made after this one.
    pub(super) fn ends_with(self, decision: &Decision) -> bool {
        match self {
            Semantic::ExecuteAll => false,
            Semantic::DenyOnFirstDeny => !decision.is_permitted(),
            Semantic::PermitOnFirstPermit => decision.is_permitted(),
        }
    }
}

fn semantic(request: &Object) -> Result<Semantic, Malformed> {
    let options = object_in(request, "options")?;
    let Some(stated) = options.and_then(|options| options.get("evaluations_semantic")) else {
        return Ok(Semantic::ExecuteAll);
    };
    match stated.as_text() {
        Some("execute_all") => Ok(Semantic::ExecuteAll),
        Some("deny_on_first_deny") => Ok(Semantic::DenyOnFirstDeny),
        Some("permit_on_first_permit") => Ok(Semantic::PermitOnFirstPermit),
        _ => {
            let known = "`execute_all`, `deny_on_first_deny` or `permit_on_first_permit`";
            Err(Malformed(format!("`options.evaluations_semantic` is not {known}")))
        }
    }
}

pub(super) fn document(body: &[u8]) -> Result<Object, Malformed> {
    let value = Value::from_json_bytes(body);
    let value = value.map_err(|error| Malformed(format!("the body is not JSON: {error}")))?;
    match value {
        Value::Object(object) => Ok(object),
        other => Err(wrong("body", &other, "an object")),
    }
}

/// Reads an evaluation whose members stand in `own`, or else in `defaults`: each as a whole, and never in parts.
fn read_evaluation(own: &Object, defaults: &Object) -> Result<Evaluation, Malformed> {
    let member = |name: &'static str| -> Result<Option<&Object>, Malformed> {
        Ok(object_in(own, name)?.or(object_in(defaults, name)?))
    };
    let required = |name| member(name)?.ok_or_else(|| missing(name));
    let action = required("action")?;
    Ok(Evaluation {
        subject: entity("subject", required("subject")?)?,
        action: text_in("action", action, "name")?,
        action_properties: properties("action", action)?,
        resource: entity("resource", required("resource")?)?,
        context: member("context")?.cloned().unwrap_or_default(),
    })
}

pub(super) fn entity(name: &str, own: &Object) -> Result<Entity, Malformed> {
    Ok(Entity {
        of_type: text_in(name, own, "type")?,
        id: text_in(name, own, "id")?,
        properties: properties(name, own)?,
    })
}

pub(super) fn properties(name: &str, own: &Object) -> Result<Object, Malformed> {
    match own.get("properties") {
        None => Ok(Object::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(other) => Err(wrong(&format!("{name}.properties"), other, "an object")),
    }
}

pub(super) fn text_in(name: &str, own: &Object, member: &str) -> Result<Box<str>, Malformed> {
    let path = format!("{name}.{member}");
    let value = own.get(member).ok_or_else(|| missing(&path))?;
    Ok(value.as_text().ok_or_else(|| wrong(&path, value, "text"))?.into())
}

pub(super) fn object_in<'o>(own: &'o Object, name: &str) -> Result<Option<&'o Object>, Malformed> {
    let Some(value) = own.get(name) else { return Ok(None) };
    value.as_object().map(Some).ok_or_else(|| wrong(name, value, "an object"))
}

pub(super) fn missing(path: &str) -> Malformed {
    Malformed(format!("`{path}` is missing"))
}

pub(super) fn wrong(path: &str, is: &Value, expected: &str) -> Malformed {
    Malformed(format!("`{path}` is of kind {}, expected {expected}", is.kind_name()))
}

/// The answer to one of several evaluations: what could not be decided says so in its place.
pub(super) fn written(decision: &Decision) -> serde_json::Value {
    let error = |status: u16, message: &str| json!({ "decision": false, "context": { "error": { "status": status, "message": message } } });
    match decision {
        Decision::Permitted => json!({ "decision": true }),
        Decision::Denied { reason, question: None } => {
            json!({ "decision": false, "context": { "reason": reason } })
        }
        Decision::Denied { reason, question: Some(id) } => {
            json!({ "decision": false, "context": { "reason": reason, "question": id } })
        }
        Decision::Malformed(Malformed(why)) => error(400, why),
        Decision::Unavailable => error(503, "it can't be decided or recorded now"),
    }
}

/// What the server says of itself: where each endpoint is. `base` is the address that clients know it by.
pub(super) fn metadata(base: &str) -> serde_json::Value {
    let [subject, resource, action] = SEARCHES.map(|path| format!("{base}{path}"));
    json!({
        "search_subject_endpoint": subject,
        "search_resource_endpoint": resource,
        "search_action_endpoint": action,
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}{EVALUATION}"),
        "access_evaluations_endpoint": format!("{base}{EVALUATIONS}"),
    })
}

pub(super) const EVALUATION: &str = "/access/v1/evaluation";
pub(super) const EVALUATIONS: &str = "/access/v1/evaluations";
pub(super) const SEARCHES: [&str; 3] =
    ["/access/v1/search/subject", "/access/v1/search/resource", "/access/v1/search/action"];
pub(super) const METADATA: &str = "/.well-known/authzen-configuration";

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#""action":{"name":"read"},"resource":{"type":"doc","id":"1"}"#;

    #[test]
    fn a_default_is_taken_as_a_whole_or_not_at_all() {
        let body = r#"{"subject":{"type":"user","id":"ana","properties":{"role":"admin"}},"action":{"name":"read"},
            "resource":{"type":"doc","id":"1"},"context":{"a":1},
            "evaluations":[{},{"subject":{"type":"user","id":"ben"},"context":{"b":2}}]}"#;
        let Ok(Asked::Several { evaluations, .. }) = evaluations(body.as_bytes()) else { panic!() };
        let [first, second] = &evaluations[..] else { panic!() };
        let (first, second) = (first.as_ref().unwrap(), second.as_ref().unwrap());
        assert_eq!((&*first.subject.id, first.subject.properties.len()), ("ana", 1));
        assert_eq!((&*second.subject.id, second.subject.properties.len()), ("ben", 0));
        assert_eq!(second.context.keys().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_member_twice_or_of_another_type_is_refused() {
        for (subject, told) in [
            (r#""subject":{"type":"user","id":"ana","id":"root"},"#, "not JSON"),
            (
                r#""subject":{"type":"user","id":"ana"},"subject":{"type":"user","id":"root"},"#,
                "not JSON",
            ),
            (r#""subject":null,"#, "`subject` is of kind null"),
            (r#""subject":{"type":"user","id":7},"#, "`subject.id` is of kind number"),
            (
                r#""subject":{"type":"user","id":"ana","properties":[]},"#,
                "`subject.properties` is of kind list",
            ),
            ("", "`subject` is missing"),
        ] {
            let Malformed(why) = evaluation(format!("{{{subject}{READ}}}").as_bytes()).unwrap_err();
            assert!(why.contains(told), "{subject}: {why}");
        }
        assert!(evaluation(b"[]").is_err() && evaluation(b"").is_err());
    }

    #[test]
    fn evaluations_are_bounded_and_their_semantic_is_one_that_is_known() {
        let several = |count: usize, semantic: &str| {
            let own = vec!["{}"; count].join(",");
            evaluations(
                format!(
                    r#"{{"options":{{"evaluations_semantic":{semantic}}},"evaluations":[{own}]}}"#
                )
                .as_bytes(),
            )
        };
        assert!(several(MOST_EVALUATIONS, "\"execute_all\"").is_ok());
        assert!(several(MOST_EVALUATIONS + 1, "\"execute_all\"").is_err());
        assert!(several(1, "\"first\"").is_err() && several(1, "1").is_err());
    }
}
