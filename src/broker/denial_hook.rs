//! What a host hears of denials.

use std::cell::Cell;

use crate::audit::Event;
use crate::contained::contained;
use crate::denial::Denial;

/// A host's function that is told of each denial. It has no say: it runs after the denial was decided and
/// recorded.
pub(crate) struct DenialHook(Box<Told>);

type Told = dyn Fn(&Denial, &Event<'_>) + Send + Sync;

crate::sync::thread_local! {
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

impl DenialHook {
    pub(super) fn new(told: impl Fn(&Denial, &Event<'_>) + Send + Sync + 'static) -> Self {
        DenialHook(Box::new(told))
    }

    /// Tells the hook, unless the hook itself was denied something: it would go on for ever. A panic of the
    /// hook ends in it, since the denial stands whatever is made of it.
    pub(super) fn tell(&self, denial: &Denial, event: &Event<'_>) {
        if TELLING.with(|telling| telling.replace(true)) {
            return;
        }
        contained(|| (self.0)(denial, event));
        TELLING.with(|telling| telling.set(false));
    }
}
