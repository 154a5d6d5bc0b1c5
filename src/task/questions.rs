//! The questions of a task, and for how long nothing is asked any more.

use std::sync::Arc;

use super::question::OpenQuestion;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::tool::ToolName;

/// How many questions that are settled a task remembers, so that reviewers see what became of them.
const REMEMBERED: usize = 64;

/// After how many denials of one rule's questions about a tool nothing is asked for a while.
const DENIALS: u8 = 3;

/// The questions of a task, looked at and changed under its lock.
#[derive(Default)]
pub(crate) struct Questions {
    all: Vec<Arc<OpenQuestion>>,
    denied: Vec<Denied>,
    /// Whether the task is one of an earlier life of the broker that has not been taken up again.
    is_dormant: bool,
}

/// How often questions of one rule about one tool were denied.
struct Denied {
    rule: Arc<str>,
    tool: ToolName,
    times: u8,
    /// Until when nothing is asked.
    until: Option<Timestamp>,
}

impl Questions {
    pub(crate) fn is_dormant(&self) -> bool {
        self.is_dormant
    }

    pub(crate) fn note_dormant(&mut self, is_dormant: bool) {
        self.is_dormant = is_dormant;
    }

    pub(crate) fn all(&self) -> &[Arc<OpenQuestion>] {
        &self.all
    }

    /// Those of the same call by the same holder, the newest first.
    pub(crate) fn of<'q>(
        &'q self,
        holder: &'q Identity,
        call: &'q Call,
    ) -> impl Iterator<Item = &'q Arc<OpenQuestion>> {
        self.all.iter().rev().filter(|own| own.is_of(holder, call))
    }

    /// Those whose yes reaches the call of the holder: those of the call itself first, the newest first.
    pub(crate) fn reaching<'q>(
        &'q self,
        holder: &'q Identity,
        call: &'q Call,
    ) -> impl Iterator<Item = &'q Arc<OpenQuestion>> {
        let others = self.all.iter().rev().filter(|own| own.call() != Some(call));
        self.of(holder, call).chain(others.filter(|own| own.reaches(holder, call)))
    }

    /// Keeps a question, and gives those that are final and not remembered any more.
    pub(crate) fn keep(
        &mut self,
        question: Arc<OpenQuestion>,
        now: Timestamp,
    ) -> Vec<Arc<OpenQuestion>> {
        let is_final = |own: &OpenQuestion| own.is_final(now);
        if self.all.is_empty() {
            // Most tasks that ask anything ask one thing.
            self.all.reserve_exact(1);
        }
        self.all.push(question);
        let mut forgotten = Vec::new();
        if self.all.len() <= REMEMBERED {
            return forgotten;
        }
        let mut settled = self.all.iter().filter(|own| is_final(own)).count();
        self.all.retain(|own| {
            let forget = settled > REMEMBERED && is_final(own);
            if forget {
                settled -= 1;
                forgotten.push(own.clone());
            }
            !forget
        });
        forgotten
    }

    /// Notes that a question of this rule about this tool was denied; from the third on, nothing is asked
    /// until then.
    pub(crate) fn note_denied(&mut self, rule: &Arc<str>, tool: &ToolName, until: Timestamp) {
        let same = |own: &&mut Denied| own.rule == *rule && own.tool == *tool;
        let Some(own) = self.denied.iter_mut().find(same) else {
            let (rule, tool) = (rule.clone(), tool.clone());
            self.denied.push(Denied { rule, tool, times: 1, until: None });
            return;
        };
        own.times += 1;
        if own.times >= DENIALS {
            own.times = 0;
            own.until = Some(until);
        }
    }

    /// Until when nothing of this rule is asked about this tool.
    pub(crate) fn cools_down(
        &self,
        rule: &str,
        tool: &ToolName,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let same = |own: &&Denied| *own.rule == *rule && own.tool == *tool;
        self.denied.iter().find(same)?.until.filter(|until| now < *until)
    }
}
