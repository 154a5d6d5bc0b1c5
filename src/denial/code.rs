//! Codes of denials, for agents.

use std::fmt;

/// What an agent is told: one of a few stable words that say what it can do about it and nothing
/// that helps it probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// What was presented is malformed: fix it.
    BadRequest,
    /// The token is of no use here: unknown, foreign, ended, superseded or forged.
    InvalidToken,
    /// The time is over: ask again.
    Expired,
    /// The grant does not cover this call: ask for what is needed.
    OutOfScope,
    /// Policy does not give this.
    NotPermitted,
    /// People have to agree first.
    ApprovalRequired,
    /// A limit is reached.
    LimitReached,
    /// Operators have stopped this.
    Halted,
    /// It can't be decided or recorded right now: try later.
    Unavailable,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 9] = [
        Code::BadRequest,
        Code::InvalidToken,
        Code::Expired,
        Code::OutOfScope,
        Code::NotPermitted,
        Code::ApprovalRequired,
        Code::LimitReached,
        Code::Halted,
        Code::Unavailable,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::BadRequest => "bad_request",
            Code::InvalidToken => "invalid_token",
            Code::Expired => "expired",
            Code::OutOfScope => "out_of_scope",
            Code::NotPermitted => "not_permitted",
            Code::ApprovalRequired => "approval_required",
            Code::LimitReached => "limit_reached",
            Code::Halted => "halted",
            Code::Unavailable => "unavailable",
        }
    }

    /// The HTTP status that says the same. A `401` wants a `WWW-Authenticate` header, too, and the body says
    /// the code: four of them are `403`.
    pub const fn http_status(self) -> u16 {
        match self {
            Code::BadRequest => 400,
            Code::InvalidToken | Code::Expired => 401,
            Code::OutOfScope | Code::NotPermitted | Code::ApprovalRequired | Code::Halted => 403,
            Code::LimitReached => 429,
            Code::Unavailable => 503,
        }
    }

    /// The name of the gRPC status that says the same. What waits for people is a failed precondition: a
    /// client that calls again at once gets the same answer.
    pub const fn grpc_status(self) -> &'static str {
        match self {
            Code::BadRequest => "INVALID_ARGUMENT",
            Code::InvalidToken | Code::Expired => "UNAUTHENTICATED",
            Code::OutOfScope | Code::NotPermitted => "PERMISSION_DENIED",
            Code::ApprovalRequired | Code::Halted => "FAILED_PRECONDITION",
            Code::LimitReached => "RESOURCE_EXHAUSTED",
            Code::Unavailable => "UNAVAILABLE",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_never_one_of_success() {
        for code in Code::ALL {
            assert!((400..600).contains(&code.http_status()));
            assert_ne!(code.grpc_status(), "OK");
        }
    }
}
