//! A secret was found in what a call gave.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::audit::Event;

/// A host's function that is told of each record of a leak.
pub(crate) struct LeakHook(Box<Told>);

type Told = dyn Fn(&Event<'_>) + Send + Sync;

impl LeakHook {
    pub(super) fn new(told: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        LeakHook(Box::new(told))
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (self.0)(event))) {
            // A payload may panic when it is dropped.
            std::mem::forget(payload);
        }
    }
}
