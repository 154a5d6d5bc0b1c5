//! A question that a log leaves open when it ends: what its records say of it, in their order.

use std::fmt;

use zeroize::Zeroizing;

use super::seal::SealKey;
use super::{Answered, Event, Record};
use crate::approval::GIVEN_BACK;
use crate::approval::width::Width;
use crate::audit::{AnswerGiven, Asked};
use crate::clock::Timestamp;

/// A text that was sealed in a record. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Unsealed(Zeroizing<String>);

/// A question that was not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftQuestion {
    pub(crate) task: String,
    pub(crate) generation: u64,
    pub(crate) break_glass: bool,
    /// Whether it is about a call, whose yes is used by a permit.
    pub(crate) of_call: bool,
    /// The tools that it is about: of a plan, of each item.
    pub(crate) tools: Vec<String>,
    /// The asks.
    pub(crate) rules: Vec<String>,
    pub(crate) asked: Timestamp,
    pub(crate) expires: Timestamp,
    /// What it was about; nothing where that was not sealed, or the log's key is another.
    pub(crate) kept: Option<Unsealed>,
    /// What became of it since, in order.
    pub(crate) since: Vec<SinceAsked>,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SinceAsked {
    Answered(LeftAnswer),
    /// A permit took a use of its yes.
    Permitted {
        seq: u64,
        /// The rules that gave the permit.
        rules: Vec<String>,
    },
    Ended {
        of: u64,
        /// Whether its call never started.
        abandoned: bool,
    },
}

/// An answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftAnswer {
    pub(crate) at: Timestamp,
    pub(crate) answer: Answered,
    /// The identity, as it was stated; nothing where that was not sealed, or the log's key is another.
    pub(crate) who: Option<Unsealed>,
    /// The digest of the view that was shown.
    pub(crate) shown: Option<String>,
    pub(crate) width: Option<String>,
    pub(crate) items: Vec<u32>,
    pub(crate) given: Vec<u32>,
    /// Until when its yes is good, if this made it complete.
    pub(crate) good_until: Option<Timestamp>,
}

/// What a record of a question is sealed for: it can't be opened in another.
pub(crate) fn sealed_place<'p>(
    kind: &'p str,
    log: &'p str,
    question: &'p str,
    task: &'p str,
    generation: &'p str,
) -> [&'p str; 5] {
    [kind, log, question, task, generation]
}

impl LeftQuestion {
    /// A question of this log, whose records are under `key` there.
    pub(super) fn of(record: &Record, log: &str, key: Option<&SealKey>) -> Option<LeftQuestion> {
        let Event::Asked(Asked {
            task,
            generation,
            question,
            tool,
            scope,
            rules,
            expires,
            sealed,
            break_glass,
            ..
        }) = &record.event
        else {
            return None;
        };
        let number = generation.to_string();
        let place = sealed_place("asked", log, question, task, &number);
        let items = scope.as_deref().and_then(|scope| scope.as_list()).unwrap_or_default();
        let tool_of = |item: &crate::value::Value| {
            let tool = item.as_object()?.get("tool")?.as_text()?;
            Some(tool.to_owned())
        };
        Some(LeftQuestion {
            task: task.to_string(),
            generation: *generation,
            break_glass: *break_glass,
            of_call: tool.is_some(),
            tools: tool
                .iter()
                .map(ToString::to_string)
                .chain(items.iter().filter_map(tool_of))
                .collect(),
            rules: rules.iter().map(ToString::to_string).collect(),
            asked: record.at,
            expires: *expires,
            kept: unseal(key, &place, sealed.as_deref()),
            since: Vec::new(),
        })
    }

    /// Takes an answer that counts: whether nothing comes after it.
    pub(super) fn answer(&mut self, record: &Record, log: &str, key: Option<&SealKey>) -> bool {
        let Event::Answered(AnswerGiven {
            task,
            generation,
            question,
            answer,
            shown,
            items,
            given,
            width,
            state,
            good_until,
            sealed,
            ..
        }) = &record.event
        else {
            return false;
        };
        let number = generation.to_string();
        let place = sealed_place("answered", log, question, task, &number);
        self.since.push(SinceAsked::Answered(LeftAnswer {
            at: record.at,
            answer: *answer,
            who: unseal(key, &place, sealed.as_deref()),
            shown: shown.as_ref().map(ToString::to_string),
            width: width.as_ref().map(ToString::to_string),
            items: items.clone(),
            given: given.clone(),
            good_until: *good_until,
        }));
        !["waiting", "approved", "partial", "spent"].contains(&&**state)
    }

    /// The tools of what a no denies that had no answer yet: of a call its own, of a plan those of the items.
    pub(super) fn denied_tools(&self, items: &[u32]) -> Vec<&str> {
        if self.of_call {
            return self.tools.iter().map(String::as_str).collect();
        }
        let is_settled = |number: u32| {
            self.since.iter().any(|own| match own {
                SinceAsked::Answered(LeftAnswer { answer: Answered::Deny, items, .. }) => {
                    items.contains(&number)
                }
                SinceAsked::Answered(own) => own.given.contains(&number),
                _ => false,
            })
        };
        let open = (1..).zip(&self.tools);
        open.filter(|(number, _)| items.contains(number) && !is_settled(*number))
            .map(|(_, tool)| tool.as_str())
            .collect()
    }

    /// Whether permits took all uses of its yes, as one who verifies the log counts them. Of a permit without an
    /// outcome it is asked whether its call never started.
    pub(crate) fn is_used_up(&self, is_unstarted: impl Fn(u64) -> bool) -> bool {
        let (mut taken, mut come_back, mut uses) = (0_u32, 0_u32, None::<u32>);
        for event in &self.since {
            match event {
                SinceAsked::Answered(own) if own.answer == Answered::Approve => {
                    let width = own.width.as_deref().map_or(Ok(Width::CALL), str::parse);
                    let width = width.map_or(u32::MAX, Width::uses);
                    uses = Some(uses.map_or(width, |own| own.min(width)));
                }
                SinceAsked::Answered(_) => {}
                SinceAsked::Permitted { seq, .. } => {
                    taken = taken.saturating_add(1);
                    come_back = come_back.saturating_add(is_unstarted(*seq).into());
                }
                SinceAsked::Ended { abandoned, .. } => {
                    come_back = come_back.saturating_add((*abandoned).into());
                }
            }
        }
        let used = taken.saturating_sub(come_back.min(GIVEN_BACK.into()));
        used >= uses.unwrap_or(Width::CALL.uses())
    }
}

impl Unsealed {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealed")
    }
}

fn unseal(key: Option<&SealKey>, place: &[&str], sealed: Option<&str>) -> Option<Unsealed> {
    key?.open(place, sealed?).map(|text| Unsealed(Zeroizing::new(text)))
}

#[cfg(test)]
mod tests;
