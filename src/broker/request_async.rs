//! Requests and delegations that hold no thread while the log takes its time.

use std::borrow::Cow;
use std::sync::Arc;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::new_grant::EnteredGrant;
use super::task::Task;
use crate::context::Context;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::scope::Scope;

impl Task {
    /// As [`request_for`](Task::request_for), as a future of any runtime: it holds no thread while the log takes its
    /// time, as [`Gate::authorize_async`](crate::Gate::authorize_async) does. Dropped before it is done, nothing is granted.
    ///
    /// # Errors
    /// As [`request`](Task::request).
    pub async fn request_for_async(
        &self,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let scope = Arc::new(scope);
        GrantRequest::ask_async(self, Occasion::REQUEST, holder, context, &scope, |request| {
            request.enter(None, (&scope, request.checked_capabilities(&scope)?), None)
        })
        .await
    }

    /// As [`delegate`](Task::delegate), as [`request_for_async`](Task::request_for_async) does.
    ///
    /// # Errors
    /// As [`delegate`](Task::delegate).
    pub async fn delegate_async(
        &self,
        parent: &Grant,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let scope = Arc::new(scope);
        let occasion = Occasion::child_of(Some(parent.id));
        GrantRequest::ask_async(self, occasion, holder, context, &scope, |request| {
            self.check_is_own(parent)?;
            request.enter(Some(parent.id), (&scope, request.checked_capabilities(&scope)?), None)
        })
        .await
    }
}

impl<'r> GrantRequest<'r> {
    /// As [`ask`](Self::ask), without holding the thread while the log takes its time.
    pub(super) async fn ask_async(
        task: &'r Task,
        occasion: Occasion,
        holder: &'r Identity,
        context: &'r Context,
        scope: &'r Scope,
        enter: impl FnOnce(&GrantRequest<'r>) -> Result<EnteredGrant<'r>, Denial>,
    ) -> Result<Grant, Denial> {
        let entered = GrantRequest::ask(task, occasion, holder, context, scope, enter)?;
        match entered.settled().await {
            Ok(logged) => Ok(logged.hand_out(context)),
            Err(denial) => {
                let moment = (task.shared.keeper.latest(), Cow::Borrowed(context));
                Err(GrantRequest::at(task, occasion, holder, scope, moment).record(denial))
            }
        }
    }
}
