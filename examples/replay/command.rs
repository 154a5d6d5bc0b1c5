//! The command line.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use hallpass::testing::Replay;

use super::progress::{Progress, Remarking};
use super::story::Story;

const USAGE: &str = "\
usage: replay [--json] [--explain] [--strict] --policy P.toml TRACE.jsonl
       replay [--json]         replays the banking errand of examples/data

Reads one operation a line. To a terminal it tells what came of each; elsewhere it prints one JSON answer a
line. On standard error, what lint warns of the policy, and a summary.
  --policy P   the policy to start with: TOML, or JSON if its name ends in .json
  --json       print JSON to a terminal, too
  --explain    say in each denial why, as operators may read it
  --strict     stop where lint warns of a policy
Exit code: 0, or 1 if a line was not answered as it expected, or 2 if something can't be read.
docs/replay.md says what a trace may say.
";

/// The exit code of a replay that answered every line, not all as expected.
const MISMATCH: u8 = 1;
/// The exit code where something can't be read.
const UNREADABLE: u8 = 2;

/// What is a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screen {
    /// Answers are read by a person.
    pub(crate) answers: bool,
    /// Remarks may be drawn over.
    pub(crate) bar: bool,
}

/// Does what the arguments say, and returns the exit code. `data` is the folder of the banking errand,
/// which is replayed if there are no arguments.
pub(crate) fn run(
    arguments: &[OsString],
    data: &Path,
    answers: &mut dyn Write,
    remarks: &mut dyn Write,
    screen: Screen,
) -> u8 {
    let command = match Command::read(arguments, data) {
        Ok(Some(command)) => command,
        Ok(None) => return u8::from(answers.write_all(USAGE.as_bytes()).is_err()),
        Err(problem) => {
            // If standard error is gone, too, the code still tells.
            let _ = write!(remarks, "{problem}\n\n{USAGE}");
            return UNREADABLE;
        }
    };
    let result = if screen.answers && !command.json {
        command.tell(answers, remarks)
    } else {
        command.replay(answers, remarks, screen.bar)
    };
    let _ = answers.flush();
    match result {
        Ok(0) => 0,
        Ok(_) => MISMATCH,
        Err(error) => {
            let _ = writeln!(remarks, "{error}");
            UNREADABLE
        }
    }
}

struct Command {
    policy: PathBuf,
    trace: PathBuf,
    explain: bool,
    strict: bool,
    json: bool,
}

impl Command {
    /// Replays for a person: the story, the remarks, and last what it came to.
    fn tell(&self, answers: &mut dyn Write, remarks: &mut dyn Write) -> io::Result<u64> {
        let mut story = Story::told_to(answers);
        let mut kept = Vec::new();
        let result = self.replay(&mut story, &mut kept, false);
        story.flush()?;
        remarks.write_all(&kept)?;
        story.close()?;
        result
    }

    /// # Errors
    /// If a file can't be read or be meant, or the answers can't be written.
    fn replay(
        &self,
        answers: &mut dyn Write,
        remarks: &mut dyn Write,
        bar: bool,
    ) -> io::Result<u64> {
        let Command { policy, trace, explain, strict, json: _ } = self;
        let mut replay = Replay::of_file(policy)?.from_path(trace);
        if *explain {
            replay = replay.explained();
        }
        if *strict {
            replay = replay.strict();
        }
        let unreadable = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: can't be read: {error}", trace.display()))
        };
        let file = File::open(trace).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let remarks = RefCell::new(remarks);
        let file = Progress::of(file, length, bar, &remarks);
        let trace = BufReader::with_capacity(1 << 16, file);
        replay.run(trace, answers, &mut Remarking(&remarks))
    }

    /// `None` where help was asked for.
    fn read(arguments: &[OsString], data: &Path) -> Result<Option<Self>, String> {
        let json = arguments.iter().any(|argument| argument == "--json");
        if arguments.iter().all(|argument| argument == "--json") {
            // The shorter path, where it is run from the crate's own folder.
            let here = std::env::current_dir().unwrap_or_default();
            let data = data.strip_prefix(here).unwrap_or(data);
            let policy = data.join("banking.toml");
            let trace = data.join("banking.jsonl");
            return Ok(Some(Command { policy, trace, explain: true, strict: false, json }));
        }
        let (mut policy, mut trace) = (None, None);
        let (mut explain, mut strict) = (false, false);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(None),
                Some("--json") => {}
                Some("--explain") => explain = true,
                Some("--strict") => strict = true,
                Some("--policy") if policy.is_none() => {
                    policy = Some(rest.next().ok_or("`--policy` needs a file")?.into());
                }
                Some(option) if option.starts_with('-') => {
                    return Err(format!("unexpected `{option}`"));
                }
                _ if trace.is_none() => trace = Some(PathBuf::from(argument)),
                _ => return Err(format!("unexpected `{}`", argument.display())),
            }
        }
        let policy = policy.ok_or("expected `--policy` and the policy to start with")?;
        let trace = trace.ok_or("expected a trace")?;
        Ok(Some(Command { policy, trace, explain, strict, json }))
    }
}
