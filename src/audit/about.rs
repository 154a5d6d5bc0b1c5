//! What a record is about, whatever its kind.

use super::Event;
use crate::audit::{AnswerGiven, Asked, BrokenGlass, GrantShortened};

impl Event<'_> {
    /// The kind, as the record spells it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::LogStarted { .. } => "log_started",
            Event::Rekeyed { .. } => "rekeyed",
            Event::Opened { .. } => "opened",
            Event::Granted { .. } => "granted",
            Event::Denied { .. } => "denied",
            Event::DeniedAgain(_) => "denied_again",
            Event::Denials { .. } => "denials",
            Event::Permitted { .. } => "permitted",
            Event::Asked(_) => "asked",
            Event::Answered(_) => "answered",
            Event::Voided { .. } => "voided",
            Event::Starting { .. } => "starting",
            Event::Outcome { .. } => "outcome",
            Event::SecretFound { .. } => "secret_found",
            Event::CredentialPlanned { .. } => "credential_planned",
            Event::CredentialMinted { .. } => "credential_minted",
            Event::CredentialOwed { .. } => "credential_owed",
            Event::CredentialWithdrawn { .. } => "credential_withdrawn",
            Event::CredentialGone { .. } => "credential_gone",
            Event::Ended { .. } => "ended",
            Event::Settled(_) => "settled",
            Event::GrantShortened(_) => "grant_shortened",
            Event::GrantEnded { .. } => "grant_ended",
            Event::BrokenGlass(_) => "broken_glass",
            Event::AlertFailed { .. } => "alert_failed",
            Event::DebtClosed { .. } => "debt_closed",
            Event::TaskResumed { .. } => "task_resumed",
            Event::Reloaded { .. } => "reloaded",
            Event::Restated { .. } => "restated",
            Event::Halted { .. } => "halted",
            Event::Resumed { .. } => "resumed",
            Event::Withdrawn { .. } => "withdrawn",
            Event::Void { .. } => "void",
            Event::Reopened { .. } => "reopened",
        }
    }

    /// The task it is about, if it is about one.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Event::Opened { task, .. }
            | Event::Granted { task, .. }
            | Event::Permitted { task, .. }
            | Event::Asked(Asked { task, .. })
            | Event::Answered(AnswerGiven { task, .. })
            | Event::Voided { task, .. }
            | Event::Starting { task, .. }
            | Event::Outcome { task, .. }
            | Event::SecretFound { task, .. }
            | Event::CredentialPlanned { task, .. }
            | Event::CredentialMinted { task, .. }
            | Event::Ended { task, .. }
            | Event::GrantShortened(GrantShortened { task, .. })
            | Event::GrantEnded { task, .. }
            | Event::BrokenGlass(BrokenGlass { task, .. })
            | Event::AlertFailed { task, .. }
            | Event::DebtClosed { task, .. }
            | Event::TaskResumed { task, .. } => Some(task),
            Event::Denied { task, .. } | Event::Withdrawn { task, .. } => task.as_deref(),
            Event::DeniedAgain(denials) => denials.task.as_deref(),
            Event::Settled(settled) => Some(&settled.task),
            Event::Denials { .. }
            | Event::CredentialOwed { .. }
            | Event::CredentialWithdrawn { .. }
            | Event::CredentialGone { .. }
            | Event::LogStarted { .. }
            | Event::Rekeyed { .. }
            | Event::Reloaded { .. }
            | Event::Restated { .. }
            | Event::Halted { .. }
            | Event::Resumed { .. }
            | Event::Void { .. }
            | Event::Reopened { .. } => None,
        }
    }

    /// The generation of the task it is about, where it says one.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        match self {
            Event::Opened { generation, .. }
            | Event::Granted { generation, .. }
            | Event::Permitted { generation, .. }
            | Event::Asked(Asked { generation, .. })
            | Event::Answered(AnswerGiven { generation, .. })
            | Event::Voided { generation, .. }
            | Event::Starting { generation, .. }
            | Event::Outcome { generation, .. }
            | Event::SecretFound { generation, .. }
            | Event::CredentialPlanned { generation, .. }
            | Event::CredentialMinted { generation, .. }
            | Event::BrokenGlass(BrokenGlass { generation, .. })
            | Event::AlertFailed { generation, .. }
            | Event::DebtClosed { generation, .. }
            | Event::Ended { generation, .. }
            | Event::GrantShortened(GrantShortened { generation, .. })
            | Event::GrantEnded { generation, .. }
            | Event::TaskResumed { generation, .. } => Some(*generation),
            Event::Denied { generation, .. } => *generation,
            Event::DeniedAgain(denials) => denials.generation,
            Event::Settled(settled) => Some(settled.generation),
            _ => None,
        }
    }

    /// The grant it is about, if it is about one.
    #[must_use]
    pub fn grant(&self) -> Option<&str> {
        match self {
            Event::Granted { grant, .. }
            | Event::Permitted { grant, .. }
            | Event::CredentialPlanned { grant, .. }
            | Event::GrantShortened(GrantShortened { grant, .. })
            | Event::GrantEnded { grant, .. }
            | Event::BrokenGlass(BrokenGlass { grant, .. })
            | Event::AlertFailed { grant, .. }
            | Event::DebtClosed { grant, .. } => Some(grant),
            Event::Denied { grant, .. } | Event::Withdrawn { grant, .. } => grant.as_deref(),
            _ => None,
        }
    }

    /// Where in a distributed trace it was asked, if the context of the question [said](crate::Context::traced).
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        match self {
            Event::Granted { trace, .. }
            | Event::Denied { trace, .. }
            | Event::Permitted { trace, .. }
            | Event::BrokenGlass(BrokenGlass { trace, .. }) => trace.as_deref(),
            _ => None,
        }
    }

    /// Whether it is of what breaking the glass gave, or would have given.
    #[must_use]
    pub fn is_of_glass(&self) -> bool {
        match self {
            Event::BrokenGlass(_) | Event::AlertFailed { .. } | Event::DebtClosed { .. } => true,
            Event::Denied { break_glass, .. }
            | Event::Permitted { break_glass, .. }
            | Event::Asked(Asked { break_glass, .. })
            | Event::Answered(AnswerGiven { break_glass, .. })
            | Event::Voided { break_glass, .. }
            | Event::Starting { break_glass, .. }
            | Event::Outcome { break_glass, .. }
            | Event::SecretFound { break_glass, .. }
            | Event::GrantShortened(GrantShortened { break_glass, .. })
            | Event::GrantEnded { break_glass, .. }
            | Event::Withdrawn { break_glass, .. } => *break_glass,
            Event::DeniedAgain(denials) => denials.break_glass,
            _ => false,
        }
    }

    /// Whether it gives access, and so takes effect only once it is recorded (P9). Everything else
    /// stands whether the log accepts it or not. A reload or a resume may widen what is possible,
    /// but gives nothing before a permit is recorded, so it need not wait for the log.
    pub(crate) fn gives_access(&self) -> bool {
        matches!(
            self,
            Event::Opened { .. }
                | Event::TaskResumed { .. }
                | Event::Granted { .. }
                | Event::BrokenGlass(_)
                | Event::Permitted { .. }
                | Event::Starting { .. }
                | Event::CredentialPlanned { .. }
                | Event::CredentialMinted { refused: None, .. }
        )
    }

    /// Whether it says that something was not given: where memory runs short, records of these are
    /// summed.
    pub(crate) fn denies(&self) -> bool {
        matches!(self, Event::Denied { .. })
    }
}
