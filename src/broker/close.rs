//! Closing a broker: the end of all its tasks, and of what it gives.

use std::time::Duration;

use super::Broker;
use super::ended::Ended;
use super::retire::End;
use crate::audit::How;

impl Broker {
    /// Ends every task, gives nothing from now on, and then writes what is owed, for `timeout` at the
    /// longest. What the log has not taken by then stays [owed](Broker::record_debts).
    ///
    /// Dropping a broker instead calls no sink: what is owed then goes to the hook that was set with
    /// [`on_unwritten`](crate::BrokerBuilder::on_unwritten).
    pub fn close(&self, timeout: Duration) -> Ended {
        let shared = &self.shared;
        if shared.is_forked() {
            return Ended::nothing().recorded(shared);
        }
        // First, so that no task is opened behind the one that was ended last.
        shared.journal.close();
        let mut ended = Ended::nothing();
        let tasks = shared.table.tasks();
        for task in &tasks {
            ended.add_task(shared.end(task, End::Task { how: How::Closed, reason: None }));
        }
        for task in shared.table.late() {
            ended.add_running(task.life.lock().running());
        }
        for task in &tasks {
            shared.await_leaves(task.generation);
        }
        let ended = ended.recorded(shared);
        if self.flush_within(timeout).is_ok() {
            shared.journal.tell_closed();
        }
        ended
    }
}
