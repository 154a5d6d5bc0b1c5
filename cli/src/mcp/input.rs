//! What a server asks for within a result, from `2026-07-28` on: each of its requests is gated as if it stood alone.

use hallpass::{Denial, Reason};

use super::gatekeeper::{Gatekeeper, Outcome};
use super::members::Members;
use super::message::{object, quoted};
use super::proxy::{args_of, params_of, passing};
use super::revision::Revision;

const META: &[&str] = &["_meta"];

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
