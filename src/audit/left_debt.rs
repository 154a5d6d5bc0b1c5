//! A review that a log owes when it ends.

use super::Event;
use crate::audit::BrokenGlass;
use crate::clock::Timestamp;

/// A use of the emergency path that was not reviewed when a log ended: what its `broken_glass` record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftDebt {
    grant: String,
    task: String,
    generation: u64,
    who: String,
    aliases: Vec<String>,
    justification: String,
    rules: Vec<String>,
    since: Timestamp,
    due: Timestamp,
    refuses_while_open: bool,
}

impl LeftDebt {
    /// What is owed for a `broken_glass` record of this time.
    pub(super) fn of(event: &Event<'_>, since: Timestamp) -> Option<LeftDebt> {
        let Event::BrokenGlass(BrokenGlass {
            task,
            generation,
            grant,
            who,
            aliases,
            justification,
            rules,
            due,
            refuses_while_open,
            ..
        }) = event
        else {
            return None;
        };
        let texts =
            |own: &[std::borrow::Cow<'_, str>]| own.iter().map(ToString::to_string).collect();
        Some(LeftDebt {
            grant: grant.to_string(),
            task: task.to_string(),
            generation: *generation,
            who: who.to_string(),
            aliases: texts(aliases),
            justification: justification.to_string(),
            rules: texts(rules),
            since,
            due: *due,
            refuses_while_open: *refuses_while_open,
        })
    }

    /// The grant that breaking the glass gave.
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Which opening of the task it was.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Who broke the glass.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The other names of that person.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().map(String::as_str)
    }

    /// Why, in that person's words: escape it before a person sees it.
    pub fn justification(&self) -> &str {
        &self.justification
    }

    /// The permits that gave it.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(String::as_str)
    }

    /// When the glass was broken.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Until when it has to be reviewed.
    pub fn due(&self) -> Timestamp {
        self.due
    }

    /// Whether it refuses this person's next use before it is due, too.
    pub fn refuses_while_open(&self) -> bool {
        self.refuses_while_open
    }
}
