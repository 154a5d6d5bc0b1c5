//! What a client is told of a denial.

use hallpass::{Code, Denial};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, JsonObject, MetaObject, ServerResult};
use serde_json::{Value, json};

use crate::presented::PENDING;

/// Where the protocol has no result that says it: the request is denied.
const DENIED: ErrorCode = ErrorCode(-32010);

/// A denial of a tool's call, which the model sees. That nothing can be decided now is not for the model.
pub(crate) fn denied_call(denial: &Denial) -> Result<ServerResult, ErrorData> {
    if denial.code() == Code::Unavailable {
        return Err(refusal(denial));
    }
    let mut result = CallToolResult::error(vec![ContentBlock::text(words(denial))]);
    result.meta = Some(MetaObject(said(denial, "hallpass/code", PENDING)));
    Ok(ServerResult::CallToolResult(result))
}

/// A denial of anything else.
pub(crate) fn refusal(denial: &Denial) -> ErrorData {
    let code = if denial.code() == Code::Unavailable { ErrorCode::INTERNAL_ERROR } else { DENIED };
    ErrorData::new(code, words(denial), Some(Value::Object(said(denial, "code", "pending"))))
}

/// A request that the revision does not know.
pub(crate) fn unknown() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "method not found", None)
}

fn said(denial: &Denial, code: &str, pending: &str) -> JsonObject {
    let mut said = JsonObject::new();
    said.insert(code.to_owned(), json!(denial.code().as_str()));
    let waits = denial.code() == Code::ApprovalRequired;
    let text = denial.pending().filter(|_| waits).and_then(|own| own.to_text());
    said.extend(text.map(|text| (pending.to_owned(), Value::from(text))));
    said
}

fn words(denial: &Denial) -> String {
    let mut told = denial.to_string();
    if denial.code() == Code::ApprovalRequired
        && let Some(pending) = denial.pending()
    {
        told.push_str(&format!(": question {} waits for people to agree", pending.id()));
    }
    if let Some(wait) = denial.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        told.push_str(&format!(": free again in {seconds}s"));
    }
    told
}
