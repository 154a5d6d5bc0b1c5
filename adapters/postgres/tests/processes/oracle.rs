//! What may not have happened, from the readings of starts and the returns of acts alone.

use std::collections::BTreeMap;

use crate::node::{COUNT, COUNTED};

/// An act, as the round asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) what: Vec<String>,
    pub(crate) asked: u64,
    /// When it had returned as final, if it has.
    pub(crate) returned: Option<u64>,
}

/// A call that started.
#[derive(Debug)]
struct Start<'t> {
    process: usize,
    /// Not before this was the last reading made, and its grant was given by then.
    read: u64,
    given: u64,
    tool: &'t str,
    task: &'t str,
}

/// How much was seen of what is to be held against it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) starts: usize,
    pub(crate) elsewhere: usize,
    pub(crate) acts: usize,
    pub(crate) unheard: usize,
    pub(crate) stops: usize,
    pub(crate) kills: usize,
    pub(crate) takeovers: usize,
    pub(crate) records: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: Seen) {
        self.starts += other.starts;
        self.elsewhere += other.elsewhere;
        self.acts += other.acts;
        self.unheard += other.unheard;
        self.stops += other.stops;
        self.kills += other.kills;
        self.takeovers += other.takeovers;
        self.records += other.records;
    }

    pub(crate) fn check(&self, rounds: u64) {
        let rounds = usize::try_from(rounds).unwrap();
        assert!(self.starts > 100 * rounds && self.acts > 4 * rounds, "{self:?}");
        if rounds >= 10 {
            let all = [self.elsewhere, self.unheard, self.stops, self.kills, self.takeovers];
            assert!(all.iter().all(|seen| *seen > 0), "{self:?}");
        }
    }
}

/// Holds what was told against what was done. `names` are those of the processes, by number.
pub(crate) fn check(told: &[(usize, String)], acts: &[Asked], names: &[&str]) -> Seen {
    let starts: Vec<Start<'_>> = told.iter().filter_map(start_of).collect();
    for start in &starts {
        for act in acts {
            let Some(returned) = act.returned.filter(|returned| *returned < start.read) else {
                continue;
            };
            let what: Vec<&str> = act.what.iter().map(String::as_str).collect();
            let forbids = match *what {
                ["halt", tool] => {
                    tool == start.tool && !may_go_on(acts, act, start, &["resume", tool])
                }
                ["forbid"] => start.tool == "r" && !may_go_on(acts, act, start, &["allow"]),
                // What was given before is over.
                ["revoke"] => start.given < act.asked,
                ["end", node, task] => start.task == format!("{node}/{task}"),
                _ => false,
            };
            assert!(!forbids, "{start:?} came {} ns after {act:?}", start.read - returned);
        }
    }
    one_owner_of_each_name(&starts, names);
    let counted = starts.iter().filter(|start| start.tool == COUNTED).count();
    assert!(counted <= COUNT, "{counted} calls, of which {COUNT} were allowed");
    let elsewhere =
        starts.iter().filter(|start| start.task.split('/').next() != Some(names[start.process]));
    Seen {
        elsewhere: elsewhere.count(),
        acts: acts.iter().filter(|act| act.returned.is_some()).count(),
        starts: starts.len(),
        ..Seen::default()
    }
}

/// Whether what lets go on may have come after an act: it was asked for before the call started, and not known to be over when the act
/// was asked for.
fn may_go_on(acts: &[Asked], after: &Asked, start: &Start<'_>, what: &[&str]) -> bool {
    acts.iter().any(|own| {
        own.what == what
            && own.asked < start.read
            && own.returned.is_none_or(|returned| returned >= after.asked)
    })
}

/// Of two processes of one name, the first has started its last call when the second starts its first.
fn one_owner_of_each_name(starts: &[Start<'_>], names: &[&str]) {
    let mut spans: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for start in starts {
        let span = spans.entry(start.process).or_insert((start.read, start.read));
        *span = (span.0.min(start.read), span.1.max(start.read));
    }
    for (one, (_, last)) in &spans {
        for (other, (first, _)) in spans.range(one + 1..) {
            let both = names[*one] == names[*other] && first < last;
            assert!(!both, "processes {one} and {other} are both `{}`", names[*one]);
        }
    }
}

fn start_of((process, line): &(usize, String)) -> Option<Start<'_>> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["started", read, given, tool, task] = *words else { return None };
    Some(Start {
        process: *process,
        read: read.parse().unwrap(),
        given: given.parse().unwrap(),
        tool,
        task,
    })
}
