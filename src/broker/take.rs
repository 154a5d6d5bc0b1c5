//! Taking what people agreed to of a plan: a grant, decided afresh.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::pending::Pending;
use super::task::Task;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::scope::Scope;
use crate::sync::Apart;
use crate::task::{Items, QuestionState};

impl Task {
    /// Takes what people agreed to: a grant of the scope that was asked for, for who was to hold it. It is
    /// decided afresh, as a [request](Task::request) or a delegation is.
    ///
    /// The approval stays in the task: as long as it is good, requests, renewals and calls of this holder within
    /// what was agreed to pass the asks that it names.
    ///
    /// # Errors
    /// A [`Denial`] as of [`request`](Task::request): [`Reason::ApprovalRequired`] while people have not answered
    /// all of it, or where other asks act by now, which are asked then; [`Reason::ApprovalSpent`] of what was
    /// taken; and [`Reason::ApprovalVoid`] of everything else that became of the question, and where an item
    /// was refused: [`take_part`](Task::take_part) takes the rest.
    pub fn take(&self, pending: &Pending, context: &Context) -> Result<Grant, Denial> {
        self.take_items(pending, context, true)
    }

    /// As [`take`](Task::take), for an asker who can do with a part: what people agreed to, and what no ask
    /// withheld.
    ///
    /// # Errors
    /// As [`take`](Task::take), where nothing was agreed to that was not taken before.
    pub fn take_part(&self, pending: &Pending, context: &Context) -> Result<Grant, Denial> {
        self.take_items(pending, context, false)
    }

    fn take_items(
        &self,
        pending: &Pending,
        context: &Context,
        whole: bool,
    ) -> Result<Grant, Denial> {
        let open = &pending.open;
        let items = self.items_to_take(pending, whole);
        // What is recorded of a denial is what was asked for.
        let wanted = *items.as_ref().unwrap_or(&Items::all(open.number_of_items()));
        let (scope, parent) = match open.plan() {
            Some(plan) => (plan.part(wanted), plan.parent),
            None => (Scope::of(&[], BTreeSet::new()), None),
        };
        let scope = Arc::new(scope);
        let occasion = Occasion::child_of(parent);
        GrantRequest::ask(self, occasion, &open.holder, context, &scope, |request| {
            let taking = Some((open, items?));
            let capabilities = request.checked_capabilities(&scope)?;
            request.make_of(parent, (&scope, capabilities), context, taking)
        })
    }

    /// The items that can be taken now.
    fn items_to_take(&self, pending: &Pending, whole: bool) -> Result<Items, Denial> {
        let open = &pending.open;
        let is_theirs =
            pending.shared.id == self.shared.id && open.generation == self.cell.generation;
        if !is_theirs {
            return Err(Denial::new(Reason::ApprovalVoid)
                .because("the question was asked in another task or by another broker"));
        }
        if open.plan().is_none() {
            return Err(Denial::new(Reason::ApprovalVoid)
                .because("it is about a call, which is redeemed at the gate"));
        }
        let state = self.shared.look_at(open);
        let now = self.shared.now()?;
        let (all, good) = (Items::all(open.number_of_items()), open.good_items(now, false));
        if good == all || (!whole && !good.is_none()) {
            return Ok(good);
        }
        let asks = open.binding.asks.iter().map(|ask| ask.id.clone()).collect();
        let deny = |reason| Denial::new(reason).by_rules(asks);
        if open.awaits(now) {
            let shared = Arc::new(Apart(self.shared.clone()));
            return Err(deny(Reason::ApprovalRequired)
                .because(format_args!("the question is {state}"))
                .with_pending(Arc::new(Pending::new(shared, open.clone()))));
        }
        Err(match state {
            QuestionState::Spent => deny(Reason::ApprovalSpent).because("it was taken"),
            QuestionState::Partial if !good.is_none() => deny(Reason::ApprovalVoid)
                .because("people agreed to a part of it: that is taken where the asker says so"),
            state => deny(Reason::ApprovalVoid).because(format_args!("the question is {state}")),
        })
    }
}
