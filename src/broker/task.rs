//! The handle of a task.

use std::sync::Arc;
use std::time::Duration;

use super::ended::Ended;
use super::retire::End;
use super::shared::Shared;
use crate::audit::How;
use crate::clock::Timestamp;
use crate::task::TaskCell;

/// A task: the unit of authority. It starts with no access, and ending it ends all that it got.
///
/// Ended by name ([`complete`](Task::complete), [`fail`](Task::fail), [`revoke`](Task::revoke)), or
/// by being dropped, be it through `?`, a panic or a cancelled future: the end is the same. Dropping
/// it neither waits for a slow log nor unwinds. A task that is leaked instead ends at its ceiling.
///
/// ```compile_fail,E0277
/// # use hallpass::Task;
/// fn copy<T: Clone>() {}
/// copy::<Task>();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::Task;
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Task>();
/// ```
/// ```compile_fail,E0451
/// # use hallpass::Task;
/// fn forge(task: Task) -> Task {
///     Task { ..task }
/// }
/// ```
/// ```compile_fail,E0382
/// # use hallpass::Task;
/// fn twice(task: Task) {
///     task.complete();
///     task.complete();
/// }
/// ```
/// ```
/// # use hallpass::{Gate, Task};
/// fn copy<T: Clone>() {}
/// copy::<Gate>();
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<String>();
/// fn once(task: Task) -> u64 {
///     let generation = task.generation();
///     task.complete();
///     generation
/// }
/// ```
#[must_use = "a task that is dropped has ended, and every grant with it"]
pub struct Task {
    pub(super) shared: Arc<Shared>,
    pub(super) cell: Arc<TaskCell>,
}

impl Task {
    /// The task's name.
    pub fn name(&self) -> &str {
        &self.cell.name
    }

    /// Which opening this is: a broker-wide number, never used twice.
    pub fn generation(&self) -> u64 {
        self.cell.generation
    }

    /// No grant of the task lives at this instant or later, whatever is renewed.
    pub fn ceiling(&self) -> Timestamp {
        self.cell.ceiling
    }

    /// The errand is done: everything ends. Final when it returns.
    pub fn complete(self) -> Ended {
        self.end(How::Completed, None)
    }

    /// The errand failed, for a reason that the log keeps: everything ends. An end is never refused, so
    /// of a reason of more than 4,096 bytes the beginning is kept, and ends in `…`.
    pub fn fail(self, reason: &str) -> Ended {
        self.end(How::Failed, Some(reason))
    }

    /// As [`complete`](Task::complete), and then waits until the calls that were running are done, or
    /// for `most` at the longest. What is still running then is in the answer.
    pub fn complete_and_wait(self, most: Duration) -> Ended {
        let mut ended = self.end_as(How::Completed, None);
        ended.running = self.cell.wait_for_running(most);
        ended.recorded(&self.shared)
    }

    /// The task is taken away: everything ends.
    pub fn revoke(self) -> Ended {
        self.end(How::Revoked, None)
    }

    fn end(self, how: How, reason: Option<&str>) -> Ended {
        // Dropping `self` afterwards finds the task over and does nothing.
        self.end_as(how, reason)
    }

    /// Ends it for all who share it.
    pub(super) fn end_as(&self, how: How, reason: Option<&str>) -> Ended {
        Ended::task(&self.shared, &self.cell, how, reason)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ = self.shared.end(&self.cell, End::Task { how: How::Dropped, reason: None });
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.cell.name)
            .field("generation", &self.cell.generation)
            .finish_non_exhaustive()
    }
}
