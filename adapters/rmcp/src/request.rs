//! Requests taken apart into arguments, and put together from those that were decided about.

use hallpass::args::Args;
use rmcp::ErrorData;
use rmcp::model::{ClientRequest, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Members of parameters about which nothing is decided: they are handed on as they came.
const PASSING: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// The tool that a request asks for, by the name that is given for what is not a tool, and its arguments as JSON.
///
/// # Errors
/// Why they can't be said.
pub(crate) fn arguments(request: &ClientRequest) -> Result<String, &'static str> {
    const UNREADABLE: &str = "the parameters can't be written as JSON";
    let of = |params: Result<Value, serde_json::Error>| match params {
        Ok(Value::Object(mut own)) => {
            own.retain(|name, _| !PASSING.contains(&name.as_str()));
            Ok(Value::Object(own).to_string())
        }
        _ => Err(UNREADABLE),
    };
    use ClientRequest as Asked;
    match request {
        Asked::CallToolRequest(own) => {
            Ok(Value::from(own.params.arguments.clone().unwrap_or_default()).to_string())
        }
        Asked::GetPromptRequest(own) => of(serde_json::to_value(&own.params)),
        Asked::ReadResourceRequest(own) => of(serde_json::to_value(&own.params)),
        Asked::SubscribeRequest(own) => of(serde_json::to_value(&own.params)),
        Asked::SubscriptionsListenRequest(own) => of(serde_json::to_value(&own.params)),
        Asked::CompleteRequest(own) => of(serde_json::to_value(&own.params)),
        _ => Err(UNREADABLE),
    }
}

/// The request with the arguments that were decided about in the place of its own.
///
/// # Errors
/// An internal error: they are of another kind than the method has.
pub(crate) fn with_arguments(
    request: ClientRequest,
    args: &Args,
) -> Result<ClientRequest, ErrorData> {
    use ClientRequest as Asked;
    Ok(match request {
        Asked::CallToolRequest(mut own) => {
            own.params.arguments = Some(object(args)?);
            Asked::CallToolRequest(own)
        }
        Asked::GetPromptRequest(own) => Asked::GetPromptRequest(replaced(own, args)?),
        Asked::ReadResourceRequest(own) => Asked::ReadResourceRequest(replaced(own, args)?),
        Asked::SubscribeRequest(own) => Asked::SubscribeRequest(replaced(own, args)?),
        Asked::SubscriptionsListenRequest(own) => {
            Asked::SubscriptionsListenRequest(replaced(own, args)?)
        }
        Asked::CompleteRequest(own) => Asked::CompleteRequest(replaced(own, args)?),
        _ => return Err(unfit()),
    })
}

fn replaced<M, P: Serialize + DeserializeOwned>(
    mut request: Request<M, P>,
    args: &Args,
) -> Result<Request<M, P>, ErrorData> {
    let own = serde_json::to_value(&request.params).map_err(|_| unfit())?;
    let mut params = object(args)?;
    for name in PASSING {
        params.extend(own.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    request.params = serde_json::from_value(Value::Object(params)).map_err(|_| unfit())?;
    Ok(request)
}

fn object(args: &Args) -> Result<Map<String, Value>, ErrorData> {
    serde_json::from_str(&args.to_json()).map_err(|_| unfit())
}

fn unfit() -> ErrorData {
    ErrorData::internal_error("the arguments do not fit the method", None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_made_of_what_was_decided_and_what_passes() {
        let request = json!({
            "method": "resources/read",
            "params": { "uri": "file:///a", "requestState": "s", "_meta": { "x": 1 } },
        });
        let request: ClientRequest = serde_json::from_value(request).unwrap();
        assert_eq!(arguments(&request), Ok(r#"{"uri":"file:///a"}"#.to_owned()));
        let args = Args::from_json(r#"{"uri":"file:///b"}"#).unwrap();
        let ClientRequest::ReadResourceRequest(made) = with_arguments(request, &args).unwrap()
        else {
            panic!("another method")
        };
        assert_eq!(
            (made.params.uri.as_str(), made.params.request_state.as_deref()),
            ("file:///b", Some("s"))
        );
    }
}
