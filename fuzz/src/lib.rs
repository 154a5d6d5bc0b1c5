//! What each fuzz target checks of its bytes: plain functions, so that the crate's own tests replay
//! seeds and what was found, on a machine without libFuzzer.
//!
//! Each panics where the crate breaks its word. The parts of the crate that are not public are asked in
//! `hallpass::fuzzing`, which is there only under `cfg(fuzzing)`.

pub mod args;
pub mod glob;
pub mod policy;
pub mod regex;
pub mod scope;
pub mod token;

/// The bytes as two texts, apart at the first zero byte.
fn two_texts(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes).ok()?.split_once('\0')
}
