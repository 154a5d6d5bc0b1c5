//! Records as events of `tracing`, with the names of OpenTelemetry's conventions for GenAI.
//!
//! What is told is a copy for looking on: the log is what is verified, and takes no harm from a subscriber that panics.

use std::borrow::Cow;
use std::sync::Arc;

use tracing::{Level, event};

use super::{Durable, Entry, Event, Kept, Outcome, Record, Sink, SinkError, Tail};
use crate::audit::{AnswerGiven, Asked, BrokenGlass};
use crate::clock::Timestamp;
use crate::contained::contained;

/// A sink whose records are told to `tracing` once it has accepted them.
pub(crate) struct Traced(Arc<dyn Sink>);

impl Traced {
    pub(crate) fn new(sink: Arc<dyn Sink>) -> Self {
        Traced(sink)
    }
}

impl Sink for Traced {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.0.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let kept = self.0.append(batch)?;
        // A subscriber that panics takes nothing from the log, whatever it is asked.
        let mut is_heard = false;
        contained(|| is_heard = tracing::enabled!(target: "hallpass", Level::WARN));
        if is_heard {
            for entry in batch.iter().take(kept.records()) {
                contained(|| {
                    if let Ok(record) = Record::from_line(entry.line) {
                        tell(&record);
                    }
                });
            }
        }
        Ok(kept)
    }

    fn report_to(&self, durable: Durable) {
        self.0.report_to(durable);
    }

    fn maintain(&self, now: Timestamp) {
        self.0.maintain(now);
    }

    fn closed(&self, last: u64) {
        self.0.closed(last);
    }
}

/// What an event says of a record. Nothing that a caller wrote but names: no argument, no scope, no digest of one, no
/// text that people wrote.
#[derive(Default)]
struct Told<'r> {
    /// Whether it is a call of a tool.
    is_call: bool,
    /// The number of the call's `permitted` record.
    call: Option<u64>,
    who: Option<&'r str>,
    tool: Option<&'r str>,
    /// Why something was not given, or how it failed.
    failed: Option<&'r str>,
    rules: Option<String>,
    count: Option<u64>,
    question: Option<&'r str>,
    credential: Option<&'r str>,
    outcome: Option<&'r str>,
    epoch: Option<u64>,
    is_warning: bool,
}

impl<'r> Told<'r> {
    fn of(record: &'r Record) -> Self {
        let rules = |own: &[Cow<'_, str>]| (!own.is_empty()).then(|| own.join(","));
        let none = Told::default();
        match &record.event {
            Event::Permitted { who, tool, rules: own, epoch, .. } => Told {
                is_call: true,
                call: Some(record.seq),
                who: Some(who),
                tool: Some(tool),
                rules: rules(own),
                epoch: Some(*epoch),
                ..none
            },
            Event::Denied { who, tool, reason, rules: own, epoch, .. } => Told {
                is_call: tool.is_some(),
                who: who.as_deref(),
                tool: tool.as_deref(),
                failed: Some(reason),
                rules: rules(own),
                epoch: *epoch,
                is_warning: true,
                ..none
            },
            Event::DeniedAgain(own) => Told {
                is_call: own.tool.is_some(),
                who: own.who.as_deref(),
                tool: own.tool.as_deref(),
                failed: Some(&own.reason),
                rules: rules(&own.rules),
                epoch: own.epoch,
                count: Some(own.count),
                is_warning: true,
                ..none
            },
            Event::Denials { reasons, .. } => Told {
                count: Some(reasons.values().fold(0, |sum: u64, n| sum.saturating_add(*n))),
                is_warning: true,
                ..none
            },
            Event::Outcome { of, outcome, .. } => Told {
                is_call: true,
                call: Some(*of),
                failed: (!matches!(outcome, Outcome::Ok | Outcome::Forwarded))
                    .then_some(outcome.as_str()),
                outcome: Some(outcome.as_str()),
                ..none
            },
            Event::Starting { of, .. } => Told { is_call: true, call: Some(*of), ..none },
            Event::SecretFound { of, .. } => {
                Told { is_call: true, call: Some(*of), is_warning: true, ..none }
            }
            Event::Opened { who, .. } | Event::TaskResumed { who, .. } => {
                Told { who: Some(who), ..none }
            }
            Event::Granted { holder, rules: own, epoch, .. } => {
                Told { who: Some(holder), rules: rules(own), epoch: Some(*epoch), ..none }
            }
            Event::BrokenGlass(BrokenGlass { who, rules: own, epoch, .. }) => Told {
                who: Some(who),
                rules: rules(own),
                epoch: Some(*epoch),
                is_warning: true,
                ..none
            },
            Event::DebtClosed { who, .. } => Told { who: Some(who), ..none },
            Event::Asked(Asked { question, who, tool, rules: own, epoch, .. }) => Told {
                question: Some(question),
                who: Some(who),
                tool: tool.as_deref(),
                rules: rules(own),
                epoch: Some(*epoch),
                ..none
            },
            Event::Answered(AnswerGiven { question, who, refused, .. }) => Told {
                question: Some(question),
                who: who.as_deref(),
                failed: refused.as_deref(),
                ..none
            },
            Event::Voided { question, why, .. } => {
                Told { question: Some(question), failed: Some(why), ..none }
            }
            Event::GrantEnded { why, .. } => Told { failed: Some(why), ..none },
            Event::CredentialPlanned { of, name, .. } => {
                Told { call: Some(*of), credential: Some(name), ..none }
            }
            Event::CredentialMinted { name, .. }
            | Event::CredentialWithdrawn { name }
            | Event::CredentialGone { name, .. } => Told { credential: Some(name), ..none },
            Event::CredentialOwed { name, .. } => {
                Told { credential: Some(name), is_warning: true, ..none }
            }
            Event::Halted { .. } | Event::AlertFailed { .. } | Event::Withdrawn { .. } => {
                Told { is_warning: true, ..none }
            }
            Event::Reloaded { epoch, .. } => Told { epoch: Some(*epoch), ..none },
            _ => none,
        }
    }
}

/// Tells `tracing` of a record.
fn tell(record: &Record) {
    let told = Told::of(record);
    macro_rules! tell {
        ($level:expr) => {
            event!(
                target: "hallpass",
                $level,
                gen_ai.operation.name = told.is_call.then_some("execute_tool"),
                gen_ai.tool.name = told.tool,
                gen_ai.tool.call.id = told.call,
                gen_ai.agent.id = told.who,
                error.r#type = told.failed,
                hallpass.kind = record.event.kind(),
                hallpass.seq = record.seq,
                hallpass.at = record.at.unix_millis(),
                hallpass.task = record.event.task(),
                hallpass.generation = record.event.generation(),
                hallpass.grant = record.event.grant(),
                hallpass.rules = told.rules.as_deref(),
                hallpass.epoch = told.epoch,
                hallpass.outcome = told.outcome,
                hallpass.question = told.question,
                hallpass.credential = told.credential,
                hallpass.count = told.count,
                hallpass.break_glass = record.event.is_of_glass().then_some(true),
            )
        };
    }
    match told.is_warning {
        true => tell!(Level::WARN),
        false => tell!(Level::INFO),
    }
}

#[cfg(test)]
mod tests;
