//! What a server gave, and what it may not show.

use hallpass::scrub::{Scrub, Scrubber};
use rmcp::ErrorData;
use rmcp::model::ServerResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The answer of a server to a request that was permitted.
pub(crate) struct Given(pub(crate) Box<Result<ServerResult, ErrorData>>);

impl Given {
    pub(crate) fn error(error: ErrorData) -> Given {
        Given(Box::new(Err(error)))
    }

    /// Sorted into results and errors, by what they say of the call.
    pub(crate) fn sorted(answer: Result<ServerResult, ErrorData>) -> Result<Given, Given> {
        let failed = match &answer {
            Ok(ServerResult::CallToolResult(result)) => result.is_error == Some(true),
            // It would go on after its call, which no one could end.
            Ok(ServerResult::CreateTaskResult(_)) => {
                let why = "a tool behind a gate gives results, and not tasks";
                return Err(Given::error(ErrorData::internal_error(why, None)));
            }
            Ok(_) => false,
            Err(_) => true,
        };
        let given = Given(Box::new(answer));
        if failed { Err(given) } else { Ok(given) }
    }
}

impl Scrub for Given {
    fn scrub(self, scrubber: &Scrubber<'_>) -> Self {
        let unreadable = || ErrorData::internal_error("the answer can't be scrubbed", None);
        Given(Box::new(match *self.0 {
            // Each kind by itself: read as one of all kinds, a result could become another.
            Ok(ServerResult::CallToolResult(own)) => {
                scrubbed(own, scrubber).map(ServerResult::CallToolResult).ok_or_else(unreadable)
            }
            Ok(ServerResult::ReadResourceResult(own)) => {
                scrubbed(own, scrubber).map(ServerResult::ReadResourceResult).ok_or_else(unreadable)
            }
            Ok(ServerResult::GetPromptResult(own)) => {
                scrubbed(own, scrubber).map(ServerResult::GetPromptResult).ok_or_else(unreadable)
            }
            Ok(ServerResult::CompleteResult(own)) => {
                scrubbed(own, scrubber).map(ServerResult::CompleteResult).ok_or_else(unreadable)
            }
            Ok(ServerResult::InputRequiredResult(own)) => scrubbed(own, scrubber)
                .map(ServerResult::InputRequiredResult)
                .ok_or_else(unreadable),
            Ok(other) => match serde_json::to_value(&other) {
                // Nothing else has texts of a tool's.
                Ok(text) if text.clone().scrub(scrubber) == text => Ok(other),
                _ => Err(unreadable()),
            },
            Err(error) => Err(scrubbed(error, scrubber).unwrap_or_else(unreadable)),
        }))
    }
}

/// The same without secrets; as it was where there are none in it.
fn scrubbed<T: Serialize + DeserializeOwned>(given: T, scrubber: &Scrubber<'_>) -> Option<T> {
    let text: Value = serde_json::to_value(&given).ok()?;
    let shown = text.clone().scrub(scrubber);
    if shown == text { Some(given) } else { serde_json::from_value(shown).ok() }
}
