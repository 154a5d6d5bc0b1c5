//! What each fuzz target checks of its bytes: plain functions, so that the crate's own tests replay
//! seeds and what was found, on a machine without libFuzzer.
//!
//! Each panics where the crate breaks its word. The parts of the crate that are not public are asked in
//! `hallpass::fuzzing`, which is there only under `cfg(fuzzing)`.

pub mod args;
pub mod policy;
pub mod scope;
pub mod token;
pub mod unless;

/// Makes a check a libFuzzer target. Without `cfg(fuzzing)` there is no fuzzer to link with, and the
/// program only says so: the package can be checked with the rest of the workspace.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $check(bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            eprintln!("built without `--cfg fuzzing`: run `.ci/fuzz`, see docs/fuzzing.md");
            std::process::ExitCode::FAILURE
        }
    };
}
