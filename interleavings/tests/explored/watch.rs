//! What the tool side and the one who ends something saw of each other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::audit::{Event, Record};
use hallpass::{Permit, RunError};

/// Watches calls against one end. Its own state is the standard library's, so that no other thread
/// comes between a step and what is noted of it.
#[derive(Default)]
pub(crate) struct Watch {
    over: AtomicBool,
    ran: Mutex<Vec<u64>>,
    late: Mutex<Vec<u64>>,
}

impl Watch {
    /// The end has returned.
    pub(crate) fn over(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Runs a tool that takes a while, and makes sure that it does not start after the end has
    /// returned.
    pub(crate) fn run(&self, permit: Permit) -> bool {
        let (number, over) = (permit.number(), self.is_over());
        let note_if_late = || {
            if self.is_over() {
                self.late.lock().unwrap().push(number);
            }
        };
        let ran = permit.run(|_| {
            assert!(!over, "permit {number} started after the end had returned");
            note_if_late();
            shuttle::thread::yield_now();
            note_if_late();
            Ok::<(), std::convert::Infallible>(())
        });
        match ran {
            Ok(receipt) => self.ran.lock().unwrap().push(receipt.permit()),
            Err(RunError::Denied(_)) => return false,
            Err(RunError::Tool(_)) => unreachable!("the tool does not fail"),
        }
        true
    }

    /// How many ran.
    pub(crate) fn ran(&self) -> usize {
        self.ran.lock().unwrap().len()
    }

    /// Makes sure that whatever ran on after the end had returned was reported by it, and that
    /// whatever ran has its record.
    pub(crate) fn agrees(&self, reported: &[u64], records: &[Record]) {
        for number in self.late.lock().unwrap().iter() {
            assert!(reported.contains(number), "permit {number} ran on, reported: {reported:?}");
        }
        for number in self.ran.lock().unwrap().iter() {
            let record = records.iter().find(|record| record.seq == *number).unwrap();
            assert!(matches!(record.event, Event::Permitted { .. }), "{record:?}");
        }
    }
}
