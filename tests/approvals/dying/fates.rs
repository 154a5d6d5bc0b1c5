//! What becomes of those who hold something, as a seed says.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context as Polled, Poll, Waker};

use hallpass::{Pending, Permit, QuestionState, Running};

use super::witness::Witness;
use crate::office::Office;

/// What becomes of a permit and the tool that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// The tool runs, and its end is told.
    Ok,
    Error,
    /// The thread dies before it starts, unwinding.
    DiesBefore,
    /// The thread dies in the tool, unwinding.
    DiesWithin,
    /// The thread is killed before it starts: nothing is dropped.
    KilledBefore,
    /// The thread is killed in the tool: nothing is dropped.
    KilledWithin,
    /// The future of the tool is dropped after this number of polls.
    Dropped(u32),
    /// The permit is dropped.
    GivenUp,
}

/// The numbers of a seed.
pub(super) struct Seeded(u64);

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        Seeded(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % most
    }

    pub(super) fn one_in(&mut self, most: u64) -> bool {
        self.next(most) == 0
    }

    pub(super) fn fate(&mut self) -> Fate {
        match self.next(9) {
            0 => Fate::Ok,
            1 => Fate::Error,
            2 => Fate::DiesBefore,
            3 => Fate::DiesWithin,
            4 => Fate::KilledBefore,
            5 => Fate::KilledWithin,
            6 | 7 => Fate::Dropped(self.next(4) as u32),
            _ => Fate::GivenUp,
        }
    }

    /// Has the sink die for a while, for good, or not.
    pub(super) fn sink_dies(&mut self, office: &Office, witness: &Witness) {
        match self.next(9) {
            0 | 1 => office.sink.fail_next(1 + self.next(3)),
            2 => witness.panic_next(),
            3 => office.sink.fail_after(self.next(4)),
            _ => {}
        }
    }

    /// What waits for the answer: polled or not, and dropped before the answer or after it.
    pub(super) fn waits(
        &mut self,
        pending: &Pending,
    ) -> Option<Pin<Box<dyn Future<Output = QuestionState>>>> {
        let mut decided: Pin<Box<dyn Future<Output = QuestionState>>> = Box::pin(pending.decided());
        if self.one_in(2) {
            let polled = decided.as_mut().poll(&mut Polled::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        (!self.one_in(2)).then_some(decided)
    }
}

impl Fate {
    /// Has it befall; whether nothing of it is told, as of what was killed.
    pub(super) fn befalls(self, permit: Permit, witness: &Witness) -> bool {
        let witness = witness.clone();
        match self {
            Fate::Ok => drop(permit.run(|running| paid(&witness, running, Ok(())))),
            Fate::Error => drop(permit.run(|running| paid(&witness, running, Err("refused")))),
            Fate::DiesBefore => died(move || {
                let _permit = permit;
                std::panic::resume_unwind(Box::new("died"))
            }),
            Fate::DiesWithin => died(move || {
                let _ = permit.run(|running| -> Result<(), &str> {
                    witness.pays(running);
                    std::panic::resume_unwind(Box::new("died"))
                });
            }),
            Fate::KilledBefore => {
                std::mem::forget(permit);
                return true;
            }
            Fate::KilledWithin => {
                let Ok(running) = permit.start() else { return false };
                witness.pays(&running);
                std::mem::forget(running);
                return true;
            }
            Fate::Dropped(polls) => dropped_after(polls, permit, &witness),
            Fate::GivenUp => drop(permit),
        }
        false
    }
}

fn paid(
    witness: &Witness,
    running: &Running,
    told: Result<(), &'static str>,
) -> Result<(), &'static str> {
    witness.pays(running);
    told
}

/// A thread of its own, which dies or does not get to it.
fn died(work: impl FnOnce() + Send + 'static) {
    let _ = std::thread::spawn(work).join();
}

/// A tool that takes three polls, and is given this number of them.
fn dropped_after(polls: u32, permit: Permit, witness: &Witness) {
    let mut tool = pin!(permit.run_async(async |running| {
        witness.pays(running);
        for _ in 0..2 {
            Yields(false).await;
        }
        Ok::<_, &str>(())
    }));
    for _ in 0..polls {
        if tool.as_mut().poll(&mut Polled::from_waker(Waker::noop())).is_ready() {
            return;
        }
    }
}

/// Ready when it is polled again.
struct Yields(bool);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Polled<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
