//! A record in words.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::audit::{
    AnswerGiven, Answered, Asked, BrokenGlass, DeniedAgain, Event, GrantShortened, Outcome, Record,
};
use crate::clock::Timestamp;
use crate::value::Value;
use crate::visible::escape_for_people;

/// The most characters of one text that a sentence repeats.
const MOST: usize = 512;

/// What one record says, in words. Texts of agents and people stand in backticks, and what can't be seen in them
/// is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sentence {
    /// The number of the record.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The words.
    pub text: String,
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  #{}  {}", self.at, self.seq, self.text)
    }
}

impl Sentence {
    /// What a record says, as a person may safely read it; nothing of one that tells no story, as the first of a log.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let text = words(&record.event)?;
        Some(Sentence { seq: record.seq, at: record.at, text })
    }
}

fn words(event: &Event<'_>) -> Option<String> {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    match event {
        Event::Opened {
            task, who, who_kind, acts_for, purpose, ticket, intent, ceiling, ..
        } => {
            let who = quoted(who);
            let _ =
                write!(text, "{who_kind} {who}{} opened task {}", for_whom(acts_for), quoted(task));
            let _ = write!(text, ", for the purpose {}", quoted(purpose));
            let _ = write!(text, "{}", also(", ticket ", ticket.as_deref()));
            let _ = write!(text, "{}", also(", to ", intent.as_deref()));
            let _ = write!(text, "; it ends at {ceiling} at the latest");
        }
        Event::Granted {
            grant,
            parent,
            requester,
            holder,
            acts_for,
            scope,
            rules,
            starts,
            expires,
            serial,
            approvals,
            ..
        } => {
            let (holder, requester) = (quoted(holder), quoted(requester));
            let _ = write!(text, "{holder}{} was granted {}", for_whom(acts_for), tools(scope));
            let _ = write!(
                text,
                " by {}{}, until {expires}: grant {}",
                list("rule", rules),
                starts.map_or(String::new(), |starts| format!(", from {starts}")),
                quoted(grant)
            );
            if *serial > 1 {
                let _ = write!(text, ", renewed ({serial})");
            }
            let _ = write!(text, "{}", also(", delegated from ", parent.as_deref()));
            if !approvals.is_empty() {
                let _ = write!(text, ", as agreed to in {}", list("question", approvals));
            }
            if holder != requester {
                let _ = write!(text, ", requested by {requester}");
            }
        }
        Event::Permitted {
            who,
            acts_for,
            tool,
            resource_type,
            resource_id,
            rules,
            approvals,
            grant,
            ..
        } => {
            let _ = write!(text, "{}{} may call {}", quoted(who), for_whom(acts_for), quoted(tool));
            let _ = write!(text, "{}", resource(resource_type.as_deref(), resource_id.as_deref()));
            let _ = write!(text, " by {}, under grant {}", list("rule", rules), quoted(grant));
            if !approvals.is_empty() {
                let _ = write!(text, ", as agreed to in {}", list("question", approvals));
            }
        }
        Event::Denied {
            stage,
            who,
            tool,
            resource_type,
            resource_id,
            scope,
            reason,
            rules,
            ..
        } => {
            let stage = stage.as_str().replace('_', " ");
            let _ = write!(text, "denied at the stage `{stage}`, for {}", quoted(reason));
            let _ = write!(text, "{}", also(", to ", who.as_deref()));
            let _ = write!(text, "{}", also(": ", tool.as_deref()));
            let _ = write!(text, "{}", resource(resource_type.as_deref(), resource_id.as_deref()));
            if let Some(scope) = scope {
                let _ = write!(text, ": {}", tools(scope));
            }
            if !rules.is_empty() {
                let _ = write!(text, ", by {}", list("rule", rules));
            }
        }
        Event::DeniedAgain(denials) => {
            let DeniedAgain { count, since, stage, who, tool, scope, reason, .. } = &**denials;
            let stage = stage.as_str().replace('_', " ");
            let _ = write!(text, "denied {count} times more since {since}, at the stage `{stage}`");
            let _ = write!(text, ", for {}", quoted(reason));
            let _ = write!(text, "{}", also(", to ", who.as_deref()));
            let _ = write!(text, "{}", also(": ", tool.as_deref()));
            let (kind, id) = (denials.resource_type.as_deref(), denials.resource_id.as_deref());
            let _ = write!(text, "{}", resource(kind, id));
            if let Some(scope) = scope {
                let _ = write!(text, ": {}", tools(scope));
            }
        }
        Event::Asked(Asked { question, who, tool, scope, rules, expires, .. }) => {
            let (question, who) = (quoted(question), quoted(who));
            let _ = write!(text, "people were asked, until {expires}, whether {who} may ");
            let _ = match (tool, scope) {
                (Some(tool), _) => write!(text, "call {}", quoted(tool)),
                (None, Some(scope)) => write!(text, "hold {}", tools(scope)),
                (None, None) => write!(text, "go on"),
            };
            let _ = write!(text, ", by {}: question {question}", list("rule", rules));
        }
        Event::Answered(AnswerGiven {
            question,
            who,
            answer,
            items,
            refused,
            reason,
            state,
            ..
        }) => {
            let said = match answer {
                Answered::Approve => "approved",
                Answered::Confirm => "confirmed",
                Answered::Deny => "denied",
                Answered::Cancel => "took back",
                Answered::Amend => "amended",
            };
            let who = who.as_deref().map_or("the asker".to_owned(), quoted);
            let _ = write!(text, "{who} {said} ");
            if !items.is_empty() {
                let numbers: Vec<String> = items.iter().map(u32::to_string).collect();
                let item = if items.len() == 1 { "item" } else { "items" };
                let _ = write!(text, "{item} {} of ", numbers.join(", "));
            }
            let _ = write!(text, "question {}", quoted(question));
            let _ = write!(text, "{}", also(", saying ", reason.as_deref()));
            match refused {
                Some(why) => _ = write!(text, ", which does not count: {}", quoted(why)),
                None => _ = write!(text, ", which is {} now", quoted(state)),
            }
        }
        Event::Voided { question, state, why, .. } => {
            let (question, why) = (quoted(question), quoted(why));
            let _ = write!(text, "question {question} ended as {}, by {why}", quoted(state));
        }
        Event::Starting { of, .. } => _ = write!(text, "the call of #{of} was about to start"),
        Event::Outcome { of, outcome, task_over, .. } => {
            text.push_str(match outcome {
                Outcome::Ok => "the call",
                Outcome::Error => "the call failed, that",
                Outcome::Abandoned => "the call never started, that",
                Outcome::Interrupted => "the call was interrupted, that",
                Outcome::Forwarded => "the call was forwarded, to run elsewhere, that",
                Outcome::Unknown => "nothing is known of the end of the call",
            });
            let _ = write!(text, " of #{of}");
            if *outcome == Outcome::Ok {
                text.push_str(" succeeded");
            }
            if *task_over {
                text.push_str(", after the task had ended");
            }
        }
        Event::SecretFound { of, credentials, .. } => {
            let found = list("credential", credentials);
            let _ = write!(text, "{found} stood in what the call of #{of} gave, and was taken out");
        }
        Event::CredentialPlanned { of, credential, provider, name, expires, .. } => {
            let (credential, provider) = (quoted(credential), quoted(provider));
            let _ =
                write!(text, "credential {credential} was to be minted by {provider} for #{of}");
            let _ = write!(text, ", until {expires}, as {}", quoted(name));
        }
        Event::CredentialMinted { name, refused, .. } => {
            let _ = write!(text, "credential {} was minted", quoted(name));
            let _ = write!(text, "{}", also(", and not used: ", refused.as_deref()));
        }
        Event::CredentialOwed { name, attempt, why, until, .. } => {
            let _ = write!(
                text,
                "credential {} could not be withdrawn ({attempt}): {}",
                quoted(name),
                quoted(why)
            );
            if let Some(until) = until {
                let _ = write!(text, "; it stands until {until}");
            }
        }
        Event::CredentialWithdrawn { name } => {
            let _ = write!(text, "credential {} was withdrawn", quoted(name));
        }
        Event::CredentialGone { name, .. } => {
            let _ = write!(text, "credential {} is gone", quoted(name));
        }
        Event::Ended { how, reason, running, .. } => {
            let _ = write!(text, "the task ended: {}", how.as_str());
            let _ = write!(text, "{}", also(", saying ", reason.as_deref()));
            running_at_end(&mut text, running);
        }
        Event::Settled(settled) => {
            text.push_str("the task was settled: no call of it runs");
            let _ = match settled.count_gone() {
                0 => Ok(()),
                1 => write!(text, ", 1 credential is gone"),
                many => write!(text, ", {many} credentials are gone"),
            };
            for own in &settled.owed {
                let (name, until) = (quoted(&own.name), own.until);
                let _ = write!(
                    text,
                    ", credential {name} can't be withdrawn, and stands until {until}"
                );
            }
        }
        Event::GrantShortened(GrantShortened { grant, expires, epoch, .. }) => {
            let _ = write!(text, "grant {} was shortened, until {expires}", quoted(grant));
            let _ = write!(text, ", by what is in force as epoch {epoch}");
        }
        Event::GrantEnded { grant, why, below, running, .. } => {
            let _ = write!(text, "grant {} ended, for {}", quoted(grant), quoted(why));
            if !below.is_empty() {
                let _ = write!(text, ", and {} delegated from it", below.len());
            }
            running_at_end(&mut text, running);
        }
        Event::BrokenGlass(BrokenGlass {
            grant,
            who,
            justification,
            scope,
            rules,
            passed,
            expires,
            due,
            ..
        }) => {
            let (who, scope) = (quoted(who), tools(scope));
            let _ = write!(text, "{who} broke the glass for {scope} by {}", list("rule", rules));
            let _ = write!(text, ", until {expires}: grant {}", quoted(grant));
            let _ = write!(text, ", saying {}", quoted(justification));
            if !passed.is_empty() {
                let _ = write!(text, ", not held up by {}", list("ask", passed));
            }
            let _ = write!(text, "; it has to be reviewed before {due}");
        }
        Event::AlertFailed { grant, cause, given, .. } => {
            let stands = if *given { "stands all the same" } else { "was not given" };
            let _ = write!(
                text,
                "the alert of the broken glass failed: {}; grant {} {stands}",
                quoted(cause),
                quoted(grant)
            );
        }
        Event::DebtClosed { grant, who, verdict, note, refused, .. } => {
            let _ = write!(
                text,
                "{} reviewed grant {} of the broken glass",
                quoted(who),
                quoted(grant)
            );
            let _ = write!(text, " as {}, saying {}", quoted(verdict), quoted(note));
            if let Some(why) = refused {
                let _ = write!(text, ", which does not count: {}", quoted(why));
            }
        }
        Event::Reloaded { epoch, policy } => {
            let _ = write!(text, "policy {} came into force, as epoch {epoch}", quoted(policy));
        }
        Event::Halted { what, until } => {
            let _ = write!(text, "{} was halted", quoted(what));
            if let Some(until) = until {
                let _ = write!(text, ", until {until}");
            }
        }
        Event::Resumed { what } => _ = write!(text, "{} was resumed", quoted(what)),
        Event::Withdrawn { was, cause, .. } => {
            let _ = write!(
                text,
                "the log refused a record of the kind {was}, and what it gives was not given: {}",
                quoted(cause)
            );
        }
        Event::TaskResumed { who, .. } => {
            _ = write!(text, "{} took the task up again, and none of its grants", quoted(who));
        }
        Event::Reopened { .. } => text.push_str("another process went on with the log"),
        _ => return None,
    }
    Some(text)
}

