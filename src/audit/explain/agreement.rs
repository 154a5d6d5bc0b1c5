//! What people were asked, and what they said.

use serde::Serialize;

use crate::audit::{AnswerGiven, Answered, Asked, Event, Record};
use crate::clock::Timestamp;

/// A question to people, and their answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Agreement {
    /// The question's id.
    pub question: String,
    /// The rules that had people asked.
    pub rules: Vec<String>,
    /// When it was asked.
    pub asked: Timestamp,
    /// All answers up to then, those that do not count among them.
    pub answers: Vec<Answer>,
    /// Whether it was about a call, whose yes is used up.
    #[serde(skip)]
    pub(super) of_call: bool,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// Who gave it; nothing where the asker took the question back.
    pub who: Option<String>,
    /// What they said.
    pub answer: Answered,
    /// When.
    pub at: Timestamp,
    /// Why it does not count, if it does not.
    pub refused: Option<String>,
}

impl Agreement {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Event::Asked(Asked { question, rules, tool, .. }) = &record.event else { return None };
        let rules = rules.iter().map(ToString::to_string).collect();
        let (question, asked) = (question.to_string(), record.at);
        Some(Agreement { question, rules, asked, answers: Vec::new(), of_call: tool.is_some() })
    }

    pub(super) fn answer(&mut self, record: &Record) {
        let Event::Answered(AnswerGiven { who, answer, refused, .. }) = &record.event else {
            return;
        };
        let [who, refused] = [who, refused].map(|text| text.as_ref().map(ToString::to_string));
        self.answers.push(Answer { who, answer: *answer, at: record.at, refused });
    }

    /// Those whose yes counts: reviewers, and the human that is acted for.
    pub fn agreed(&self) -> impl Iterator<Item = &str> {
        let yes = |own: &&Answer| {
            own.refused.is_none() && matches!(own.answer, Answered::Approve | Answered::Confirm)
        };
        self.answers.iter().filter(yes).filter_map(|own| own.who.as_deref())
    }
}
