//! What a replay came to: counts, by reason and by rule.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::Policy;

use super::answer::{Answer, Verdict};
use super::line::Line;

/// How many rules that never fired are listed by name.
const LISTED: usize = 50;

/// What is told about a kind of question: the operations that ask it, the heading, and the word for
/// those that were permitted.
const QUESTIONS: [(&[&str], &str, &str); 6] = [
    (&["open"], "tasks", "opened"),
    (&["request", "trim"], "requests", "granted"),
    (&["delegate"], "delegations", "given"),
    (&["renew", "checkpoint"], "renewals", "renewed"),
    (&["call", "authorize", "redeem"], "calls", "permitted"),
    (&["run"], "starts", "started"),
];

pub(crate) struct Summary {
    lines: u64,
    met: u64,
    mismatches: u64,
    tallies: [Tally; QUESTIONS.len()],
    /// Each rule of any policy that was loaded, and how often it decided.
    rules: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Tally {
    permitted: u64,
    denied: BTreeMap<&'static str, u64>,
}

impl Summary {
    pub(crate) fn new(policy: &Policy) -> Self {
        let tallies = std::array::from_fn(|_| Tally::default());
        let mut summary =
            Summary { lines: 0, met: 0, mismatches: 0, tallies, rules: BTreeMap::new() };
        summary.know(policy);
        summary
    }

    /// Takes in the rules of a policy.
    pub(crate) fn know(&mut self, policy: &Policy) {
        for rule in policy.rules() {
            if !self.rules.contains_key(rule.id()) {
                self.rules.insert(rule.id().to_owned(), 0);
            }
        }
    }

    pub(crate) fn count(&mut self, line: &Line<'_>, answer: &Answer) {
        self.lines += 1;
        match line.expect.map(|expected| answer.misses(expected).is_empty()) {
            Some(true) => self.met += 1,
            Some(false) => self.mismatches += 1,
            None => {}
        }
        let asks = QUESTIONS.iter().position(|(ops, ..)| ops.contains(&line.op));
        let Some(tally) = asks.and_then(|at| self.tallies.get_mut(at)) else {
            return;
        };
        match answer.verdict() {
            Some(Verdict::Permit) => tally.permitted += 1,
            Some(Verdict::Deny(refusal)) => *tally.denied.entry(refusal.reason).or_default() += 1,
            None => {}
        }
        for rule in answer.rules() {
            if let Some(fired) = self.rules.get_mut(rule) {
                *fired += 1;
            }
        }
    }

    /// How many lines were not answered as they expected.
    pub(crate) fn mismatches(&self) -> u64 {
        self.mismatches
    }

    /// # Errors
    /// If the text can't be written.
    pub(crate) fn write(&self, trace: &str, out: &mut dyn Write) -> io::Result<()> {
        let Summary { lines, met, mismatches, .. } = self;
        writeln!(out, "\n{trace}: {lines} lines, {met} expectations met, {mismatches} not")?;
        for (tally, (_, name, permitted)) in self.tallies.iter().zip(QUESTIONS) {
            let denied: u64 = tally.denied.values().sum();
            let all = tally.permitted + denied;
            if all == 0 && name != "calls" {
                continue;
            }
            writeln!(out, "{name}: {all}, {} {permitted}, {denied} denied", tally.permitted)?;
            for (reason, count) in &tally.denied {
                writeln!(out, "  {count:>8} {reason}")?;
            }
        }
        let (fired, never): (Vec<_>, Vec<_>) =
            self.rules.iter().partition(|(_, fired)| **fired > 0);
        writeln!(out, "rules that fired: {}", fired.len())?;
        for (rule, count) in fired {
            writeln!(out, "  {count:>8} {rule}")?;
        }
        writeln!(out, "rules that never fired: {}", never.len())?;
        for (rule, _) in never.iter().take(LISTED) {
            writeln!(out, "           {rule}")?;
        }
        if let Some(more) = never.len().checked_sub(LISTED).filter(|more| *more > 0) {
            writeln!(out, "           and {more} more")?;
        }
        Ok(())
    }
}
