//! A child process, and what it says of itself.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn alarm(seconds: u32) -> u32;
    fn _exit(status: c_int) -> !;
}

/// A child that has taken this long waits for a lock.
const HANGS_AFTER: u32 = 30;

/// What a child found otherwise than expected.
#[derive(Debug)]
pub(crate) struct Failed {
    what: &'static str,
    is: String,
}

impl Failed {
    pub(crate) fn new(what: &'static str, is: String) -> Self {
        Failed { what, is }
    }
}

/// Does this in a child, and fails where that says so, panics, or hangs.
pub(crate) fn in_child(work: impl FnOnce() -> Result<(), Failed>) {
    match start() {
        None => end(work),
        Some(child) => wait(child),
    }
}

/// Where a piece of work forks in its midst. The parent leaves it there.
pub(crate) struct Within;

impl Within {
    /// From here on, this is a child: the parent waits for it, and unwinds.
    pub(crate) fn fork(&self) {
        if let Some(child) = start() {
            wait(child);
            std::panic::resume_unwind(Box::new(Within));
        }
    }
}

pub(crate) fn fork_within(work: impl FnOnce(&Within) -> Result<(), Failed>) {
    let parent = std::process::id();
    let answer = catch_unwind(AssertUnwindSafe(|| work(&Within)));
    if std::process::id() != parent {
        end(|| answer.unwrap_or_else(|_| Err(Failed::new("the work", "a panic".to_owned()))));
    }
    assert!(answer.is_err_and(|left| left.is::<Within>()), "the parent left where it forked");
}

thread_local! {
    /// A child that was forked in the midst of this thread's work.
    static FORKED: std::cell::Cell<Option<c_int>> = const { std::cell::Cell::new(None) };
}

/// From here on, there are two that do this work, each to its end.
pub(crate) fn fork_here() {
    if let Some(child) = start() {
        FORKED.set(Some(child));
    }
}

/// Does work in whose midst [`fork_here`] is called: fails where the child says so, panics, or hangs. What the parent's part
/// comes to is left.
pub(crate) fn forking(work: impl FnOnce() -> Result<(), Failed>) {
    let parent = std::process::id();
    let answer = catch_unwind(AssertUnwindSafe(work));
    if std::process::id() != parent {
        end(|| answer.unwrap_or_else(|_| Err(Failed::new("the work", "a panic".to_owned()))));
    }
    wait(FORKED.take().expect("it forked"));
}

/// The child's number in the parent, and none in the child.
fn start() -> Option<c_int> {
    // SAFETY: the child goes on with this thread alone, takes no lock that another may hold (which is what is
    // tested, and `alarm` ends one that does), and leaves by `_exit`, so that nothing of the parent's runs twice.
    let child = unsafe { fork() };
    assert!(child >= 0, "the system forks");
    if child == 0 {
        // SAFETY: takes a number.
        unsafe { alarm(HANGS_AFTER) };
        return None;
    }
    Some(child)
}

fn end(work: impl FnOnce() -> Result<(), Failed>) -> ! {
    let failed = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => None,
        Ok(Err(failed)) => Some(failed),
        Err(_) => Some(Failed::new("the child", "panicked".to_owned())),
    };
    if let Some(Failed { what, is }) = &failed {
        eprintln!("in the child: {what}: {is}");
    }
    // SAFETY: ends the process, without running what the parent would run at its end.
    unsafe { _exit(c_int::from(failed.is_some())) }
}

fn wait(child: c_int) {
    let mut status = 0;
    // SAFETY: `status` is there to be written to for as long as the call takes.
    let ended = unsafe { waitpid(child, &raw mut status, 0) };
    assert_eq!(ended, child);
    assert_eq!(status & 0x7F, 0, "the child hung, and was ended by a signal");
    assert_eq!(status >> 8, 0, "the child found something otherwise: see above");
}
