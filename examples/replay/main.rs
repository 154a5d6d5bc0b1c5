//! Replays a trace of operations against a policy: see `docs/replay.md`.
//!
//! ```text
//! cargo run --release --example replay -- --policy P.toml TRACE.jsonl
//! cargo run --release --example replay
//! ```
//!
//! Without arguments it replays the banking errand of `examples/data`: an agent pays a bill, and a
//! text hidden in the bill tries to have it pay somebody else.

mod command;
mod progress;
mod story;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let mut answers = BufWriter::new(io::stdout().lock());
    let mut remarks = io::stderr();
    // Where answers scroll over the same terminal, a bar would only tear them.
    let terminal = io::stdout().is_terminal();
    let screen = command::Screen { answers: terminal, bar: remarks.is_terminal() && !terminal };
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let code = command::run(&arguments, &data, &mut answers, &mut remarks, screen);
    // What could not be written was reported by `run`; a pipe that closed just now has no reader.
    let _ = answers.flush();
    ExitCode::from(code)
}
