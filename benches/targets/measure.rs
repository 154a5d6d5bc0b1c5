//! How rows are timed: in turn, a little of each, so that what disturbs one disturbs the others.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How much is done.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// How long one turn takes, about.
    pub(crate) turn: Duration,
}

/// Work that is done so many times; what it says it took is what of it counts.
pub(crate) type Work<'w> = &'w mut dyn FnMut(u64) -> Duration;

/// Nanoseconds of one time of each work, for each round.
pub(crate) struct Rounds<const N: usize>(Vec<[f64; N]>);

impl Effort {
    pub(crate) fn in_turn<const N: usize>(self, mut works: [Work<'_>; N]) -> Rounds<N> {
        // Twice, for what is only done the first time.
        let times = works.each_mut().map(|work| {
            let once = (0..2).map(|_| work(16) / 16).min().unwrap_or_default();
            (self.turn.as_nanos() / once.as_nanos().max(1)).clamp(1, 1 << 20) as u64
        });
        let round = |_| {
            let mut at = 0;
            works.each_mut().map(|work| {
                let n = times[at];
                at += 1;
                work(n).as_nanos() as f64 / n as f64
            })
        };
        Rounds((0..self.rounds).map(round).collect())
    }
}

impl<const N: usize> Rounds<N> {
    /// The round that was disturbed least.
    pub(crate) fn fastest(&self, work: usize) -> f64 {
        self.0.iter().map(|round| round[work]).fold(f64::INFINITY, f64::min)
    }

    /// How much longer one took than another, in times of a third: the median over the rounds.
    pub(crate) fn beyond(&self, work: usize, than: usize, unit: usize) -> f64 {
        let beyond = |round: &[f64; N]| (round[work] - round[than]) / round[unit];
        let mut times: Vec<f64> = self.0.iter().map(beyond).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// How many times as long one took as another: the median over the rounds.
    pub(crate) fn ratio(&self, work: usize, to: usize) -> f64 {
        let mut ratios: Vec<f64> = self.0.iter().map(|round| round[work] / round[to]).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

/// All of it counts.
pub(crate) fn whole<R>(mut work: impl FnMut() -> R) -> impl FnMut(u64) -> Duration {
    move |n| {
        timed(|| {
            for _ in 0..n {
                black_box(work());
            }
        })
    }
}

/// What the work leaves is dropped outside of what counts, eight at a time.
pub(crate) fn leaving<R>(mut work: impl FnMut() -> R) -> impl FnMut(u64) -> Duration {
    move |n| {
        let mut took = Duration::ZERO;
        let mut left = Vec::with_capacity(8);
        for from in (0..n).step_by(8) {
            took += timed(|| (from..n.min(from + 8)).for_each(|_| left.push(work())));
            left.clear();
        }
        took
    }
}

pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
