//! Being told to end: what is open is ended on record, as when the other side ends.

/// Calls `told` each time the process is told to end. Where there are no signals it is never called, and the log says
/// `interrupted` once it is opened again.
#[cfg(unix)]
pub(crate) fn watch(told: impl Fn() + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            told();
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn watch(_: impl Fn() + Send + 'static) {}
