//! A denial as a status of gRPC.

use std::collections::HashMap;

use hallpass::{Code, Denial};
use hallpass_tower::Refusal;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

/// The metadata by which a caller comes back with what people agreed to.
pub const PENDING: &str = "hallpass-pending";

/// The domain of what error details say.
const DOMAIN: &str = "hallpass";

/// A denial as a status: that of its code ([`Code::grpc_status`]), with the details of `google.rpc`. The `reason` of
/// `ErrorInfo` is the word for the agent in capitals. A limit that frees by itself says `RetryInfo`. What waits for people is
/// a `PreconditionFailure`, with its text under `pending` in the metadata of `ErrorInfo`: the caller sends the same call again
/// with it as [`hallpass-pending`](PENDING) once they have agreed.
///
/// It says nothing of what operators may read.
///
/// ```
/// # use hallpass::prelude::*;
/// # let broker = Broker::new(Policy::builder().build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let denial = broker.gate().deny(&agent, "erase", Reason::UnknownTool, "there is no such tool");
/// assert_eq!(hallpass_tonic::status_of(&denial).code(), tonic::Code::PermissionDenied);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn status_of(denial: &Denial) -> Status {
    let code = denial.code();
    let waits = code == Code::ApprovalRequired;
    let pending = denial.pending().filter(|_| waits).and_then(|own| own.to_text());
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> =
        pending.into_iter().map(|text| ("pending".to_owned(), text)).collect();
    details.set_error_info(code.as_str().to_ascii_uppercase(), DOMAIN, metadata);
    if waits {
        details.add_precondition_failure_violation(
            "APPROVAL",
            DOMAIN,
            "people have to agree first",
        );
    }
    if let Some(wait) = denial.retry_after() {
        details.set_retry_info(Some(wait));
    }
    Status::with_error_details(named(code.grpc_status()), denial.to_string(), details)
}

/// A code of tonic by its name; were there ever another one, a refusal is what is left.
fn named(name: &str) -> tonic::Code {
    match name {
        "INVALID_ARGUMENT" => tonic::Code::InvalidArgument,
        "UNAUTHENTICATED" => tonic::Code::Unauthenticated,
        "FAILED_PRECONDITION" => tonic::Code::FailedPrecondition,
        "RESOURCE_EXHAUSTED" => tonic::Code::ResourceExhausted,
        "UNAVAILABLE" => tonic::Code::Unavailable,
        _ => tonic::Code::PermissionDenied,
    }
}

/// Where the host names no caller, there may be no one to record a denial of.
pub(crate) fn refused(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Unauthenticated => {
            Status::unauthenticated("expected a request that says who calls")
        }
        Refusal::Denied(denial) => status_of(&denial),
    }
}

/// The call was permitted, and what its method gave can't be handed on.
pub(crate) fn broken() -> Status {
    Status::internal("the tool failed")
}

/// What permitted a stream has ended.
pub(crate) fn cut() -> Status {
    Status::aborted("what permitted the call has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_the_status_of_its_name() {
        for code in Code::ALL {
            // `PERMISSION_DENIED` as `PermissionDenied`.
            let own = format!("{:?}", named(code.grpc_status())).to_ascii_uppercase();
            assert_eq!(own, code.grpc_status().replace('_', ""));
        }
    }
}
