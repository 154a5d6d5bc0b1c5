//! Which schedules an errand is run under.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};

/// How often a thread is held up for another one in the schedules that are not wholly random. Two or
/// three is what races need that anybody has found so far.
const DEPTH: usize = 3;

/// Runs the errand under this many schedules, half of them random at each step, and half where threads
/// run through but for a few steps; or under the one that `HALLPASS_SCHEDULE` gives.
pub(crate) fn explore(schedules: usize, errand: impl Fn() + Send + Sync + 'static) {
    let errand = Arc::new(errand);
    if let Ok(schedule) = std::env::var("HALLPASS_SCHEDULE") {
        return run("replayed", ReplayScheduler::new_from_encoded(&schedule), &errand);
    }
    let times = std::env::var("HALLPASS_SCHEDULES_TIMES").map_or(1, |times| times.parse().unwrap());
    let half = schedules.div_ceil(2) * times;
    run("at random", RandomScheduler::new(half), &errand);
    run("held up", PctScheduler::new(DEPTH, half), &errand);
}

fn run(
    kind: &'static str,
    scheduler: impl Scheduler + 'static,
    errand: &Arc<impl Fn() + Send + Sync + 'static>,
) {
    let mut config = Config::new();
    config.stack_size = 1 << 19;
    config.silence_warnings = true;
    let (errand, count) = (errand.clone(), Count { kind, begun: AtomicUsize::new(0) });
    Runner::new(scheduler, config).run(move || {
        count.begun.fetch_add(1, Ordering::Relaxed);
        errand();
    });
}

/// Says, where an errand fails, under which schedule that was.
struct Count {
    kind: &'static str,
    begun: AtomicUsize,
}

impl Drop for Count {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "failed under schedule {} ({})",
                self.begun.load(Ordering::Relaxed),
                self.kind
            );
        }
    }
}
