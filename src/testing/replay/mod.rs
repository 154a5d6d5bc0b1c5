//! The replay of a trace: operations go in line by line, answers come out line by line.
//!
//! `trace` reads the text, `line` a line of it, `operation` what it says; `host` acts on it as a host program would
//! (`granting` with grants, `call` with calls, `question` with people, `glass` with emergencies, `tending` with providers, `crash` with its own end, `operator` with the operators' handles), `answer` says what
//! came of it, and `summary` counts.

mod alias;
mod answer;
mod asked;
mod attempt;
mod call;
mod crash;
mod credential;
mod cue;
mod fields;
mod glass;
mod granting;
mod holding;
mod host;
mod line;
mod noting;
mod operation;
mod operator;
mod question;
mod review;
mod statement;
mod summary;
mod tamper;
mod tending;
mod trace;
mod vote;

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::FileLog;
use crate::key::LogKeys;
use crate::policy::Policy;
use answer::Answer;
pub(super) use fields::{Fields, Misread, text};
use host::{Host, OpenLog};
use line::{Header, Line};
use operation::Operation;
pub(super) use statement::{context, purpose, resource, who};
use summary::Summary;
use trace::Trace;

/// Replays a trace under a policy, and gives the answers, one line of JSON each: what host test suites
/// use to keep a policy to what it is meant to give. [The format](crate::testing) has an
/// operation on each line, which may say what its answer is expected to contain.
///
/// Time is the trace's own. The policies that it reloads are read from files, whose paths start in the
/// current directory, which is the package's root in tests. [`Replay`] says otherwise, and is for traces
/// longer than memory.
///
/// ```
/// # use hallpass::prelude::*;
/// use hallpass::testing::replay;
///
/// # let rule = Rule::permit("adders").tool("add").any_args();
/// # let policy = Policy::builder().rule(rule).build()?;
/// let answers = replay(&policy, r#"
///     {"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
///     {"op":"open","task":"t","who":"agent-7","purpose":"sums"}
///     {"op":"request","task":"t","as":"g","scope":[{"tool":"add","args":"any"}]}
///     {"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}
///     {"op":"end","task":"t"}
///     {"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"task_over"}}
///     {"op":"standing","expect":{"tasks":[],"grants":[]}}
/// "#);
/// assert_eq!(answers.lines().count(), 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// If a line can't be read, or is not answered as it expects: all of these are told, and why.
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn replay(policy: &Policy, trace: &str) -> String {
    let (mut answers, mut remarks) = (Vec::new(), Vec::new());
    let unmet = Replay::new(policy).run(trace.as_bytes(), &mut answers, &mut remarks);
    let remarks = String::from_utf8_lossy(&remarks);
    match unmet {
        Ok(0) => String::from_utf8_lossy(&answers).into_owned(),
        Ok(_) => panic!("the trace is answered otherwise than it expects:\n{remarks}"),
        Err(error) => panic!("the trace can't be replayed: {error}\n{remarks}"),
    }
}

/// How long the last records of a replay wait for a disk.
const LOG_WAIT: Duration = Duration::from_secs(60);

/// Replays traces that are read as they go, and tells as it goes: what [`replay`] and the command
/// `replay` are made of.
#[derive(Clone, Debug)]
#[must_use = "nothing is replayed until `run` is called"]
pub struct Replay {
    policy: Policy,
    name: String,
    folder: PathBuf,
    explain: bool,
    strict: bool,
}

impl Replay {
    /// Replays under this policy, until a trace reloads another.
    pub fn new(policy: &Policy) -> Self {
        let name = "trace".to_owned();
        let folder = PathBuf::new();
        Replay { policy: policy.clone(), name, folder, explain: false, strict: false }
    }

    /// Replays under the policy in this file: JSON where its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    /// If the file can't be read, or is not a policy.
    pub fn of_file(policy: &Path) -> io::Result<Self> {
        let policy = host::load(policy)
            .map_err(|Misread(problem)| unreadable(format!("{}: {problem}", policy.display())))?;
        Ok(Replay::new(&policy))
    }

    /// Where the trace is kept: what remarks call it, and the folder in which the paths of policies that
    /// it reloads start.
    pub fn from_path(mut self, trace: &Path) -> Self {
        self.name = trace.display().to_string();
        self.folder = trace.parent().unwrap_or(Path::new("")).to_owned();
        self
    }

    /// Has denials say why in full, as operators may read it.
    pub fn explained(mut self) -> Self {
        self.explain = true;
        self
    }

