//! One attempt to call, and how it is refused.

use std::sync::Arc;

use super::shared::Shared;
use crate::audit::{Event, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Denial;
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::task::TaskCell;

/// One attempt to call.
#[derive(Clone, Copy)]
pub(super) struct CallRequest<'a> {
    pub(super) shared: &'a Shared,
    /// What was presented: a token, or one bound to a call.
    pub(super) text: &'a str,
    pub(super) caller: &'a Identity,
    pub(super) call: &'a Call,
    pub(super) context: &'a Context,
    pub(super) now: Timestamp,
}

/// A denial, and which grant it was about, if the token told.
pub(super) struct Refusal {
    pub(super) denial: Denial,
    pub(super) about: Option<(Arc<TaskCell>, GrantId)>,
}

impl CallRequest<'_> {
    /// Records the denial, and hands it on.
    pub(super) fn record(&self, refusal: Refusal) -> Denial {
        let Refusal { denial, about } = refusal;
        let current = self.shared.current();
        let epoch = current.epoch;
        // The log speaks of arguments as tools get them, as long as they can be spelled so.
        let canonical = match current.policy.catalogue.get(self.call.tool()) {
            Some(listed) => listed.typed.canonical_call(self.call).ok().flatten(),
            None => None,
        };
        drop(current);
        let call = canonical.as_ref().unwrap_or(self.call);
        let arguments = self.shared.argument_digest(call.args()).text();
        let grant = about.as_ref().map(|(_, grant)| grant.text());
        self.shared.record_denial(
            self.now,
            &denial,
            Event::Denied {
                stage: Stage::Call,
                task: about.as_ref().map(|(cell, _)| (&*cell.name).into()),
                generation: about.as_ref().map(|(cell, _)| cell.generation),
                grant: grant.as_ref().map(|grant| grant.as_str().into()),
                who: Some(self.caller.subject().as_str().into()),
                tool: Some(self.call.tool().into()),
                args: Some(arguments.as_str().into()),
                code: denial.code().as_str().into(),
                reason: denial.reason().as_str().into(),
                rules: denial.rules().map(Into::into).collect(),
                epoch: Some(epoch),
            },
        );
        self.shared.trip(self.caller, &denial, self.now);
        denial
    }
}
