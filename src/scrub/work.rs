//! Counts what is done, where tests ask whether it is in proportion to what comes.

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Bytes that were looked at or moved.
#[inline]
#[cfg_attr(not(test), allow(clippy::missing_const_for_fn, reason = "counts in tests"))]
pub(super) fn note(bytes: usize) {
    #[cfg(test)]
    DONE.set(DONE.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// How many there were on this thread while something was done.
#[cfg(test)]
pub(super) fn of(work: impl FnOnce()) -> usize {
    let before = DONE.get();
    work();
    DONE.get() - before
}
