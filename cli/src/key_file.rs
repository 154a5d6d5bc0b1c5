//! The key of a log, from a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hallpass::key::{LogKeys, SecretKey};

/// The most bytes of a key file: a key of 32 bytes takes 43.
const MOST: u64 = 4096;

/// How a key is made that a file can hold.
pub(crate) const HOW_TO_MAKE: &str =
    "make one with `head -c 32 /dev/urandom | basenc --base64url > KEY`";

/// Reads the key of a log: 32 bytes or more, as base64url text.
///
/// # Errors
/// What is wrong, and with which file.
pub(crate) fn read_key(path: &Path) -> Result<LogKeys, String> {
    read_secret(path).map(LogKeys::from_secret)
}

/// As [`read_key`], one of several keys.
///
/// # Errors
/// What is wrong, and with which file.
pub(crate) fn read_secret(path: &Path) -> Result<SecretKey, String> {
    let named = |problem: &str| format!("{}: {problem}; {HOW_TO_MAKE}", path.display());
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text));
    opened.map_err(|error| named(&format!("can't be read: {error}")))?;
    SecretKey::from_base64url(&text).map_err(|error| named(&error.to_string()))
}
