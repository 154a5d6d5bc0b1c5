//! A policy from a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use hallpass::Policy;
use hallpass::policy::{MAX_POLICY_TEXT, PolicyError};

/// Why a file gave no policy.
#[derive(Debug)]
pub(crate) enum Unloaded {
    /// Its text can't be had.
    Unreadable(io::Error),
    /// Its text is not a policy.
    Refused(PolicyError),
}

impl fmt::Display for Unloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unloaded::Unreadable(error) => write!(f, "can't be read: {error}"),
            Unloaded::Refused(error) => error.fmt(f),
        }
    }
}

/// Loads the policy in a file: JSON where its name ends in `.json`, TOML otherwise.
///
/// # Errors
/// [`Unloaded`], which does not name the file.
pub(crate) fn load(path: &Path) -> Result<Policy, Unloaded> {
    let text = text_of(path).map_err(Unloaded::Unreadable)?;
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let policy = if is_json { Policy::from_json(&text) } else { Policy::from_toml(&text) };
    policy.map_err(Unloaded::Refused)
}

/// The name of a file, so that it can't forge a line or turn a terminal's head: it may come from a stranger, as of a policy
/// that is to be looked at.
pub(super) fn named(path: &Path) -> String {
    let mut shown = String::new();
    for c in path.display().to_string().chars() {
        match c {
            ' '..='~' => shown.push(c),
            c if c.is_alphanumeric() => shown.push(c),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}

/// The text of a file, of which no more is read than a policy may have: what is named may be a device.
pub(crate) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_POLICY_TEXT as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
