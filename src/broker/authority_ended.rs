//! The future of a running call whose authority ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::open_call::CallRef;

/// Resolves once what permits a running call has ended.
pub(super) struct AuthorityEnded {
    call: CallRef,
    tool: Arc<str>,
    registered: Option<u64>,
}

impl AuthorityEnded {
    pub(super) fn new(call: CallRef, tool: &str) -> Self {
        AuthorityEnded { call, tool: tool.into(), registered: None }
    }

    fn forget(&mut self) {
        let CallRef { shared, cell, .. } = &self.call;
        if !shared.is_forked() {
            shared.watchers.forget(cell.generation, &mut self.registered);
        }
    }
}

impl Future for AuthorityEnded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let CallRef { shared, cell, .. } = &this.call;
        if shared.is_forked() {
            return Poll::Ready(());
        }
        // Before looking: what ends from here on wakes it.
        shared.watchers.register(cell.generation, &mut this.registered, context.waker());
        if this.call.is_live(&this.tool) {
            return Poll::Pending;
        }
        this.forget();
        Poll::Ready(())
    }
}

impl Drop for AuthorityEnded {
    fn drop(&mut self) {
        self.forget();
    }
}
