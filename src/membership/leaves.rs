//! Leaves: calls of tasks at home here that other nodes may start, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sync::{Condvar, Deadline, Mutex};

/// How long a thread that waits sleeps before it looks at the clock again.
const LOOK: Duration = Duration::from_millis(50);

/// The leaves that are out, by the task's generation: what an end waits for, since a call may start on one after the
/// task is over here.
#[derive(Default)]
pub(crate) struct LeavesOut {
    out: Mutex<Out>,
    returned: Condvar,
}

#[derive(Default)]
struct Out {
    next: u64,
    /// By generation and number: when the leave has surely run out, on this node's own clock; nothing while it is
    /// being given.
    leaves: BTreeMap<(u64, u64), Option<Duration>>,
}

/// A leave, by which it is given and taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaveId {
    generation: u64,
    number: u64,
}

impl LeavesOut {
    /// Notes that a leave is about to be given. Before the call is started here: an end that does not find the call
    /// finds this.
    pub(crate) fn begin(&self, generation: u64) -> LeaveId {
        let mut out = self.out.lock();
        out.next += 1;
        let number = out.next;
        out.leaves.insert((generation, number), None);
        LeaveId { generation, number }
    }

    /// Notes until when it is good.
    pub(crate) fn give(&self, id: LeaveId, until: Duration) {
        self.out.lock().leaves.insert((id.generation, id.number), Some(until));
        self.returned.notify_all();
    }

    /// Notes that no call starts on it any more, or that it is known what became of the call.
    pub(crate) fn end(&self, id: LeaveId) {
        self.out.lock().leaves.remove(&(id.generation, id.number));
        self.returned.notify_all();
    }

    /// Whether a call of the task may still start elsewhere: what a simulation asks instead of waiting. Those that have run out are forgotten.
    #[cfg(test)]
    pub(crate) fn are_out(&self, generation: u64, now: Option<Duration>) -> bool {
        self.out.lock().are_out(generation, now)
    }

    /// Waits until no call of the task can start elsewhere any more: by the clock of which `now` tells, or by the time
    /// that passed, `most`, where a clock stands still or can't be read.
    pub(crate) fn wait(&self, generation: u64, most: Duration, now: impl Fn() -> Option<Duration>) {
        let deadline = Deadline::after(most);
        loop {
            // With no lock held: the clock is foreign code.
            let at = now();
            let mut out = self.out.lock();
            if !out.are_out(generation, at) || deadline.is_over() {
                return;
            }
            self.returned.wait_for(&mut out, deadline.left().min(LOOK));
        }
    }
}

impl Out {
    fn are_out(&mut self, generation: u64, now: Option<Duration>) -> bool {
        let of_task = (generation, 0)..=(generation, u64::MAX);
        let is_over =
            |until: &Option<Duration>| until.zip(now).is_some_and(|(until, now)| now >= until);
        let over: Vec<_> = self
            .leaves
            .range(of_task.clone())
            .filter(|(_, until)| is_over(until))
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.leaves.remove(&key);
        }
        self.leaves.range(of_task).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_leave_is_out_until_it_has_run_out_or_is_returned() {
        let leaves = LeavesOut::default();
        let (first, other) = (leaves.begin(7), leaves.begin(8));
        assert!(leaves.are_out(7, Some(SECOND)) && leaves.are_out(8, None), "while it is given");
        leaves.give(first, 2 * SECOND);
        assert!(leaves.are_out(7, Some(SECOND)) && leaves.are_out(7, None));
        assert!(!leaves.are_out(7, Some(2 * SECOND)));
        leaves.end(other);
        assert!(!leaves.are_out(8, None) && !leaves.are_out(9, None));
    }

    #[test]
    fn waiting_ends_when_the_last_leave_of_the_task_does() {
        let leaves = LeavesOut::default();
        let id = leaves.begin(7);
        leaves.begin(8);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| leaves.wait(7, 60 * SECOND, || Some(SECOND)));
            leaves.end(id);
            waiting.join().unwrap();
        });
        leaves.wait(8, Duration::ZERO, || None);
    }
}
