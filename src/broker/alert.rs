//! The host's alert: somebody hears of it when the glass is broken.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use super::reload_error::ReloadError;
use crate::audit::Event;
use crate::policy::Policy;

/// Whom the broker alerts, and how long that may take.
pub(crate) struct Alert {
    hook: Arc<Hook>,
    pub(super) within: Duration,
}

type Hook = dyn Fn(&Event<'_>) -> Answer + Send + Sync;
type Answer = Result<(), Box<dyn Error + Send + Sync>>;

impl Alert {
    pub(super) fn new(
        hook: impl Fn(&Event<'_>) -> Answer + Send + Sync + 'static,
        within: Duration,
    ) -> Self {
        Alert { hook: Arc::new(hook), within }
    }

    /// Alerts, on a thread of its own, so that a hook that hangs is waited for no longer than it has. Called
    /// with no lock held.
    ///
    /// # Errors
    /// Why that is not known to have been accepted.
    pub(super) fn raise(&self, event: Event<'static>) -> Result<(), String> {
        let (tell, told) = sync_channel(1);
        let hook = self.hook.clone();
        let alert = move || {
            let answer = catch_unwind(AssertUnwindSafe(|| {
                // The error's words are the host's code, too.
                hook(&event).map_err(|error| error.to_string())
            }));
            let answer = answer.unwrap_or_else(|payload| {
                // A payload may panic when it is dropped.
                std::mem::forget(payload);
                Err("it panicked".to_owned())
            });
            // No thread waits for an answer that is late.
            let _ = tell.send(answer);
        };
        let spawned = thread::Builder::new().name("hallpass-alert".to_owned()).spawn(alert);
        spawned.map_err(|error| format!("it has no thread: {error}"))?;
        told.recv_timeout(self.within)
            .unwrap_or_else(|_| Err(format!("it gave no answer within {:?}", self.within)))
    }
}

/// Whether every rule that alerts somebody can.
pub(super) fn check_alert(policy: &Policy, alert: Option<&Alert>) -> Result<(), ReloadError> {
    match (&policy.0.alerts, alert) {
        (Some(rule), None) => Err(ReloadError::Alert((&**rule).into())),
        _ => Ok(()),
    }
}
