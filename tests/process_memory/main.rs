//! What a process that has used secrets has in its memory: read from the kernel page by page into one buffer, so that the
//! reading itself copies nothing to anywhere else. In a binary of its own, since other tests have secrets of their own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[cfg(target_os = "linux")]
mod linux;

/// P8, attack 129
#[cfg(not(target_os = "linux"))]
#[test]
#[ignore = "of this system no file is known by which a process reads its own memory without copying it"]
fn no_memory_of_the_process_holds_a_secret_but_while_a_call_runs_with_it() {}
