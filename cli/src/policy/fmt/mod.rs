//! `hallpass policy fmt`.

mod layout;
mod scan;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::Policy;

use super::file::{named, text_of};
use crate::exit::Exit;

/// Which policies are laid out.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// The policies, in TOML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing, and fail where something would be changed
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(self) -> Exit {
        let each = self.files.iter().map(|file| {
            one(file, self.check)
                .unwrap_or_else(|problem| Exit::unable(format_args!("{}: {problem}", named(file))))
        });
        each.max().unwrap_or(Exit::Fine)
    }
}

/// # Errors
/// Why the file is left as it is.
fn one(file: &Path, check: bool) -> Result<Exit, String> {
    if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return Err(
            "expected TOML: JSON has no comments to keep, and any formatter lays it out".into()
        );
    }
    let text = text_of(file).map_err(|error| format!("can't be read: {error}"))?;
    let before = Policy::from_toml(&text).map_err(|error| error.to_string())?;
    let laid_out = layout::laid_out(&text);
    // What can't be laid out without a change of what it says stays as it is.
    let after = Policy::from_toml(&laid_out).map(|own| own.digest());
    let says = |text: &str| text.parse::<toml::Table>().ok();
    if after.ok() != Some(before.digest()) || says(&text) != says(&laid_out) {
        return Err("it can't be laid out without changing what it says".into());
    }
    if laid_out == text {
        return Ok(Exit::Fine);
    }
    if check {
        let mut out = io::stdout().lock();
        let told = writeln!(out, "{}: not laid out", named(file));
        return Ok(Exit::of_report(told.map(|()| Exit::Findings)));
    }
    replace(file, &laid_out).map_err(|error| format!("can't be written: {error}"))?;
    Ok(Exit::Fine)
}

/// Puts the text into the place of a file as a whole: a policy that is half written may not load, or say less.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let written = fs::write(&new, text)
        .and_then(|()| fs::set_permissions(&new, fs::metadata(&file)?.permissions()))
        .and_then(|()| fs::rename(&new, &file));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
