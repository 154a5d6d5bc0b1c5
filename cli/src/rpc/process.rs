//! A server that is a program, started here and ended here.

use std::ffi::OsString;
use std::io::{self, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::frame::{Frames, MAX_FRAME};
use super::session::{Between, End, Ending, GRACE, Peer, Source, Started, Step, taken};

/// Starts a program with its arguments.
///
/// # Errors
/// Why it can't be started.
pub(crate) fn start(words: &[OsString]) -> Result<Started, String> {
    let mut child = spawn(words).map_err(|error| {
        let name = words.first().map(OsString::as_os_str).unwrap_or_default();
        format!("can't start `{}`: {error}", name.display())
    })?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the server has no input or output".to_owned());
    };
    let from = Output(BufReader::with_capacity(1 << 16, output));
    Ok(Started { peer: Box::new(Process(child)), to: Box::new(input), from: Box::new(from) })
}

fn spawn(server: &[OsString]) -> io::Result<Child> {
    let (program, args) = server.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}

struct Process(Child);

struct Output(BufReader<ChildStdout>);

impl Source for Output {
    fn read(self: Box<Self>, between: &dyn Between, ending: Ending) {
        let mut frames = Frames::new(self.0, MAX_FRAME);
        while let Ok(Some(frame)) = frames.next() {
            if let Step::End(why) = taken(between, &ending, &frame) {
                return ending.with(End::Broken(why));
            }
        }
    }
}

impl Peer for Process {
    fn end(&mut self, is_over: bool) -> Option<ExitStatus> {
        let status = if is_over { exited(&mut self.0) } else { None };
        status.or_else(|| {
            // It may have ended meanwhile; then there is nothing to kill.
            let _ = self.0.kill();
            self.0.wait().ok()
        })
    }
}

/// How a server has exited that writes nothing any more; `None` if it has not, after a while.
fn exited(child: &mut Child) -> Option<ExitStatus> {
    const NAP: Duration = Duration::from_millis(5);
    let mut left = GRACE;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        left = left.checked_sub(NAP)?;
        thread::sleep(NAP);
    }
}
