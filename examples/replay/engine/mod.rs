//! The replay itself: a trace goes in line by line, answers come out line by line.
//!
//! `command` reads the command line, `trace` the lines, `operation` what a line says; `host` acts on
//! it as a host program would (`holding` with grants, `call` with calls, `operator` with the operators'
//! handles), `answer` says what came of it, and `summary` counts.

mod alias;
mod answer;
mod attempt;
mod call;
pub(crate) mod command;
mod fields;
mod holding;
mod host;
mod operation;
mod operator;
mod progress;
mod statement;
mod summary;
mod tamper;
mod trace;

use std::io::Write;
use std::path::Path;

use answer::Answer;
use fields::Misread;
use host::Host;
use operation::{Header, Line, Operation};
use progress::Progress;
use summary::Summary;
use trace::Trace;

/// What is replayed, and how it is told.
pub(crate) struct Replay<'r> {
    pub(crate) policy: &'r Path,
    pub(crate) trace: &'r Path,
    /// Whether denials say why in full, as operators may read it.
    pub(crate) explain: bool,
    /// Whether a long trace shows how far it is.
    pub(crate) bar: bool,
}

/// Why a replay stopped before the end of its trace.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something that was to be read can't be: where, and what was expected.
    Input(String),
    /// Nobody takes the answers.
    Output(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop::Output(error)
    }
}

impl Replay<'_> {
    /// Replays the whole trace. Returns how many lines were not answered as they expected.
    ///
    /// # Errors
    /// [`Stop`], with all lines before it answered.
    pub(crate) fn run(
        &self,
        answers: &mut dyn Write,
        remarks: &mut dyn Write,
    ) -> Result<u64, Stop> {
        let policy = host::load(self.policy).map_err(|Misread(problem)| {
            Stop::Input(format!("{}: {problem}", self.policy.display()))
        })?;
        let mut trace = Trace::open(self.trace)?;
        let mut progress = Progress::of(trace.length(), self.bar);
        let mut summary = Summary::new(&policy);
        let mut host: Option<Host> = None;
        while let Some((number, value)) = trace.next_line()? {
            let misread = |Misread(problem)| trace.misread(number, &problem);
            let line = Line::read(&value).map_err(misread)?;
            let answer = match &mut host {
                None => {
                    let header = Header::read(&line).map_err(misread)?;
                    let folder = self.trace.parent().unwrap_or(Path::new(""));
                    let opened = Host::new(policy.clone(), &header, folder).map_err(misread)?;
                    let answer = opened.greeting();
                    host = Some(opened);
                    answer
                }
                Some(host) => {
                    let operation = Operation::read(&line).map_err(misread)?;
                    let answer = host.act(&operation, number).map_err(misread)?;
                    if let Operation::Reload { .. } = operation {
                        summary.know(host.policy());
                    }
                    answer
                }
            };
            let answer = answer.to(number, line.op, line.note);
            writeln!(answers, "{}", answer.text(self.explain))?;
            summary.count(&line, &answer);
            self.compare(number, &line, &answer, remarks)?;
            progress.at(trace.read_so_far(), remarks)?;
        }
        progress.done(remarks)?;
        if host.is_none() {
            return Err(trace.misread(1, operation::HEADER_EXPECTED));
        }
        answers.flush()?;
        summary.write(&self.trace.display().to_string(), remarks)?;
        Ok(summary.mismatches())
    }

    /// Reports what the line expected and the answer does not contain.
    fn compare(
        &self,
        number: usize,
        line: &Line<'_>,
        answer: &Answer,
        remarks: &mut dyn Write,
    ) -> Result<(), Stop> {
        let Some(expected) = line.expect else {
            return Ok(());
        };
        let misses = answer.misses(expected);
        for miss in &misses {
            writeln!(remarks, "{}:{number}: {miss}", self.trace.display())?;
        }
        if let Some(why) = answer.explanation().filter(|_| !misses.is_empty()) {
            writeln!(remarks, "    {why}")?;
        }
        Ok(())
    }
}
