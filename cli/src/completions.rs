//! `hallpass completions`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::command::Command;
use crate::exit::Exit;

/// What to write, and for which shell.
#[derive(Debug, Args)]
#[command(
    after_help = "For bash: hallpass completions bash > ~/.local/share/bash-completion/completions/hallpass"
)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Exit {
        // In memory first: `generate` panics where its output can't be written.
        let mut text = Vec::new();
        generate(self.shell, &mut Command::command(), "hallpass", &mut text);
        Exit::of_report(io::stdout().lock().write_all(&text).map(|()| Exit::Fine))
    }
}
