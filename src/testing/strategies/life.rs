//! Whole lives of tasks, as traces.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::edit::{Edit, edits};
use super::scopes::{Widening, scope_of, widenings};
use super::seeds::Seeds;
use crate::testing::policy_question::PolicyQuestion;
use crate::value::{Object, Value, object_of};

/// How many things happen at most.
const MOST_MOVES: usize = 24;

/// What happens to tasks, their grants and their calls, as a trace for [`replay`](crate::testing::replay()).
///
/// Tasks are opened and ask for scopes; their grants are used, for what was asked for and for other calls; time passes,
/// operators revoke, halt and resume. At the end every task has ended, and the trace expects that no grant is worth anything
/// then, and that nothing stands.
///
/// ```
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::{max, min};
/// use hallpass::testing::{replay, strategies};
/// use proptest::test_runner::TestRunner;
///
/// let pay = Rule::permit("pay").tool("bank.pay").arg("amount", min(0).and(max(500))).uses(3);
/// let policy = Policy::builder().rule(pay).build()?;
/// TestRunner::deterministic().run(&strategies::lives(&policy), |life| {
///     replay(&policy, life.trace());
///     Ok(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Life {
    trace: String,
}

impl Life {
    /// The trace, one operation a line.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    pub(super) fn of(seeds: &Seeds, moves: &[Move]) -> Self {
        let mut teller =
            Teller { seeds, lines: Vec::new(), tasks: Vec::new(), grants: Vec::new(), named: 0 };
        moves.iter().for_each(|own| teller.tell(own));
        teller.end();
        let start = teller.start();
        let header = object_of([
            ("op", Value::from("trace")),
            ("version", Value::from(1)),
            ("start", Value::from(start)),
        ]);
        let lines = [header].into_iter().chain(teller.lines);
        Life { trace: lines.map(|line| line.to_json() + "\n").collect() }
    }
}

/// The trace.
impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace)
    }
}

/// The trace, a line each.
impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Life\n{}", self.trace)
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Move {
    /// A task is opened for a question, and asks for its call or for more.
    Ask {
        question: Index,
        edits: Vec<Edit>,
        widenings: Vec<Widening>,
    },
    /// A grant is used for what it was asked for, or for something near.
    Call {
        grant: Index,
        edits: Vec<Edit>,
        fails: bool,
    },
    /// A permit is taken, and started, finished, or let go of.
    Steps {
        grant: Index,
        does_run: bool,
        does_finish: bool,
    },
    Pass {
        seconds: u32,
    },
    End {
        task: Index,
        how: usize,
    },
    Revoke {
        grant: Index,
    },
    /// A tool is halted for a while, during which a grant is used.
    Halt {
        grant: Index,
    },
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let own = || vec(edits(), 0..3);
    let one = prop_oneof![
        4 => (any::<Index>(), own(), widenings())
            .prop_map(|(question, edits, widenings)| Move::Ask { question, edits, widenings }),
        6 => (any::<Index>(), own(), any::<bool>())
            .prop_map(|(grant, edits, fails)| Move::Call { grant, edits, fails }),
        3 => (any::<Index>(), any::<bool>(), any::<bool>())
            .prop_map(|(grant, does_run, does_finish)| Move::Steps { grant, does_run, does_finish }),
        3 => (1..900_u32).prop_map(|seconds| Move::Pass { seconds }),
        1 => (any::<Index>(), 0..3_usize).prop_map(|(task, how)| Move::End { task, how }),
        1 => any::<Index>().prop_map(|grant| Move::Revoke { grant }),
        1 => any::<Index>().prop_map(|grant| Move::Halt { grant }),
    ];
    vec(one, 1..MOST_MOVES)
}

/// A grant that was asked for, given or not.
struct Asked {
    alias: String,
    /// The question it was asked for.
    question: Object,
}

/// Writes what happens.
struct Teller<'s> {
    seeds: &'s Seeds,
    lines: Vec<Value>,
    /// Tasks, and whether they are open.
    tasks: Vec<(String, bool)>,
    grants: Vec<Asked>,
    named: usize,
}

