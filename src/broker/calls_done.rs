//! The future of a task whose last running call is done.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::Shared;
use crate::task::TaskCell;

/// Resolves once no call of a task is running. A task that is over starts none, so of one this is final.
pub(super) struct CallsDone {
    shared: Arc<Shared>,
    cell: Arc<TaskCell>,
    registered: Option<u64>,
}

impl CallsDone {
    pub(super) fn new(shared: Arc<Shared>, cell: Arc<TaskCell>) -> Self {
        CallsDone { shared, cell, registered: None }
    }

    fn forget(&mut self) {
        if !self.shared.is_forked() {
            self.shared.watchers.forget(self.cell.generation, &mut self.registered);
        }
    }
}

impl Future for CallsDone {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // In the child of a fork no call of it runs, and no lock is waited for.
        if this.shared.is_forked() {
            return Poll::Ready(());
        }
        // Before looking: what is done from here on wakes it.
        let task = this.cell.generation;
        this.shared.watchers.register(task, &mut this.registered, context.waker());
        if !this.cell.life.lock().running().is_empty() {
            return Poll::Pending;
        }
        this.forget();
        Poll::Ready(())
    }
}

impl Drop for CallsDone {
    fn drop(&mut self) {
        self.forget();
    }
}
