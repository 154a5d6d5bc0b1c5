//! Being told to end: what is open is ended on record, as when the client ends.

use std::sync::mpsc::Sender;

use super::session::End;

/// Tells the session when the process is told to end. Where there are no signals, nothing is told, and the log says
/// `interrupted` once it is opened again.
#[cfg(unix)]
pub(super) fn watch(ends: Sender<End>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let _ = ends.send(End::Told);
        }
    });
}

#[cfg(not(unix))]
pub(super) fn watch(_: Sender<End>) {}