fn running_at_end(text: &mut String, running: &[u64]) {
    if !running.is_empty() {
        let calls: Vec<_> = running.iter().map(|seq| format!("#{seq}")).collect();
        let _ = write!(text, ", while {} ran", calls.join(", "));
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", escape_for_people(text, MOST))
}

/// What stands before a text that may be absent, and that text.
fn also(before: &str, text: Option<&str>) -> String {
    text.map(|text| format!("{before}{}", quoted(text))).unwrap_or_default()
}

fn for_whom(acts_for: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = acts_for.iter().map(|name| quoted(name.as_ref())).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(", acting for {},", names.join(", for ")),
    }
}

fn list(what: &str, names: &[impl AsRef<str>]) -> String {
    let ending = if names.len() == 1 { "" } else { "s" };
    let names: Vec<_> = names.iter().map(|name| quoted(name.as_ref())).collect();
    match names.is_empty() {
        true => format!("no {what}"),
        false => format!("{what}{ending} {}", names.join(", ")),
    }
}

fn resource(kind: Option<&str>, id: Option<&str>) -> String {
    match (kind, id) {
        (Some(kind), Some(id)) => format!(" on {} {}", quoted(kind), quoted(id)),
        _ => String::new(),
    }
}

/// The tools that a scope names, and how long it is if it was too long to be kept.
fn tools(scope: &Value) -> String {
    let tools = super::super::review::tools_of(scope);
    match tools.is_empty() {
        true => "a scope that is too long to be in the log".to_owned(),
        false => tools.iter().map(|tool| quoted(tool)).collect::<Vec<_>>().join(", "),
    }
}
