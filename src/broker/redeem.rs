//! Redeeming: exactly the call that people agreed to runs, decided afresh.

use super::gate::Gate;
use super::judge::CallInputs;
use super::pending::Pending;
use super::permit::Permit;
use crate::call::Call;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::task::{Liveness, QuestionState};
use crate::token::Presentable;

impl Gate {
    /// Redeems what people agreed to: a permit for exactly the call that the broker kept.
    ///
    /// It is decided afresh, as [`authorize`](Gate::authorize) does: any live grant of the task and of who
    /// asked can be presented, its scope and ancestors hold, today's rules, limits and halts are asked, and
    /// whether those who agreed may still. Where a rule wants what is presented to be bound to the call, it is
    /// bound to the call as it was asked for. One approval gives one permit; of a permit that never
    /// started it comes back, three times at most, and never where a rule says `refund = false`.
    ///
    /// Redeeming twice is denied; a permit itself can't be used twice:
    ///
    /// ```compile_fail,E0382
    /// # use hallpass::{Gate, Grant, Pending, Context, identity::Identity};
    /// # fn redeem(gate: Gate, pending: Pending, grant: Grant, who: Identity, now: Context) {
    /// if let Ok(permit) = gate.redeem(&pending, &grant, &who, &now) {
    ///     let _ = permit.start();
    ///     let _ = permit.start();
    /// }
    /// # }
    /// ```
    /// ```
    /// # use hallpass::{Gate, Grant, Pending, Context, identity::Identity};
    /// # fn redeem(gate: Gate, pending: Pending, grant: Grant, who: Identity, now: Context) {
    /// if let Ok(permit) = gate.redeem(&pending, &grant, &who, &now) {
    ///     let _ = permit.start();
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// A [`Denial`] as of [`authorize`](Gate::authorize): [`Reason::ApprovalRequired`] while people have not
    /// agreed, or where other asks act by now, which are asked then; [`Reason::ApprovalStale`] of another
    /// [material](Pending::material); [`Reason::ApprovalSpent`]; and [`Reason::ApprovalVoid`] of everything else
    /// that became of the question.
    pub fn redeem<P: Presentable + ?Sized>(
        &self,
        pending: &Pending,
        presented: &P,
        caller: &Identity,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let call = self.call_of(pending, caller)?;
        self.decide(presented.text(), caller, call, context, Some(pending))
    }

    /// The call that a question is about.
    ///
    /// # Errors
    /// That it is about none, which is on record.
    pub(super) fn call_of(&self, pending: &Pending, caller: &Identity) -> Result<Call, Denial> {
        let Some(made) = pending.open.made() else {
            let denial = Denial::new(Reason::ApprovalVoid);
            let why = "it is about a scope, which is taken by its task and not redeemed";
            return Err(self.refuse(denial.because(why), caller, None));
        };
        Ok(made.with_material(pending.material.as_ref()))
    }
}

impl CallInputs<'_> {
    /// Whether what is redeemed can be, as far as the question itself goes.
    pub(super) fn check_redeemed(&self, live: &Liveness) -> Result<(), Denial> {
        let CallInputs { request, current, presented, .. } = self;
        let Some(open) = request.redeeming else { return Ok(()) };
        let is_theirs =
            open.generation == presented.cell.generation && open.is_asked_by(request.caller);
        if !is_theirs {
            return Err(Denial::new(Reason::NotTheHolder).because(
                "the question was asked in another task, by somebody else or for somebody else",
            ));
        }
        let reason = match request.shared.refresh(current, open, live.at()) {
            QuestionState::Approved => {
                return match open
                    .call()
                    .is_some_and(|call| request.call.materials() == call.materials())
                {
                    true => Ok(()),
                    false => Err(Denial::new(Reason::ApprovalStale)
                        .because("the call's material is not the one that was shown")),
                };
            }
            QuestionState::Waiting => Reason::ApprovalRequired,
            QuestionState::Spent => Reason::ApprovalSpent,
            _ => Reason::ApprovalVoid,
        };
        let state = open.state_at(live.at());
        let asks = open.binding.asks.iter().map(|ask| ask.id.clone()).collect();
        let denial = Denial::new(reason).by_rules(asks);
        let denial = denial.because(format_args!("the question is {state}"));
        Err(match reason {
            Reason::ApprovalRequired => denial.with_pending(std::sync::Arc::new(Pending::new(
                request.owner.clone(),
                open.clone(),
            ))),
            _ => denial,
        })
    }
}
