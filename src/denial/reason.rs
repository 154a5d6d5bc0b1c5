//! Reasons of denials, for operators.

use std::fmt;

use super::code::Code;

/// Why, in full: for operators, records and tests, never for agents.
///
/// The list is exhaustive on purpose: a match on it is made to look at a new reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The purpose is not well formed.
    MalformedPurpose,
    /// The scope asked for is empty, too large or cannot be meant.
    MalformedScope,
    /// Tool name, arguments or resource of the call are not well formed.
    MalformedCall,
    /// The context given by the host is not well formed.
    MalformedContext,
    /// The glass is broken for no reason that is said, or one that is too long.
    NoJustification,
    /// The question takes more steps than one may: see [the policy language](crate::_documentation::policy#what-a-question-may-cost).
    TooCostly,
    /// The token's text is too long, of an unknown version or not canonical.
    MalformedToken,
    /// No key of the ring has the token's key id.
    UnknownKey,
    /// The token's key was retired and its grace is over.
    RetiredKey,
    /// The token's signature does not verify.
    BadSignature,
    /// The token was made for another audience or by another issuer.
    ForeignToken,
    /// The token carries an attenuation that this gate cannot enforce.
    UnsupportedToken,
    /// The caller's identity was attested by another broker.
    ForeignIdentity,
    /// What vouched for an identity is over: the host has to attest it anew.
    IdentityExpired,
    /// The caller is not the holder.
    NotTheHolder,
    /// The token is rightly signed, and the table knows no such task or grant.
    UnknownGrant,
    /// The task has ended.
    TaskOver,
    /// The grant was revoked.
    Revoked,
    /// The grant ended because today's policy would not give it.
    Drifted,
    /// The grant was renewed since: a newer token has replaced this one.
    Superseded,
    /// A call-bound presentation that was taken before.
    Replayed,
    /// A call-bound presentation whose time is not near the broker's.
    StalePresentation,
    /// The token, the grant or the task is past its time.
    Expired,
    /// The grant, or one it was delegated from, was asked for from an instant on that has not come: see
    /// [`Scope::starting`](crate::Scope::starting).
    NotYet,
    /// The permit was not started in time.
    PermitLapsed,
    /// A task of this name is live already.
    TaskNameTaken,
    /// No capability of the grant covers the call.
    OutOfScope,
    /// The tool is not in the catalogue.
    UnknownTool,
    /// The tool's definition is not the one that the [catalogue pins](crate::policy::Tool::pinned).
    ToolChanged,
    /// A capability asked for does not lie within any one permit.
    NotCovered,
    /// No permit applies.
    NoPermit,
    /// What a tool runs with can't be ended as soon as the rules accept: see `grant.tail`.
    TailTooLong,
    /// A forbid applies.
    Forbidden,
    /// The glass is broken, or what that gave is used, by somebody else than one human who acts for no one.
    NotOneHuman,
    /// What was done when this person broke the glass before is not reviewed.
    ReviewOwed,
    /// An ask applies, and no approval was given.
    ApprovalRequired,
    /// What an approved call refers to is not what was shown.
    ApprovalStale,
    /// The question was denied, taken back, not answered or not used in time, or a rule that it was asked under
    /// changed.
    ApprovalVoid,
    /// The approval was used.
    ApprovalSpent,
    /// All uses are spent or reserved.
    UsesSpent,
    /// Too many calls within the window.
    RateExceeded,
    /// The sum over an argument would pass its budget, or the argument is not a number that counts.
    BudgetSpent,
    /// More of something is open at once than the broker holds.
    TooMany,
    /// A halt is on: over everything, or this identity, task or tool.
    Halted,
    /// The policy changed between the permit and its start: authorize again.
    PolicyChanged,
    /// What is attested of those concerned was restated between the permit and its start: authorize
    /// again.
    FactsChanged,
    /// What the broker asks the host for facts failed, panicked or was late.
    ContextUnavailable,
    /// The tool runs with a credential, and was to be run without: use [`run_with`](crate::Permit::run_with).
    NeedsCredential,
    /// A credential that the tool runs with can't be had.
    CredentialUnavailable,
    /// The glass is broken, and the host's alert was not accepted.
    NotAlerted,
    /// The clock cannot be read.
    ClockUnreadable,
    /// The system gave no random bytes.
    NoRandomness,
    /// The log refused the record.
    LogRefused,
    /// This process was forked from the one that the broker was built in: build another here.
    Forked,
    /// The node has no good lease of its fleet: it can't know what was stopped elsewhere.
    NoLease,
    /// The task is at home at another node of the fleet, which has to be asked:
    /// [`Denial::elsewhere`](super::Denial::elsewhere) names it. Or it was asked, and gave no answer.
    Elsewhere,
    /// The node is about to leave its fleet, and begins nothing new.
    Draining,
    /// A limit counts the identity over all nodes of the fleet, and the store that keeps the count gave no answer.
    LimitUnknown,
    /// A message that no node of the fleet sent to this one as it is now, or that was taken before.
    ForeignMessage,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 59] = [
        Reason::MalformedPurpose,
        Reason::MalformedScope,
        Reason::MalformedCall,
        Reason::MalformedContext,
        Reason::NoJustification,
        Reason::TooCostly,
        Reason::MalformedToken,
        Reason::UnknownKey,
        Reason::RetiredKey,
        Reason::BadSignature,
        Reason::ForeignToken,
        Reason::UnsupportedToken,
        Reason::ForeignIdentity,
        Reason::IdentityExpired,
        Reason::NotTheHolder,
        Reason::UnknownGrant,
        Reason::TaskOver,
        Reason::Revoked,
        Reason::Drifted,
        Reason::Superseded,
        Reason::Replayed,
        Reason::StalePresentation,
        Reason::Expired,
        Reason::NotYet,
        Reason::PermitLapsed,
        Reason::TaskNameTaken,
        Reason::OutOfScope,
        Reason::UnknownTool,
        Reason::ToolChanged,
        Reason::NotCovered,
        Reason::NoPermit,
        Reason::TailTooLong,
        Reason::Forbidden,
        Reason::NotOneHuman,
        Reason::ReviewOwed,
        Reason::ApprovalRequired,
        Reason::ApprovalStale,
        Reason::ApprovalVoid,
        Reason::ApprovalSpent,
        Reason::UsesSpent,
        Reason::RateExceeded,
        Reason::BudgetSpent,
        Reason::TooMany,
        Reason::Halted,
        Reason::PolicyChanged,
        Reason::FactsChanged,
        Reason::ContextUnavailable,
        Reason::NeedsCredential,
        Reason::CredentialUnavailable,
        Reason::NotAlerted,
        Reason::ClockUnreadable,
        Reason::NoRandomness,
        Reason::LogRefused,
        Reason::Forked,
        Reason::NoLease,
        Reason::Elsewhere,
        Reason::Draining,
        Reason::LimitUnknown,
        Reason::ForeignMessage,
    ];

    /// What the agent is told for this reason.
    pub const fn code(self) -> Code {
        match self {
            Reason::MalformedPurpose
            | Reason::MalformedScope
            | Reason::MalformedCall
            | Reason::MalformedContext
            | Reason::NoJustification
            | Reason::TooCostly
            | Reason::TaskNameTaken => Code::BadRequest,
            Reason::MalformedToken
            | Reason::UnknownKey
            | Reason::RetiredKey
            | Reason::BadSignature
            | Reason::ForeignMessage
            | Reason::ForeignToken
            | Reason::UnsupportedToken
            | Reason::ForeignIdentity
            | Reason::NotTheHolder
            | Reason::UnknownGrant
            | Reason::TaskOver
            | Reason::Revoked
            | Reason::Drifted
            | Reason::Superseded
            | Reason::Replayed => Code::InvalidToken,
            Reason::IdentityExpired
            | Reason::Expired
            | Reason::PermitLapsed
            | Reason::StalePresentation => Code::Expired,
            Reason::OutOfScope => Code::OutOfScope,
            Reason::UnknownTool
            | Reason::ToolChanged
            | Reason::NotCovered
            | Reason::NoPermit
            | Reason::TailTooLong
            | Reason::Forbidden
            | Reason::NotOneHuman
            | Reason::ReviewOwed => Code::NotPermitted,
            Reason::ApprovalRequired
            | Reason::ApprovalStale
            | Reason::ApprovalVoid
            | Reason::ApprovalSpent => Code::ApprovalRequired,
            Reason::UsesSpent
            | Reason::RateExceeded
            | Reason::BudgetSpent
            | Reason::NotYet
            | Reason::TooMany => Code::LimitReached,
            Reason::Halted => Code::Halted,
            Reason::PolicyChanged
            | Reason::FactsChanged
            | Reason::ContextUnavailable
            | Reason::NeedsCredential
            | Reason::CredentialUnavailable
            | Reason::NotAlerted
            | Reason::ClockUnreadable
            | Reason::NoRandomness
            | Reason::LogRefused
            | Reason::Forked
            | Reason::NoLease
            | Reason::Elsewhere
            | Reason::Draining
            | Reason::LimitUnknown => Code::Unavailable,
        }
    }

    /// The stable word of records and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::MalformedPurpose => "malformed_purpose",
            Reason::MalformedScope => "malformed_scope",
            Reason::MalformedCall => "malformed_call",
            Reason::MalformedContext => "malformed_context",
            Reason::NoJustification => "no_justification",
            Reason::TooCostly => "too_costly",
            Reason::MalformedToken => "malformed_token",
            Reason::UnknownKey => "unknown_key",
            Reason::RetiredKey => "retired_key",
            Reason::BadSignature => "bad_signature",
            Reason::ForeignToken => "foreign_token",
            Reason::UnsupportedToken => "unsupported_token",
            Reason::ForeignIdentity => "foreign_identity",
            Reason::IdentityExpired => "identity_expired",
            Reason::NotTheHolder => "not_the_holder",
            Reason::UnknownGrant => "unknown_grant",
            Reason::TaskOver => "task_over",
            Reason::Revoked => "revoked",
            Reason::Drifted => "drifted",
            Reason::Superseded => "superseded",
            Reason::Replayed => "replayed",
            Reason::StalePresentation => "stale_presentation",
            Reason::Expired => "expired",
            Reason::NotYet => "not_yet",
            Reason::PermitLapsed => "permit_lapsed",
            Reason::TaskNameTaken => "task_name_taken",
            Reason::OutOfScope => "out_of_scope",
            Reason::UnknownTool => "unknown_tool",
            Reason::ToolChanged => "tool_changed",
            Reason::NotCovered => "not_covered",
            Reason::NoPermit => "no_permit",
            Reason::TailTooLong => "tail_too_long",
            Reason::Forbidden => "forbidden",
            Reason::NotOneHuman => "not_one_human",
            Reason::ReviewOwed => "review_owed",
            Reason::ApprovalRequired => "approval_required",
            Reason::ApprovalStale => "approval_stale",
            Reason::ApprovalVoid => "approval_void",
            Reason::ApprovalSpent => "approval_spent",
            Reason::UsesSpent => "uses_spent",
            Reason::RateExceeded => "rate_exceeded",
            Reason::BudgetSpent => "budget_spent",
            Reason::TooMany => "too_many",
            Reason::Halted => "halted",
            Reason::PolicyChanged => "policy_changed",
            Reason::FactsChanged => "facts_changed",
            Reason::ContextUnavailable => "context_unavailable",
            Reason::NeedsCredential => "needs_credential",
            Reason::CredentialUnavailable => "credential_unavailable",
            Reason::NotAlerted => "not_alerted",
            Reason::ClockUnreadable => "clock_unreadable",
            Reason::NoRandomness => "no_randomness",
            Reason::LogRefused => "log_refused",
            Reason::Forked => "forked",
            Reason::NoLease => "no_lease",
            Reason::Elsewhere => "elsewhere",
            Reason::Draining => "draining",
            Reason::LimitUnknown => "limit_unknown",
            Reason::ForeignMessage => "foreign_message",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_documents_says_what_the_code_does() {
        let rows = |code: &Code| {
            let reasons = Reason::ALL.iter().filter(|reason| reason.code() == *code);
            let reasons: Vec<_> = reasons.map(|reason| format!("`{reason}`")).collect();
            let (http, grpc) = (code.http_status(), code.grpc_status());
            (format!("| `{code}` |"), format!("| {http} | `{grpc}` | {} |", reasons.join(", ")))
        };
        let table = include_str!("../../docs/denials.md");
        let mut lines = table.lines().filter(|line| line.starts_with("| `"));
        for (begins, ends) in Code::ALL.iter().map(rows) {
            let line = lines.next().unwrap();
            assert!(line.starts_with(&begins) && line.ends_with(&ends), "{line}\n{begins} {ends}");
        }
        assert_eq!(lines.next(), None);
    }
}
