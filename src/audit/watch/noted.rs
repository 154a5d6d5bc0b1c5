//! What records say of what is live.

use std::borrow::Cow;

use super::{
    WatchedCall, WatchedCredential, WatchedDebt, WatchedGrant, WatchedQuestion, WatchedTask,
    tools_of,
};
use crate::audit::{AnswerGiven, Asked, BrokenGlass, Event, LeftDebt, Record};

fn owned(texts: &[Cow<'_, str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn text(text: Option<&Cow<'_, str>>) -> Option<String> {
    text.map(ToString::to_string)
}

impl WatchedTask {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::Opened {
            task,
            generation,
            who,
            who_kind,
            acts_for,
            purpose,
            ticket,
            intent,
            ceiling,
        } = &record.event
        else {
            return None;
        };
        Some(WatchedTask {
            task: task.to_string(),
            generation: *generation,
            who: who.to_string(),
            who_kind: who_kind.to_string(),
            acts_for: owned(acts_for),
            purpose: purpose.to_string(),
            ticket: text(ticket.as_ref()),
            intent: text(intent.as_ref()),
            opened: record.at,
            ceiling: *ceiling,
            dormant: false,
        })
    }
}

impl WatchedGrant {
    /// What was given, or renewed after this many calls.
    pub(super) fn of(record: &Record, calls: u64) -> Option<Self> {
        let Event::Granted {
            task,
            generation,
            grant,
            parent,
            holder,
            acts_for,
            scope,
            rules,
            starts,
            expires,
            ..
        } = &record.event
        else {
            return None;
        };
        Some(WatchedGrant {
            id: grant.to_string(),
            task: task.to_string(),
            generation: *generation,
            holder: holder.to_string(),
            acts_for: owned(acts_for),
            tools: tools_of(scope),
            rules: owned(rules),
            parent: text(parent.as_ref()),
            starts: *starts,
            expires: *expires,
            calls,
            break_glass: false,
        })
    }

    pub(super) fn of_emergency(record: &Record) -> Option<Self> {
        let Event::BrokenGlass(BrokenGlass {
            task,
            generation,
            grant,
            who,
            scope,
            rules,
            expires,
            ..
        }) = &record.event
        else {
            return None;
        };
        Some(WatchedGrant {
            id: grant.to_string(),
            task: task.to_string(),
            generation: *generation,
            holder: who.to_string(),
            acts_for: Vec::new(),
            tools: tools_of(scope),
            rules: owned(rules),
            parent: None,
            starts: None,
            expires: *expires,
            calls: 0,
            break_glass: true,
        })
    }
}

impl WatchedCall {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::Permitted {
            task, generation, grant, who, tool, resource_type, resource_id, ..
        } = &record.event
        else {
            return None;
        };
        Some(WatchedCall {
            seq: record.seq,
            task: task.to_string(),
            generation: *generation,
            grant: grant.to_string(),
            who: who.to_string(),
            tool: tool.to_string(),
            resource: text(resource_type.as_ref()).zip(text(resource_id.as_ref())),
            since: record.at,
            task_over: false,
        })
    }
}

impl WatchedQuestion {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::Asked(Asked {
            task,
            generation,
            question,
            who,
            parties,
            tool,
            scope,
            rules,
            expires,
            ..
        }) = &record.event
        else {
            return None;
        };
        let tools = match (tool, scope) {
            (Some(tool), _) => vec![tool.to_string()],
            (None, Some(scope)) => tools_of(scope),
            (None, None) => Vec::new(),
        };
        Some(WatchedQuestion {
            id: question.to_string(),
            task: task.to_string(),
            generation: *generation,
            who: who.to_string(),
            tools,
            of_call: tool.is_some(),
            rules: owned(rules),
            parties: owned(parties),
            asked: record.at,
            state: "waiting".to_owned(),
            until: Some(*expires),
            agreed: Vec::new(),
            width: None,
        })
    }

    /// Takes an answer that counts: whether anything is waited for after it.
    pub(super) fn answer(&mut self, answer: &AnswerGiven<'_>) -> bool {
        self.state = answer.state.to_string();
        self.agreed.extend(text(answer.who.as_ref()));
        self.width = text(answer.width.as_ref()).or(self.width.take());
        // Of a scope each item is good for a time of its own, which ends with its task at the latest.
        match (answer.good_until, self.of_call) {
            (Some(until), true) => self.until = Some(until),
            (Some(_), false) => self.until = None,
            (None, _) => {}
        }
        matches!(&*answer.state, "waiting" | "partial" | "approved")
    }

    /// Whether the first permit uses it up.
    pub(super) fn is_of_one_call(&self) -> bool {
        self.of_call && self.width.is_none()
    }
}

impl WatchedDebt {
    pub(super) fn of(left: &LeftDebt) -> Self {
        WatchedDebt {
            grant: left.grant().to_owned(),
            task: left.task().to_owned(),
            who: left.who().to_owned(),
            justification: left.justification().to_owned(),
            since: left.since(),
            due: left.due(),
        }
    }
}

impl WatchedCredential {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::CredentialPlanned {
            task, generation, credential, provider, name, expires, ..
        } = &record.event
        else {
            return None;
        };
        Some(WatchedCredential {
            name: name.to_string(),
            credential: credential.to_string(),
            provider: provider.to_string(),
            task: task.to_string(),
            generation: *generation,
            state: "planned".to_owned(),
            expires: *expires,
        })
    }

    /// Follows it by a record that names it.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        let (state, expires) = match event {
            Event::CredentialMinted { expires, .. } => ("minted", Some(*expires)),
            Event::CredentialOwed { until, .. } => ("owed", *until),
            Event::CredentialWithdrawn { .. } => ("withdrawn", None),
            _ => return,
        };
        self.state = state.to_owned();
        self.expires = expires.unwrap_or(self.expires);
    }
}
