//! `hallpass policy schema`.

use std::io::{self, Write};

use clap::Args;
use hallpass::Policy;

use crate::exit::Exit;

/// Nothing is chosen: there is one language.
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> Exit {
        let mut out = io::stdout().lock();
        Exit::of_report(writeln!(out, "{}", Policy::schema()).map(|()| Exit::Fine))
    }
}
