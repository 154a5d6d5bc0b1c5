//! Which thread is inside the sink, to answer a sink that calls back.

use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::SinkError;
use crate::sync;
use crate::sync::atomic::{AtomicUsize, Ordering};

sync::thread_local! {
    /// How many sinks this thread is inside of, one within the other.
    static SINKS: Cell<usize> = const { Cell::new(0) };
}

/// The mark of the thread that is inside one journal's sink (0: none).
#[derive(Default)]
pub(super) struct Inside(AtomicUsize);

impl Inside {
    /// Runs the sink's code. One thread at a time.
    pub(super) fn run<T>(
        &self,
        call: impl FnOnce() -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        SINKS.with(|sinks| {
            sinks.set(sinks.get() + 1);
            self.0.store(mark(sinks), Ordering::Relaxed);
        });
        let answer = guarded(call);
        self.0.store(0, Ordering::Relaxed);
        SINKS.with(|sinks| sinks.set(sinks.get() - 1));
        answer
    }

    /// Whether it is this thread that is inside. Only this thread can have stored its own mark, so no
    /// ordering is needed; and one that is inside no sink does not look, since the current writer
    /// changes what it would look at with every record.
    pub(super) fn is_here(&self) -> bool {
        SINKS.with(|sinks| sinks.get() > 0 && self.0.load(Ordering::Relaxed) == mark(sinks))
    }
}

/// Runs a sink's code; its panic is a refusal.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    // Unwind safety: the journal changes nothing of its own before the sink has answered.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // A payload may panic when it is dropped, and a lock is held here.
        mem::forget(payload);
        Err(SinkError::new("the sink panicked"))
    })
}

/// A number that no other living thread has, and never 0: the address of what is a thread's own.
fn mark(own: &Cell<usize>) -> usize {
    ptr::from_ref(own).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_inside_each_sink_until_that_one_has_answered() {
        let (own, other) = (Inside::default(), Inside::default());
        assert!(!own.is_here());
        let answer = own.run(|| {
            assert!(own.is_here() && !other.is_here());
            other.run(|| {
                assert!(own.is_here() && other.is_here());
                Ok(())
            })?;
            // Back from another journal's sink, and still inside its own.
            assert!(own.is_here() && !other.is_here());
            std::thread::scope(|scope| {
                assert!(!scope.spawn(|| own.is_here()).join().unwrap(), "another thread is not");
            });
            Err::<(), _>(SinkError::new("full"))
        });
        assert_eq!(answer, Err(SinkError::new("full")));
        assert!(!own.is_here());
    }
}
