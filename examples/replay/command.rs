//! The command line.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::testing::Replay;

use super::progress::{Progress, Remarking};
use super::story::Story;

const USAGE: &str = "\
usage: replay [--json] [--explain] [--strict] [--log F --key-file K] --policy P.toml TRACE.jsonl
       replay [--json]         replays the banking errand of examples/data

Reads one operation a line. To a terminal it tells what came of each; elsewhere it prints one JSON answer a
line. On standard error, what lint warns of the policy, and a summary.
  --policy P   the policy to start with: TOML, or JSON if its name ends in .json
  --json       print JSON to a terminal, too
  --explain    say in each denial why, as operators may read it
  --strict     stop where lint warns of a policy
  --log F      write the log of the replay on file, into a folder F that has none yet; needs
  --key-file K the key of that log: 32 bytes or more as base64url text
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
    /// The folder of the log, and the file of its key.
    log: Option<(PathBuf, PathBuf)>,
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
        let Command { policy, trace, explain, strict, json: _, log } = self;
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
        match log {
            None => replay.run(trace, answers, &mut Remarking(&remarks)),
            Some((folder, key)) => {
                let is_first = Cell::new(true);
                let open = || open_log(folder, key, is_first.replace(false));
                replay.run_logged(open, trace, answers, &mut Remarking(&remarks))
            }
        }
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
            return Ok(Some(Command {
                policy,
                trace,
                explain: true,
                strict: false,
                json,
                log: None,
            }));
        }
        let (mut policy, mut trace) = (None, None);
        let (mut log, mut key_file) = (None, None);
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
                Some("--log") if log.is_none() => {
                    log = Some(PathBuf::from(rest.next().ok_or("`--log` needs a folder")?));
                }
                Some("--key-file") if key_file.is_none() => {
                    let file = rest.next().ok_or("`--key-file` needs a file")?;
                    key_file = Some(PathBuf::from(file));
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
        let log = match (log, key_file) {
            (Some(log), Some(key_file)) => Some((log, key_file)),
            (None, None) => None,
            (Some(_), None) => return Err("`--log` needs `--key-file`".to_owned()),
            (None, Some(_)) => return Err("`--key-file` needs `--log`".to_owned()),
        };
        Ok(Some(Command { policy, trace, explain, strict, json, log }))
    }
}

/// Begins a log, or opens it once more after a crash, and gives its keys once more, for its broker.
fn open_log(folder: &Path, key_file: &Path, is_first: bool) -> io::Result<(FileLog, LogKeys)> {
    let keys = || {
        let problem = |problem: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {problem}", key_file.display()))
        };
        let text = std::fs::read_to_string(key_file)
            .map_err(|error| problem(format!("can't be read: {error}")))?;
        let secret =
            SecretKey::from_base64url(&text).map_err(|error| problem(error.to_string()))?;
        Ok::<_, io::Error>(LogKeys::from_secret(secret))
    };
    let problem = |problem: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {problem}", folder.display()))
    };
    // Time in a trace is its own: a log that has records may be of a later one.
    match FileLog::claims(folder) {
        Ok(None) => {}
        Ok(Some(_)) if !is_first => {}
        Ok(Some(_)) => return Err(problem("has a log already, expected a new folder".to_owned())),
        Err(error) => return Err(problem(error.to_string())),
    }
    let options = FileLog::options(Durability::Buffered, WhenFull::Owe);
    let log = options.open(folder, &keys()?, &Origin::new("hallpass", "hallpass"));
    Ok((log.map_err(|error| problem(error.to_string()))?, keys()?))
}
