//! What a server asks for within an answer: each of its requests is gated as if it stood alone.

use hallpass::value::{Number, Value};
use hallpass::{Denial, Reason};

use super::revision::Revision;
use crate::errand::{Gatekeeper, Outcome};
use crate::rpc::members::{Members, elements};
use crate::rpc::message::{object, quoted};
use crate::rpc::params::{args_of, params_of, passing};

const META: &[&str] = &["_meta"];

/// The code of an error by which a server has the client's user open addresses.
const URL_ELICITATION_REQUIRED: i64 = -32042;

/// The error with each elicitation in it written from what was permitted.
///
/// # Errors
/// The first [`Denial`]: the client sees none of them then, and nothing of an error that can't be read.
pub(super) fn gated_error(keeper: &Gatekeeper, error: &str) -> Result<String, Denial> {
    let unreadable = || keeper.deny("mcp:result", Reason::MalformedCall, "the error can't be read");
    let error = Members::of(error).map_err(|_| unreadable())?;
    let code = error.get("code").and_then(|code| Value::from_json(code).ok());
    let code = code.as_ref().and_then(Value::as_number).ok_or_else(unreadable)?;
    // Some clients read names in any case, so that no others go on.
    let (message, data) = (error.get("message").unwrap_or(r#""""#), error.get("data"));
    let mut members = vec![("code", code.to_string()), ("message", message.to_owned())];
    match data {
        Some(data) if code == Number::from(URL_ELICITATION_REQUIRED) => {
            members.push(("data", gated_elicitations(keeper, data, &unreadable)?));
        }
        Some(data) => members.push(("data", data.to_owned())),
        None => {}
    }
    Ok(object(members.iter().map(|(name, text)| (*name, text.as_str()))))
}

fn gated_elicitations(
    keeper: &Gatekeeper,
    data: &str,
    unreadable: &impl Fn() -> Denial,
) -> Result<String, Denial> {
    let data = Members::of(data).map_err(|_| unreadable())?;
    let asked = data.get("elicitations").and_then(elements).ok_or_else(unreadable)?;
    let mut gated: Vec<String> = Vec::new();
    for params in asked {
        let params = Members::of(params).map_err(|_| unreadable())?;
        let started = keeper.start("mcp:elicitation", &args_of(&params, META))?;
        gated.push(params_of(started.args(), passing(&params, META)));
        keeper.finish(started, Outcome::Ok);
    }
    Ok(format!(r#"{{"elicitations":[{}]}}"#, gated.join(",")))
}

/// The result with each request in it written from what was permitted.
///
/// # Errors
/// The first [`Denial`]: the client sees none of them then.
pub(super) fn gated_input(
    keeper: &Gatekeeper,
    result: &str,
    revision: Revision,
) -> Result<String, Denial> {
    let unreadable =
        || keeper.deny("mcp:result", Reason::MalformedCall, "`inputRequests` can't be read");
    let result = Members::of(result).map_err(|_| unreadable())?;
    let Some(requests) = result.get("inputRequests") else {
        return Ok(object(result.iter()));
    };
    let requests = Members::of(requests).map_err(|_| unreadable())?;
    let mut gated: Vec<(&str, String)> = Vec::new();
    for (key, request) in requests.iter() {
        let request = Members::of(request).map_err(|_| unreadable())?;
        let method = request.text("method").unwrap_or_default();
        let Some(name) = revision.of_server(&method) else {
            let why = "the server asks for what the revision does not know";
            return Err(keeper.deny(&format!("mcp:{method}"), Reason::UnknownTool, why));
        };
        let params = Members::of(request.get("params").unwrap_or("{}"));
        let params = params.map_err(|_| unreadable())?;
        let started = keeper.start(name, &args_of(&params, META))?;
        let params = params_of(started.args(), passing(&params, META));
        let method = quoted(&method);
        let members = [("method", method.as_str()), ("params", params.as_str())];
        gated.push((key, object(members)));
        // Its answer comes with a request of its own, which is asked for again.
        keeper.finish(started, Outcome::Ok);
    }
    let gated = object(gated.iter().map(|(key, text)| (*key, text.as_str())));
    let others = result.iter().filter(|(name, _)| *name != "inputRequests");
    Ok(object(others.chain([("inputRequests", gated.as_str())])))
}
