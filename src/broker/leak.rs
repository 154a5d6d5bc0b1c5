//! A secret was found in what a call gave.

use crate::audit::Event;
use crate::contained::contained;

/// A host's function that is told of each record of a leak.
pub(crate) struct LeakHook(Box<Told>);

type Told = dyn Fn(&Event<'_>) + Send + Sync;

impl LeakHook {
    pub(super) fn new(told: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        LeakHook(Box::new(told))
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        contained(|| (self.0)(event));
    }
}
