//! The handle of a task.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::calls_done::CallsDone;
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
        // In the child of a fork no call of it runs, and no lock is waited for.
        if !self.shared.is_forked() {
            ended.running = self.cell.wait_for_running(most);
            self.await_leaves();
        }
        ended.recorded(&self.shared)
    }

    /// As [`complete_and_wait`](Task::complete_and_wait), as a future of any runtime. Everything ends when
    /// this is called, whether the future is polled or not; it resolves once the last call that was running
    /// is done. It has no time limit of its own: dropping it stops waiting, and calls no sink.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context as Polled, Poll, Waker};
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("tail").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("watch"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("tail").any_args(), &context)?;
    /// # let call = Call::new("tail", serde_json::json!({}))?;
    /// let running = broker.gate().authorize(&grant, &agent, call, &context)?.start()?;
    /// let mut completed = pin!(async { task.completed().await.and_flushed().await });
    /// # let mut polled = Polled::from_waker(Waker::noop());
    /// assert!(completed.as_mut().poll(&mut polled).is_pending());
    /// assert!(broker.standing().is_empty(), "the end waits for no call");
    /// running.succeed();
    /// let Poll::Ready(ended) = completed.as_mut().poll(&mut polled) else { panic!("it is done") };
    /// assert!(ended?.running.is_empty());
    /// assert_eq!(broker.record_debts(), 0, "and the log has its outcome");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn completed(self) -> impl Future<Output = Ended> + Send + use<> {
        let mut ended = self.end_as(How::Completed, None);
        let done = CallsDone::new(self.shared.clone(), self.cell.clone());
        let shared = self.shared.clone();
        async move {
            done.await;
            ended.running.clear();
            ended.recorded(&shared)
        }
    }

    /// The task is taken away: everything ends.
    pub fn revoke(self) -> Ended {
        self.end(How::Revoked, None)
    }

    fn end(self, how: How, reason: Option<&str>) -> Ended {
        // Dropping `self` afterwards finds the task over and does nothing.
        let ended = self.end_as(how, reason);
        self.await_leaves();
        ended
    }

    /// Ends it for all who share it.
    fn await_leaves(&self) {
        if !self.shared.is_forked() {
            self.shared.await_leaves(self.cell.generation);
        }
    }

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