    /// Stops where lint warns of a policy, at its beginning or where the trace reloads it.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Replays a whole trace: `answers` takes a line of JSON for each operation; `remarks`, for people,
    /// what lint warns of, what was not answered as expected, and a summary at the end. How many lines were not answered as
    /// expected.
    ///
    /// # Errors
    /// Of the kind [`InvalidData`](io::ErrorKind::InvalidData) where the trace says what can't be meant,
    /// and whatever reading and writing give; all lines before are answered.
    pub fn run(
        &self,
        trace: impl BufRead,
        answers: &mut dyn Write,
        remarks: &mut dyn Write,
    ) -> io::Result<u64> {
        self.run_on(None, trace, answers, remarks)
    }

    /// As [`run`](Replay::run), and keeps the log of it on file. `open` gives that log, and its keys once more for the broker:
    /// one without records at the start, and the same one, opened again, after each `crash` of the trace. It is opened with
    /// these keys for the issuer and the audience `hallpass`. When the trace is over, what it left open is ended as
    /// `closed`.
    ///
    /// # Errors
    /// As [`run`](Replay::run), and if the log can't be opened or takes no records.
    pub fn run_logged(
        &self,
        open: impl Fn() -> io::Result<(FileLog, LogKeys)>,
        trace: impl BufRead,
        answers: &mut dyn Write,
        remarks: &mut dyn Write,
    ) -> io::Result<u64> {
        self.run_on(Some(&open), trace, answers, remarks)
    }

    fn run_on(
        &self,
        log: Option<&OpenLog<'_>>,
        trace: impl BufRead,
        answers: &mut dyn Write,
        remarks: &mut dyn Write,
    ) -> io::Result<u64> {
        let mut trace = Trace::new(&self.name, trace);
        let mut summary = Summary::new(&self.policy);
        let mut host: Option<Host> = None;
        while let Some((number, value)) = trace.next_line()? {
            let misread = |Misread(problem)| trace.misread(number, &problem);
            let line = Line::read(&value).map_err(misread)?;
            let answer = match &mut host {
                None => {
                    let header = Header::read(&line).map_err(misread)?;
                    let opened = Host::new(self.policy.clone(), &header, &self.folder, log);
                    let opened = opened.map_err(misread)?;
                    self.lint(&opened, remarks)?;
                    let answer = opened.greeting();
                    host = Some(opened);
                    answer
                }
                Some(host) => {
                    let operation = Operation::read(&line).map_err(misread)?;
                    let answer = match operation {
                        Operation::Crash => host.crash(log),
                        _ => host.act(&operation, number),
                    };
                    let answer = answer.map_err(misread)?;
                    if let Operation::Reload { .. } = operation {
                        summary.know(host.policy());
                        self.lint(host, remarks)?;
                    }
                    answer
                }
            };
            let answer = answer.to(number, line.op, line.note);
            writeln!(answers, "{}", answer.text(self.explain)).map_err(unwritten)?;
            summary.count(&line, &answer);
            self.compare(number, &line, &answer, remarks)?;
        }
        let Some(host) = host else {
            return Err(trace.misread(1, line::HEADER_EXPECTED));
        };
        if log.is_some() {
            host.close(LOG_WAIT).map_err(|error| io::Error::other(error.to_string()))?;
        }
        answers.flush().map_err(unwritten)?;
        summary.write(&self.name, remarks)?;
        Ok(summary.mismatches())
    }

    /// Tells what lint warns of the policy in force.
    fn lint(&self, host: &Host, remarks: &mut dyn Write) -> io::Result<()> {
        let warnings = host.broker.lint().map_err(|error| unreadable(error.to_string()))?;
        for warning in &warnings {
            writeln!(remarks, "warning: {warning}")?;
        }
        match warnings.len() {
            0 => Ok(()),
            _ if !self.strict => Ok(()),
            1 => Err(unreadable("the policy has a warning, and that is an error here".to_owned())),
            many => Err(unreadable(format!(
                "the policy has {many} warnings, and that is an error here"
            ))),
        }
    }

    /// Reports what the line expected and the answer does not contain.
    fn compare(
        &self,
        number: usize,
        line: &Line<'_>,
        answer: &Answer,
        remarks: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(expected) = line.expect else {
            return Ok(());
        };
        let misses = answer.misses(expected);
        for miss in &misses {
            writeln!(remarks, "{}:{number}: {miss}", self.name)?;
        }
        if let Some(why) = answer.explanation().filter(|_| !misses.is_empty()) {
            writeln!(remarks, "    {why}")?;
        }
        Ok(())
    }
}

fn unreadable(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn unwritten(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the answers can't be written: {error}"))
}