impl Teller<'_> {
    fn tell(&mut self, own: &Move) {
        match own {
            Move::Ask { question, edits, widenings } => {
                let question = self.seeds.question(question, edits);
                self.ask(question, widenings);
            }
            Move::Call { grant, edits, fails } => {
                let Some((alias, question)) = self.changed(grant, edits) else { return };
                let Some(mut line) = self.of_call("call", &question, &alias) else { return };
                if *fails {
                    // The key is written once.
                    let _ = line.insert("outcome", Value::from("error"));
                }
                self.lines.push(Value::Object(line));
            }
            Move::Steps { grant, does_run, does_finish } => {
                self.steps(grant, *does_run, *does_finish);
            }
            Move::Pass { seconds } => {
                let advance = Value::from(format!("{seconds}s"));
                self.line("clock", [("advance", advance)]);
            }
            Move::End { task, how } => {
                if self.tasks.is_empty() {
                    return;
                }
                let at = task.index(self.tasks.len());
                let how = ["completed", "failed", "revoked"].get(*how).copied();
                self.end_task(at, how.unwrap_or("completed"));
            }
            Move::Revoke { grant } => {
                if let Some((alias, _)) = self.changed(grant, &[]) {
                    self.line("revoke", [("grant", Value::from(alias))]);
                }
            }
            Move::Halt { grant } => {
                let Some((alias, question)) = self.changed(grant, &[]) else { return };
                let Some(tool) = question.get("tool").cloned() else { return };
                self.line("halt", [("tool", tool.clone())]);
                if let Some(line) = self.of_call("call", &question, &alias) {
                    self.expect_deny(line);
                }
                self.line("resume", [("tool", tool)]);
            }
        }
    }

    fn ask(&mut self, question: Object, widenings: &[Widening]) {
        let read = self.seeds.read(&question);
        let Some(call) = read.as_ref().and_then(PolicyQuestion::call) else { return };
        let scope = scope_of(call, widenings).to_value();
        let (task, grant) = (self.name("task"), self.name("grant"));
        let part = |name: &str| question.get(name).cloned().unwrap_or(Value::Object(Object::new()));
        let opened = [
            ("task", Value::from(task.as_str())),
            ("who", part("who")),
            ("purpose", part("purpose")),
        ];
        self.line("open", opened);
        let asked = [
            ("task", Value::from(task.as_str())),
            ("as", Value::from(grant.as_str())),
            ("scope", scope),
            ("context", part("context")),
        ];
        self.line("request", asked);
        self.tasks.push((task, true));
        self.grants.push(Asked { alias: grant, question });
    }

    fn steps(&mut self, grant: &Index, does_run: bool, does_finish: bool) {
        let Some((alias, question)) = self.changed(grant, &[]) else { return };
        let tool = question.get("tool").and_then(Value::as_text).unwrap_or_default();
        // Such a call is made in one step: a permit alone has no credential.
        if self.seeds.needs_credential(tool) {
            return;
        }
        let permit = self.name("permit");
        let Some(mut line) = self.of_call("authorize", &question, &alias) else { return };
        // The key is written once.
        let _ = line.insert("as", Value::from(permit.as_str()));
        self.lines.push(Value::Object(line));
        if does_run {
            self.line("run", [("permit", Value::from(permit.as_str()))]);
        }
        let last = if does_run && does_finish { "finish" } else { "drop" };
        self.line(last, [("permit", Value::from(permit))]);
    }

    /// Ends what is open, and expects that nothing is worth anything then.
    fn end(&mut self) {
        for at in 0..self.tasks.len() {
            self.end_task(at, "completed");
        }
        for Asked { alias, question } in std::mem::take(&mut self.grants) {
            if let Some(line) = self.of_call("call", &question, &alias) {
                self.expect_deny(line);
            }
            self.grants.push(Asked { alias, question });
        }
        let nothing = || Value::List(Vec::new());
        let expect = object_of([("tasks", nothing()), ("grants", nothing())]);
        self.line("standing", [("expect", expect)]);
    }

    fn end_task(&mut self, at: usize, how: &str) {
        let Some((task, is_open)) = self.tasks.get_mut(at).filter(|(_, is_open)| *is_open) else {
            return;
        };
        *is_open = false;
        let task = Value::from(task.as_str());
        self.line("end", [("task", task), ("how", Value::from(how))]);
    }

    /// A call of a grant, made by its holder in the context of the question.
    fn of_call(&self, op: &str, question: &Object, grant: &str) -> Option<Object> {
        let mut line = Object::new();
        // The keys are written once each.
        let _ = line.insert("op", Value::from(op));
        let _ = line.insert("grant", Value::from(grant));
        for name in ["tool", "args", "resource", "context"] {
            if let Some(value) = question.get(name) {
                let _ = line.insert(name, value.clone());
            }
        }
        self.seeds.read(question)?.call().is_some().then_some(line)
    }

    fn expect_deny(&mut self, mut line: Object) {
        let expect = object_of([("decision", Value::from("deny"))]);
        // The key is written once.
        let _ = line.insert("expect", expect);
        self.lines.push(Value::Object(line));
    }

    /// A grant that was asked for, and its question with these changes.
    fn changed(&self, grant: &Index, edits: &[Edit]) -> Option<(String, Object)> {
        if self.grants.is_empty() {
            return None;
        }
        let asked = grant.get(&self.grants);
        Some((asked.alias.clone(), self.seeds.edited(asked.question.clone(), edits)))
    }

    fn line<const N: usize>(&mut self, op: &str, fields: [(&'static str, Value); N]) {
        let mut line = Object::new();
        // The keys are written once each.
        let _ = line.insert("op", Value::from(op));
        for (name, value) in fields {
            let _ = line.insert(name, value);
        }
        self.lines.push(Value::Object(line));
    }

    fn name(&mut self, of: &str) -> String {
        self.named += 1;
        format!("{of}-{}", self.named)
    }

    /// The time of the first question.
    fn start(&self) -> &str {
        let first = self.grants.first().and_then(|own| own.question.get("at")?.as_text());
        first.unwrap_or("2026-01-01T12:00:00Z")
    }
}
