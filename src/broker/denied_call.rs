//! How a call that was judged is denied.

use std::sync::Arc;

use super::covering::NotCovering;
use super::judge::CallInputs;
use super::plain_record::{PlainDecision, plain_of};
use crate::denial::{Denial, Reason};
use crate::policy::{AskedCall, DeniedCall, Question, Verdict};
use crate::task::Life;

impl CallInputs<'_> {
    /// What denies keeps the question: it is explained to those who read the denial.
    #[cold]
    pub(super) fn denied(&self, life: &Life, verdict: Verdict, question: &Question<'_>) -> Denial {
        let rules = |rules| self.current.ids(rules);
        let denial = match &verdict {
            Verdict::Ask { asks, .. } => {
                Denial::new(Reason::ApprovalRequired).by_rules(rules(asks))
            }
            Verdict::Forbid(forbids) => Denial::new(Reason::Forbidden).by_rules(rules(forbids)),
            Verdict::NoPermit | Verdict::Permit(_) => Denial::new(Reason::NoPermit),
        };
        let denial = denial.explained_by(DeniedCall { asked: self.keep(question), verdict });
        let (at, epoch) = (question.setting.now, self.current.epoch);
        // Without randomness nothing is kept, and the denial stands.
        let asked = (question, self.respelled);
        match plain_of(&self.current.policy, self.listed, asked, life.secrets()) {
            Ok(Some(kept)) => denial.with_recorded(Arc::new(PlainDecision { kept, at, epoch })),
            Ok(None) | Err(_) => denial,
        }
    }

    #[cold]
    pub(super) fn out_of_scope(&self, scope: NotCovering<'_>, question: &Question<'_>) -> Denial {
        let kept = scope.keep(self.presented.grant, self.keep(question));
        Denial::new(Reason::OutOfScope).explained_by(kept)
    }

    fn keep(&self, question: &Question<'_>) -> AskedCall {
        let CallInputs { request, current, presented, .. } = self;
        AskedCall::keep(&current.policy, &presented.cell.purpose, request.call, question)
    }
}
